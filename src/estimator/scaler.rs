use std::any::Any;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Transformation;
use super::transformation::{Unchanged, saturated};
use crate::data::{PuDataset, Samples};
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

    /// Whether what stays as it is can be trained on.
    ///
    /// # Errors
    /// [`Error::HugeFeature`] for the first value that cannot.
    pub(super) fn check_unscaled(self, data: &PuDataset) -> Result<()> {
        let unscaled = match (self, data.unlabeled().tensor()) {
            (Self::None, _) => true,
            (Self::Auto, Some(images)) if images.rank() > 2 => {
                let (low, high) = range(images)?;
                low >= 0. && high <= 1.
            }
            _ => false,
        };
        let groups = data.groups().filter(|_| unscaled);
        for (what, samples) in groups {
            if let Some(tensor) = samples.tensor() {
                check_size(what, tensor)?;
            }
        }
        Ok(())
    }
}

fn check_size(what: &'static str, tensor: &Tensor) -> Result<()> {
    let (mut row, mut found) = (0, None);
    for_rows(tensor, |values| {
        let huge = values.iter().position(|v| v.abs() > UNSCALED);
        if let (None, Some(column)) = (found, huge) {
            found = Some((row, column, values[column]));
        }
        row += 1;
    })?;
    match found {
        None => Ok(()),
        Some((row, column, value)) => Err(Error::HugeFeature {
            what,
            row,
            column,
            value,
            limit: UNSCALED,
        }),
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

/// Values of scaled samples beyond which training takes them for this: their squares, and what a network
/// makes of them, are finite in f32.
const TRAINED: f64 = 1e6;

/// The largest value that is trained on unscaled: its square is far from the end of f32.
const UNSCALED: f64 = 1e15;

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
        let columns = Columns::of(tensor)?;
        let mut mean = columns.mean;
        let units: Vec<f64> = (columns.low.iter().zip(&columns.high))
            .map(|(low, high)| unit(low.abs().max(high.abs())))
            .collect();
        let n = tensor.dim(0)? as f64;
        let mut variance = vec![0f64; mean.len()];
        for_rows(tensor, |row| {
            for (j, &x) in row.iter().enumerate() {
                variance[j] += (x / units[j] - mean[j] / units[j]).powi(2) / n;
            }
        })?;
        let smallest = match tensor.dtype() {
            DType::F64 => f64::from_bits(1),
            _ => f32::from_bits(1).into(),
        };
        let mut scale = Vec::with_capacity(mean.len());
        for (j, variance) in variance.into_iter().enumerate() {
            let (low, high) = (columns.low[j], columns.high[j]);
            if constant(low, high, tensor.dtype()) {
                // Rounding may have moved the mean of equal values.
                mean[j] = if low == high { low } else { mean[j] };
                scale.push(1.);
            } else {
                scale.push((variance.sqrt() * units[j]).clamp(smallest, f64::MAX));
            }
        }
        let shift = mean;
        Ok(Self { shift, scale })
    }

    /// Whether f32 holds the numbers: a scale that is 0 or infinite there would give NaN.
    fn fits_f32(&self) -> bool {
        let normal = |&v: &f64| (v as f32).is_normal();
        let finite = |&v: &f64| (v as f32).is_finite();
        self.scale.iter().all(normal) && self.shift.iter().all(finite)
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
        if xs.dtype() == DType::F64 || self.fits_f32() {
            return saturated(ops::standardize(xs, &self.shift, &self.scale)?);
        }
        // On the host: some devices have no f64.
        let wide = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let scaled = saturated(ops::standardize(&wide, &self.shift, &self.scale)?)?;
        Ok(scaled.to_device(xs.device())?)
    }

    /// Values that a loss could not be computed of in f32 count as ones that it can.
    fn apply_set(&self, samples: &Samples) -> Result<Samples> {
        let scaled = self.apply(&samples.to_tensor()?)?;
        let (low, high) = range(&scaled)?;
        if low >= -TRAINED && high <= TRAINED {
            return Ok(scaled.into());
        }
        Ok(scaled.clamp(-TRAINED, TRAINED)?.into())
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

/// What one pass over the samples tells of each feature.
struct Columns {
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Columns {
    fn of(tensor: &Tensor) -> Result<Self> {
        let features = tensor.elem_count() / tensor.dim(0)?;
        let n = tensor.dim(0)? as f64;
        let mut columns = Self {
            mean: vec![0.; features],
            low: vec![f64::INFINITY; features],
            high: vec![f64::NEG_INFINITY; features],
        };
        for_rows(tensor, |row| {
            for (j, &x) in row.iter().enumerate() {
                columns.mean[j] += x / n;
                columns.low[j] = columns.low[j].min(x);
                columns.high[j] = columns.high[j].max(x);
            }
        })?;
        Ok(columns)
    }
}

/// Whether values of this range are one value but for rounding: a few steps of their type.
fn constant(low: f64, high: f64, dtype: DType) -> bool {
    let step = match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => f32::EPSILON.into(),
    };
    // Halved, since the range of finite numbers may be infinite.
    high / 2. - low / 2. <= 2. * step * low.abs().max(high.abs())
}

/// A power of two of about this size, in which squares neither vanish nor overflow; dividing by it
/// rounds nothing.
fn unit(size: f64) -> f64 {
    if size == 0. || (1e-100..1e100).contains(&size) {
        return 1.;
    }
    size.log2().floor().clamp(-1000., 1000.).exp2()
}

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
    fn constant_is_what_lies_within_rounding() {
        let column = |values: &[f64], dtype| {
            let t = Tensor::from_slice(values, (values.len(), 1), &Device::Cpu).unwrap();
            let t = t.to_dtype(dtype).unwrap();
            let scaler = Scaler::fit(Scaling::Standard, &t.into()).unwrap().unwrap();
            (scaler.shift[0], scaler.scale[0])
        };
        let nearly = |value: f64, next: f64| [vec![value; 999], vec![next]].concat();
        for dtype in [DType::F64, DType::F32] {
            let next = match dtype {
                DType::F64 => 14.62f64.next_up(),
                _ => 14.62f32.next_up().into(),
            };
            let (shift, scale) = column(&nearly(14.62, next), dtype);
            assert!(
                (shift - 14.62).abs() < 1e-6 && scale == 1.,
                "{shift} {scale}"
            );
        }
        // One thousandth of its size is no rounding, nor a small unit.
        let (_, scale) = column(&nearly(14.62, 14.63), DType::F64);
        assert!(
            (scale - 0.01 * (999f64).sqrt() / 1000.).abs() < 1e-6,
            "{scale}"
        );
        for (size, dtype) in [
            (1e-12, DType::F32),
            (1e-12, DType::F64),
            (1e-200, DType::F64),
            (1e-310, DType::F64),
            (1e200, DType::F64),
            (1e30, DType::F32),
        ] {
            let (shift, scale) = column(&[size, 3. * size], dtype);
            let near = |a: f64, b: f64| (a / b - 1.).abs() < 1e-6;
            assert!(
                near(shift, 2. * size) && near(scale, size),
                "{shift} {scale}"
            );
        }
        let (_, scale) = column(&[-f64::MAX, f64::MAX], DType::F64);
        assert_eq!(scale, f64::MAX);
    }

    #[test]
    fn small_units_keep_their_scale_in_another_type() {
        let rows: Vec<[f64; 3]> = (0..4).map(|i| [f64::from(i) * 1e-200, 1., 1e-12]).collect();
        let scaler = fit(Scaling::Standard, &rows).unwrap();
        let new = Tensor::new(&[[0f32, 1., 0.]], &Device::Cpu).unwrap();
        let scaled = scaler.apply(&new).unwrap().to_vec2::<f32>().unwrap();
        assert!(
            (scaled[0][0] + 1.5 / 1.25f32.sqrt()).abs() < 1e-6,
            "{scaled:?}"
        );
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
