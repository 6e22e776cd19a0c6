use candle_core::{DType, Result, Shape, Tensor, bail};

use super::super::batch_norm::{BatchNormOptions, BatchStatistics};
use super::super::channel_view::ChannelView;
use super::in_place::InPlace;
use super::launch::{Launch, blocks_for, int, real};
use super::op::Op;

/// Values of a channel that a block sums, and that a block writes.
const VALUES_TO_SUM: usize = 1 << 12;
const VALUES_TO_WRITE: usize = 1 << 10;

pub(in crate::ops) fn batch_norm_train(
    xs: &Tensor,
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<(Tensor, BatchStatistics)> {
    let xs = xs.contiguous()?;
    let norm = Norm::new(&xs, view, &options, true);
    let moments = norm.moments(&xs)?;
    let statistics = BatchStatistics {
        mean: moments.get(0)?.to_dtype(xs.dtype())?,
        variance: moments.get(1)?.to_dtype(xs.dtype())?,
        count: view.count(),
    };
    Ok((norm.apply(&xs, moments, options.affine)?, statistics))
}

/// Mean and variance: `[channels]`.
pub(in crate::ops) fn batch_norm_eval(
    xs: &Tensor,
    [mean, variance]: [&Tensor; 2],
    view: ChannelView,
    options: BatchNormOptions<'_>,
) -> Result<Tensor> {
    let moments = Tensor::stack(&[mean.detach(), variance.detach()], 0)?.to_dtype(DType::F64)?;
    let norm = Norm::new(xs, view, &options, false);
    norm.apply(&xs.contiguous()?, moments, options.affine)
}

/// Moves `running` towards `batch` in place: `running (1 - momentum) + batch momentum`.
pub(in crate::ops) fn move_towards(running: &Tensor, batch: &Tensor, momentum: f64) -> Result<()> {
    let n = running.elem_count();
    let op = InPlace {
        kernel: "move_towards",
        blocks: blocks_for(n),
        real: running.dtype(),
        numbers: vec![int(n), real(1. - momentum), real(momentum)],
    };
    running.inplace_op2(&batch.contiguous()?, &op)
}

/// Batch norm and LeakyReLU with given moments, which with `from_batch` are functions of the input.
#[derive(Clone, Copy)]
struct Norm {
    view: ChannelView,
    real: DType,
    eps: f64,
    slope: f64,
    from_batch: bool,
}

impl Norm {
    fn new(
        xs: &Tensor,
        view: ChannelView,
        options: &BatchNormOptions<'_>,
        from_batch: bool,
    ) -> Self {
        Self {
            view,
            real: xs.dtype(),
            eps: options.eps,
            slope: options.negative_slope,
            from_batch,
        }
    }

    fn parts(self, values: usize) -> usize {
        self.view.count().div_ceil(values).min(1 << 12)
    }

    /// A kernel whose blocks have a channel each, or a part of one.
    fn over_channels(
        self,
        kernel: &'static str,
        parts: usize,
        output: (impl Into<Shape>, DType),
    ) -> Launch {
        let (channels, pixels) = (self.view.channels, self.view.pixels);
        Launch {
            kernel,
            blocks: [channels as u32, parts as u32],
            real: self.real,
            output: (output.0.into(), output.1),
            numbers: vec![int(channels), int(pixels), int(self.view.count())],
        }
    }

    /// Sums by channel, part by part: `[parts, 2, channels]`.
    fn sums(self, kernel: &'static str) -> Launch {
        let parts = self.parts(VALUES_TO_SUM);
        let output = (parts, 2, self.view.channels);
        self.over_channels(kernel, parts, (output, DType::F64))
    }

    /// A kernel that writes a tensor like `xs`.
    fn map(self, kernel: &'static str, xs: &Tensor) -> Launch {
        let output = (xs.shape().clone(), self.real);
        self.over_channels(kernel, self.parts(VALUES_TO_WRITE), output)
    }

    /// A kernel that writes `[2, channels]`, over `n` values.
    fn pair(self, kernel: &'static str, n: usize, dtype: DType) -> Launch {
        Launch {
            blocks: blocks_for(n),
            output: ((2, self.view.channels).into(), dtype),
            numbers: vec![int(n)],
            ..Launch::each(kernel, self.real, n)
        }
    }

    /// `[2, channels]`: mean and variance.
    fn moments(self, xs: &Tensor) -> Result<Tensor> {
        let sums = self.sums("moment_sums").apply(&[Some(xs)])?;
        let view = [self.view.pixels, self.view.count(), sums.dim(0)?].map(int);
        self.pair("moments", self.view.channels, DType::F64)
            .with(view)
            .apply(&[Some(xs), Some(&sums)])
    }

    fn apply(
        self,
        xs: &Tensor,
        moments: Tensor,
        affine: Option<(&Tensor, &Tensor)>,
    ) -> Result<Tensor> {
        let launch = self.map("normalize", xs);
        let launch = launch.with([real(self.eps), real(self.slope)]);
        let Some((scales, shifts)) = affine else {
            return xs.apply_op1(Op {
                launch,
                held: vec![None, None, Some(moments.clone())],
                backward: move |xs: &Tensor, _: &Tensor, grad: &Tensor| {
                    let sums = || self.gradient_sums([xs, &moments, grad], None);
                    let sums = self.from_batch.then(sums).transpose()?;
                    self.input_gradient([xs, &moments, grad], None, sums.as_ref())
                },
            });
        };
        for t in [scales, shifts] {
            if t.dims() != [self.view.channels] || t.dtype() != self.real {
                bail!(
                    "batch norm needs scale and shift of {} channels in {:?}, got {:?} in {:?}",
                    self.view.channels,
                    self.real,
                    t.dims(),
                    t.dtype()
                )
            }
        }
        let op = Op {
            launch,
            held: vec![Some(moments.clone())],
            backward: move |[xs, scales, shifts]: [&Tensor; 3], _: &Tensor, grad: &Tensor| {
                let affine = Some((scales, shifts));
                let sums = self.gradient_sums([xs, &moments, grad], affine)?;
                let d_xs = xs
                    .track_op()
                    .then(|| self.input_gradient([xs, &moments, grad], affine, Some(&sums)));
                let d_affine = self.affine_gradient(&moments, &sums)?;
                Ok((
                    d_xs.transpose()?,
                    Some(d_affine.get(0)?),
                    Some(d_affine.get(1)?),
                ))
            },
        };
        xs.apply_op3(&scales.contiguous()?, &shifts.contiguous()?, op)
    }

    /// `[2, channels]`: sums of the gradient, and of its product with the deviation.
    fn gradient_sums(
        self,
        [xs, moments, grad]: [&Tensor; 3],
        affine: Option<(&Tensor, &Tensor)>,
    ) -> Result<Tensor> {
        let (scales, shifts) = affine.unzip();
        let sums = self
            .sums("gradient_sums")
            .with([real(self.eps), real(self.slope)]);
        let parts = sums.apply(&[Some(xs), scales, shifts, Some(moments), Some(grad)])?;
        self.pair("add_parts", 2 * self.view.channels, DType::F64)
            .with([int(parts.dim(0)?)])
            .apply(&[Some(&parts)])
    }

    fn input_gradient(
        self,
        [xs, moments, grad]: [&Tensor; 3],
        affine: Option<(&Tensor, &Tensor)>,
        sums: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (scales, shifts) = affine.unzip();
        let from_batch = int(self.from_batch.into());
        self.map("input_gradient", xs)
            .with([from_batch, real(self.eps), real(self.slope)])
            .apply(&[Some(xs), scales, shifts, Some(moments), Some(grad), sums])
    }

    /// `[2, channels]`, of scale and shift.
    fn affine_gradient(self, moments: &Tensor, sums: &Tensor) -> Result<Tensor> {
        self.pair("affine_gradient", self.view.channels, self.real)
            .with([real(self.eps)])
            .apply(&[Some(moments), Some(sums)])
    }
}
