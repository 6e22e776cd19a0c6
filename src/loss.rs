//! The one trait a detector implements, and what a forward pass hands it.

use candle_core::{DType, Device, Shape, Tensor, Var};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::explanation::Explanation;
use crate::rng::{self, Purpose};
use crate::term::AnomalyTerm;
use crate::{Error, Result};

/// A detector whose per-sample loss is non-negative and differentiable (section 3.3 of the paper):
/// all that the positive-unlabeled framework asks for.
///
/// Only [`per_sample`](Self::per_sample) is required. The trait is object-safe, and references and
/// boxes of a detector are detectors, so `PuObjective<Box<dyn NonNegativeLoss>>` serves a choice
/// made at run time. [`testing::check_detector`](crate::testing::check_detector) tells whether an
/// implementation keeps the contract.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::{NonNegativeLoss, Pass, Result};
///
/// /// Distance from the origin.
/// struct Norm;
///
/// impl NonNegativeLoss for Norm {
///     fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
///         Ok(puad::ops::l2_norm(xs)?)
///     }
/// }
///
/// let xs = Tensor::new(&[[3f32, 4.], [0., 1.]], &Device::Cpu)?;
/// assert_eq!(Norm.score(&xs)?.to_vec1::<f32>()?, [5., 1.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait NonNegativeLoss {
    /// The loss `l` of each sample, which is also its anomaly score unless [`score`](Self::score) says another.
    ///
    /// `xs`: `[batch, ...]`. Returns `[batch]`, every entry finite and `>= 0`, differentiable with
    /// respect to the detector's parameters.
    ///
    /// # Errors
    /// Whatever the detector's own computation gives; a third party wraps its own errors in
    /// [`Error::Detector`].
    fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor>;

    /// The term that suits this loss; an objective may override it. Default: [`AnomalyTerm::Bce`].
    fn anomaly_term(&self) -> AnomalyTerm {
        AnomalyTerm::Bce
    }

    /// `l`, and the loss of a sample taken as an anomaly where that is no function of `l`.
    /// Default: `l` alone.
    ///
    /// # Errors
    /// As [`per_sample`](Self::per_sample).
    fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
        Ok(SampleLosses::new(self.per_sample(xs, pass)?))
    }

    /// The anomaly score: `[batch, ...] -> [batch]`, larger = more anomalous.
    /// Default: [`per_sample`](Self::per_sample) in an evaluation pass.
    ///
    /// # Errors
    /// As [`per_sample`](Self::per_sample).
    fn score(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.per_sample(xs, &mut Pass::evaluation())?.detach())
    }

    /// The tensors that are kept with the parameters but not trained, such as an SVDD's center.
    /// Default: none. Statistics of batch norm need not be named.
    fn buffers(&self) -> Vec<Var> {
        Vec::new()
    }

    /// What each entry of each sample contributes to its score; `xs` as in
    /// [`score`](Self::score). Default: `None`, and
    /// [`FittedDetector::explain`](crate::FittedDetector::explain) finds it out from scores alone.
    ///
    /// # Errors
    /// As [`per_sample`](Self::per_sample).
    fn explain(&self, _xs: &Tensor) -> Result<Option<Explanation>> {
        Ok(None)
    }
}

/// A detector chosen at run time; clones share its parameters.
pub type SharedDetector = std::sync::Arc<dyn NonNegativeLoss + Send + Sync>;

/// Forwards every method, so that a wrapped detector behaves as the bare one.
macro_rules! forward {
    ($wrapper:ty) => {
        impl<L: NonNegativeLoss + ?Sized> NonNegativeLoss for $wrapper {
            fn per_sample(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
                (**self).per_sample(xs, pass)
            }
            fn anomaly_term(&self) -> AnomalyTerm {
                (**self).anomaly_term()
            }
            fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
                (**self).losses(xs, pass)
            }
            fn score(&self, xs: &Tensor) -> Result<Tensor> {
                (**self).score(xs)
            }
            fn buffers(&self) -> Vec<Var> {
                (**self).buffers()
            }
            fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
                (**self).explain(xs)
            }
        }
    };
}

