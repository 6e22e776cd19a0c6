//! A conformance check that a third party runs on its own [`NonNegativeLoss`], and the simplest of
//! detectors.

use candle_core::{DType, Tensor};

use crate::params::check_fixed;
use crate::{AnomalyTerm, Error, Noise, NonNegativeLoss, Params, Pass, Result, SampleLosses};

/// The rule of [`NonNegativeLoss`] that a detector breaks.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::testing::{Violation, check_detector};
/// use puad::{NonNegativeLoss, Params, Pass, Result};
///
/// /// A sum, which can be negative.
/// struct Sum;
/// impl NonNegativeLoss for Sum {
///     fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
///         Ok(xs.sum(1)?)
///     }
/// }
///
/// let xs = Tensor::new(&[[1f32, 2.], [-4., 1.]], &Device::Cpu)?;
/// let error = check_detector(&Sum, &Params::new(0, DType::F32, &Device::Cpu), &xs).unwrap_err();
/// assert!(matches!(error.cause(), Some(Violation::Negative { index: 1, value: -3., .. })));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Losses or scores must be one number a sample.
    #[error("{what} must have shape [{batch}], got {actual:?}")]
    Shape {
        /// Which method's result.
        what: &'static str,
        /// The batch size.
        batch: usize,
        /// The dimensions that came.
        actual: Vec<usize>,
    },
    /// Built again from the same tensors a detector must be the same: its file has no others.
    #[error(
        "a detector built again from its parameters must score as before, but a sample's {score} became \
         {again}: create all its tensors through the VarBuilder"
    )]
    Rebuilt {
        /// The score of one sample.
        score: f64,
        /// That of the detector built again.
        again: f64,
    },
    /// Losses and scores must be finite.
    #[error("{what} must be finite, but entry {index} is {value}")]
    NotFinite {
        /// Which method's result.
        what: &'static str,
        /// The sample.
        index: usize,
        /// What came.
        value: f64,
    },
    /// Losses must not be negative.
    #[error("{what} must be at least 0, but entry {index} is {value}")]
    Negative {
        /// Which method's result.
        what: &'static str,
        /// The sample.
        index: usize,
        /// What came.
        value: f64,
    },
    /// The complement term needs losses of at most 1.
    #[error("with the complement term losses must lie in [0, 1], but entry {index} is {value}")]
    AboveOne {
        /// The sample.
        index: usize,
        /// What came.
        value: f64,
    },
    /// The loss must depend on every parameter.
    #[error("no gradient reaches the parameter {name:?}")]
    NoGradient {
        /// The parameter.
        name: String,
    },
    /// Gradients must be finite.
    #[error("the gradient of {name:?} is not finite")]
    GradientNotFinite {
        /// The parameter.
        name: String,
    },
    /// Evaluation must be deterministic.
    #[error("two evaluations of {what} differ: {first} and {second} at entry {index}")]
    Random {
        /// Which method's result.
        what: &'static str,
        /// The sample.
        index: usize,
        /// In the first evaluation.
        first: f64,
        /// In the second.
        second: f64,
    },
    /// Evaluation must not change the detector.
    #[error("an evaluation pass changed {name:?}")]
    EvaluationTrains {
        /// The parameter or buffer.
        name: String,
    },
    /// In evaluation a sample's loss must not depend on its neighbours in the batch.
    #[error("entry {index} is {alone} when evaluated alone, {together} within the batch")]
    BatchDependent {
        /// The sample.
        index: usize,
        /// Its loss alone.
        alone: f64,
        /// Its loss within the batch.
        together: f64,
    },
    /// Scores must tell samples apart.
    #[error("all {count} scores equal {value}")]
    Constant {
        /// The number of samples.
        count: usize,
        /// The score of all.
        value: f64,
    },
    /// `losses` must give what `per_sample` gives.
    #[error("entry {index} of `losses` is {losses}, of `per_sample` {per_sample}")]
    Inconsistent {
        /// The sample.
        index: usize,
        /// From `losses`.
        losses: f64,
        /// From `per_sample`.
        per_sample: f64,
    },
    /// A boxed detector must behave as the bare one.
    #[error("boxed, the detector's {what} differs")]
    Boxed {
        /// Which method.
        what: &'static str,
    },
}

/// A detector without parameters, for examples and tests of objectives: `l = ||x||^2`, with the term that
/// it is given ([`AnomalyTerm::Bce`] by default).
///
/// ```
/// use puad::NonNegativeLoss;
/// use puad::candle_core::{Device, Tensor};
/// use puad::testing::SquaredNorm;
///
/// let xs = Tensor::new(&[[3f64, 4.], [0., 1.]], &Device::Cpu)?;
/// assert_eq!(SquaredNorm::default().score(&xs)?.to_vec1::<f64>()?, [25., 1.]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SquaredNorm(
    /// The loss of a sample taken as an anomaly.
    pub AnomalyTerm,
);

