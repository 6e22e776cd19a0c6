use candle_core::Tensor;

use super::FittedDetector;
use crate::data::Samples;
use crate::estimator::IntoInput;
use crate::explanation::Explanation;
use crate::model::Occlusion;
use crate::{Error, Result};

/// Transformed values beyond this are explained as this, of which the parts of a score are finite.
const EXPLAINED: f32 = 1e6;

const NO_REFERENCE: Error = Error::EmptyGroup {
    what: "an explanation by occlusion",
    group: "unlabeled",
};

impl FittedDetector {
    /// What each feature (or pixel) contributes to each sample's score. Vectors: by occlusion, each column
    /// replaced by its values in unlabeled training rows. Tables: likewise, all numbers that a column became
    /// together, `[n, columns of the table]`. Images: reconstruction errors in the autoencoder
    /// family, gradient times input in the other shipped networks, occlusion for models that have nothing of
    /// their own to say. [`Explanation::kind`] says which.
    ///
    /// Where one column of ten was tampered with (`tests/reasons.rs`: three seeds, three kinds), it is the first
    /// reason for 0.99 of the rows by PUAE, 0.96 by AE, 0.93 by the isolation forest, 0.87 by PU, and by PUSVDD for
    /// 0.57 alone: a distance in a learned space mixes all columns. PUAE's reconstruction errors are no reasons:
    /// labeled anomalies teach it to err in any column.
    /// Of payments with words and times (the same test on tables) it is for all of them by PUAE and PU, 0.93 by PUSVDD,
    /// 0.88 by the isolation forest and 0.80 by AE, to which a payment at night is hardly unusual.
    ///
    /// Occlusion scores each sample once for every part and reference row: 32 times the features of a
    /// vector of up to 256 (of the columns of a table), 8192 times or once a feature beyond, and up to 512 times (64 patches, 8
    /// images) for an image. The others take one or two passes through the network, or a detector's own.
    ///
    /// Columns that are usual by themselves and do not go together: [`pairs`](Self::pairs).
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
    pub fn explain(&self, input: impl IntoInput) -> Result<Explanation> {
        let (samples, _) = self.numbers(input)?;
        let (samples, _) = self.accepted(samples, self.check)?;
        self.explain_accepted(&samples)
    }

    pub(super) fn explain_accepted(&self, samples: &Samples) -> Result<Explanation> {
        let mut parts = Vec::new();
        let size = self.config.train.batch_size;
        for raw in samples.batches(size, samples.device())? {
            let xs = self.explained(parts.len() * size, &raw?)?;
            parts.push(self.explain_transformed(&xs)?);
        }
        let (what, group) = ("an explanation", "unlabeled, anomalous or normal");
        let whole = Explanation::concat(&parts)?;
        whole.ok_or(Error::EmptyGroup { what, group })
    }

    /// What each part of vectors contributes to their scores, by occlusion: `[n, parts]`. `parts`: that of each value.
    ///
    /// # Errors
    /// As [`explain`](Self::explain); [`Error::EmptyGroup`] of a detector from a file without reference rows.
    pub(crate) fn explain_parts(&self, samples: Samples, parts: Vec<usize>) -> Result<Explanation> {
        let (samples, _) = self.accepted(samples, self.check)?;
        let xs = self.explained(0, &samples.to_tensor()?)?;
        let score = |xs: &Tensor| self.model.score(xs);
        let reference = self.reference.as_ref().ok_or(NO_REFERENCE)?;
        Occlusion::new(&score, reference, self.device())?.explain_parts(&xs, parts)
    }

    /// A batch of the user's samples, of which the first is number `start`, as it is explained.
    pub(super) fn explained(&self, start: usize, raw: &Tensor) -> Result<Tensor> {
        Ok(self.transformed(start, raw)?.clamp(-EXPLAINED, EXPLAINED)?)
    }

    /// `xs` as the model sees it; the reconstruction is in the samples' own unit.
    fn explain_transformed(&self, xs: &Tensor) -> Result<Explanation> {
        let score = |xs: &Tensor| self.model.score(xs);
        let occlusion = |reference| -> Result<Explanation> {
            let occlusion = Occlusion::new(&score, reference, self.device())?;
            match &self.encoding {
                Some(encoding) => occlusion.explain_parts(xs, encoding.sources()),
                None => occlusion.explain(xs),
            }
        };
        let explanation = match &self.reference {
            Some(reference) if xs.rank() == 2 => occlusion(reference)?,
            // As in files of before, and of images.
            reference => match (self.model.explain(xs)?, reference) {
                (Some(own), _) => own,
                (None, Some(reference)) => occlusion(reference)?,
                (None, None) => return Err(NO_REFERENCE),
            },
        };
        let undo = |rebuilt| self.transformation.undo(&rebuilt);
        Ok(Explanation {
            reconstruction: explanation.reconstruction.map(undo).transpose()?,
            ..explanation
        })
    }
}
