//! What the rows of images and of perceptrons are timed with.

use std::time::Instant;

use puad::candle_core::{Device, Tensor, Var};
use puad::objective::{GroupCounts, GroupLosses, Objective};
use puad::ops::backward;
use puad::optim::Adam;
use puad::{Noise, NonNegativeLoss, Pass};

use crate::Result;

/// Runs `f`, waits for the device, and takes the median of `steps` runs in ms.
pub fn median(device: &Device, steps: usize, mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = vec![];
    for i in 0..steps.max(1) + 3 {
        device.synchronize()?;
        let start = Instant::now();
        f()?;
        device.synchronize()?;
        if i >= 3 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Numbers in [0, 1) from a linear congruential generator.
pub fn random_values(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..n).map(|_| next()).collect()
}

pub fn train_step(
    objective: &dyn Objective<Loss = &dyn NonNegativeLoss>,
    (xs, counts): (&Tensor, GroupCounts),
    noise: &mut Noise,
    (parameters, adam): (&[(String, Var)], &mut Adam),
) -> Result<()> {
    let losses = objective
        .detector()
        .losses(xs, &mut Pass::training(noise))?;
    let risk = objective.risk(&GroupLosses::split(&losses, counts)?)?;
    let grads = backward(&risk, parameters.iter().map(|(_, var)| var))?;
    Ok(adam.step(&grads)?)
}