forward!(&L);
forward!(Box<L>);
forward!(std::rc::Rc<L>);
forward!(std::sync::Arc<L>);

/// The losses of a batch of samples under both hypotheses.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::{AnomalyTerm, SampleLosses};
///
/// // A detector with a loss of its own for anomalies, where others have a term of `l`.
/// let column = |values: &[f64]| Tensor::new(values, &Device::Cpu);
/// let own = SampleLosses { normal: column(&[0.2, 0.9])?, anomalous: Some(column(&[3., 0.5])?) };
/// assert_eq!(own.as_anomalies(AnomalyTerm::Complement)?.to_vec1::<f64>()?, [3., 0.5]);
/// let plain = SampleLosses::new(column(&[0.25])?);
/// assert_eq!(plain.as_anomalies(AnomalyTerm::Complement)?.to_vec1::<f64>()?, [0.75]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SampleLosses {
    /// `l`, the loss of each sample taken as normal, `[batch]`.
    pub normal: Tensor,
    /// The loss of each sample taken as an anomaly, `[batch]`, where it is no function of `l`.
    pub anomalous: Option<Tensor>,
}

impl SampleLosses {
    /// Losses whose anomaly loss is an [`AnomalyTerm`] of `l`. `normal`: `[batch]`.
    pub fn new(normal: Tensor) -> Self {
        Self {
            normal,
            anomalous: None,
        }
    }

    /// The loss of each sample taken as an anomaly: the detector's own, or `term` of `l`. `[batch]`.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn as_anomalies(&self, term: AnomalyTerm) -> Result<Tensor> {
        match &self.anomalous {
            Some(losses) => Ok(losses.clone()),
            None => term.apply(&self.normal),
        }
    }

    /// The tensors that there are.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        [Some(&self.normal), self.anomalous.as_ref()]
            .into_iter()
            .flatten()
    }

    /// Samples `start .. start + len`.
    ///
    /// # Errors
    /// If the range lies outside the batch.
    pub fn narrow(&self, start: usize, len: usize) -> Result<Self> {
        let cut = |t: &Tensor| t.narrow(0, start, len);
        Ok(Self {
            normal: cut(&self.normal)?,
            anomalous: self.anomalous.as_ref().map(cut).transpose()?,
        })
    }

    /// The batches one after another, without their gradients.
    ///
    /// # Errors
    /// If `batches` is empty, or some have a loss of their own for anomalies and some have none.
    pub fn concat_detached(batches: &[Self]) -> Result<Self> {
        let cat = |ts: Vec<Tensor>| Tensor::cat(&ts, 0);
        let normal = cat(batches.iter().map(|b| b.normal.detach()).collect())?;
        let own = batches.iter().filter_map(|b| b.anomalous.as_ref());
        let own: Vec<_> = own.map(Tensor::detach).collect();
        let anomalous = match own.len() {
            0 => None,
            n if n == batches.len() => Some(cat(own)?),
            n => {
                return Err(Error::Length {
                    left_name: "batches",
                    right_name: "batches with a loss of their own for anomalies",
                    left: batches.len(),
                    right: n,
                });
            }
        };
        Ok(Self { normal, anomalous })
    }
}

