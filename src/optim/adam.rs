use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Gradients, Optimizer, OptimizerState};
use crate::ops::{self, AdamStep};
use crate::{Error, Result};

/// How weights are pulled towards 0.
///
/// ```
/// use puad::candle_core::{Device, Var};
/// use puad::optim::{Adam, AdamConfig, WeightDecay};
///
/// let w = Var::new(&[2f64], &Device::Cpu)?;
/// let config = AdamConfig {
///     learning_rate: 0.1,
///     weight_decay: WeightDecay::Decoupled(0.5),
///     ..Default::default()
/// };
/// // A gradient of 0: only the decay moves the weight.
/// let flat = w.mul(&w.zeros_like()?)?.sum_all()?;
/// Adam::new(vec![("w".into(), w.clone())], config)?.step(&flat.backward()?)?;
/// assert!((w.to_vec1::<f64>()?[0] - 2. * (1. - 0.1 * 0.5)).abs() < 1e-12);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightDecay {
    /// Added to the gradient, `g + decay * w`: PyTorch's `Adam`, the published experiments.
    L2(f64),
    /// Applied to the weight, `w - rate * decay * w`: `AdamW` (Loshchilov and Hutter 2019).
    Decoupled(f64),
}

/// The hyperparameters of [`Adam`]. The defaults of the rate and the decay are those of a
/// [`FitConfig`](crate::FitConfig), the others PyTorch's; [`paper`](Self::paper) has the published
/// experiments'.
///
/// ```
/// use puad::Error;
/// use puad::optim::AdamConfig;
///
/// let config = AdamConfig { learning_rate: 1e-2, ..Default::default() };
/// config.check()?;
/// let wrong = AdamConfig { beta1: 1., ..config }.check();
/// assert!(matches!(wrong, Err(Error::Config { name: "beta1", .. })));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// Step size, > 0. Default: 1e-3.
    pub learning_rate: f64,
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment, >= 0.
    pub eps: f64,
    /// Weight decay, >= 0. Default: L2 of 1e-4.
    pub weight_decay: WeightDecay,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: WeightDecay::L2(1e-4),
        }
    }
}

impl AdamConfig {
    /// Section 5.3 of the paper: a rate of 1e-4 and L2 of 1e-3.
    pub fn paper() -> Self {
        Self {
            learning_rate: 1e-4,
            weight_decay: WeightDecay::L2(1e-3),
            ..Self::default()
        }
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    ///
    /// ```
    /// use puad::optim::{AdamConfig, WeightDecay};
    ///
    /// assert!(AdamConfig::default().check().is_ok());
    /// let config = AdamConfig { weight_decay: WeightDecay::L2(-1.), ..Default::default() };
    /// let message = config.check().unwrap_err().to_string();
    /// assert_eq!(message, "weight_decay must be finite and at least 0, got -1");
    /// ```
    pub fn check(&self) -> Result<()> {
        let check = |name, rule, value: f64, holds: bool| {
            if holds && value.is_finite() {
                Ok(())
            } else {
                Err(Error::config(name, rule, value))
            }
        };
        let rate = self.learning_rate;
        check("learning_rate", "finite and above 0", rate, rate > 0.)?;
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            check(name, "in [0, 1)", beta, (0. ..1.).contains(&beta))?;
        }
        let (WeightDecay::L2(decay) | WeightDecay::Decoupled(decay)) = self.weight_decay;
        for (name, value) in [("eps", self.eps), ("weight_decay", decay)] {
            check(name, "finite and at least 0", value, value >= 0.)?;
        }
        Ok(())
    }
}

impl AdamConfig {
    /// The numbers of update `steps`, counted from 1.
    fn step(&self, steps: i32) -> AdamStep {
        let rate = self.learning_rate;
        let (coupled, keep) = match self.weight_decay {
            WeightDecay::L2(decay) => (decay, 1.),
            WeightDecay::Decoupled(decay) => (0., 1. - rate * decay),
        };
        AdamStep {
            coupled,
            keep,
            beta1: self.beta1,
            beta2: self.beta2,
            rate: rate / (1. - self.beta1.powi(steps)),
            unbias2: (1. - self.beta2.powi(steps)).sqrt().recip(),
            eps: self.eps,
        }
    }
}

/// Adam, step for step as PyTorch's.
///
/// A parameter without a gradient is skipped, decay included.
///
/// # References
/// Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015.
///
/// ```
/// use puad::candle_core::{Device, Tensor, Var};
/// use puad::optim::{Adam, AdamConfig};
///
/// let w = Var::new(&[1f64], &Device::Cpu)?;
/// let mut adam = Adam::new(vec![("w".into(), w.clone())], AdamConfig { learning_rate: 0.1, ..Default::default() })?;
/// adam.step(&w.sqr()?.sum_all()?.backward()?)?;
/// assert!((w.to_vec1::<f64>()?[0] - 0.9).abs() < 1e-6);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    slots: Vec<Slot>,
}

