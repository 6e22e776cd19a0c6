//! A network's tensors by name: seeded initialisation, snapshots, and what is trained of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::init::{FanInOut, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::rng::{self, Purpose};
use crate::{Error, Result};

/// The tensors of a network by name, created on demand by the [`VarBuilder`] that it hands out.
///
/// *Parameters* are trained; *buffers* (batch-norm statistics and an SVDD's center: names whose last
/// part is `running_mean`, `running_var` or `center`) are only kept. A tensor named `center` to which
/// a loss sends a gradient is an error of [`Trainer::fit`](crate::train::Trainer::fit), not left
/// untrained in silence. A snapshot holds both. Every tensor starts from the numbers of its own name
/// under the seed, so it does not matter in which order a network is built, and the same seed gives
/// the same network on every device.
///
/// Clones share the tensors.
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device};
/// use puad::candle_nn;
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let layer = candle_nn::linear(4, 2, params.var_builder().pp("layer"))?;
/// let names: Vec<_> = params.parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["layer.bias", "layer.weight"]);
/// let before = params.snapshot()?;
/// params.get("layer.bias")?.set(&layer.bias().unwrap().ones_like()?)?;
/// params.restore(&before)?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone)]
pub struct Params {
    seed: u64,
    dtype: DType,
    device: Device,
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
}

/// A copy of all tensors of a [`Params`].
///
/// ```
/// use puad::Params;
/// use puad::candle_core::{DType, Device};
///
/// let params = Params::new(0, DType::F32, &Device::Cpu);
/// let weight = params.var_builder().get((2, 3), "weight")?;
/// let snapshot = params.snapshot()?;
/// params.get("weight")?.set(&weight.ones_like()?)?;
/// params.restore(&snapshot)?;
/// assert_ne!(params.get("weight")?.to_vec2::<f32>()?, [[1.; 3]; 2]);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot(BTreeMap<String, Tensor>);

impl Snapshot {
    pub(crate) fn from_tensors(tensors: BTreeMap<String, Tensor>) -> Self {
        Self(tensors)
    }

    pub(crate) fn into_tensors(self) -> BTreeMap<String, Tensor> {
        self.0
    }
}

impl Params {
    /// A set of these tensors, of `dtype` on `device`.
    pub(crate) fn from_tensors(
        tensors: BTreeMap<String, Tensor>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let vars = tensors.into_iter();
        let vars = vars.map(|(name, tensor)| Ok((name, Var::from_tensor(&tensor)?)));
        Ok(Self {
            vars: Arc::new(Mutex::new(vars.collect::<Result<_>>()?)),
            ..Self::new(0, dtype, device)
        })
    }

    /// An empty set. Networks built on it get tensors of `dtype` (f32 or f64) on `device`.
    pub fn new(seed: u64, dtype: DType, device: &Device) -> Self {
        Self {
            seed,
            dtype,
            device: device.clone(),
            vars: Arc::default(),
        }
    }

    /// The builder through which networks create their tensors here.
    pub fn var_builder(&self) -> VarBuilder<'static> {
        let backend = Box::new(self.clone());
        VarBuilder::from_backend(backend, self.dtype, self.device.clone())
    }

    /// The device that the tensors live on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The element type of the tensors.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// What is trained, sorted by name.
    pub fn parameters(&self) -> Vec<(String, Var)> {
        self.sorted(|name| !is_buffer(name))
    }

    /// What is kept but not trained, sorted by name.
    pub fn buffers(&self) -> Vec<(String, Var)> {
        self.sorted(is_buffer)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] if there is none.
    pub fn get(&self, name: &str) -> Result<Var> {
        let var = self.lock().get(name).cloned();
        var.ok_or_else(|| Error::UnknownParameter { name: name.into() })
    }

    /// The tensors whose names `keep` accepts, shared with this set: what a detector that uses only
    /// part of a network trains.
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.sorted(keep).into_iter().collect();
        Self {
            vars: Arc::new(Mutex::new(kept)),
            ..self.clone()
        }
    }

    /// A copy of all parameters and buffers as they are now.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let vars = self.lock();
        // `copy`, because a clone would share the storage that training writes to.
        let copies = vars
            .iter()
            .map(|(name, var)| Ok((name.clone(), var.copy()?.detach())));
        Ok(Snapshot(copies.collect::<Result<_>>()?))
    }

    /// Writes a snapshot back. Tensors created since are left as they are.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] if the snapshot has a name that this set lacks; nothing is
    /// written then. A shape that differs is candle's error.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<()> {
        let vars = self.lock();
        if let Some(name) = snapshot.0.keys().find(|&name| !vars.contains_key(name)) {
            return Err(Error::UnknownParameter { name: name.clone() });
        }
        for (name, tensor) in &snapshot.0 {
            if let Some(var) = vars.get(name) {
                var.set(tensor)?;
            }
        }
        Ok(())
    }

    /// Buffers to which no loss may send a gradient. Batch-norm statistics are none of them: a frozen
    /// layer normalises with them, and nobody expects those names to be trained.
    pub(crate) fn fixed(&self) -> Vec<(String, Var)> {
        self.sorted(|name| last_part(name) == "center")
    }

    fn sorted(&self, keep: impl Fn(&str) -> bool) -> Vec<(String, Var)> {
        let vars = self.lock();
        let kept = vars.iter().filter(|(name, _)| keep(name));
        kept.map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Var>> {
        // No code panics while it holds the lock half-way through a change.
        self.vars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes: BTreeMap<_, _> = self
            .sorted(|_| true)
            .into_iter()
            .map(|(name, var)| (name, var.shape().clone()))
            .collect();
        f.debug_struct("Params")
            .field("seed", &self.seed)
            .field("dtype", &self.dtype)
            .field("device", &self.device)
            .field("shapes", &shapes)
            .finish()
    }
}