impl Default for SquaredNorm {
    fn default() -> Self {
        Self(AnomalyTerm::Bce)
    }
}

impl NonNegativeLoss for SquaredNorm {
    fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(xs.flatten_from(1)?.sqr()?.sum(1)?)
    }

    fn anomaly_term(&self) -> AnomalyTerm {
        self.0
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Contract(violation.into())
    }
}

/// Checks that `detector` keeps the contract of [`NonNegativeLoss`] on the samples `xs`
/// (`[batch, ...]`, at least two, not all alike).
///
/// `params` holds what is trained: exactly the detector's parameters (use [`Params::filter`] to
/// leave out those of a pre-training decoder). Their values are the same afterwards; buffers such
/// as batch-norm statistics are too.
///
/// # Errors
/// [`Error::Contract`] with the first rule that is broken, [`Error::Config`] for fewer than two
/// samples, [`Error::LearnedBuffer`] for a buffer that the loss learns from, or the detector's own error.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::testing::{SquaredNorm, check_detector};
///
/// let xs = Tensor::new(&[[3f32, 4.], [0., 1.]], &Device::Cpu)?;
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// check_detector(&SquaredNorm::default(), &params, &xs)?;
/// # Ok::<(), puad::Error>(())
/// ```
pub fn check_detector<L: NonNegativeLoss>(
    detector: &L,
    params: &Params,
    xs: &Tensor,
) -> Result<()> {
    let batch = xs.dim(0)?;
    if batch < 2 {
        return Err(Error::config("batch", "at least 2", batch));
    }
    params.register_buffers(&detector.buffers())?;
    let before = params.snapshot()?;
    let outcome = check_training(detector, params, xs);
    params.restore(&before)?;
    outcome?;
    check_evaluation(detector, params, xs)?;
    check_boxed(detector, xs)
}

fn check_training<L: NonNegativeLoss>(detector: &L, params: &Params, xs: &Tensor) -> Result<()> {
    let mut noise = Noise::new(0);
    let losses = detector.losses(xs, &mut Pass::training(&mut noise))?;
    let term = detector.anomaly_term();
    check_losses("losses in training", &losses.normal, term, xs)?;
    let mut total = losses.normal.sum_all()?;
    if let Some(anomalous) = &losses.anomalous {
        one_a_sample("losses of anomalies in training", anomalous, xs)?;
        total = (total + anomalous.sum_all()?)?;
    }
    let grads = total.backward()?;
    check_fixed(&params.fixed(), &grads)?;
    for (name, var) in params.parameters() {
        let Some(grad) = grads.get(&var) else {
            return Err(Violation::NoGradient { name }.into());
        };
        let size = sum_of_magnitudes(grad)?;
        if !size.is_finite() {
            return Err(Violation::GradientNotFinite { name }.into());
        }
        if size == 0. {
            return Err(Violation::NoGradient { name }.into());
        }
    }
    Ok(())
}

fn check_evaluation<L: NonNegativeLoss>(detector: &L, params: &Params, xs: &Tensor) -> Result<()> {
    let evaluate = |xs: &Tensor| detector.per_sample(xs, &mut Pass::evaluation());
    let before = values_by_name(params)?;
    let term = detector.anomaly_term();
    let together = check_losses("per_sample", &evaluate(xs)?, term, xs)?;
    check_repeats("per_sample", &together, &values(&evaluate(xs)?)?)?;
    for ((name, before), (_, after)) in before.into_iter().zip(values_by_name(params)?) {
        if first_difference(&before, &after).is_some() {
            return Err(Violation::EvaluationTrains { name }.into());
        }
    }
    // The first and the last: a loss may depend on the samples before it alone.
    for index in [0, together.len() - 1] {
        let alone = values(&evaluate(&xs.narrow(0, index, 1)?)?)?;
        check_alone(index, alone.first().copied(), together[index])?;
    }
    let own = detector.losses(xs, &mut Pass::evaluation())?;
    check_own_losses(&own, &together, xs)?;
    let scores = detector.score(xs)?;
    check_scores(&scores, xs)?;
    check_repeats("score", &values(&scores)?, &values(&detector.score(xs)?)?)
}

/// Two results for the same samples.
fn check_repeats(what: &'static str, first: &[f64], second: &[f64]) -> Result<()> {
    let Some(index) = first_difference(first, second) else {
        return Ok(());
    };
    let (first, second) = (first[index], second[index]);
    Err(Violation::Random {
        what,
        index,
        first,
        second,
    }
    .into())
}

