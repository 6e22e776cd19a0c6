//! The few names of candle-core that puad's readers of files mention, without what they do.

use std::convert::Infallible;

/// Never made.
#[derive(Clone, Copy, Debug)]
pub enum DType {}

/// Where a tensor would be.
#[derive(Clone, Debug)]
pub enum Device {
    Cpu,
}

/// Forgets its values.
#[derive(Clone, Debug)]
pub struct Tensor;

impl Tensor {
    pub fn from_slice<T, S>(_: &[T], _: S, _: &Device) -> Result<Self, Infallible> {
        Ok(Self)
    }
}
