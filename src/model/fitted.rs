use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::{Learned, ModelState, StoredModel, Task};
use crate::Result;
use crate::explanation::Explanation;
use crate::net::Architecture;
use crate::spec::{AnySpecification, family};
use crate::train::Trainer;

/// A model that was fitted. Samples come to it transformed: `[n, ...]`, f32, finite, on
/// [`device`](Self::device).
pub trait Fitted: Debug + Send + Sync + 'static {
    /// The anomaly score of each of `n` samples, larger = more anomalous: `n` numbers.
    ///
    /// # Errors
    /// As its own computation.
    fn score(&self, xs: &Tensor) -> Result<Vec<f64>>;

    /// The shape of one sample.
    fn sample_shape(&self) -> Vec<usize>;

    /// Where it wants its samples. Default: the CPU.
    fn device(&self) -> &Device {
        &Device::Cpu
    }

    /// What each entry of each sample contributes to its score. Default: `None`, and it is found out from
    /// scores alone, for up to 8192 of them a sample or one an entry, whichever is more.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    fn explain(&self, _xs: &Tensor) -> Result<Option<Explanation>> {
        Ok(None)
    }

    /// All that [`ModelSpec::read`] needs.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    fn state(&self) -> Result<ModelState>;

    /// The model itself, to ask whether it is of a certain type.
    fn as_any(&self) -> &dyn Any;
}

/// The settings of a model that is no network under an objective, which fit it.
///
/// ```
/// use std::any::Any;
/// use std::sync::Arc;
///
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::model::{Fitted, Learned, ModelSpec, ModelState, StoredModel, Task};
/// use puad::spec::Specification;
/// use puad::train::FitHistory;
/// use puad::{Estimator, FitConfig, Result};
/// use serde::{Deserialize, Serialize};
///
/// /// Distance from the mean of the unlabeled samples.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// struct DistanceSpec {}
///
/// #[derive(Debug)]
/// struct Distance {
///     mean: Tensor,
/// }
///
/// impl Specification for DistanceSpec {
///     const NAME: &'static str = "distance";
/// }
///
/// impl ModelSpec for DistanceSpec {
///     fn fit(&self, task: Task<'_>) -> Result<Learned> {
///         let mean = task.train.unlabeled().to_tensor()?.mean(0)?;
///         Ok(Learned::new(Arc::new(Distance { mean }), FitHistory::without_epochs()))
///     }
///     fn read(&self, stored: &mut StoredModel, _: &[usize], _: &Device) -> Result<Arc<dyn Fitted>> {
///         Ok(Arc::new(Distance { mean: stored.take("mean", DType::F32)? }))
///     }
/// }
///
/// impl Fitted for Distance {
///     fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
///         let distances = xs.broadcast_sub(&self.mean)?.sqr()?.sum(1)?.sqrt()?;
///         Ok(distances.to_dtype(DType::F64)?.to_vec1()?)
///     }
///     fn sample_shape(&self) -> Vec<usize> {
///         self.mean.dims().to_vec()
///     }
///     fn state(&self) -> Result<ModelState> {
///         let tensors = [("mean".to_string(), self.mean.clone())].into();
///         Ok(ModelState { tensors, ..ModelState::default() })
///     }
///     fn as_any(&self) -> &dyn Any {
///         self
///     }
/// }
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let config = FitConfig { method: Some(Method::from(DistanceSpec {})), ..FitConfig::default() };
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// assert!(detector.predict_proba(&toy.unseen)?.iter().all(|p| (0. ..=1.).contains(p)));
/// # Ok::<(), puad::Error>(())
/// ```
pub trait ModelSpec: AnySpecification {
    /// Whether it can be fitted with this network and trainer, asked before any work is done: a model that
    /// ignores one of them should refuse what it would ignore in silence. Default: yes.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a network that it has no use for,
    /// [`Error::NotResumable`](crate::Error::NotResumable) for checkpoints that it would not write.
    fn check_fit(&self, _network: &Architecture, _trainer: &Trainer) -> Result<()> {
        Ok(())
    }

    /// Fits the model.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a value outside its range; as its own computation.
    fn fit(&self, task: Task<'_>) -> Result<Learned>;

    /// The model of these settings that was written for samples of `sample_shape`, on `device`.
    ///
    /// # Errors
    /// As [`StoredModel::take`] and [`StoredModel::content`].
    fn read(
        &self,
        stored: &mut StoredModel,
        sample_shape: &[usize],
        device: &Device,
    ) -> Result<Arc<dyn Fitted>>;

    /// Whether fitting needs labeled anomalies: without them a fit is
    /// [`Error::EmptyGroup`](crate::Error::EmptyGroup) before any work. Default: no.
    fn uses_anomalies(&self) -> bool {
        false
    }

    /// Whether fitting reads [stored](crate::data::Samples::stored) samples a few at a time and never holds them all. Where it
    /// would they are refused before any work. Default: no.
    fn takes_stored(&self) -> bool {
        false
    }
}

family!(ModelSpec, "model");
