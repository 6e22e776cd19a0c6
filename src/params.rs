//! A network's tensors by name: seeded initialisation, snapshots, and what is trained of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Shape, Tensor, Var};
use candle_nn::init::{FanInOut, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::rng::{self, Purpose};
use crate::{Error, Result, ops};

/// The tensors of a network by name, created on demand by the [`VarBuilder`] that it hands out.
///
/// *Parameters* are trained; *buffers* are only kept: batch-norm statistics, which go by their name in
/// candle's and PyTorch's files (`running_mean`, `running_var`), and what a detector says are its
/// ([`NonNegativeLoss::buffers`](crate::NonNegativeLoss::buffers), an SVDD's center), once it is
/// trained or [`register_buffers`](Self::register_buffers) was called. A snapshot holds both. Every
/// tensor starts from the numbers of its own name under the seed, so it does not matter in which order
/// a network is built, and the same seed gives the same network on every device.
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
    /// Of what a detector registered.
    buffers: Arc<Mutex<BTreeSet<String>>>,
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
            buffers: Arc::default(),
        }
    }

    /// An empty set of the same seed, type and device: for tensors that serve a phase of training
    /// alone.
    pub fn scratch(&self) -> Self {
        Self::new(self.seed, self.dtype, &self.device)
    }

    /// The tensors of both sets, shared with them.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that both have.
    pub fn joined(&self, other: &Self) -> Result<Self> {
        let mut vars: BTreeMap<_, _> = self.sorted(|_| true).into_iter().collect();
        for (name, var) in other.sorted(|_| true) {
            if vars.contains_key(&name) {
                let rule = "those of a set that has none of their names";
                return Err(Error::config("joined tensors", rule, format!("{name:?}")));
            }
            vars.insert(name, var);
        }
        let mut buffers = lock(&self.buffers).clone();
        buffers.extend(lock(&other.buffers).iter().cloned());
        Ok(Self {
            buffers: Arc::new(Mutex::new(buffers)),
            vars: Arc::new(Mutex::new(vars)),
            ..self.clone()
        })
    }

    /// Takes these tensors of the set for buffers from now on: they are kept but not trained.
    ///
    /// # Errors
    /// [`Error::UnknownBuffer`] for one that the set does not hold.
    ///
    /// ```
    /// use puad::Params;
    /// use puad::candle_core::{DType, Device, Var};
    ///
    /// let params = Params::new(0, DType::F32, &Device::Cpu);
    /// let center = Var::from_tensor(&params.var_builder().get(3, "center")?)?;
    /// assert_eq!(params.parameters().len(), 1);
    /// params.register_buffers(&[center])?;
    /// assert_eq!((params.parameters().len(), params.buffers().len()), (0, 1));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn register_buffers(&self, buffers: &[Var]) -> Result<()> {
        let vars = lock(&self.vars);
        let name = |(index, buffer): (usize, &Var)| {
            let mut all = vars.iter();
            let found = all.find(|(_, var)| var.as_tensor().id() == buffer.as_tensor().id());
            let (name, _) = found.ok_or(Error::UnknownBuffer { index })?;
            Ok(name.clone())
        };
        let names = buffers.iter().enumerate().map(name);
        let names = names.collect::<Result<Vec<_>>>()?;
        lock(&self.buffers).extend(names);
        Ok(())
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
        let registered = lock(&self.buffers).clone();
        self.sorted(|name| !is_statistic(name) && !registered.contains(name))
    }

    /// What is kept but not trained, sorted by name.
    pub fn buffers(&self) -> Vec<(String, Var)> {
        let registered = lock(&self.buffers).clone();
        self.sorted(|name| is_statistic(name) || registered.contains(name))
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] if there is none.
    pub fn get(&self, name: &str) -> Result<Var> {
        let var = lock(&self.vars).get(name).cloned();
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
        let vars = lock(&self.vars);
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
        let vars = lock(&self.vars);
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

    /// Whether no tensor holds a NaN or an infinity.
    pub(crate) fn are_finite(&self) -> Result<bool> {
        for (_, var) in self.sorted(|_| true) {
            if ops::first_not_finite(&var.as_detached_tensor())?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Buffers to which no loss may send a gradient. Batch-norm statistics are none of them: a frozen
    /// layer normalises with them, and nobody expects those names to be trained.
    pub(crate) fn fixed(&self) -> Vec<(String, Var)> {
        let registered = lock(&self.buffers).clone();
        self.sorted(|name| registered.contains(name))
    }

    fn sorted(&self, keep: impl Fn(&str) -> bool) -> Vec<(String, Var)> {
        let vars = lock(&self.vars);
        let kept = vars.iter().filter(|(name, _)| keep(name));
        kept.map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds a lock half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A statistic of batch norm, as candle and PyTorch name them.
fn is_statistic(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    matches!(last, "running_mean" | "running_var")
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
        let mut vars = lock(&self.vars);
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
        lock(&self.vars).contains_key(name)
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
        assert_eq!(names(p.parameters()), ["a.weight", "b.weight", "center"]);
        let clone = p.clone();
        p.register_buffers(&[p.get("center").unwrap()]).unwrap();
        assert_eq!(names(clone.parameters()), ["a.weight", "b.weight"]);
        let stranger = Var::new(&[0f64], &Device::Cpu).unwrap();
        let err = p.register_buffers(&[p.get("center").unwrap(), stranger]);
        assert!(matches!(err, Err(Error::UnknownBuffer { index: 1 })));
        assert_eq!(names(p.buffers()), ["a.running_var", "center"]);
        let only_a = p.filter(|name| name.starts_with("a."));
        assert_eq!(names(only_a.parameters()), ["a.weight"]);
        let var = p.get("a.weight").unwrap();
        var.set(&var.ones_like().unwrap()).unwrap();
        assert_eq!(values(&only_a, "a.weight"), [1.; 6]);
    }

    #[test]
    fn joined_sets_share_their_tensors() {
        let (p, extra) = (params(4), params(4).scratch());
        build(&p, &["encoder.w"]);
        build(&extra, &["decoder.w"]);
        let both = p.joined(&extra).unwrap();
        let names: Vec<_> = both.parameters().into_iter().map(|v| v.0).collect();
        assert_eq!(names, ["decoder.w", "encoder.w"]);
        let var = both.get("decoder.w").unwrap();
        var.set(&var.ones_like().unwrap()).unwrap();
        assert_eq!(values(&extra, "decoder.w"), [1.; 6]);
        assert!(p.get("decoder.w").is_err());
        build(&extra, &["encoder.w"]);
        for (a, b) in [(&p, &extra), (&extra, &p)] {
            let err = a.joined(b).unwrap_err();
            assert!(
                matches!(&err, Error::Config { value, .. } if value == "\"encoder.w\""),
                "{err}"
            );
        }
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
