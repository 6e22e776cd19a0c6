//! Linear layers one after another: on the CPU, for f32, one operation of which candle sees nothing but the ends.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType};

use super::LinearLayer;
use super::cpu::{contiguous, elements, gradient_of, with_elements};
use super::linear::{LayerNumbers, linear, rows_of};
use super::link::{Gradients, link};
use super::perceptron::outputs_of;

/// Values of a layer's output from which on candle adds its gradient to a tensor of zeros on several threads,
/// which wait for each other: longer than one operation for all layers takes to find its parameters.
const STACKED: usize = 1 << 16;

/// `xs` through the layers in turn, with the bits of [`linear`] layer by layer, forward and backward; in one operation
/// where that is faster.
///
/// # Errors
/// If the shapes do not fit.
pub(crate) fn linear_stack(xs: &Tensor, layers: &[LinearLayer<'_>]) -> Result<Tensor> {
    match stacked_rows(xs, layers)? {
        Some(rows) => stacked(xs, rows, layers),
        None => {
            let mut layers = layers.iter();
            layers.try_fold(xs.clone(), |xs, (weight, options)| {
                linear(&xs, weight, *options)
            })
        }
    }
}

/// The rows of `xs`, where one operation takes these layers and is faster.
fn stacked_rows(xs: &Tensor, layers: &[LinearLayer<'_>]) -> Result<Option<usize>> {
    let rows = rows_of(xs).filter(|(_, inputs)| outputs_of(layers, *inputs).is_some());
    let widest = widest_hidden(layers)?;
    Ok(rows
        .map(|(rows, _)| rows)
        .filter(|rows| rows * widest >= STACKED))
}

fn widest_hidden(layers: &[LinearLayer<'_>]) -> Result<usize> {
    let hidden = layers.iter().rev().skip(1);
    let mut widths = hidden.map(|(weight, _)| weight.dim(0));
    widths.try_fold(0, |widest, width| Ok(width?.max(widest)))
}

/// In one operation, of layers that the kernels take.
fn stacked(xs: &Tensor, rows: usize, layers: &[LinearLayer<'_>]) -> Result<Tensor> {
    let mut parameters = Vec::with_capacity(2 * layers.len());
    let mut stages = Vec::with_capacity(layers.len());
    for (weight, options) in layers {
        let (outputs, inputs) = weight.dims2()?;
        let at = parameters.len();
        parameters.push((*weight).clone());
        parameters.extend(options.bias.cloned());
        stages.push(Stage {
            inputs,
            outputs,
            weight: at,
            bias: options.bias.map(|_| at + 1),
            slope: options.negative_slope as f32,
        });
    }
    let gradients = Gradients::default();
    let link = link(&parameters, &gradients)?;
    let op = Stack {
        rows,
        stages,
        want_input: xs.track_op(),
        parameters,
        hidden: OnceLock::new(),
        gradients,
    };
    xs.contiguous()?.apply_op2(&link, op)
}

/// Runs `f` on a thread of the pool: what it hands to others from there it need not sleep for.
fn in_pool<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| f())
}

/// A layer of the stack.
struct Stage {
    inputs: usize,
    outputs: usize,
    /// Where its weight, and its bias, are among the parameters.
    weight: usize,
    bias: Option<usize>,
    slope: f32,
}

/// The operation. Arguments: input, and the [`link`] of the parameters.
struct Stack {
    rows: usize,
    stages: Vec<Stage>,
    want_input: bool,
    parameters: Vec<Tensor>,
    /// The outputs of all layers but the last.
    hidden: OnceLock<Vec<Vec<f32>>>,
    gradients: Gradients,
}

impl Stack {
    /// Runs `f` on the layers' numbers.
    fn with_numbers<R>(&self, f: impl FnOnce(&[LayerNumbers<'_>]) -> R) -> Result<R> {
        with_elements(&self.parameters, |values| {
            let numbers = self.stages.iter().map(|stage| LayerNumbers {
                weight: values[stage.weight],
                bias: stage.bias.map(|at| values[at]),
                slope: stage.slope,
            });
            f(&numbers.collect::<Vec<_>>())
        })
    }

    fn sizes(&self, stage: &Stage) -> [usize; 3] {
        [self.rows, stage.inputs, stage.outputs]
    }

    /// The outputs of every layer.
    fn forward(&self, xs: &[f32], numbers: &[LayerNumbers<'_>]) -> Vec<Vec<f32>> {
        let mut all: Vec<Vec<f32>> = Vec::with_capacity(numbers.len());
        for (numbers, stage) in numbers.iter().zip(&self.stages) {
            let xs = all.last().map_or(xs, Vec::as_slice);
            all.push(numbers.forward(xs, self.sizes(stage)));
        }
        all
    }

    /// Whether a parameter of the layers before this one, or the input, wants a gradient.
    fn wanted_before(&self, stage: &Stage) -> bool {
        let mut before = self.parameters[..stage.weight].iter();
        self.want_input || before.any(Tensor::track_op)
    }

    /// The gradients of the input and of the parameters.
    fn backward(
        &self,
        [xs, ys, grad]: [&[f32]; 3],
        hidden: &[Vec<f32>],
        numbers: &[LayerNumbers<'_>],
    ) -> (Option<Vec<f32>>, Vec<Option<Vec<f32>>>) {
        let mut all: Vec<Option<Vec<f32>>> = vec![None; self.parameters.len()];
        let mut above: Option<Vec<f32>> = None;
        for (k, (numbers, stage)) in numbers.iter().zip(&self.stages).enumerate().rev() {
            let before = self.wanted_before(stage);
            let wants = |at: usize| self.parameters[at].track_op();
            let want = [before, wants(stage.weight), stage.bias.is_some_and(wants)];
            let xs = match k {
                0 => xs,
                _ => &hidden[k - 1],
            };
            let ys = hidden.get(k).map_or(ys, Vec::as_slice);
            let grad = above.as_deref().unwrap_or(grad);
            let [d_xs, d_weight, d_bias] =
                numbers.backward([xs, ys, grad], self.sizes(stage), want);
            all[stage.weight] = d_weight;
            if let Some(at) = stage.bias {
                all[at] = d_bias;
            }
            if !before {
                return (None, all);
            }
            above = d_xs;
        }
        (above.filter(|_| self.want_input), all)
    }
}

impl CustomOp2 for Stack {
    fn name(&self) -> &'static str {
        "puad-linear-stack"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xs_layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let xs = contiguous(xs, xs_layout)?;
        let mut all = self.with_numbers(|numbers| in_pool(|| self.forward(xs, numbers)))?;
        let ys = all.pop().unwrap_or_default();
        // candle applies an operation once.
        let _ = self.hidden.set(all);
        let outputs = self.stages.last().map_or(0, |last| last.outputs);
        Ok((f32::to_cpu_storage_owned(ys), (self.rows, outputs).into()))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        link: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some(hidden) = self.hidden.get() else {
            candle_core::bail!("the layers' backward pass came before their forward pass")
        };
        let grad = grad.contiguous()?;
        let stored = [xs, ys, &grad].map(Tensor::storage_and_layout);
        let values = |i: usize| elements::<f32>(&stored[i].0, stored[i].1);
        let ends = [values(0)?, values(1)?, values(2)?];
        let (d_xs, all) =
            self.with_numbers(|numbers| in_pool(|| self.backward(ends, hidden, numbers)))?;
        let all = all.into_iter().zip(&self.parameters);
        let all = all.map(|(values, of)| gradient_of(values, of));
        let all = all.collect::<Result<Vec<_>>>()?;
        let left = link.track_op().then(|| self.gradients.leave(all));
        Ok((gradient_of(d_xs, xs)?, left.transpose()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{LinearOptions, backward};
    use candle_core::backprop::GradStore;
    use candle_core::{DType, Device, Var};

    const WIDTHS: [usize; 4] = [5, 19, 33, 3];

    fn var(seed: usize, dims: &[usize]) -> Var {
        let n = dims.iter().product::<usize>();
        let values = (0..n).map(|i| ((seed * 31 + i * 7) % 23) as f32 / 11. - 1.);
        let t = Tensor::from_vec(values.collect::<Vec<f32>>(), dims, &Device::Cpu);
        Var::from_tensor(&t.unwrap()).unwrap()
    }

    struct Net {
        weights: Vec<Var>,
        biases: Vec<Var>,
        slope: f64,
    }

    impl Net {
        fn new(slope: f64) -> Self {
            let pairs = WIDTHS.windows(2).enumerate();
            Self {
                weights: pairs.map(|(i, w)| var(i, &[w[1], w[0]])).collect(),
                biases: WIDTHS[1..]
                    .iter()
                    .enumerate()
                    .map(|(i, &w)| var(9 + i, &[w]))
                    .collect(),
                slope,
            }
        }

        fn layers(&self, bias: bool) -> Vec<LinearLayer<'_>> {
            let pairs = self.weights.iter().zip(&self.biases).enumerate();
            let mut layers = Vec::new();
            for (i, (weight, own)) in pairs {
                let options = LinearOptions {
                    // One layer has none, whatever the others have.
                    bias: (bias && i != 1).then_some(own.as_tensor()),
                    negative_slope: if i == 2 { 1. } else { self.slope },
                };
                layers.push((weight.as_tensor(), options));
            }
            layers
        }

        fn vars(&self) -> impl Iterator<Item = &Var> {
            self.weights.iter().chain(&self.biases)
        }
    }

    fn in_turn(xs: &Tensor, layers: &[LinearLayer<'_>]) -> Tensor {
        let mut layers = layers.iter();
        let layer = |xs: Tensor, (weight, options): &LinearLayer<'_>| linear(&xs, weight, *options);
        layers.try_fold(xs.clone(), layer).unwrap()
    }

    fn values(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn bits(t: &Tensor) -> Vec<u32> {
        // Of zeros the sign is nobody's.
        values(t).into_iter().map(|x| (x + 0.).to_bits()).collect()
    }

    fn loss(ys: &Tensor) -> Tensor {
        let weights = var(77, ys.dims());
        (ys.sqr().unwrap() * weights.as_tensor())
            .unwrap()
            .sum_all()
            .unwrap()
    }

    fn assert_same(stack: &GradStore, turn: &GradStore, vars: &[&Var]) {
        for var in vars {
            let grads = [stack, turn].map(|grads| grads.get(var).map(bits));
            assert_eq!(grads[0], grads[1]);
        }
    }

    #[test]
    fn outputs_and_gradients_are_those_of_the_layers_in_turn() {
        for slope in [0., 0.1, 1.] {
            for (rows, bias) in [(1, true), (4, false), (130, true), (0, true)] {
                let net = Net::new(slope);
                let xs = var(3, &[rows, WIDTHS[0]]);
                let layers = net.layers(bias);
                let all: Vec<&Var> = net.vars().chain([&xs]).collect();
                for input in [xs.as_tensor().clone(), xs.as_detached_tensor()] {
                    let ys = stacked(&input, rows, &layers).unwrap();
                    let expected = in_turn(&input, &layers);
                    assert_eq!(bits(&ys), bits(&expected));
                    let (own, turn) = (loss(&ys), loss(&expected));
                    let turn = turn.backward().unwrap();
                    assert_same(&own.backward().unwrap(), &turn, &all);
                    assert_same(&backward(&own, net.vars()).unwrap(), &turn, &all);
                    assert_eq!(turn.get(&xs).is_some(), input.track_op());
                }
            }
        }
    }

    /// Layers that learn no more.
    #[test]
    fn frozen_layers_have_no_gradient() {
        let net = Net::new(0.1);
        let xs = var(3, &[4, WIDTHS[0]]).as_detached_tensor();
        let mut layers = net.layers(true);
        let (first, bias) = (
            net.weights[0].as_detached_tensor(),
            net.biases[0].as_detached_tensor(),
        );
        layers[0].0 = &first;
        layers[0].1.bias = Some(&bias);
        let (own, turn) = (
            stacked(&xs, xs.dim(0).unwrap(), &layers).unwrap(),
            in_turn(&xs, &layers),
        );
        let (own, turn) = (
            loss(&own).backward().unwrap(),
            loss(&turn).backward().unwrap(),
        );
        assert_same(&own, &turn, &net.vars().collect::<Vec<_>>());
        assert!(own.get(&net.weights[0]).is_none() && own.get(&net.weights[1]).is_some());
        let all: Vec<Tensor> = net.vars().map(Var::as_detached_tensor).collect();
        let layers: Vec<LinearLayer<'_>> = all[..3]
            .iter()
            .map(|weight| (weight, LinearOptions::default()))
            .collect();
        assert!(!stacked(&xs, 4, &layers).unwrap().track_op());
    }

    /// Two layers of one weight: their gradients are summed.
    #[test]
    fn a_shared_weight_has_the_sum() {
        let (weight, xs) = (var(1, &[6, 6]), var(2, &[7, 6]));
        let options = LinearOptions {
            bias: None,
            negative_slope: 0.2,
        };
        let layers = [(weight.as_tensor(), options), (weight.as_tensor(), options)];
        let (own, turn) = (
            stacked(&xs, xs.dim(0).unwrap(), &layers).unwrap(),
            in_turn(&xs, &layers),
        );
        let expected = loss(&turn).backward().unwrap();
        let expected = values(expected.get(&weight).unwrap());
        for grads in [loss(&own).backward(), backward(&loss(&own), [&weight])] {
            let grads = values(grads.unwrap().get(&weight).unwrap());
            for (a, b) in grads.iter().zip(&expected) {
                approx::assert_relative_eq!(a, b, max_relative = 1e-5);
            }
        }
    }

    /// Many rows go through one operation.
    #[test]
    fn either_way_the_bits_are_the_same() {
        let net = Net::new(0.1);
        for (rows, expected) in [(STACKED / 33, false), (STACKED / 33 + 1, true)] {
            let xs = var(3, &[rows, WIDTHS[0]]);
            let layers = net.layers(true);
            assert_eq!(stacked_rows(&xs, &layers).unwrap().is_some(), expected);
            let (own, turn) = (linear_stack(&xs, &layers).unwrap(), in_turn(&xs, &layers));
            assert_eq!(bits(&own), bits(&turn));
            let grads = [loss(&own), loss(&turn)].map(|loss| loss.backward().unwrap());
            let all: Vec<&Var> = net.vars().chain([&xs]).collect();
            assert_same(&grads[0], &grads[1], &all);
        }
    }

    /// Of other types, shapes and slopes the layers go in turn; a shape that does not fit is an error.
    #[test]
    fn what_the_kernels_do_not_take_goes_in_turn() {
        let (net, other) = (Net::new(0.1), Net::new(-0.5));
        let xs = var(3, &[STACKED, WIDTHS[0]]);
        let takes = |xs: &Tensor, layers: &[LinearLayer<'_>]| {
            let ys = linear_stack(xs, layers);
            (
                stacked_rows(xs, layers).unwrap().is_some(),
                ys.map(|ys| ys.dims().to_vec()),
            )
        };
        assert_eq!(takes(&xs, &net.layers(true)).1.unwrap(), [STACKED, 3]);
        let (taken, dims) = takes(&xs, &other.layers(true));
        assert!(!taken && dims.unwrap() == [STACKED, 3]);
        let wide = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
        let weights: Vec<Tensor> = net.weights.iter().map(|w| wide(w)).collect();
        let bare = |weight| (weight, LinearOptions::default());
        let layers: Vec<LinearLayer<'_>> = weights.iter().map(bare).collect();
        let (taken, dims) = takes(&wide(&xs), &layers);
        assert!(!taken && dims.unwrap() == [STACKED, 3]);
        let higher = xs.reshape((2, STACKED / 2, WIDTHS[0])).unwrap();
        let (taken, dims) = takes(&higher, &net.layers(false));
        assert!(!taken && dims.unwrap() == [2, STACKED / 2, 3]);
        assert!(takes(&xs, &net.layers(true)[1..]).1.is_err());
        assert!(!takes(&xs, &net.layers(true)[..1]).0);
        assert_eq!(takes(&xs, &[]).1.unwrap(), xs.dims());
    }
}
