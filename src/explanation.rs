#[cfg(feature = "images")]
mod heat_map;

use candle_core::{Tensor, Var};

use crate::Result;

#[cfg(feature = "images")]
pub use heat_map::HeatMap;

/// Why samples score as they do, feature by feature or pixel by pixel. Those of images are drawn by
/// `heat_map_png`, with the feature `images`.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let falls = detector.explain(&[[0.3f32, 8.]])?.attribution.to_vec2::<f32>()?;
/// assert!(falls[0][1] > falls[0][0]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What each entry contributes, in the samples' shape `[n, ...]`, f32 on the detector's device; of a table
    /// what each column does, `[n, columns]` in the order of the fit.
    /// At least 0, but for [`Attribution::Occlusion`].
    pub attribution: Tensor,
    /// What `attribution` holds.
    pub kind: Attribution,
    /// Images as the autoencoder rebuilds them, in their shape and unit; `None` for detectors that rebuild
    /// nothing, and by occlusion.
    pub reconstruction: Option<Tensor>,
}

/// What an [`Explanation`]'s numbers are.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Attribution;
/// use puad::method::Method;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig { method: Some(Method::PUAE), ..Default::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert_eq!(detector.explain(&toy.unseen)?.kind, Attribution::Occlusion);
/// // The network's own, of transformed samples.
/// let scaled = puad::candle_core::Tensor::new(&[[0.1f32, 0.2]], detector.device())?;
/// let own = detector.model().explain(&scaled)?.expect("an autoencoder's");
/// assert_eq!(own.kind, Attribution::ReconstructionError);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribution {
    /// The squared reconstruction error of the entry, in scaled units. A sample's entries add up to its
    /// squared score, or under [`Pooling::LargestPatch`](crate::detector::Pooling) those of the largest patch
    /// do: the map shows all of them.
    ReconstructionError,
    /// `|d score / d x * x|` of the scaled entry: about how much the score would change if the
    /// entry were set to 0, the training mean of a standardised feature or the black of a pixel.
    /// Local: a score that is flat around the sample gives small numbers.
    GradientTimesInput,
    /// By how much the score falls when the entry is replaced by that of unlabeled training rows, on
    /// average over those stored with the detector; below 0 where it rises. Images are covered patch
    /// by patch, at most 8 to a side, and a patch's fall is shared evenly by its pixels.
    Occlusion,
}

impl Explanation {
    /// By gradient times input: `score` maps `xs`, `[n, ...]`, to `[n]` with its graph, each sample by
    /// itself.
    ///
    /// # Errors
    /// As `score`.
    pub fn gradient_times_input(
        xs: &Tensor,
        score: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<Self> {
        let input = Var::from_tensor(xs)?;
        // Samples do not mix: one backward pass gives every gradient.
        let gradients = score(&input)?.sum_all()?.backward()?;
        let attribution = match gradients.get(&input) {
            Some(gradient) => (gradient * xs)?.abs()?.detach(),
            None => xs.zeros_like()?,
        };
        Ok(Self {
            attribution,
            kind: Attribution::GradientTimesInput,
            reconstruction: None,
        })
    }

    /// By the squared error of `reconstruction`, which is in the unit of `xs`.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn reconstruction_error(xs: &Tensor, reconstruction: Tensor) -> Result<Self> {
        Ok(Self {
            attribution: (xs - &reconstruction)?.sqr()?.detach(),
            kind: Attribution::ReconstructionError,
            reconstruction: Some(reconstruction),
        })
    }

    /// The explanations of several batches as one; `None` without batches.
    pub(crate) fn concat(parts: &[Self]) -> Result<Option<Self>> {
        let Some(first) = parts.first() else {
            return Ok(None);
        };
        let cat = |parts: Vec<&Tensor>| Tensor::cat(&parts, 0);
        let rebuilt: Option<Vec<_>> = parts.iter().map(|p| p.reconstruction.as_ref()).collect();
        Ok(Some(Self {
            attribution: cat(parts.iter().map(|p| &p.attribution).collect())?,
            kind: first.kind,
            reconstruction: rebuilt.map(cat).transpose()?,
        }))
    }
}
