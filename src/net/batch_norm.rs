use candle_core::{ModuleT, Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};

use crate::ops::{self, BatchNormOptions, BatchStatistics};

/// The settings of a [`BatchNorm`] layer.
///
/// ```
/// use puad::net::BatchNormConfig;
///
/// // As in a DeepSVDD's encoder, whose shifts could collapse it.
/// let config = BatchNormConfig { affine: false, negative_slope: 0.01, ..BatchNormConfig::new(32) };
/// assert_eq!((config.eps, config.momentum), (1e-5, 0.1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormConfig {
    /// Channels of the input.
    pub channels: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Weight of a new batch in the running statistics.
    pub momentum: f64,
    /// Whether scale and shift are learned.
    pub affine: bool,
    /// Slope of the LeakyReLU that follows, fused; 1 for none.
    pub negative_slope: f64,
}

impl BatchNormConfig {
    /// PyTorch's defaults, and no activation.
    pub fn new(channels: usize) -> Self {
        Self {
            channels,
            eps: 1e-5,
            momentum: 0.1,
            affine: true,
            negative_slope: 1.,
        }
    }
}

/// Batch norm over `[batch, channels]` or `[batch, channels, ...]`, with an optional LeakyReLU.
///
/// In training it uses the batch's statistics and moves the running ones towards them, the variance
/// by its unbiased estimate, as PyTorch does; in evaluation it uses the running ones.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device, ModuleT, Tensor};
/// use puad::net::{BatchNorm, BatchNormConfig};
///
/// let params = Params::new(0, DType::F64, &Device::Cpu);
/// let norm = BatchNorm::new(&BatchNormConfig::new(1), params.var_builder())?;
/// let ys = norm.forward_t(&Tensor::new(&[[1f64], [3.]], &Device::Cpu)?, true)?;
/// assert!((ys.to_vec2::<f64>()?[1][0] - 1.).abs() < 1e-4);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchNorm {
    config: BatchNormConfig,
    affine: Option<(Tensor, Tensor)>,
    running_mean: Var,
    running_var: Var,
}

impl BatchNorm {
    /// Takes `running_mean`, `running_var` and, if affine, `weight` and `bias` (`[channels]` each)
    /// from `vb`.
    ///
    /// # Errors
    /// If `vb` lacks them or holds other shapes.
    pub fn new(config: &BatchNormConfig, vb: VarBuilder<'_>) -> Result<Self> {
        let get = |name, value| vb.get_with_hints(config.channels, name, Init::Const(value));
        let learned = || Ok::<_, candle_core::Error>((get("weight", 1.)?, get("bias", 0.)?));
        Ok(Self {
            config: *config,
            affine: config.affine.then(learned).transpose()?,
            running_mean: Var::from_tensor(&get("running_mean", 0.)?)?,
            running_var: Var::from_tensor(&get("running_var", 1.)?)?,
        })
    }

    pub(super) fn options(&self) -> BatchNormOptions<'_> {
        BatchNormOptions {
            affine: self.affine.as_ref().map(|(scale, shift)| (scale, shift)),
            eps: self.config.eps,
            negative_slope: self.config.negative_slope,
        }
    }

    /// Mean and variance, `[channels]` each.
    pub(super) fn running(&self) -> (&Tensor, &Tensor) {
        (&self.running_mean, &self.running_var)
    }

    /// Moves the running statistics towards those of a batch.
    pub(super) fn record(&self, batch: &BatchStatistics) -> Result<()> {
        let momentum = self.config.momentum;
        let count = batch.count as f64;
        ops::move_towards(&self.running_mean, &batch.mean, momentum)?;
        let unbiased = (&batch.variance * (count / (count - 1.)))?;
        ops::move_towards(&self.running_var, &unbiased, momentum)
    }
}

impl ModuleT for BatchNorm {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        if train {
            let (ys, statistics) = ops::batch_norm_train(xs, self.options())?;
            self.record(&statistics)?;
            Ok(ys)
        } else {
            let (mean, variance) = self.running();
            ops::batch_norm_eval(xs, mean, variance, self.options())
        }
    }
}
