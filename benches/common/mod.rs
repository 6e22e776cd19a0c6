//! What the benches share.

use puad::candle_core::{Device, Tensor};

/// Images, or vectors, a step.
pub const BATCH: usize = 128;

/// Numbers in [0, 1) from a linear congruential generator.
pub fn random(dims: &[usize]) -> Tensor {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let values = (0..dims.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}