/// One parameter and its moments.
#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    /// Of the gradient and its square: `[2, ...]`, updated in place.
    moments: Tensor,
    steps: i32,
}

impl Adam {
    /// An optimiser of the named parameters, with moments of 0.
    ///
    /// # Errors
    /// [`Error::Config`] for a hyperparameter outside its range.
    ///
    /// ```
    /// use puad::Params;
    /// use puad::candle_core::{DType, Device};
    /// use puad::candle_nn;
    /// use puad::optim::{Adam, AdamConfig};
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// candle_nn::linear(4, 2, params.var_builder())?;
    /// let adam = Adam::new(params.parameters(), AdamConfig::default())?;
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn new(parameters: Vec<(String, Var)>, config: AdamConfig) -> Result<Self> {
        config.check()?;
        let slots = parameters.into_iter().map(Slot::new);
        let slots = slots.collect::<Result<_>>()?;
        Ok(Self { config, slots })
    }

    /// One update of every parameter that `grads` has a gradient of.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    ///
    /// ```
    /// use puad::candle_core::{Device, Var};
    /// use puad::optim::{Adam, AdamConfig};
    ///
    /// let w = Var::new(&[1f64], &Device::Cpu)?;
    /// let mut adam = Adam::new(vec![("w".into(), w.clone())], AdamConfig { learning_rate: 0.1, ..Default::default() })?;
    /// for _ in 0..200 {
    ///     let loss = w.affine(1., -3.)?.sqr()?.sum_all()?;
    ///     adam.step(&loss.backward()?)?;
    /// }
    /// assert!((w.to_vec1::<f64>()?[0] - 3.).abs() < 0.05);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        for slot in &mut self.slots {
            if let Some(grad) = grads.get(&slot.var) {
                slot.update(grad, &self.config)?;
            }
        }
        Ok(())
    }
}

/// Its state: tensors `first.NAME` and `second.NAME`, the moments of parameter `NAME`, its steps, and
/// the number `learning_rate`.
impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn settings(&self) -> Value {
        json!(self.config)
    }

    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        Adam::step(self, gradients.store())
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        let config = AdamConfig {
            learning_rate: rate,
            ..self.config
        };
        config.check()?;
        self.config = config;
        Ok(())
    }

    fn state(&self) -> Result<OptimizerState> {
        let mut state = OptimizerState::default();
        for slot in &self.slots {
            for (i, moment) in MOMENTS.into_iter().enumerate() {
                let name = format!("{moment}.{}", slot.name);
                state.tensors.insert(name, slot.moments.get(i)?.copy()?);
            }
            state.steps.insert(slot.name.clone(), slot.steps as u64);
        }
        state.numbers.insert(RATE.into(), self.learning_rate());
        Ok(state)
    }

    fn load_state(&mut self, mut state: OptimizerState) -> Result<()> {
        for slot in &mut self.slots {
            let mut take = |moment: &str| {
                let name = format!("{moment}.{}", slot.name);
                let tensor = state.tensors.remove(&name);
                match tensor {
                    Some(tensor) if tensor.dims() == slot.var.dims() => {
                        Ok(tensor.to_dtype(slot.var.dtype())?)
                    }
                    Some(tensor) => Err(Error::shape(
                        "a moment",
                        format!("{:?}", slot.var.dims()),
                        &tensor,
                    )),
                    None => Err(Error::UnknownParameter { name }),
                }
            };
            slot.moments = Tensor::stack(&[take(MOMENTS[0])?, take(MOMENTS[1])?], 0)?;
            let steps = state.steps.remove(&slot.name);
            let name = || Error::UnknownParameter {
                name: slot.name.clone(),
            };
            let steps = steps.ok_or_else(name)?;
            let rule = "a number of steps below 2^31";
            slot.steps = i32::try_from(steps).map_err(|_| Error::config("steps", rule, steps))?;
        }
        let rate = state.numbers.remove(RATE);
        self.set_learning_rate(rate.ok_or_else(|| Error::UnknownParameter { name: RATE.into() })?)?;
        let left = state.tensors.into_keys().chain(state.steps.into_keys());
        match left.chain(state.numbers.into_keys()).next() {
            Some(name) => Err(Error::UnknownParameter { name }),
            None => Ok(()),
        }
    }
}

const RATE: &str = "learning_rate";
const MOMENTS: [&str; 2] = ["first", "second"];

impl Slot {
    fn new((name, var): (String, Var)) -> Result<Self> {
        let zeros = var.as_detached_tensor().zeros_like()?;
        Ok(Self {
            moments: Tensor::stack(&[&zeros, &zeros], 0)?,
            steps: 0,
            name,
            var,
        })
    }

