//! Convolutional blocks one after another: on the CPU, for f32, one operation, in which images have their
//! channels last and of which candle sees nothing but the ends.

mod backward;
mod forward;
mod op;
mod stage;

use std::sync::{Arc, OnceLock};

use candle_core::{DType, Result, Tensor};

use self::op::vector;
pub(super) use self::stage::Stage;

use super::backend::Backend;
use super::channel_norm::ChannelMoments;
use super::fast::Values;
use super::link::Gradients;
use super::upsample_conv::Subpixels;
use super::{
    BatchStatistics, ConvBlock, ConvOptions, batch_norm_eval, batch_norm_train, upsample2_conv2d,
};

/// What the backward pass needs of the forward pass, of each block.
struct Kept {
    /// The convolution's output, `[n, pixels, stride]`; empty where no gradient passes through the block.
    values: Values,
    /// Of each channel.
    moments: Vec<ChannelMoments>,
    /// The block's output with channels last; empty where no kernel's gradient needs it.
    pixels: Values,
    /// Of a block that pools, in the layout of `pixels`, each maximum's deviation from its channel's mean before the
    /// activation: the sums of the batch norm's gradients need no other value. Empty where no gradient passes
    /// through.
    deviations: Values,
}

enum Statistics {
    /// Of the batch.
    Batch(Arc<OnceLock<Vec<Kept>>>),
    /// Of each block's channels.
    Given(Vec<Vec<ChannelMoments>>),
}

/// The operation. Arguments: input, and the [`link`] of the parameters. The output is planes.
struct Stack {
    stages: Vec<Stage>,
    maps: Option<(usize, usize, usize)>,
    flat: bool,
    /// An upsampling convolution at the end.
    end: Option<Subpixels>,
    statistics: Statistics,
    /// Whether the input wants a gradient.
    want_input: bool,
    /// Kernel, scale and shift of every block, then the kernel of the end.
    parameters: Vec<Tensor>,
    gradients: Gradients,
}

/// Of a [`Stage`].
const PARAMETERS: usize = 3;

/// Blocks one after another, and what may stand at their end: [`upsample2_conv2d`] with a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvStack<'a> {
    pub(crate) blocks: &'a [ConvBlock<'a>],
    pub(crate) end: Option<(&'a Tensor, ConvOptions)>,
    /// Channels, height and width of the input, where it comes as vectors; and whether the output is to be vectors.
    /// Within the operation that costs nothing; between operations candle's backward pass adds the gradient to
    /// zeros once more.
    pub(crate) maps: Option<(usize, usize, usize)>,
    pub(crate) flat: bool,
}

/// A [`ConvStack`] with the statistics of the batch, `[batch, c_in, h, w] -> [batch, c_out, ...]`, and each
/// block's statistics (without gradient). Equal to the blocks in turn, up to rounding.
pub(crate) fn conv_stack_train(
    xs: &Tensor,
    stack: &ConvStack<'_>,
) -> Result<(Tensor, Vec<BatchStatistics>)> {
    if let Some(plan) = stack.plan(xs)?.filter(Plan::has_statistics) {
        return stack.train(xs, plan);
    }
    let mut ys = stack.start(xs)?;
    let mut all = Vec::with_capacity(stack.blocks.len());
    for block in stack.blocks {
        let alone = ConvStack::of(block);
        let statistics;
        (ys, statistics) = match alone.plan(&ys)?.filter(Plan::has_statistics) {
            Some(plan) => alone.train(&ys, plan)?,
            None => {
                let (zs, statistics) = batch_norm_train(&block.convolve(&ys)?, block.norm)?;
                (block.shrink(&zs)?, vec![statistics])
            }
        };
        all.extend(statistics);
    }
    Ok((stack.finish(ys)?, all))
}

/// A [`ConvStack`] with given mean and variance of each block (`[c_out]` each, without gradient).
pub(crate) fn conv_stack_eval(
    xs: &Tensor,
    statistics: &[(&Tensor, &Tensor)],
    stack: &ConvStack<'_>,
) -> Result<Tensor> {
    let fits = |plan: &Plan| {
        let mut all = plan.stages.iter().zip(statistics);
        plan.stages.len() == statistics.len()
            && all.all(|(stage, &(m, v))| [m, v].iter().all(|t| t.dims() == [stage.channels()]))
    };
    match stack.plan(xs)?.filter(fits) {
        Some(plan) => stack.eval(xs, statistics, plan),
        None => stack.composed_eval(xs, statistics),
    }
}

