//! What files hold as samples.

use candle_core::{Device, Tensor};
use puad_data::{ImageSet, ImageShape, LabeledRows};

use super::Samples;
use crate::Result;

/// A [`LabeledRows`] as samples.
///
/// ```
/// use puad::data::{LabeledRows, RowSamples};
///
/// let table = LabeledRows::new(vec![0., 1., 2., 3., 4., 5.], 3, vec![0, 1])?;
/// // One group's rows, such as the anomalies.
/// let anomalies = table.samples()?.select(&table.rows_of(1))?;
/// assert_eq!(anomalies.to_tensor()?.to_vec2::<f64>()?, [[3., 4., 5.]]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait RowSamples {
    /// All rows as samples, `[n, width]`, f64 on the CPU, with the names of the columns.
    ///
    /// # Errors
    /// Only what candle gives.
    fn samples(&self) -> Result<Samples>;
}

impl RowSamples for LabeledRows {
    fn samples(&self) -> Result<Samples> {
        let shape = (self.len(), self.width());
        let samples = Samples::from(Tensor::from_slice(self.values(), shape, &Device::Cpu)?);
        samples.with_names(self.columns())
    }
}

/// An [`ImageSet`] as samples.
///
/// ```
/// use puad::data::{ImageSamples, ImageSet, ImageShape};
///
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let set = ImageSet::new(vec![0, 51, 102, 255], shape, vec![7])?;
/// // As floats in [0, 1], grey repeated over three channels.
/// let samples = set.samples(ImageShape { channels: 3, ..shape })?;
/// assert_eq!(samples.to_tensor()?.dims(), [1, 3, 2, 2]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait ImageSamples {
    /// The images as samples of shape `output`; see [`Samples::images`].
    ///
    /// # Errors
    /// As [`Samples::images`].
    fn samples(&self, output: ImageShape) -> Result<Samples>;
}

impl ImageSamples for ImageSet {
    fn samples(&self, output: ImageShape) -> Result<Samples> {
        Samples::images(self, output)
    }
}
