//! Scores of whole sets in bounded memory.

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use crate::data::Samples;
use crate::{Error, NonNegativeLoss, Result};

/// The anomaly scores of `samples` (a tensor `[n, ...]`, or [`Samples`]), one a sample, larger = more anomalous.
///
/// `batch_size` samples at a time are moved to `device`, where the detector's parameters live, and
/// nothing of a batch is kept but its scores.
///
/// # Errors
/// [`Error::Config`] for a batch size of 0, [`Error::Shape`] if the detector does not give one score
/// a sample, or the detector's own error.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::score_samples;
/// use puad::testing::SquaredNorm;
///
/// let samples = Tensor::new(&[[3f32, 4.], [0., 1.], [0., 2.]], &Device::Cpu)?;
/// assert_eq!(score_samples(&SquaredNorm::default(), samples, 2, &Device::Cpu)?, [25., 1., 4.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn score_samples<L: NonNegativeLoss + ?Sized>(
    detector: &L,
    samples: impl Into<Samples>,
    batch_size: usize,
    device: &Device,
) -> Result<Vec<f64>> {
    collect_scores(&samples.into(), batch_size, device, |_, xs| {
        scores_of(detector, xs)
    })
}

/// The loop behind every scoring: `score` gets each batch of `samples` on `device`, with the number
/// of the batch's first sample, and gives one number a sample.
pub(crate) fn collect_scores(
    samples: &Samples,
    batch_size: usize,
    device: &Device,
    mut score: impl FnMut(usize, &Tensor) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    let mut scores = Vec::with_capacity(samples.len());
    for xs in samples.batches(batch_size, device)? {
        let xs = xs?;
        let batch = score(scores.len(), &xs)?;
        scores.extend(one_a_sample(batch, &xs)?);
    }
    Ok(scores)
}

/// As [`collect_scores`], but `score` gets batches on the samples' own device, and moves them to `device`
/// itself. Batches of many vectors on the CPU are scored on
/// several threads at once: each is small work for operations that could share it.
pub(crate) fn collect_scores_at_once(
    samples: &Samples,
    batch_size: usize,
    device: &Device,
    score: impl Fn(usize, &Tensor) -> Result<Vec<f64>> + Sync,
) -> Result<Vec<f64>> {
    if !samples.is_stored() || batch_size == 0 {
        return at_once(samples, batch_size, device, &score);
    }
    // Read in order, some at a time: threads at several places would have a file decode its parts over and over.
    let volume = samples.sample_shape().iter().product::<usize>().max(1);
    let piece = (PIECE / volume).max(1).next_multiple_of(batch_size);
    let mut scores = Vec::with_capacity(samples.len());
    for (number, xs) in samples.batches(piece, &Device::Cpu)?.enumerate() {
        let first = number * piece;
        let of_piece = |at: usize, xs: &Tensor| score(first + at, xs);
        scores.extend(at_once(&xs?.into(), batch_size, device, &of_piece)?);
    }
    Ok(scores)
}

fn at_once(
    samples: &Samples,
    batch_size: usize,
    device: &Device,
    score: &Score<'_>,
) -> Result<Vec<f64>> {
    let (n, shape) = (samples.len(), samples.sample_shape());
    let many = n > batch_size && n.saturating_mul(shape.iter().product()) >= MANY;
    let vectors = shape.len() == 1 && samples.device().is_cpu() && device.is_cpu();
    if batch_size == 0 || !many || !vectors || rayon::current_num_threads() == 1 {
        return collect_scores(samples, batch_size, samples.device(), score);
    }
    let batch = |i: usize| {
        let start = i * batch_size;
        let xs = samples.range(start, batch_size.min(n - start))?;
        one_a_sample(score(start, &xs)?, &xs)
    };
    let batches = (0..n.div_ceil(batch_size)).into_par_iter().map(batch);
    let batches: Vec<Result<Vec<f64>>> = batches.collect();
    let mut scores = Vec::with_capacity(n);
    for batch in batches {
        scores.extend(batch?);
    }
    Ok(scores)
}

/// The scores of a batch, of which the first sample has this number.
type Score<'a> = dyn Fn(usize, &Tensor) -> Result<Vec<f64>> + Sync + 'a;

/// Values of stored samples that are held at once.
const PIECE: usize = 1 << 22;

/// Numbers in vectors below which another thread costs more than it saves.
const MANY: usize = 1 << 15;

fn one_a_sample(scores: Vec<f64>, xs: &Tensor) -> Result<Vec<f64>> {
    let len = xs.dim(0)?;
    if scores.len() == len {
        return Ok(scores);
    }
    Err(Error::Shape {
        what: "scores",
        expected: format!("[{len}], the batch"),
        actual: vec![scores.len()],
    })
}

/// The detector's scores of one batch, `[batch, ...]`.
pub(crate) fn scores_of<L: NonNegativeLoss + ?Sized>(
    detector: &L,
    xs: &Tensor,
) -> Result<Vec<f64>> {
    let scores = detector.score(xs)?;
    if scores.rank() != 1 {
        let expected = format!("[{}], the batch", xs.dim(0)?);
        return Err(Error::shape("scores", expected, &scores));
    }
    // Converted on the host: some devices have no f64.
    Ok(match scores.dtype() {
        DType::F32 => {
            let scores = scores.to_vec1::<f32>()?;
            scores.into_iter().map(f64::from).collect()
        }
        _ => scores
            .to_device(&Device::Cpu)?
            .to_dtype(DType::F64)?
            .to_vec1()?,
    })
}

/// The scores of `samples` by a model, `score` of a batch on `device`, those of extreme samples as
/// [`saturated_scores`] has them.
pub(crate) fn model_scores(
    samples: &Samples,
    batch_size: usize,
    device: &Device,
    score: impl Fn(&Tensor) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    collect_scores(samples, batch_size, device, |_, xs| {
        saturated_scores(score(xs)?, xs)
    })
}

/// Size of a transformed value from which on a score that is no number is an overflow, not a model that
/// is broken.
const EXTREME: f32 = 1e4;

/// Scores of a batch as the model saw it, `[n, ...]`: that of an extreme sample whose score overflows is
/// the largest of f32, above all others.
pub(crate) fn saturated_scores(mut scores: Vec<f64>, xs: &Tensor) -> Result<Vec<f64>> {
    for (i, score) in scores.iter_mut().enumerate() {
        if !score.is_finite() {
            let sample = xs.get(i)?.to_device(&Device::Cpu)?.flatten_all()?;
            saturate(score, &sample.to_vec1()?);
        }
    }
    Ok(scores)
}

/// As [`saturated_scores`], of rows of `len` values.
pub(crate) fn saturated_scores_of_rows(mut scores: Vec<f64>, rows: &[f32], len: usize) -> Vec<f64> {
    for (score, row) in scores.iter_mut().zip(rows.chunks_exact(len)) {
        saturate(score, row);
    }
    scores
}

fn saturate(score: &mut f64, sample: &[f32]) {
    if !score.is_finite() && sample.iter().any(|x| x.abs() >= EXTREME) {
        *score = f32::MAX.into();
    }
}