/// How the operation computes a stack.
struct Plan {
    stages: Vec<Stage>,
    /// `None` too where it is computed by itself.
    end: Option<Subpixels>,
}

impl Plan {
    /// Whether every channel has two values at least: else batch norm says that it takes as many. Of no matter
    /// where statistics are given, so that one image alone goes the way of many.
    fn has_statistics(&self) -> bool {
        self.stages.iter().all(|stage| stage.count() >= 2)
    }
}

impl<'a> ConvStack<'a> {
    pub(super) fn of(block: &'a ConvBlock<'a>) -> Self {
        Self {
            blocks: std::slice::from_ref(block),
            end: None,
            maps: None,
            flat: false,
        }
    }

    /// `None` where the operation does not compute it.
    fn plan(&self, xs: &Tensor) -> Result<Option<Plan>> {
        if Backend::of(xs) != Backend::Cpu || xs.dtype() != DType::F32 || self.blocks.is_empty() {
            return Ok(None);
        }
        let mut dims = match self.maps {
            Some((c, h, w)) => match xs.dims2()? {
                (n, len) if len == c * h * w => (n, c, h, w),
                // `start` says so.
                _ => return Ok(None),
            },
            None => xs.dims4()?,
        };
        let mut stages = Vec::with_capacity(self.blocks.len());
        for block in self.blocks {
            let Some(stage) = block.stage(dims)? else {
                return Ok(None);
            };
            let (h, w) = stage.out_hw();
            dims = (dims.0, stage.channels(), h, w);
            stages.push(stage);
        }
        let end = self
            .end
            .and_then(|(kernel, options)| Subpixels::choose(dims, kernel, options));
        Ok(Some(Plan { stages, end }))
    }

    fn train(&self, xs: &Tensor, plan: Plan) -> Result<(Tensor, Vec<BatchStatistics>)> {
        let kept = Arc::new(OnceLock::new());
        let counts: Vec<usize> = plan.stages.iter().map(Stage::count).collect();
        let ended = plan.end.is_some();
        let ys = Stack::apply(self, plan, Statistics::Batch(kept.clone()), xs)?;
        let Some(kept) = kept.get() else {
            candle_core::bail!("the blocks' forward pass left no statistics")
        };
        let statistics = kept.iter().zip(counts).map(|(kept, count)| {
            Ok(BatchStatistics {
                mean: vector(&kept.moments, |m| m.mean)?,
                variance: vector(&kept.moments, |m| m.variance)?,
                count,
            })
        });
        let statistics = statistics.collect::<Result<_>>()?;
        Ok((if ended { ys } else { self.finish(ys)? }, statistics))
    }

    fn eval(&self, xs: &Tensor, statistics: &[(&Tensor, &Tensor)], plan: Plan) -> Result<Tensor> {
        let host = |t: &Tensor| t.detach().to_dtype(DType::F64)?.to_vec1::<f64>();
        let moments = statistics.iter().map(|(mean, variance)| {
            let pairs = host(mean)?.into_iter().zip(host(variance)?);
            let moments = pairs.map(|(mean, variance)| ChannelMoments { mean, variance });
            Ok(moments.collect())
        });
        let moments = Statistics::Given(moments.collect::<Result<_>>()?);
        let ended = plan.end.is_some();
        let ys = Stack::apply(self, plan, moments, xs)?;
        if ended { Ok(ys) } else { self.finish(ys) }
    }

    fn composed_eval(&self, xs: &Tensor, statistics: &[(&Tensor, &Tensor)]) -> Result<Tensor> {
        let mut all = self.blocks.iter().zip(statistics);
        let ys = all.try_fold(self.start(xs)?, |ys, (block, (mean, variance))| {
            let zs = batch_norm_eval(&block.convolve(&ys)?, mean, variance, block.norm)?;
            block.shrink(&zs)
        })?;
        self.finish(ys)
    }

    /// The input as images.
    fn start(&self, xs: &Tensor) -> Result<Tensor> {
        match self.maps {
            Some((c, h, w)) => xs.reshape((xs.dims2()?.0, c, h, w)),
            None => Ok(xs.clone()),
        }
    }

    /// The end by itself.
    fn finish(&self, ys: Tensor) -> Result<Tensor> {
        let ys = match self.end {
            Some((kernel, options)) => upsample2_conv2d(&ys, kernel, options)?,
            None => ys,
        };
        if self.flat {
            return ys.flatten_from(1);
        }
        Ok(ys)
    }
}

#[cfg(test)]
mod tests;