/// Seeded noise for training passes.
///
/// Numbers are drawn on the host and moved to the device, so a seed gives the same noise on every
/// device. The same seed gives the same noise in the same order of calls.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::{Noise, Pass};
///
/// let draw = |seed| -> puad::Result<Vec<f64>> {
///     let mut noise = Noise::new(seed);
///     let values = Pass::training(&mut noise).normal(3, DType::F64, &Device::Cpu)?;
///     Ok(values.to_vec1()?)
/// };
/// assert_eq!(draw(1)?, draw(1)?);
/// assert_ne!(draw(1)?, draw(2)?);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The noise of `seed`.
    pub fn new(seed: u64) -> Self {
        Self::of_phase(seed, 0)
    }

    /// The noise of a training phase.
    pub(crate) fn of_phase(seed: u64, phase: u64) -> Self {
        Self(rng::substream(seed, Purpose::Noise, phase))
    }

    /// How far the numbers have been used.
    pub(crate) fn position(&self) -> [u64; 2] {
        rng::position(&self.0)
    }

    pub(crate) fn set_position(&mut self, position: [u64; 2]) {
        rng::set_position(&mut self.0, position);
    }
}

/// One forward pass: training or evaluation, and the noise of a training pass.
///
/// ```
/// use puad::candle_core::{DType, Device};
/// use puad::{Noise, Pass};
///
/// let mut noise = Noise::new(0);
/// let mut pass = Pass::training(&mut noise);
/// assert!(pass.is_training());
/// let epsilon = pass.normal((2, 3), DType::F32, &Device::Cpu)?;
/// assert_eq!(epsilon.dims(), [2, 3]);
/// assert!(Pass::evaluation().normal((2, 3), DType::F32, &Device::Cpu).is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Debug)]
pub struct Pass<'a> {
    noise: Option<&'a mut Noise>,
}

impl<'a> Pass<'a> {
    /// A training pass: batch norm uses and records batch statistics, noise may be drawn.
    pub fn training(noise: &'a mut Noise) -> Self {
        Self { noise: Some(noise) }
    }

    /// An evaluation pass: deterministic, no noise, running statistics.
    pub fn evaluation() -> Pass<'static> {
        Pass { noise: None }
    }

    /// Whether this is a training pass.
    pub fn is_training(&self) -> bool {
        self.noise.is_some()
    }

    fn rng(&mut self) -> Result<&mut ChaCha8Rng> {
        let noise = self.noise.as_mut().ok_or(Error::NoiseInEvaluation)?;
        Ok(&mut noise.0)
    }

    /// Standard normal noise of the given shape.
    ///
    /// # Errors
    /// [`Error::NoiseInEvaluation`] in an evaluation pass.
    pub fn normal(
        &mut self,
        shape: impl Into<Shape>,
        dtype: DType,
        dev: &Device,
    ) -> Result<Tensor> {
        let rng = self.rng()?;
        draw(shape.into(), dtype, dev, || StandardNormal.sample(rng))
    }

    /// Uniform noise in [0, 1) of the given shape.
    ///
    /// # Errors
    /// [`Error::NoiseInEvaluation`] in an evaluation pass.
    pub fn uniform(
        &mut self,
        shape: impl Into<Shape>,
        dtype: DType,
        dev: &Device,
    ) -> Result<Tensor> {
        let rng = self.rng()?;
        draw(shape.into(), dtype, dev, || rng.random::<f64>())
    }

    /// A random order of `0 .. n`, as u32, `[n]`.
    ///
    /// # Errors
    /// [`Error::NoiseInEvaluation`] in an evaluation pass.
    pub fn permutation(&mut self, n: usize, dev: &Device) -> Result<Tensor> {
        let rng = self.rng()?;
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.shuffle(rng);
        Ok(Tensor::from_vec(order, n, dev)?)
    }
}

