use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use serde_json::{Value, json};

use crate::Result;

/// Moves parameters against their gradients.
///
/// ```
/// use puad::candle_core::Device;
/// use puad::candle_core::Var;
/// use puad::optim::{Gradients, Optimizer, OptimizerState};
/// use puad::{Error, Result};
///
/// /// Steepest descent.
/// struct Descent(f64);
///
/// impl Optimizer for Descent {
///     fn name(&self) -> &'static str {
///         "descent"
///     }
///     fn step(&mut self, gradients: &Gradients<'_>) -> Result<()> {
///         for (_, parameter, gradient) in gradients.iter() {
///             let moved = (parameter.as_detached_tensor() - (gradient * self.0)?)?;
///             parameter.set(&moved)?;
///         }
///         Ok(())
///     }
///     fn learning_rate(&self) -> f64 {
///         self.0
///     }
///     fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
///         self.0 = rate;
///         Ok(())
///     }
///     // It remembers its rate alone, which may have been set on the way.
///     fn state(&self) -> Result<OptimizerState> {
///         let numbers = [("rate".to_string(), self.0)].into();
///         Ok(OptimizerState { numbers, ..OptimizerState::default() })
///     }
///     fn load_state(&mut self, state: OptimizerState) -> Result<()> {
///         let rate = state.numbers.get("rate").copied();
///         self.0 = rate.ok_or_else(|| Error::UnknownParameter { name: "rate".into() })?;
///         Ok(())
///     }
/// }
///
/// let w = [("w".to_string(), Var::new(&[3f64], &Device::Cpu)?)];
/// let store = w[0].1.sqr()?.sum_all()?.backward()?;
/// Descent(0.5).step(&Gradients::new(&store, &w))?;
/// assert_eq!(w[0].1.to_vec1::<f64>()?, [0.]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Optimizer {
    /// What it is called in files and errors: a run is resumed by an optimiser of the same name only.
    fn name(&self) -> &'static str;

    /// Its settings: a run is resumed by an optimiser of the same ones only. Asked before the first step.
    /// Default: the learning rate.
    fn settings(&self) -> Value {
        json!({ "learning_rate": self.learning_rate() })
    }

    /// One update of every parameter that has a gradient.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    fn step(&mut self, gradients: &Gradients<'_>) -> Result<()>;

    /// The step size.
    fn learning_rate(&self) -> f64;

    /// Another step size from now on.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for one outside its range.
    fn set_learning_rate(&mut self, rate: f64) -> Result<()>;

    /// All that the next step depends on besides the [`settings`](Self::settings): what it remembers of
    /// the steps so far, and the step size, if that may have changed.
    ///
    /// # Errors
    /// [`Error::NotResumable`](crate::Error::NotResumable) if that cannot be had.
    fn state(&self) -> Result<OptimizerState>;

    /// Goes on from the state of another, of the same settings and parameters. Tensors that were in a file
    /// have their type, and are on the device of the parameters.
    ///
    /// # Errors
    /// For a state that is not of these parameters; as [`state`](Self::state).
    fn load_state(&mut self, state: OptimizerState) -> Result<()>;
}

/// What an [`Optimizer`] remembers; see there for an example.
#[derive(Clone, Debug, Default)]
pub struct OptimizerState {
    /// By a name of the optimiser's choice.
    pub tensors: BTreeMap<String, Tensor>,
    /// Numbers of steps, likewise.
    pub steps: BTreeMap<String, u64>,
    /// Other numbers, likewise.
    pub numbers: BTreeMap<String, f64>,
}

/// The gradients of one backward pass by parameter; see [`Optimizer`] for an example.
#[derive(Clone, Copy)]
pub struct Gradients<'a> {
    store: &'a GradStore,
    parameters: &'a [(String, Var)],
}

impl<'a> Gradients<'a> {
    /// The gradients that `store` holds of `parameters`.
    pub fn new(store: &'a GradStore, parameters: &'a [(String, Var)]) -> Self {
        Self { store, parameters }
    }

    /// Name, parameter and gradient of every parameter that has one, in the parameters' order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Var, &'a Tensor)> + use<'a> {
        let store = self.store;
        let gradient =
            move |(name, var): &'a (String, Var)| Some((name.as_str(), var, store.get(var)?));
        self.parameters.iter().filter_map(gradient)
    }

    /// The gradient of the parameter of this name, if it has one.
    pub fn get(&self, name: &str) -> Option<&'a Tensor> {
        let mut all = self.iter();
        all.find_map(|(known, _, gradient)| (known == name).then_some(gradient))
    }

    /// All gradients as candle keeps them.
    pub fn store(&self) -> &'a GradStore {
        self.store
    }
}
