use std::sync::{Arc, Mutex};

use candle_core::{CustomOp2, DType, Device};

use super::*;
use crate::ops::{LinearOptions, linear};

fn var(seed: f64, dims: &[usize]) -> Var {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (seed + i as f64).sin()).collect();
    let t = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    Var::from_tensor(&t.to_dtype(DType::F32).unwrap()).unwrap()
}

fn assert_close(a: &Tensor, b: &Tensor) {
    let [a, b] = [a, b].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    assert_eq!(a.len(), b.len());
    for (a, b) in a.into_iter().zip(b) {
        approx::assert_relative_eq!(a, b, max_relative = 1e-5);
    }
}

fn layer(xs: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let options = LinearOptions {
        bias: None,
        negative_slope: 0.1,
    };
    linear(xs, weight, options)
}

fn energy(xs: &Tensor, weight: &Tensor) -> Result<Tensor> {
    layer(xs, weight)?.sqr()?.sum_all()
}

type Pass = fn(&Tensor, &Tensor) -> Result<GradStore>;

/// candle's, and ours with a leaf.
const BOTH: [Pass; 2] = [
    |loss, _| loss.backward(),
    |loss, leaf| backward(loss, [&Var::from_tensor(leaf)?]),
];

/// Parameters used twice, by candle's operations too.
#[test]
fn gradients_are_candles() {
    let (weight, bias, other) = (var(1., &[4, 4]), var(2., &[4]), var(3., &[4, 4]));
    let xs = var(4., &[3, 4]);
    let options = LinearOptions {
        bias: Some(&bias),
        negative_slope: 0.1,
    };
    let ys = linear(&xs, &weight, options).unwrap();
    let zs = linear(&ys, &weight, options).unwrap();
    let zs = (zs + ys.matmul(&weight).unwrap().matmul(&other).unwrap()).unwrap();
    let loss = zs.sqr().unwrap().sum_all().unwrap();
    let expected = loss.backward().unwrap();
    let ours = backward(&loss, [&weight, &bias]).unwrap();
    for leaf in [&weight, &bias, &other, &xs] {
        assert_close(ours.get(leaf).unwrap(), expected.get(leaf).unwrap());
    }
    assert!(UNDER_WAY.with_borrow(Vec::is_empty));
}

/// [`energy`], whose backward pass computes it once more and scales the gradients of that.
struct Recomputed(Pass);

impl CustomOp2 for Recomputed {
    fn name(&self) -> &'static str {
        "recomputed"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let tensor = |storage: &CpuStorage, layout: &Layout| {
            let values = storage.as_slice::<f32>()?;
            Tensor::from_slice(values, layout.shape(), &Device::Cpu)
        };
        let xs = tensor(xs, xs_layout)?;
        let value = energy(&xs, &tensor(weight, weight_layout)?)?.to_scalar()?;
        Ok((CpuStorage::F32(vec![value]), ().into()))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let xs = Var::from_tensor(&xs.detach())?;
        let grads = (self.0)(&energy(&xs, weight)?, weight)?;
        let scaled = |leaf: &Tensor| {
            let own = grads.get(leaf).map(|own| own.broadcast_mul(grad));
            own.transpose()
        };
        Ok((scaled(&xs)?, scaled(weight)?))
    }
}

#[test]
fn a_pass_within_a_pass_has_its_own_gradients() {
    for pass in BOTH {
        let (xs, weight) = (var(1., &[3, 4]), var(2., &[4, 4]));
        let loss = |energies: [Tensor; 2]| {
            let [a, b] = energies;
            ((a * 3.).unwrap() + b).unwrap()
        };
        let ys = layer(&xs, &weight).unwrap();
        let recomputed = ys.apply_op2(&weight, Recomputed(pass)).unwrap();
        let other = energy(&ys, &weight).unwrap();
        let expected = loss([other.clone(), other.clone()]).backward().unwrap();
        let loss = loss([recomputed, other]);
        let ours = backward(&loss, [&weight, &xs]).unwrap();
        for leaf in [&weight, &xs] {
            assert_close(ours.get(leaf).unwrap(), expected.get(leaf).unwrap());
        }
    }
}

/// The identity, whose backward pass takes one through the graph that the operation stands in.
#[derive(Clone)]
struct Probe {
    weight: Var,
    found: Arc<Mutex<Vec<Option<Tensor>>>>,
    pass: Pass,
}

