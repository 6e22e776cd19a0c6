//! The stack as an operation of candle's.

use candle_core::{
    CpuStorage, CustomOp2, DType, Device, Layout, Result, Shape, Tensor, Var, WithDType,
};

use super::stage::{Stage, Weights};
use super::{ConvStack, Kept, PARAMETERS, Plan, Stack, Statistics};
use crate::ops::ConvBlock;
use crate::ops::channel_norm::ChannelMoments;
use crate::ops::cpu::{contiguous, elements, gradient_of, with_elements};
use crate::ops::fast::Values;
use crate::ops::link::{Gradients, link};

pub(super) fn vector(moments: &[ChannelMoments], f: fn(&ChannelMoments) -> f64) -> Result<Tensor> {
    let values: Vec<f64> = moments.iter().map(f).collect();
    Tensor::from_vec(values, moments.len(), &Device::Cpu)?.to_dtype(DType::F32)
}

impl Stack {
    /// `stack` of `xs`, by its plan.
    pub(super) fn apply(
        stack: &ConvStack<'_>,
        Plan { stages, end }: Plan,
        statistics: Statistics,
        xs: &Tensor,
    ) -> Result<Tensor> {
        let mut parameters = Vec::with_capacity(PARAMETERS * stages.len() + 1);
        for (block, stage) in stack.blocks.iter().zip(&stages) {
            parameters.push(block.kernel.contiguous()?);
            let constant = |value: f32| Tensor::full(value, stage.channels(), &Device::Cpu);
            let (scale, shift) = match block.norm.affine {
                Some((scale, shift)) => (scale.contiguous()?, shift.contiguous()?),
                None => (constant(1.)?, constant(0.)?),
            };
            parameters.extend([scale, shift]);
        }
        if let (Some(_), Some((kernel, _))) = (&end, stack.end) {
            parameters.push(kernel.contiguous()?);
        }
        let gradients = Gradients::default();
        let link = link(&parameters, &gradients)?;
        let op = Self {
            stages,
            maps: stack.maps,
            // An end that is computed by itself takes images.
            flat: stack.flat && (end.is_some() || stack.end.is_none()),
            end,
            statistics,
            want_input: xs.track_op(),
            parameters,
            gradients,
        };
        xs.contiguous()?.apply_op2(&link, op)
    }

    /// The first block that a gradient reaches on its way back; the number of blocks where none is reached.
    pub(super) fn first_reached(&self) -> usize {
        if self.want_input {
            return 0;
        }
        let first = self.parameters.iter().position(Tensor::track_op);
        // The end's kernel, the last, counts as of one block more.
        first.map_or(self.stages.len(), |first| first / PARAMETERS)
    }

    /// Whether the backward pass reads the deviations of block `k`'s maxima.
    pub(super) fn keeps_deviations(&self, k: usize) -> bool {
        k >= self.first_reached() && self.stages[k].pools()
    }

    /// Frees what no gradient will be computed of, once block `k`'s output was used.
    pub(super) fn trim(&self, k: usize, kept: &mut Kept) {
        if k < self.first_reached() {
            kept.values = Values::default();
        }
        let next_kernel = self.parameters.get(PARAMETERS * (k + 1));
        if !next_kernel.is_some_and(Tensor::track_op) {
            kept.pixels = Values::default();
        }
    }

