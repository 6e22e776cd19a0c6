use super::{Gradients, Optimizer, OptimizerState};
use crate::{Error, Result};

/// One of candle's optimisers. It cannot be resumed, as candle shows nothing of its state.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device};
/// use puad::candle_nn::SGD;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::detector::Autoencoder;
/// use puad::net::{Mlp, MlpConfig};
/// use puad::objective::UnsupervisedObjective;
/// use puad::optim::CandleOptimizer;
/// use puad::train::{TrainConfig, Trainer};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let (train, validation) = toy.dataset(&Device::Cpu)?.split(0.1, 0)?;
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let encoder = Mlp::new(&MlpConfig::new([2, 16, 4]), params.var_builder().pp("encoder"))?;
/// let decoder = Mlp::new(&MlpConfig::new([4, 16, 2]), params.var_builder().pp("decoder"))?;
/// let objective = UnsupervisedObjective::new(Autoencoder::new(encoder, decoder));
///
/// let config = TrainConfig { epochs: 5, ..Default::default() };
/// let trainer = Trainer::new(config)?.with_optimizer(|parameters| {
///     let vars = parameters.iter().map(|(_, var)| var.clone()).collect();
///     Ok(Box::new(CandleOptimizer::<SGD>::new(vars, 0.01)?))
/// });
/// let history = trainer.fit(&objective, &params, &train, &validation, &mut ())?;
/// assert!(history.epochs[4].risk < history.epochs[0].risk);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Debug)]
pub struct CandleOptimizer<O> {
    inner: O,
}

impl<O: candle_nn::Optimizer> CandleOptimizer<O> {
    /// Of these parameters.
    ///
    /// # Errors
    /// As candle's own constructor.
    pub fn new(vars: Vec<candle_core::Var>, config: O::Config) -> Result<Self> {
        let inner = O::new(vars, config)?;
        Ok(Self { inner })
    }
}

impl<O: candle_nn::Optimizer> Optimizer for CandleOptimizer<O> {
    fn name(&self) -> &'static str {
        std::any::type_name::<O>()
    }

    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        Ok(self.inner.step(gradients.store())?)
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.inner.set_learning_rate(rate);
        Ok(())
    }

    fn state(&self) -> Result<OptimizerState> {
        let what = self.name();
        Err(Error::NotResumable { what })
    }

    fn load_state(&mut self, _: OptimizerState) -> Result<()> {
        let what = self.name();
        Err(Error::NotResumable { what })
    }
}
