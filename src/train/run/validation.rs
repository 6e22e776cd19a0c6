use candle_core::{DType, Device, Tensor};

use super::{Run, losses};
use crate::data::Samples;
use crate::objective::{GroupLosses, Objective};
use crate::train::Validation;
use crate::{Error, Pass, Result, SampleLosses, score_samples};

/// What an epoch is worth.
pub(super) struct Validated {
    pub(super) risk: f64,
    pub(super) pu_auroc: Option<f64>,
    pub(super) cost: f64,
}

impl<O: Objective + ?Sized> Run<'_, O> {
    pub(super) fn validate(&self, epoch: usize) -> Result<Validated> {
        let risk = self.validation_risk(epoch)?;
        let (size, device) = (self.config.batch_size, self.params.device());
        let score =
            |samples: &Samples| score_samples(self.objective.detector(), samples, size, device);
        let validation = Validation::new(risk, self.validation, &score);
        let cost = self.selection.cost(&validation)?;
        if !cost.is_finite() {
            let rule = "a rule whose costs are finite";
            return Err(Error::config("selection", rule, cost));
        }
        Ok(Validated {
            risk,
            pu_auroc: validation.known_pu_auroc(),
            cost,
        })
    }

    /// The risk of the whole validation set at once.
    fn validation_risk(&self, epoch: usize) -> Result<f64> {
        let sees = self.objective.sees();
        let evaluate = |group, samples: Option<&Samples>, seen: bool| match samples {
            Some(samples) if seen => self.evaluate(epoch, group, samples).map(Some),
            _ => Ok(None),
        };
        let data = self.validation;
        let losses = GroupLosses {
            unlabeled: evaluate("unlabeled", Some(data.unlabeled()), true)?,
            anomalies: evaluate("anomalous", data.anomalies(), sees.anomalies)?,
            normals: evaluate("normal", data.normals(), sees.normals)?,
        };
        let risk = self.objective.validation_risk(&losses)?;
        if risk.is_finite() {
            Ok(risk)
        } else {
            Err(diverged(epoch, risk))
        }
    }

    fn evaluate(
        &self,
        epoch: usize,
        group: &'static str,
        samples: &Samples,
    ) -> Result<SampleLosses> {
        let detector = self.objective.detector();
        let batches = samples.batches(self.config.batch_size, self.params.device())?;
        let chunk = |xs: Result<Tensor>| {
            let losses = losses(detector, &xs?, &mut Pass::evaluation())?;
            // Without its graph: activations of one chunk at a time are enough.
            SampleLosses::concat_detached(&[losses])
        };
        let losses = batches.map(chunk).collect::<Result<Vec<_>>>()?;
        let losses = SampleLosses::concat_detached(&losses)?;
        for loss in losses.tensors() {
            self.check_range(epoch, group, loss)?;
        }
        Ok(losses)
    }

    /// No loss may be negative or NaN. One that is infinite is left to the risk: training diverged, as it
    /// has where a loss is NaN and a parameter is no number either.
    fn check_range(&self, epoch: usize, group: &'static str, losses: &Tensor) -> Result<()> {
        let losses = losses.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let losses = losses.to_vec1::<f64>()?;
        let Some(index) = losses.iter().position(|l| l.is_nan() || *l < 0.) else {
            return Ok(());
        };
        let value = losses[index];
        if value.is_nan() && !self.params.are_finite()? {
            return Err(diverged(epoch, value));
        }
        Err(Error::LossOutOfRange {
            epoch,
            group,
            index,
            value,
        })
    }
}

fn diverged(epoch: usize, risk: f64) -> Error {
    let batch = None;
    Error::Diverged { epoch, batch, risk }
}
