//! Scores of whole sets in bounded memory.

use candle_core::{DType, Device};

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
/// use puad::{NonNegativeLoss, Pass, Result, score_samples};
///
/// struct Norm;
/// impl NonNegativeLoss for Norm {
///     fn per_sample(&self, xs: &Tensor, _: &mut Pass<'_>) -> Result<Tensor> {
///         Ok(puad::ops::l2_norm(xs)?)
///     }
/// }
///
/// let samples = Tensor::new(&[[3f32, 4.], [0., 1.], [0., 2.]], &Device::Cpu)?;
/// assert_eq!(score_samples(&Norm, samples, 2, &Device::Cpu)?, [5., 1., 2.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub fn score_samples<L: NonNegativeLoss + ?Sized>(
    detector: &L,
    samples: impl Into<Samples>,
    batch_size: usize,
    device: &Device,
) -> Result<Vec<f64>> {
    let samples = samples.into();
    let mut scores = Vec::with_capacity(samples.len());
    for xs in samples.batches(batch_size, device)? {
        let xs = xs?;
        let len = xs.dim(0)?;
        let batch = detector.score(&xs)?;
        if batch.dims() != [len] {
            let expected = format!("[{len}], the batch");
            return Err(Error::shape("scores", expected, &batch));
        }
        // Converted on the host: some devices have no f64.
        let batch = batch.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        scores.extend(batch.to_vec1::<f64>()?);
    }
    Ok(scores)
}
