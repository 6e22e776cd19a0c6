use candle_core::Tensor;

use super::FittedDetector;
use crate::estimator::IntoSamples;
use crate::explanation::Explanation;
use crate::model::Occlusion;
use crate::{Error, Result};

/// Transformed values beyond this are explained as this, of which the parts of a score are finite.
const EXPLAINED: f32 = 1e6;

impl FittedDetector {
    /// What each feature (or pixel) contributes to each sample's score: reconstruction errors in
    /// the autoencoder family, gradient times input in the other shipped networks, occlusion for models
    /// that have nothing of their own to say.
    ///
    /// Occlusion scores each sample once for every part and reference row: 32 times the features of a
    /// vector of up to 256, 8192 times or once a feature beyond, and up to 512 times (64 patches, 8
    /// images) for an image. The others take one or two passes through the network.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::method::Method;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
    /// config.train.epochs = 1;
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
    /// let explanation = detector.explain(&[[0.3f32, 8.]])?;
    /// let share = explanation.attribution.to_vec2::<f32>()?;
    /// assert_eq!(share[0].len(), 2);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score); [`Error::EmptyGroup`](crate::Error::EmptyGroup) without samples.
    pub fn explain(&self, samples: impl IntoSamples) -> Result<Explanation> {
        let (samples, _) = self.accepted(samples.into_samples()?, self.check)?;
        let mut parts = Vec::new();
        let size = self.config.train.batch_size;
        for raw in samples.batches(size, samples.device())? {
            let xs = self.transformed(parts.len() * size, &raw?)?;
            let xs = xs.clamp(-EXPLAINED, EXPLAINED)?;
            parts.push(self.explain_transformed(&xs)?);
        }
        let (what, group) = ("an explanation", "unlabeled, anomalous or normal");
        let whole = Explanation::concat(&parts)?;
        whole.ok_or(Error::EmptyGroup { what, group })
    }

    /// `xs` as the model sees it; the reconstruction is in the samples' own unit.
    fn explain_transformed(&self, xs: &Tensor) -> Result<Explanation> {
        let explanation = match (self.model.explain(xs)?, &self.reference) {
            (Some(own), _) => own,
            (None, Some(reference)) => {
                let score = |xs: &Tensor| self.model.score(xs);
                Occlusion::new(&score, reference, self.device())?.explain(xs)?
            }
            (None, None) => {
                let (what, group) = ("an explanation by occlusion", "unlabeled");
                return Err(Error::EmptyGroup { what, group });
            }
        };
        let undo = |rebuilt| self.transformation.undo(&rebuilt);
        Ok(Explanation {
            reconstruction: explanation.reconstruction.map(undo).transpose()?,
            ..explanation
        })
    }
}