/// A sample alone against the same within the batch, up to the rounding of f32 networks.
fn check_alone(index: usize, alone: Option<f64>, together: f64) -> Result<()> {
    let alone = alone.unwrap_or(f64::NAN);
    if (alone - together).abs() <= 1e-3 * (1e-3 + together.abs()) {
        return Ok(());
    }
    Err(Violation::BatchDependent {
        index,
        alone,
        together,
    }
    .into())
}

fn check_own_losses(own: &SampleLosses, per_sample: &[f64], xs: &Tensor) -> Result<()> {
    let normal = one_a_sample("losses", &own.normal, xs)?;
    if let Some(index) = first_difference(&normal, per_sample) {
        return Err(Violation::Inconsistent {
            index,
            losses: normal[index],
            per_sample: per_sample[index],
        }
        .into());
    }
    match &own.anomalous {
        Some(anomalous) => one_a_sample("losses of anomalies", anomalous, xs).map(|_| ()),
        None => Ok(()),
    }
}

fn check_scores(scores: &Tensor, xs: &Tensor) -> Result<()> {
    let scores = one_a_sample("score", scores, xs)?;
    if scores.iter().all(|&s| s == scores[0]) {
        let (count, value) = (scores.len(), scores[0]);
        return Err(Violation::Constant { count, value }.into());
    }
    Ok(())
}

fn check_boxed<L: NonNegativeLoss>(detector: &L, xs: &Tensor) -> Result<()> {
    let boxed: Box<dyn NonNegativeLoss + '_> = Box::new(detector);
    let differs = |what| Err(Violation::Boxed { what }.into());
    if boxed.anomaly_term() != detector.anomaly_term() {
        return differs("anomaly term");
    }
    let evaluate = |d: &dyn NonNegativeLoss| -> Result<[Vec<f64>; 3]> {
        let losses = d.losses(xs, &mut Pass::evaluation())?;
        let per_sample = d.per_sample(xs, &mut Pass::evaluation())?;
        let anomalies = losses.as_anomalies(d.anomaly_term())?;
        Ok([
            values(&per_sample)?,
            values(&anomalies)?,
            values(&d.score(xs)?)?,
        ])
    };
    let pairs = evaluate(&detector)?.into_iter().zip(evaluate(&boxed)?);
    for (what, (bare, through)) in ["loss", "loss of anomalies", "score"]
        .into_iter()
        .zip(pairs)
    {
        if first_difference(&bare, &through).is_some() {
            return differs(what);
        }
    }
    Ok(())
}

/// Shape, finiteness and range of per-sample losses; their values.
fn check_losses(
    what: &'static str,
    losses: &Tensor,
    term: AnomalyTerm,
    xs: &Tensor,
) -> Result<Vec<f64>> {
    let losses = one_a_sample(what, losses, xs)?;
    if let Some((index, value)) = find(&losses, |v| v < 0.) {
        return Err(Violation::Negative { what, index, value }.into());
    }
    if term == AnomalyTerm::Complement
        && let Some((index, value)) = find(&losses, |v| v > 1.)
    {
        return Err(Violation::AboveOne { index, value }.into());
    }
    Ok(losses)
}

/// The values of a tensor that must be finite and of shape `[batch]`.
fn one_a_sample(what: &'static str, tensor: &Tensor, xs: &Tensor) -> Result<Vec<f64>> {
    let batch = xs.dim(0)?;
    if tensor.dims() != [batch] {
        let actual = tensor.dims().to_vec();
        return Err(Violation::Shape {
            what,
            batch,
            actual,
        }
        .into());
    }
    let values = values(tensor)?;
    match find(&values, |v| !v.is_finite()) {
        Some((index, value)) => Err(Violation::NotFinite { what, index, value }.into()),
        None => Ok(values),
    }
}

fn find(values: &[f64], bad: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
    let mut indexed = values.iter().copied().enumerate();
    indexed.find(|&(_, v)| bad(v))
}

fn first_difference(a: &[f64], b: &[f64]) -> Option<usize> {
    a.iter()
        .zip(b)
        .position(|(a, b)| a.to_bits() != b.to_bits())
}

fn values(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?)
}

fn values_by_name(params: &Params) -> Result<Vec<(String, Vec<f64>)>> {
    let vars = params.parameters().into_iter().chain(params.buffers());
    vars.map(|(name, var)| Ok((name, values(&var)?))).collect()
}

fn sum_of_magnitudes(tensor: &Tensor) -> Result<f64> {
    Ok(values(tensor)?.iter().map(|v| v.abs()).sum())
}