fn draw(
    shape: Shape,
    dtype: DType,
    device: &Device,
    mut next: impl FnMut() -> f64,
) -> Result<Tensor> {
    let values: Vec<f64> = (0..shape.elem_count()).map(|_| next()).collect();
    // Rounded to the target type on the host: some devices have no f64.
    let host = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?;
    Ok(host.to_device(device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detector that overrides every method with something the default would not give.
    struct Odd;

    impl NonNegativeLoss for Odd {
        fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
            Ok(xs.sqr()?.sum(1)?)
        }
        fn anomaly_term(&self) -> AnomalyTerm {
            AnomalyTerm::Inverse
        }
        fn losses(&self, xs: &Tensor, pass: &mut Pass<'_>) -> Result<SampleLosses> {
            let normal = self.per_sample(xs, pass)?;
            let anomalous = Some(normal.affine(2., 1.)?);
            Ok(SampleLosses { normal, anomalous })
        }
        fn score(&self, xs: &Tensor) -> Result<Tensor> {
            Ok(xs.sum(1)?)
        }
        fn buffers(&self) -> Vec<Var> {
            vec![Var::new(&[7f64], &Device::Cpu).unwrap()]
        }
        fn explain(&self, xs: &Tensor) -> Result<Option<Explanation>> {
            Explanation::gradient_times_input(xs, |xs| Ok(xs.sum(1)?)).map(Some)
        }
    }

    fn check_forwards(wrapped: impl NonNegativeLoss) {
        let xs = Tensor::new(&[[1f64, 2.], [3., 4.]], &Device::Cpu).unwrap();
        let pass = &mut Pass::evaluation();
        assert_eq!(wrapped.anomaly_term(), AnomalyTerm::Inverse);
        let losses = wrapped.losses(&xs, pass).unwrap();
        assert_eq!(losses.normal.to_vec1::<f64>().unwrap(), [5., 25.]);
        let own = losses.anomalous.unwrap();
        assert_eq!(own.to_vec1::<f64>().unwrap(), [11., 51.]);
        let score = wrapped.score(&xs).unwrap();
        assert_eq!(score.to_vec1::<f64>().unwrap(), [3., 7.]);
        assert_eq!(wrapped.buffers()[0].to_vec1::<f64>().unwrap(), [7.]);
        let explained = wrapped.explain(&xs).unwrap().unwrap().attribution;
        assert_eq!(explained.to_vec2::<f64>().unwrap(), [[1., 2.], [3., 4.]]);
    }

    #[test]
    fn wrappers_forward_every_method() {
        check_forwards(&Odd);
        check_forwards(Box::new(Odd) as Box<dyn NonNegativeLoss>);
        check_forwards(std::rc::Rc::new(Odd));
        check_forwards(std::sync::Arc::new(Odd) as std::sync::Arc<dyn NonNegativeLoss>);
    }

    #[test]
    fn noise_repeats_per_seed_and_has_its_moments() {
        let sample = |seed| {
            let mut noise = Noise::new(seed);
            let mut pass = Pass::training(&mut noise);
            let t = pass.normal(20_000, DType::F64, &Device::Cpu).unwrap();
            t.to_vec1::<f64>().unwrap()
        };
        let xs = sample(1);
        assert_eq!(xs, sample(1));
        assert_ne!(xs, sample(2));
        let mean = xs.iter().sum::<f64>() / 2e4;
        let var = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        assert!(mean.abs() < 0.03 && (var - 1.).abs() < 0.05, "{mean} {var}");
    }

    #[test]
    fn permutation_holds_every_index_once() {
        let mut noise = Noise::new(3);
        let mut pass = Pass::training(&mut noise);
        let mut order = pass
            .permutation(100, &Device::Cpu)
            .unwrap()
            .to_vec1::<u32>()
            .unwrap();
        assert!(order.windows(2).any(|w| w[0] > w[1]));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<u32>>());
    }

    #[test]
    fn batches_must_agree_on_having_anomaly_losses() {
        let t = Tensor::new(&[1f32], &Device::Cpu).unwrap();
        let plain = SampleLosses::new(t.clone());
        let own = SampleLosses {
            normal: t.clone(),
            anomalous: Some(t),
        };
        let err = SampleLosses::concat_detached(&[plain, own]).unwrap_err();
        assert!(matches!(
            err,
            Error::Length {
                left: 2,
                right: 1,
                ..
            }
        ));
    }
}