impl CustomOp1 for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((xs.clone(), layout.shape().clone()))
    }

    fn bwd(&self, xs: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grads = (self.pass)(&xs.sqr()?.sum_all()?, &self.weight)?;
        let own = grads.get(&self.weight).cloned();
        self.found.lock().unwrap().push(own);
        Ok(Some(grad.clone()))
    }
}

#[test]
fn a_pass_through_the_same_graph_has_its_own_gradients() {
    for pass in BOTH {
        let (xs, weight) = (var(1., &[3, 4]), var(2., &[4, 4]));
        let ys = layer(&layer(&xs, &weight).unwrap(), &weight).unwrap();
        let inner = ys.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let outer = ys.sum_all().unwrap().backward().unwrap();
        let probe = Probe {
            weight: weight.clone(),
            found: Arc::default(),
            pass,
        };
        let loss = ys.apply_op1(probe.clone()).unwrap().sum_all().unwrap();
        let ours = backward(&loss, [&weight]).unwrap();
        for leaf in [&weight, &xs] {
            assert_close(ours.get(leaf).unwrap(), outer.get(leaf).unwrap());
        }
        let found = probe.found.lock().unwrap();
        let [Some(found)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_close(found, inner.get(&weight).unwrap());
    }
}

/// Hands its second argument a gradient of the test's, or fails.
struct Hands(std::result::Result<Tensor, &'static str>);

impl CustomOp2 for Hands {
    fn name(&self) -> &'static str {
        "hands"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((xs.clone(), xs_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        leaf: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        match &self.0 {
            Ok(own) => Ok((Some(grad.clone()), deliver(grad, leaf, Some(own.clone()))?)),
            Err("panics") => panic!("in between"),
            Err(message) => candle_core::bail!("{message}"),
        }
    }
}

/// What the operation gave, not a sum with zeros; by every kind of operation before it.
#[test]
fn leaves_gradients_are_taken_as_they_are() {
    let all = [1., 2., 3., 4.].map(|seed| (var(seed, &[2, 2]), var(-seed, &[2, 2]).detach()));
    let mut ys = var(5., &[2, 2]).as_tensor().clone();
    for (leaf, own) in &all {
        ys = layer(&ys, &var(6., &[2, 2])).unwrap().exp().unwrap();
        ys = ys.apply_op2(leaf, Hands(Ok(own.clone()))).unwrap();
    }
    let loss = ys.sum_all().unwrap();
    let (plain, ours) = (loss.backward().unwrap(), {
        let leaves = all[1..].iter().map(|(leaf, _)| leaf);
        backward(&loss, leaves).unwrap()
    });
    for (i, (leaf, own)) in all.iter().enumerate() {
        let taken = |grads: &GradStore| grads.get(leaf).unwrap().id() == own.id();
        assert!(!taken(&plain), "{i}");
        assert_eq!(taken(&ours), i > 0, "{i}");
        assert_close(ours.get(leaf).unwrap(), own);
    }
}

#[test]
fn a_pass_that_fails_leaves_no_trace() {
    let weight = var(1., &[2, 2]);
    let pass = |kind| {
        let ys = layer(&weight, &weight)?.apply_op2(&weight, Hands(Err(kind)))?;
        backward(&ys.sum_all()?, [&weight]).map(|_| ())
    };
    let error = pass("fails").unwrap_err().to_string();
    assert!(error.contains("fails"), "{error}");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pass("panics")));
    assert!(caught.is_err());
    assert!(UNDER_WAY.with_borrow(Vec::is_empty));
}

/// What has no gradient, and what is a leaf itself.
#[test]
fn edges_are_candles() {
    let weight = var(1., &[]);
    for loss in [weight.as_tensor().clone(), weight.as_detached_tensor()] {
        let (expected, ours) = (
            loss.backward().unwrap(),
            backward(&loss, [&weight]).unwrap(),
        );
        let value = |grads: &GradStore| grads.get(&loss).map(|g| g.to_scalar::<f32>().unwrap());
        assert_eq!(value(&ours), Some(1.));
        assert_eq!(value(&ours), value(&expected));
        assert_eq!(ours.get_ids().count(), expected.get_ids().count());
    }
}
