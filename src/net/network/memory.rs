//! What a batch takes of memory.

use super::Network;
use super::automatic::fitting;
use crate::net::LeNetConfig;
use crate::net::size::product;
use crate::{Error, Result};

/// Values of a batch's first feature maps, the largest: 1 GiB in f32. A training step takes four to five
/// times that.
const MOST_VALUES: u64 = 1 << 28;

impl Network {
    /// Whether a batch of `size` is small enough to try, on an automatic network.
    ///
    /// # Errors
    /// [`Error::Config`] with sizes that work.
    pub(crate) fn check_batch(&self, size: usize) -> Result<()> {
        let Self::LeNet(config) = self else {
            return Ok(());
        };
        let most = MOST_VALUES / first_maps(config).max(1);
        if size as u64 <= most {
            return Ok(());
        }
        let (height, width) = (config.height, config.width);
        let mut remedies = Vec::new();
        // Batch norm needs two.
        if most >= 2 {
            remedies.push(format!("batches of {most}"));
        }
        if let Some((h, w)) = smaller(config, size) {
            remedies.push(format!("images of {h} x {w}"));
        }
        remedies.push("a network given explicitly".into());
        let rule = "such that a batch's first feature maps take at most 1 GiB";
        let remedies = remedies.join(", ");
        let value =
            format!("batches of {size} images of {height} x {width} (what works: {remedies})");
        Err(Error::config("batch_size", rule, value))
    }
}

/// The sides halved until a batch of `size` fits.
fn smaller(config: &LeNetConfig, size: usize) -> Option<(usize, usize)> {
    let halve = |&(h, w): &(usize, usize)| match (h, w) {
        (1, 1) => None,
        _ => Some((h.div_ceil(2), w.div_ceil(2))),
    };
    let fits = |&(h, w): &(usize, usize)| {
        let network = fitting(config.channels, h, w);
        network.is_some_and(|c| first_maps(&c).saturating_mul(size as u64) <= MOST_VALUES)
    };
    std::iter::successors(Some((config.height, config.width)), halve).find(fits)
}

/// Values of an image's first feature maps.
fn first_maps(config: &LeNetConfig) -> u64 {
    let (height, width) = config.padded();
    product(&[config.blocks.first().copied().unwrap_or(0), height, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_whose_maps_would_not_fit_are_refused_with_what_does() {
        let check = |side: usize, batch: usize| {
            let network = Network::for_samples(&[3, side, side]).unwrap();
            network.check_batch(batch)
        };
        check(256, 128).unwrap();
        check(32, 8192).unwrap();
        let vectors = Network::for_samples(&[1000]).unwrap();
        vectors.check_batch(usize::MAX).unwrap();
        let err = check(900, 128).unwrap_err();
        let expected = "batch_size must be such that a batch's first feature maps take at most 1 GiB, \
            got batches of 128 images of 900 x 900 (what works: batches of 8, images of 225 x 225, \
            a network given explicitly)";
        assert_eq!(err.to_string(), expected);
        check(900, 8).unwrap();
        check(225, 128).unwrap();
        assert!(check(900, 9).is_err());
        let err = check(32, usize::MAX).unwrap_err().to_string();
        assert!(err.contains("batches of 8192, a network"), "{err}");
    }
}