    fn update(&mut self, grad: &Tensor, config: &AdamConfig) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        let step = config.step(self.steps);
        let weight = self.var.as_detached_tensor();
        if let Some(weight) = ops::adam_step(&weight, &grad.detach(), &mut self.moments, step)? {
            self.var.set(&weight)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Weight and gradient over four steps of `sum(w^2 * [1, 3])` from `[1, -2]`.
    fn run(config: AdamConfig) -> Vec<f64> {
        let w = Var::new(&[1f64, -2.], &Device::Cpu).unwrap();
        let skipped = Var::new(&[5f64], &Device::Cpu).unwrap();
        let mut adam = Adam::new(
            vec![("w".into(), w.clone()), ("skipped".into(), skipped.clone())],
            config,
        )
        .unwrap();
        let scale = Tensor::new(&[1f64, 3.], &Device::Cpu).unwrap();
        for _ in 0..4 {
            let loss = (w.sqr().unwrap() * &scale).unwrap().sum_all().unwrap();
            adam.step(&loss.backward().unwrap()).unwrap();
        }
        assert_eq!(skipped.to_vec1::<f64>().unwrap(), [5.]);
        w.to_vec1().unwrap()
    }

    // Expected values, torch 2.15, float64:
    //
    //     w = torch.tensor([1., -2.], dtype=torch.float64, requires_grad=True)
    //     for opt in (torch.optim.Adam, torch.optim.AdamW):
    //         w.data = torch.tensor([1., -2.], dtype=torch.float64)
    //         o = opt([w], lr=0.1, weight_decay=0.5)
    //         for _ in range(4):
    //             o.zero_grad(); (w**2 * torch.tensor([1., 3.])).sum().backward(); o.step()
    //         print(w.tolist())
    #[test]
    fn follows_torch_with_both_decays() {
        let config = |weight_decay| AdamConfig {
            learning_rate: 0.1,
            weight_decay,
            ..Default::default()
        };
        let coupled = run(config(WeightDecay::L2(0.5)));
        let decoupled = run(config(WeightDecay::Decoupled(0.5)));
        for (got, want) in coupled.iter().chain(&decoupled).zip(TORCH) {
            approx::assert_relative_eq!(*got, want, max_relative = 1e-12);
        }
    }

    const TORCH: [f64; 4] = [
        0.6039390601520738,
        -1.6015048945762667,
        0.4505145183555379,
        -1.261663795137852,
    ];

    #[test]
    fn the_fused_pass_and_candle_operations_agree() {
        let values: Vec<f32> = (0..60_000).map(|i| (i as f32 * 0.37).sin()).collect();
        for (weight_decay, dtype) in [
            (WeightDecay::L2(0.5), candle_core::DType::F32),
            (WeightDecay::Decoupled(0.5), candle_core::DType::F64),
        ] {
            let w = Tensor::from_vec(values.clone(), (200, 300), &Device::Cpu).unwrap();
            let w = w.to_dtype(dtype).unwrap();
            let config = AdamConfig {
                weight_decay,
                ..Default::default()
            };
            let mut adams = [(); 2].map(|()| {
                let var = Var::from_tensor(&w.copy().unwrap()).unwrap();
                Slot::new(("w".into(), var)).unwrap()
            });
            for step in 1..4 {
                let grad = (w.sqr().unwrap() * f64::from(step)).unwrap();
                adams[0].update(&grad, &config).unwrap();
                let slot = &mut adams[1];
                let weight = slot.var.as_detached_tensor();
                let (moments, step) = (&mut slot.moments, config.step(step));
                let new = ops::composed_adam_step(&weight, &grad, moments, step).unwrap();
                slot.var.set(&new).unwrap();
            }
            let [a, b] = adams.map(|slot| {
                let t = slot.var.to_dtype(candle_core::DType::F64).unwrap();
                t.flatten_all().unwrap().to_vec1::<f64>().unwrap()
            });
            assert_eq!(a, b);
        }
    }

    #[test]
    fn rejects_each_value_outside_its_range() {
        let good = AdamConfig::default();
        let bad = [
            (
                "learning_rate",
                AdamConfig {
                    learning_rate: 0.,
                    ..good
                },
            ),
            (
                "learning_rate",
                AdamConfig {
                    learning_rate: f64::NAN,
                    ..good
                },
            ),
            ("beta1", AdamConfig { beta1: 1., ..good }),
            (
                "beta2",
                AdamConfig {
                    beta2: -0.1,
                    ..good
                },
            ),
            ("eps", AdamConfig { eps: -1., ..good }),
            (
                "weight_decay",
                AdamConfig {
                    weight_decay: WeightDecay::L2(f64::INFINITY),
                    ..good
                },
            ),
        ];
        for (expected, config) in bad {
            let err = config.check().unwrap_err();
            assert!(
                matches!(err, Error::Config { name, .. } if name == expected),
                "{expected}"
            );
        }
        good.check().unwrap();
    }
}
