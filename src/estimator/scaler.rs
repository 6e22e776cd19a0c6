use std::any::Any;

use candle_core::{DType, Device, Tensor};

use super::Transformation;
use super::transformation::{saturated, saturated_values};
use crate::data::Samples;
use crate::ops::{self, Numbers};
use crate::{Error, Result};

/// Values of scaled samples beyond which training takes them for this: their squares, and what a network
/// makes of them, are finite in f32.
const TRAINED: f64 = 1e6;

/// A fitted scaling, `(x - shift) / scale`, fitted on the unlabeled training part alone.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let scaler = detector.scaler().expect("vectors are standardised");
/// assert_eq!((scaler.shift().len(), scaler.scale().len()), (2, 2));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// One a feature, or a single one for all.
    shift: Vec<f64>,
    scale: Vec<f64>,
    /// Whether f32 holds the numbers: a scale that is 0 or infinite there would give NaN.
    fits_f32: bool,
}

impl Scaler {
    /// Of numbers that [`check`](Self::check) finds good.
    pub(super) fn from_parts(shift: Vec<f64>, scale: Vec<f64>) -> Self {
        let normal = |&v: &f64| (v as f32).is_normal();
        let finite = |&v: &f64| (v as f32).is_finite();
        Self {
            fits_f32: scale.iter().all(normal) && shift.iter().all(finite),
            shift,
            scale,
        }
    }

    /// What is subtracted: one number a feature of the flattened sample, or a single one.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// What is divided by, > 0, as [`shift`](Self::shift).
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Shift and scale in a type and shape that go with `xs`, `[n, ...]`.
    fn tensors(&self, xs: &Tensor) -> Result<(Tensor, Tensor)> {
        let dtype = match xs.dtype() {
            DType::F64 => DType::F64,
            _ => DType::F32,
        };
        let mut shape = xs.dims().to_vec();
        if self.shift.len() == 1 {
            shape.fill(1);
        } else {
            shape[0] = 1;
        }
        let tensor = |values: &[f64]| -> Result<Tensor> {
            let host = Tensor::from_slice(values, shape.as_slice(), &Device::Cpu)?;
            Ok(host.to_dtype(dtype)?.to_device(xs.device())?)
        };
        Ok((tensor(&self.shift)?, tensor(&self.scale)?))
    }

    /// # Errors
    /// [`Error::Config`] for numbers that are no scaling, or not for samples of `features` values.
    pub(super) fn check(&self, features: usize) -> Result<()> {
        for (name, values) in [("shift", &self.shift), ("scale", &self.scale)] {
            if values.len() != 1 && values.len() != features {
                let rule = "one number, or one a feature";
                return Err(Error::config(name, rule, values.len()));
            }
        }
        if self.shift.len() != self.scale.len() {
            return Err(Error::config("scale", "as long as shift", self.scale.len()));
        }
        if let Some(&bad) = self.shift.iter().find(|v| !v.is_finite()) {
            return Err(Error::config("shift", "finite", bad));
        }
        match self.scale.iter().find(|v| !(**v > 0. && v.is_finite())) {
            Some(&bad) => Err(Error::config("scale", "finite and above 0", bad)),
            None => Ok(()),
        }
    }
}

impl Transformation for Scaler {
    /// f64 is rounded after it is scaled.
    fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        if xs.dtype() == DType::F64 || self.fits_f32 {
            return saturated(ops::standardize(xs, &self.shift, &self.scale)?);
        }
        // On the host: some devices have no f64.
        let wide = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let scaled = saturated(ops::standardize(&wide, &self.shift, &self.scale)?)?;
        Ok(scaled.to_device(xs.device())?)
    }

    fn values(&self, numbers: Numbers<'_>) -> Vec<f32> {
        let wide;
        let numbers = match numbers {
            Numbers::F32(_) if !self.fits_f32 => {
                wide = numbers.to_f64();
                Numbers::F64(&wide)
            }
            numbers => numbers,
        };
        saturated_values(numbers.standardized(&self.shift, &self.scale))
    }

    /// Values that a loss could not be computed of in f32 count as ones that it can.
    fn apply_set(&self, samples: &Samples) -> Result<Samples> {
        let scaler = self.clone();
        samples.mapped(move |tensor| {
            Ok(ops::clamp(
                &scaler.apply(tensor)?,
                &[-TRAINED],
                &[TRAINED],
                1,
            )?)
        })
    }

    fn undo(&self, xs: &Tensor) -> Result<Tensor> {
        let (shift, scale) = self.tensors(xs)?;
        Ok(xs.broadcast_mul(&scale)?.broadcast_add(&shift)?)
    }

    fn numbers(&self) -> Vec<(&'static str, &[f64])> {
        vec![(SHIFT, &self.shift), (SCALE, &self.scale)]
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Names of a scaler's numbers in a file.
pub(super) const SHIFT: &str = "scaler.shift";
pub(super) const SCALE: &str = "scaler.scale";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_units_keep_their_scale_in_another_type() {
        let scaler = Scaler::from_parts(vec![1.5e-200, 1.], vec![1e-200, 1.]);
        let new = Tensor::new(&[[0f32, 3.]], &Device::Cpu).unwrap();
        let scaled = scaler.apply(&new).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(scaled, [[-1.5, 2.]]);
    }

    #[test]
    fn training_takes_the_largest_values_for_smaller_ones() {
        let scaler = Scaler::from_parts(vec![0.], vec![1.]);
        let xs = || Tensor::new(&[[f64::MAX, 3., -1e20]], &Device::Cpu).unwrap();
        let rows = |xs: Tensor| xs.to_vec2::<f32>().unwrap();
        let trained = scaler.apply_set(&Samples::from(&xs())).unwrap();
        assert_eq!(rows(trained.to_tensor().unwrap()), [[1e6, 3., -1e6]]);
        assert_eq!(rows(scaler.apply(&xs()).unwrap()), [[f32::MAX, 3., -1e20]]);
    }

    #[test]
    fn broken_scalers_are_errors() {
        let scaler = |shift: &[f64], scale: &[f64]| Scaler::from_parts(shift.into(), scale.into());
        assert!(scaler(&[0.; 3], &[1.; 3]).check(3).is_ok());
        assert!(scaler(&[0.], &[1.]).check(3).is_ok());
        for bad in [
            scaler(&[0.; 2], &[1.; 2]),
            scaler(&[0.; 3], &[1.]),
            scaler(&[f64::NAN; 3], &[1.; 3]),
            scaler(&[0.; 3], &[0.; 3]),
            scaler(&[0.; 3], &[f64::INFINITY; 3]),
        ] {
            assert!(matches!(bad.check(3), Err(Error::Config { .. })), "{bad:?}");
        }
    }
}