fn is_buffer(name: &str) -> bool {
    matches!(last_part(name), "running_mean" | "running_var" | "center")
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// # Errors
/// [`Error::LearnedBuffer`] for the first of the `fixed` tensors that has a gradient.
pub(crate) fn check_fixed(fixed: &[(String, Var)], grads: &GradStore) -> Result<()> {
    match fixed.iter().find(|(_, var)| grads.get(var).is_some()) {
        Some((name, _)) => Err(Error::LearnedBuffer { name: name.clone() }),
        None => Ok(()),
    }
}

impl SimpleBackend for Params {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let mut vars = self.lock();
        if let Some(var) = vars.get(name) {
            if var.shape() != &shape {
                return Err(candle_core::Error::UnexpectedShape {
                    msg: format!("shape mismatch for {name}"),
                    expected: shape,
                    got: var.shape().clone(),
                }
                .bt());
            }
            return Ok(var.as_tensor().clone());
        }
        let values = draw(init, &shape, self.seed, name);
        // Rounded to the target type on the host: some devices have no f64.
        let host = Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?;
        let var = Var::from_tensor(&host.to_device(device)?)?;
        vars.insert(name.to_string(), var.clone());
        Ok(var.into_inner())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        let var = Params::get(self, name).map_err(candle_core::Error::wrap)?;
        Ok(var.into_inner())
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// The initial values of the tensor `name`, in f64 whatever its type.
fn draw(init: Init, shape: &Shape, seed: u64, name: &str) -> Vec<f64> {
    let mut rng = rng::substream(seed, Purpose::Init, fnv1a(name));
    let n = shape.elem_count();
    let mut uniform = |lo: f64, up: f64| {
        (0..n)
            .map(|_| lo + (up - lo) * rng.random::<f64>())
            .collect()
    };
    match init {
        Init::Const(value) => vec![value; n],
        Init::Uniform { lo, up } => uniform(lo, up),
        Init::Randn { mean, stdev } => normal(n, mean, stdev, &mut rng),
        Init::Kaiming {
            dist,
            fan,
            non_linearity,
        } => {
            let fan = FanInOut::for_shape(&fan, shape).max(1);
            let deviation = non_linearity.gain() / (fan as f64).sqrt();
            match dist {
                NormalOrUniform::Uniform => {
                    let bound = 3f64.sqrt() * deviation;
                    uniform(-bound, bound)
                }
                NormalOrUniform::Normal => normal(n, 0., deviation, &mut rng),
            }
        }
    }
}

fn normal(n: usize, mean: f64, deviation: f64, rng: &mut impl Rng) -> Vec<f64> {
    let standard = StandardNormal.sample_iter(rng).take(n);
    standard.map(|z: f64| mean + deviation * z).collect()
}

/// FNV-1a: a hash that stays the same across releases of Rust.
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(seed: u64) -> Params {
        Params::new(seed, DType::F64, &Device::Cpu)
    }

    fn values(params: &Params, name: &str) -> Vec<f64> {
        let var = params.get(name).unwrap();
        var.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn build(params: &Params, names: &[&str]) {
        for name in names {
            let init = Init::Uniform { lo: -1., up: 1. };
            params
                .var_builder()
                .get_with_hints((2, 3), name, init)
                .unwrap();
        }
    }

    #[test]
    fn a_tensor_depends_on_seed_and_name_alone() {
        let (one, two, other) = (params(1), params(1), params(2));
        build(&one, &["a", "b"]);
        build(&two, &["b", "a"]);
        build(&other, &["a"]);
        assert_eq!(values(&one, "a"), values(&two, "a"));
        assert_ne!(values(&one, "a"), values(&one, "b"));
        assert_ne!(values(&one, "a"), values(&other, "a"));
    }

    #[test]
    fn first_values_of_a_seed_are_stable() {
        let p = params(0);
        build(&p, &["encoder.linear.weight"]);
        let first = values(&p, "encoder.linear.weight")[0];
        // Printed once by this test; a change here changes every trained network.
        approx::assert_relative_eq!(first, FIRST_VALUE, max_relative = 1e-15);
    }

    const FIRST_VALUE: f64 = -0.310_373_612_453_457_07;

    #[test]
    fn draws_have_the_moments_that_the_hint_asks_for() {
        let kaiming = |dist| Init::Kaiming {
            dist,
            fan: FanInOut::FanIn,
            non_linearity: candle_nn::init::NonLinearity::ReLU,
        };
        // Kaiming, fan in 50, ReLU: standard deviation sqrt(2 / 50) = 0.2.
        let cases = [
            (Init::Const(3.), 3., 0.),
            (Init::Uniform { lo: 0., up: 6. }, 3., 3f64.sqrt()),
            (
                Init::Randn {
                    mean: -1.,
                    stdev: 2.,
                },
                -1.,
                2.,
            ),
            (kaiming(NormalOrUniform::Uniform), 0., 0.2),
            (kaiming(NormalOrUniform::Normal), 0., 0.2),
        ];
        for (init, mean, deviation) in cases {
            let xs = draw(init, &(400, 50).into(), 5, "w");
            let n = xs.len() as f64;
            let m = xs.iter().sum::<f64>() / n;
            let d = (xs.iter().map(|x| (x - m).powi(2)).sum::<f64>() / n).sqrt();
            assert!(
                (m - mean).abs() < 0.05 && (d - deviation).abs() < 0.02 * (1. + deviation),
                "{init:?}: {m} {d}"
            );
        }
    }

    #[test]
    fn snapshots_are_copies_and_restore_everything() {
        let p = params(3);
        build(&p, &["w", "norm.running_mean"]);
        let before = (values(&p, "w"), values(&p, "norm.running_mean"));
        let snapshot = p.snapshot().unwrap();
        for (_, var) in p.parameters().iter().chain(&p.buffers()) {
            var.set(&var.ones_like().unwrap()).unwrap();
        }
        assert_eq!(values(&p, "w"), [1.; 6]);
        p.restore(&snapshot).unwrap();
        assert_eq!((values(&p, "w"), values(&p, "norm.running_mean")), before);
    }

    #[test]
    fn buffers_are_told_apart_and_filters_share() {
        let p = params(4);
        build(&p, &["b.weight", "a.running_var", "center", "a.weight"]);
        let names = |vars: Vec<(String, Var)>| vars.into_iter().map(|v| v.0).collect::<Vec<_>>();
        assert_eq!(names(p.parameters()), ["a.weight", "b.weight"]);
        assert_eq!(names(p.buffers()), ["a.running_var", "center"]);
        let only_a = p.filter(|name| name.starts_with("a."));
        assert_eq!(names(only_a.parameters()), ["a.weight"]);
        let var = p.get("a.weight").unwrap();
        var.set(&var.ones_like().unwrap()).unwrap();
        assert_eq!(values(&only_a, "a.weight"), [1.; 6]);
    }

    #[test]
    fn unknown_names_and_shapes_are_errors() {
        let p = params(5);
        build(&p, &["w"]);
        let err = p.get("v").unwrap_err();
        assert!(matches!(err, Error::UnknownParameter { name } if name == "v"));
        let err = params(5).restore(&p.snapshot().unwrap()).unwrap_err();
        assert!(matches!(err, Error::UnknownParameter { name } if name == "w"));
        let again = p.var_builder().get((3, 2), "w").unwrap_err();
        assert!(
            again.to_string().contains("shape mismatch for w"),
            "{again}"
        );
    }
}
