use candle_core::{Result, Tensor};

use super::super::AdamStep;
use super::in_place::InPlace;
use super::launch::{blocks_for, int, real};

/// One step of Adam in place. `moments`: `[2, ...]`, of the gradient and its square.
pub(in crate::ops) fn adam_step(
    weights: &Tensor,
    grad: &Tensor,
    moments: &Tensor,
    step: AdamStep,
) -> Result<()> {
    let (n, real_type) = (weights.elem_count(), weights.dtype());
    let blocks = blocks_for(n);
    let (beta1, beta2) = (step.beta1, step.beta2);
    let decays = [step.coupled, beta1, 1. - beta1, beta2, 1. - beta2];
    let numbers = |values: &[f64]| {
        [int(n)]
            .into_iter()
            .chain(values.iter().map(|&v| real(v)))
            .collect()
    };
    let op = InPlace {
        kernel: "adam_moments",
        blocks,
        real: real_type,
        numbers: numbers(&decays),
    };
    moments.inplace_op3(grad, weights, &op)?;
    let op = InPlace {
        kernel: "adam_weights",
        blocks,
        real: real_type,
        numbers: numbers(&[step.keep, step.unbias2, step.eps, step.rate]),
    };
    weights.inplace_op2(moments, &op)
}
