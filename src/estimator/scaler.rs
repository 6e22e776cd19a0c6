use std::any::Any;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Transformation;
use super::transformation::Unchanged;
use crate::data::Samples;
use crate::{Error, Result, ops};

/// Values looked at in one piece.
const PIECE: usize = 1 << 20;

/// How samples are scaled before the network sees them.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Scaling;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// // Features that are in one unit already.
/// let mut config = FitConfig { scaling: Scaling::None, ..Default::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert!(detector.scaler().is_none());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Vectors: [`Standard`](Self::Standard). Images: as they are if all unlabeled training values
    /// lie in [0, 1], which is what LeNet's decoder gives; else [`UnitRange`](Self::UnitRange).
    #[default]
    Auto,
    /// Every feature to mean 0 and standard deviation 1. A feature that is constant is centred only
    /// (scale 1), so a new sample that differs in it keeps the difference in the feature's own unit.
    Standard,
    /// The smallest of all values to 0, the largest to 1, one range for all features.
    UnitRange,
    /// As they are.
    None,
}

impl Scaling {
    /// The transformation of `samples`.
    pub(super) fn fit(self, samples: &Samples) -> Result<Arc<dyn Transformation>> {
        Ok(match Scaler::fit(self, samples)? {
            Some(scaler) => Arc::new(scaler),
            None => Arc::new(Unchanged),
        })
    }
}

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
}

impl Scaler {
    /// The scaler of `samples`, or `None` where they stay as they are.
    fn fit(scaling: Scaling, samples: &Samples) -> Result<Option<Self>> {
        // 8-bit images are floats in [0, 1] already.
        let Some(tensor) = samples.tensor() else {
            return Ok(match scaling {
                Scaling::Standard => Some(Self::standard(&samples.to_tensor()?)?),
                _ => None,
            });
        };
        match (scaling, tensor.rank()) {
            (Scaling::None, _) => Ok(None),
            (Scaling::Standard, _) | (Scaling::Auto, 2) => Ok(Some(Self::standard(tensor)?)),
            (Scaling::UnitRange, _) => Ok(Some(Self::unit_range(range(tensor)?))),
            (Scaling::Auto, _) => {
                let (low, high) = range(tensor)?;
                Ok((low < 0. || high > 1.).then(|| Self::unit_range((low, high))))
            }
        }
    }

    /// From a file.
    pub(super) fn from_parts(shift: Vec<f64>, scale: Vec<f64>) -> Self {
        Self { shift, scale }
    }

    /// What is subtracted: one number a feature of the flattened sample, or a single one.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// What is divided by, > 0, as [`shift`](Self::shift).
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    fn unit_range((low, high): (f64, f64)) -> Self {
        let width = high - low;
        Self {
            shift: vec![low],
            scale: vec![if width > 0. { width } else { 1. }],
        }
    }

