use candle_core::{Tensor, Var};

use super::{FittedDetector, IntoSamples};
use crate::Result;

/// Why samples score as they do, feature by feature or pixel by pixel.
///
/// ```
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
/// # let labeled = [[3f32, 3.], [4., 3.]];
/// let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
/// # config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&rows, &labeled)?;
/// let sample = [[0.3f32, 8.]];
/// let share = detector.explain(&sample)?.attribution.to_vec2::<f32>()?;
/// let score = detector.score(&sample)?[0];
/// assert!((f64::from(share[0][0] + share[0][1]) / score.powi(2) - 1.).abs() < 1e-4);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What each entry contributes, `>= 0`, in the samples' shape `[n, ...]`, f32 on the detector's
    /// device.
    pub attribution: Tensor,
    /// What `attribution` holds.
    pub kind: Attribution,
    /// The samples as the autoencoder rebuilds them, in the samples' shape and unit; `None` for
    /// detectors that rebuild nothing.
    pub reconstruction: Option<Tensor>,
}

/// What an [`Explanation`]'s numbers are.
///
/// ```
/// use puad::estimator::Attribution;
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
/// # let labeled = [[3f32, 3.], [4., 3.]];
/// let kind = |method| {
///     let mut config = FitConfig { method: Some(method), ..Default::default() };
///     # config.train.epochs = 1;
///     let detector = Estimator::new(config).fit(&rows, &labeled)?;
///     Ok::<_, puad::Error>(detector.explain(&labeled)?.kind)
/// };
/// assert_eq!(kind(Method::PUAE)?, Attribution::ReconstructionError);
/// assert_eq!(kind(Method::PUSVDD)?, Attribution::GradientTimesInput);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribution {
    /// The squared reconstruction error of the entry, in scaled units: a sample's entries add up to
    /// its squared score.
    ReconstructionError,
    /// `|d score / d x * x|` of the scaled entry: about how much the score would change if the
    /// entry were set to 0, the training mean of a standardised feature or the black of a pixel.
    /// Local: a score that is flat around the sample gives small numbers.
    GradientTimesInput,
}

impl FittedDetector {
    /// What each feature (or pixel) contributes to each sample's score: reconstruction errors in
    /// the autoencoder family, gradient times input in the others.
    ///
    /// ```
    /// # use puad::{Estimator, FitConfig};
    /// # use puad::method::Method;
    /// # let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
    /// # config.train.epochs = 1;
    /// # let rows: Vec<[f32; 2]> = (0..40).map(|i| [(i as f32).sin(), (i as f32).cos()]).collect();
    /// # let detector = Estimator::new(config).fit(&rows, &[[3f32, 3.], [4., 3.]])?;
    /// let explanation = detector.explain(&[[0.3f32, 8.]])?;
    /// let share = explanation.attribution.to_vec2::<f32>()?;
    /// assert_eq!(share[0].len(), 2);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score); [`Error::EmptyGroup`](crate::Error::EmptyGroup) without samples.
    pub fn explain(&self, samples: impl IntoSamples) -> Result<Explanation> {
        let samples = samples.into_samples()?;
        let (mut attributions, mut reconstructions) = (Vec::new(), Vec::new());
        self.batches(&samples, |_, xs| {
            let (attribution, reconstruction) = self.explain_scaled(xs)?;
            attributions.push(attribution);
            reconstructions.extend(reconstruction);
            Ok(())
        })?;
        if attributions.is_empty() {
            let (what, group) = ("an explanation", "unlabeled, anomalous or normal");
            return Err(crate::Error::EmptyGroup { what, group });
        }
        let (kind, reconstruction) = match reconstructions.is_empty() {
            true => (Attribution::GradientTimesInput, None),
            false => {
                let all = Tensor::cat(&reconstructions, 0)?;
                (Attribution::ReconstructionError, Some(all))
            }
        };
        Ok(Explanation {
            attribution: Tensor::cat(&attributions, 0)?,
            kind,
            reconstruction,
        })
    }

    /// `xs` as the network sees it; the reconstruction is in the samples' own unit.
    fn explain_scaled(&self, xs: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let detector = &self.parts.detector;
        if let Some(autoencoder) = detector.autoencoder() {
            let rebuilt = autoencoder.reconstruct(xs)?;
            let error = (xs - &rebuilt)?.sqr()?.detach();
            let rebuilt = match &self.parts.scaler {
                Some(scaler) => scaler.undo(&rebuilt)?,
                None => rebuilt,
            };
            return Ok((error, Some(rebuilt)));
        }
        let input = Var::from_tensor(xs)?;
        let score = detector.differentiable_score(&input)?;
        // Samples do not mix in an evaluation pass: one backward pass gives every gradient.
        let gradients = score.sum_all()?.backward()?;
        let attribution = match gradients.get(&input) {
            Some(gradient) => (gradient * xs)?.abs()?.detach(),
            None => xs.zeros_like()?,
        };
        Ok((attribution, None))
    }
}