    /// Runs `f` on the parameters' values: of the blocks, and of the end.
    fn with_weights<R>(&self, f: impl FnOnce(&[Weights<'_>], &[f32]) -> R) -> Result<R> {
        with_elements(&self.parameters, |values| {
            let (blocks, end) = values.split_at(PARAMETERS * self.stages.len());
            let weights = blocks.chunks_exact(PARAMETERS).map(|v| Weights {
                kernel: v[0],
                scale: v[1],
                shift: v[2],
            });
            let weights: Vec<Weights<'_>> = weights.collect();
            f(&weights, end.first().copied().unwrap_or_default())
        })
    }

    /// Images of the batch.
    pub(super) fn images(&self) -> usize {
        self.stages.first().map_or(0, |stage| stage.plan.shape.n)
    }

    /// Values of an image of the input.
    pub(super) fn input_len(&self) -> usize {
        self.stages
            .first()
            .map_or(0, |stage| stage.plan.input_len())
    }

    /// Channels, height and width of an output.
    fn output_maps(&self) -> (usize, usize, usize) {
        let last = self.stages.last();
        let of_stage = |stage: &Stage| {
            let (oh, ow) = stage.out_hw();
            (stage.channels(), oh, ow)
        };
        match &self.end {
            Some(end) => end.output(),
            None => last.map_or((0, 0, 0), of_stage),
        }
    }

    fn output_shape(&self) -> Shape {
        if self.flat {
            return (self.images(), self.planes_len()).into();
        }
        let (c, h, w) = self.output_maps();
        (self.images(), c, h, w).into()
    }

    /// Values of an output.
    pub(super) fn planes_len(&self) -> usize {
        let (c, h, w) = self.output_maps();
        c * h * w
    }

    /// The gradients with given statistics, by the separate operations: of the input, and of the parameters.
    fn backward_of_given(
        &self,
        xs: &Tensor,
        grad: &Tensor,
        given: &[Vec<ChannelMoments>],
    ) -> Result<(Option<Tensor>, Vec<Option<Tensor>>)> {
        let leaf = |of: &Tensor| {
            let values = of.detach();
            if of.track_op() {
                Var::from_tensor(&values).map(Var::into_inner)
            } else {
                Ok(values)
            }
        };
        let input = leaf(xs)?;
        let leaves = self
            .parameters
            .iter()
            .map(leaf)
            .collect::<Result<Vec<_>>>()?;
        let (of_blocks, of_end) = leaves.split_at(PARAMETERS * self.stages.len());
        let stages = self.stages.iter().zip(of_blocks.chunks_exact(PARAMETERS));
        let blocks =
            stages.map(|(stage, leaves)| stage.block([&leaves[0], &leaves[1], &leaves[2]]));
        let blocks: Vec<ConvBlock<'_>> = blocks.collect();
        let moments = given.iter().map(|moments| {
            let mean = vector(moments, |m| m.mean)?;
            Ok((mean, vector(moments, |m| m.variance)?))
        });
        let stack = ConvStack {
            blocks: &blocks,
            end: self
                .end
                .as_ref()
                .zip(of_end.first())
                .map(|(end, kernel)| (kernel, end.options())),
            maps: self.maps,
            flat: self.flat,
        };
        let moments = moments.collect::<Result<Vec<_>>>()?;
        let moments: Vec<_> = moments.iter().map(|(m, v)| (m, v)).collect();
        let ys = stack.composed_eval(&input, &moments)?;
        let grads = (ys * grad)?.sum_all()?.backward()?;
        // candle has gradients of some constants too.
        let own = |leaf: &Tensor| grads.get(leaf).filter(|_| leaf.is_variable()).cloned();
        Ok((own(&input), leaves.iter().map(own).collect()))
    }
}

impl CustomOp2 for Stack {
    fn name(&self) -> &'static str {
        "puad-conv-stack"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let xs = contiguous(xs, xs_layout)?;
        let ys = self.with_weights(|weights, end| match &self.statistics {
            Statistics::Given(moments) => self.forward_given(xs, weights, end, moments),
            Statistics::Batch(kept) => {
                let (ys, all) = self.forward_batch(xs, weights, end);
                // A second forward pass of one operation does not happen: candle applies it once.
                let _ = kept.set(all);
                ys
            }
        })?;
        Ok((f32::to_cpu_storage_owned(ys), self.output_shape()))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        link: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = &grad.contiguous()?;
        let leave = |all| {
            let wanted = link.track_op();
            wanted.then(|| self.gradients.leave(all)).transpose()
        };
        let kept = match &self.statistics {
            Statistics::Given(given) => {
                let (d_xs, gradients) = self.backward_of_given(xs, grad, given)?;
                return Ok((d_xs, leave(gradients)?));
            }
            Statistics::Batch(kept) => kept.get(),
        };
        let Some(kept) = kept else {
            candle_core::bail!("the blocks' backward pass came before their forward pass")
        };
        let (xs_storage, xs_layout) = xs.storage_and_layout();
        let (grad_storage, grad_layout) = grad.storage_and_layout();
        let values: &[f32] = elements(&xs_storage, xs_layout)?;
        let grads: &[f32] = elements(&grad_storage, grad_layout)?;
        let mut gradients: Vec<Option<Vec<f32>>> = Vec::new();
        let d_xs = self.with_weights(|weights, end| {
            let (d_xs, all) = self.backward(values, (weights, end), grads, kept);
            gradients = all;
            d_xs
        })?;
        let gradients = gradients.into_iter().zip(&self.parameters);
        let gradients = gradients.map(|(values, of)| gradient_of(values, of));
        let left = leave(gradients.collect::<Result<_>>()?)?;
        Ok((gradient_of(d_xs, xs)?, left))
    }
}