    fn standard(tensor: &Tensor) -> Result<Self> {
        let features = tensor.elem_count() / tensor.dim(0)?;
        let n = tensor.dim(0)? as f64;
        let mut mean = vec![0f64; features];
        let (mut low, mut high) = (
            vec![f64::INFINITY; features],
            vec![f64::NEG_INFINITY; features],
        );
        for_rows(tensor, |row| {
            for (j, &x) in row.iter().enumerate() {
                mean[j] += x / n;
                low[j] = low[j].min(x);
                high[j] = high[j].max(x);
            }
        })?;
        let mut variance = vec![0f64; features];
        for_rows(tensor, |row| {
            for (j, &x) in row.iter().enumerate() {
                variance[j] += (x - mean[j]).powi(2) / n;
            }
        })?;
        // Told by the range: rounding of the mean can leave a constant a variance above 0.
        for j in 0..features {
            if low[j] == high[j] {
                (mean[j], variance[j]) = (low[j], 1.);
            }
        }
        let deviation = |v: f64| match v.sqrt() {
            d if d > 0. && d.is_finite() => d,
            _ => 1.,
        };
        Ok(Self {
            scale: variance.into_iter().map(deviation).collect(),
            shift: mean,
        })
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
        Ok(ops::standardize(xs, &self.shift, &self.scale)?)
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

/// The smallest and the largest value.
fn range(tensor: &Tensor) -> Result<(f64, f64)> {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    for_rows(tensor, |row| {
        for &x in row {
            range = (range.0.min(x), range.1.max(x));
        }
    })?;
    Ok(range)
}

/// Each sample's values as f64, converted on the host and piece by piece: some devices have no f64,
/// and a large tensor should not be held twice.
fn for_rows(tensor: &Tensor, mut f: impl FnMut(&[f64])) -> Result<()> {
    let n = tensor.dim(0)?;
    let width = (tensor.elem_count() / n).max(1);
    let rows = (PIECE / width).clamp(1, n);
    for start in (0..n).step_by(rows) {
        let piece = tensor.narrow(0, start, rows.min(n - start))?;
        let piece = piece.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let values = piece.flatten_all()?.to_vec1::<f64>()?;
        values.chunks_exact(width).for_each(&mut f);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tensor(rows: &[[f64; 3]]) -> Tensor {
        Tensor::from_slice(rows.as_flattened(), (rows.len(), 3), &Device::Cpu).unwrap()
    }

    fn fit(scaling: Scaling, rows: &[[f64; 3]]) -> Option<Scaler> {
        Scaler::fit(scaling, &tensor(rows).into()).unwrap()
    }

    #[test]
    fn constant_features_are_centred_with_scale_one() {
        let rows = [[0.1, 1., -4.], [0.1, 3., -4.], [0.1, 5., -4.]];
        let scaler = fit(Scaling::Auto, &rows).unwrap();
        assert_eq!(scaler.shift(), [0.1, 3., -4.]);
        assert_eq!(scaler.scale(), [1., (8f64 / 3.).sqrt(), 1.]);
        let new = Tensor::new(&[[0.1f64, 3., 6.]], &Device::Cpu).unwrap();
        let scaled = scaler.apply(&new).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(scaled, [[0., 0., 10.]]);
    }

    #[test]
    fn large_offsets_in_f64_keep_their_digits() {
        let rows: Vec<[f64; 3]> = (0..100).map(|i| [1.7e9 + f64::from(i), 0., 1.]).collect();
        let scaler = fit(Scaling::Standard, &rows).unwrap();
        let xs = tensor(&rows);
        let scaled = scaler.apply(&xs).unwrap().to_vec2::<f32>().unwrap();
        let step = 1. / scaler.scale()[0];
        let steps: Vec<f64> = scaled
            .windows(2)
            .map(|w| f64::from(w[1][0] - w[0][0]))
            .collect();
        assert!(steps.iter().all(|s| (s - step).abs() < 1e-6), "{steps:?}");
    }

    #[test]
    fn images_are_left_alone_inside_the_unit_range_only() {
        let image = |values: [f32; 4]| {
            let t = Tensor::from_slice(&values, (1, 1, 2, 2), &Device::Cpu).unwrap();
            Scaler::fit(Scaling::Auto, &t.into()).unwrap()
        };
        assert_eq!(image([0., 0.5, 1., 0.]), None);
        let scaler = image([0., 255., 3., 4.]).unwrap();
        assert_eq!((scaler.shift(), scaler.scale()), (&[0.][..], &[255.][..]));
        assert_eq!(image([-7.; 4]).unwrap().scale(), [1.]);
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

    proptest! {
        #[test]
        fn standard_scores_have_mean_0_and_deviation_1(
            rows in proptest::collection::vec([-1e3..1e3f64, 0f64..1e-3, -1e9..1e9f64], 2..60),
        ) {
            let scaler = fit(Scaling::Standard, &rows).unwrap();
            let xs = tensor(&rows);
            let scaled = scaler.apply(&xs).unwrap();
            let n = rows.len() as f64;
            for j in 0..3 {
                let column = scaled.narrow(1, j, 1).unwrap().flatten_all().unwrap();
                let column = column.to_vec1::<f32>().unwrap();
                let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
                let variance = column.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
                prop_assert!(mean.abs() < 1e-4 && (variance - 1.).abs() < 1e-3, "{} {}", mean, variance);
            }
            let back = scaler.undo(&scaled.to_dtype(DType::F64).unwrap()).unwrap();
            let back = back.to_vec2::<f64>().unwrap();
            for (row, again) in rows.iter().zip(back) {
                for j in 0..3 {
                    prop_assert!((row[j] - again[j]).abs() < 1e-5 * scaler.scale()[j]);
                }
            }
        }
    }
}
