//! Data sets, their readers, and the contaminated split.

/// A data set that could not be read, generated or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {}

/// STUB
#[allow(missing_docs)]
pub struct PuDataset(candle_core::Tensor, Option<candle_core::Tensor>);
#[allow(missing_docs)]
impl PuDataset {
    pub fn new(x: candle_core::Tensor) -> crate::Result<Self> {
        Ok(Self(x, None))
    }
    pub fn with_anomalies(self, x: candle_core::Tensor) -> crate::Result<Self> {
        Ok(Self(self.0, Some(x)))
    }
    pub fn unlabeled(&self) -> &candle_core::Tensor {
        &self.0
    }
    pub fn anomalies(&self) -> Option<&candle_core::Tensor> {
        self.1.as_ref()
    }
    pub fn normals(&self) -> Option<&candle_core::Tensor> {
        None
    }
}
