use candle_core::{Device, Tensor};

use crate::{Error, Result};

/// Beyond so many features a window takes all but this number of them.
const MOST_LEFT: usize = 150;

/// The windows of consecutive features, and what each leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// Of a sample.
    pub(super) features: usize,
    /// Of a window.
    pub(super) size: usize,
}

impl Windows {
    /// Of `size` features, or of as many as the authors take: 2 below 40 features, 10 up to 160, else all but 150.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer than 3 features, and for a size of 0 or one that leaves no feature.
    pub(super) fn new(features: usize, size: Option<usize>) -> Result<Self> {
        let automatic = match features {
            0..40 => 2,
            40..=160 => 10,
            _ => features - MOST_LEFT,
        };
        if features < 3 {
            let rule =
                "vectors of at least 3 features under icl, for two windows and what each leaves";
            return Err(Error::config("samples", rule, format!("{features}")));
        }
        let size = size.unwrap_or(automatic);
        if !(1..features).contains(&size) {
            let rule = "at least 1 and less than the number of features";
            let value = format!("{size} for {features} features");
            return Err(Error::config("window", rule, value));
        }
        Ok(Self { features, size })
    }

    /// How many there are: two at least.
    pub(super) fn count(self) -> usize {
        self.features - self.size + 1
    }

    /// Features outside of each window.
    pub(super) fn left(self) -> usize {
        self.features - self.size
    }

    /// The features inside and outside of every window, one window after the other, where `order` has the
    /// features as the windows slide over them: `[count * size]` and `[count * left]`.
    pub(super) fn indices(self, order: &[u32], device: &Device) -> Result<[Tensor; 2]> {
        let windows = 0..self.count();
        let inside = windows.clone().flat_map(|j| &order[j..j + self.size]);
        let outside = windows.flat_map(|j| order[..j].iter().chain(&order[j + self.size..]));
        let tensor = |indices: Vec<u32>| {
            let count = indices.len();
            Tensor::from_vec(indices, count, device)
        };
        Ok([
            tensor(inside.copied().collect())?,
            tensor(outside.copied().collect())?,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_go_by_the_number_of_features() {
        let size = |features| {
            let windows = Windows::new(features, None).unwrap();
            (windows.size, windows.count(), windows.left())
        };
        assert_eq!(size(3), (2, 2, 1));
        assert_eq!(size(39), (2, 38, 37));
        assert_eq!(size(40), (10, 31, 30));
        assert_eq!(size(160), (10, 151, 150));
        assert_eq!(size(161), (11, 151, 150));
        assert_eq!(size(1555), (1405, 151, 150));
    }

    #[test]
    fn windows_slide_over_the_order_and_leave_the_rest_of_it() {
        let windows = Windows::new(4, Some(2)).unwrap();
        let indices = windows.indices(&[3, 1, 0, 2], &Device::Cpu).unwrap();
        let [inside, outside] = indices.map(|t| t.to_vec1::<u32>().unwrap());
        assert_eq!(inside, [3, 1, 1, 0, 0, 2]);
        assert_eq!(outside, [0, 2, 3, 2, 3, 1]);
    }

    #[test]
    fn too_few_features_and_windows_without_a_rest_are_named() {
        for features in [0, 1, 2] {
            for size in [None, Some(1)] {
                let err = Windows::new(features, size).unwrap_err().to_string();
                assert!(err.contains("at least 3 features under icl"), "{err}");
                assert!(err.contains(&format!("got {features}")), "{err}");
            }
        }
        for size in [0, 5, 6] {
            let err = Windows::new(5, Some(size)).unwrap_err().to_string();
            assert!(
                err.contains("window") && err.contains(&format!("{size} for 5")),
                "{err}"
            );
        }
        assert_eq!(Windows::new(5, Some(4)).unwrap().count(), 2);
    }
}
