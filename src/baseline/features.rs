use candle_core::{Tensor, WithDType};

use crate::{Error, Result};

/// Samples as rows of finite numbers on the host.
pub(super) struct Features<T> {
    values: Vec<T>,
    width: usize,
}

impl<T: WithDType + Into<f64>> Features<T> {
    /// `xs`: `[n, ...]`, each sample flattened. `what` names it in errors.
    pub(super) fn read(what: &'static str, xs: &Tensor) -> Result<Self> {
        let width = xs.dims().get(1..).unwrap_or_default().iter().product();
        if xs.rank() < 2 || width == 0 {
            let expected = "[n, ...] with at least one feature";
            return Err(Error::shape(what, expected, xs));
        }
        let values = xs.detach().flatten_all()?.to_vec1::<T>()?;
        if let Some(index) = values.iter().position(|&v| !v.into().is_finite()) {
            return Err(Error::NonFiniteFeature {
                what,
                row: index / width,
                column: index % width,
                value: values[index].into(),
            });
        }
        Ok(Self { values, width })
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// `[len, width]`, row-major.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    pub(super) fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.width + column].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn samples_are_flattened_also_from_a_view() -> Result<()> {
        let xs = Tensor::arange(0f32, 12., &Device::Cpu)?.reshape((2, 3, 2))?;
        let features = Features::<f32>::read("xs", &xs)?;
        assert_eq!((features.len(), features.width()), (2, 6));
        assert_eq!(features.values()[6..], [6., 7., 8., 9., 10., 11.]);
        let features = Features::<f32>::read("xs", &xs.transpose(0, 1)?)?;
        assert_eq!((features.len(), features.width()), (3, 4));
        assert_eq!(features.values()[4..8], [2., 3., 8., 9.]);
        assert_eq!(features.get(2, 3), 11.);
        Ok(())
    }

    #[test]
    fn bad_input_is_named() -> Result<()> {
        for dims in [&[][..], &[4], &[4, 0], &[4, 2, 0]] {
            let xs = Tensor::zeros(dims, candle_core::DType::F64, &Device::Cpu)?;
            let error = Features::<f64>::read("xs", &xs).err();
            assert!(
                matches!(error, Some(Error::Shape { what: "xs", actual, .. }) if actual == dims)
            );
        }
        let xs = Tensor::new(&[[1f64, 2.], [3., f64::NEG_INFINITY]], &Device::Cpu)?;
        assert!(matches!(
            Features::<f64>::read("xs", &xs).err(),
            Some(Error::NonFiniteFeature {
                what: "xs",
                row: 1,
                column: 1,
                value: f64::NEG_INFINITY
            })
        ));
        Ok(())
    }
}
