use std::any::Any;
use std::fmt::Debug;

use candle_core::{DType, Tensor};

use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::ops::{self, Numbers};

/// What was fitted on the unlabeled training part and stands between the user's samples and a model.
pub(crate) trait Transformation: Debug + Send + Sync {
    /// `[n, ...]`, finite floats, as the model sees them: finite f32, on the same device.
    fn apply(&self, xs: &Tensor) -> Result<Tensor>;

    /// The values of [`apply`](Self::apply), of numbers sample by sample.
    fn values(&self, numbers: Numbers<'_>) -> Vec<f32>;

    /// The inverse, in the type of `xs`.
    fn undo(&self, xs: &Tensor) -> Result<Tensor>;

    /// A whole set as the model is trained on it.
    fn apply_set(&self, samples: &Samples) -> Result<Samples>;

    /// What its file holds, by name.
    fn numbers(&self) -> Vec<(&'static str, &[f64])>;

    fn as_any(&self) -> &dyn Any;
}

/// Finite numbers that f32 cannot hold count as the largest that it can.
pub(super) fn saturated(xs: Tensor) -> Result<Tensor> {
    match ops::first_not_finite(&xs)? {
        Some(_) => Ok(xs.clamp(f32::MIN, f32::MAX)?),
        None => Ok(xs),
    }
}

/// As [`saturated`], of values.
pub(super) fn saturated_values(mut values: Vec<f32>) -> Vec<f32> {
    if !ops::are_finite(&values) {
        let clamp = |x: &mut f32| *x = x.clamp(f32::MIN, f32::MAX);
        values.iter_mut().for_each(clamp);
    }
    values
}

/// Samples as they are, but for the type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unchanged;

impl Transformation for Unchanged {
    fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        match xs.dtype() {
            DType::F64 => saturated(xs.to_dtype(DType::F32)?),
            _ => Ok(xs.to_dtype(DType::F32)?),
        }
    }

    fn values(&self, numbers: Numbers<'_>) -> Vec<f32> {
        match numbers {
            Numbers::F32(values) => values.to_vec(),
            Numbers::F64(_) => saturated_values(numbers.to_f32()),
        }
    }

    fn undo(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(xs.clone())
    }

    /// 8-bit images keep their compact form.
    fn apply_set(&self, samples: &Samples) -> Result<Samples> {
        if samples.is_8_bit() {
            return Ok(samples.clone());
        }
        samples.mapped(|tensor| Unchanged.apply(tensor))
    }

    fn numbers(&self) -> Vec<(&'static str, &[f64])> {
        Vec::new()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl dyn Transformation {
    /// Every group of a data set as the model sees it.
    pub(super) fn apply_groups(&self, data: &PuDataset) -> Result<PuDataset> {
        data.map(|samples| self.apply_set(samples))
    }
}
