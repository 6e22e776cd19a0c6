//! Several linear layers in one piece, without a graph.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{Result, Tensor};

use super::LinearOptions;
use super::cpu::elements;
use super::elementwise::vectorized;
use super::fast::{Layer, Matrix, Panels, through};
use super::linear::rows_of;

/// A [`linear`](super::linear) layer: its weight and the rest.
pub(crate) type LinearLayer<'a> = (&'a Tensor, LinearOptions<'a>);

/// The weights of layers as the kernels take them, from call to call.
#[derive(Debug, Default)]
pub(crate) struct PackedLayers(Mutex<Option<Arc<Packed>>>);

/// Layers and what they were made of. Parameters change in place, without a trace: only their values
/// tell whether they are still the same.
#[derive(Debug)]
struct Packed {
    sources: Vec<Source>,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Source {
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    slope: f64,
}

/// Layers whose weights are copied, packed: of parameters that stay as they are, without a comparison or a
/// lock, which threads would have to take turns for.
#[derive(Debug)]
pub(crate) struct FrozenLayers {
    inputs: usize,
    outputs: usize,
    layers: Vec<Layer>,
}

impl FrozenLayers {
    /// `None` where the kernels do not take these layers one after the other, of which there is one at least.
    pub(crate) fn new(layers: &[LinearLayer<'_>]) -> Result<Option<Self>> {
        let inputs = match layers.first() {
            Some((weight, _)) => weight.dim(1)?,
            None => return Ok(None),
        };
        let Some(outputs) = outputs_of(layers, inputs) else {
            return Ok(None);
        };
        let packed = layers.iter().map(packed_layer);
        Ok(Some(Self {
            inputs,
            outputs,
            layers: packed.collect::<Result<_>>()?,
        }))
    }

    /// The length of a row.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// The length of what comes of a row.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// What comes of rows that lie one behind the other, with the bits of [`linear_layers`].
    pub(crate) fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let count = rows.len() / self.inputs.max(1);
        through(&self.layers, Matrix::of_rows(rows, self.inputs), count)
    }
}

/// Its weights as the kernels take them.
fn packed_layer((weight, options): &LinearLayer<'_>) -> Result<Layer> {
    let (outputs, inputs) = weight.dims2()?;
    let weights = with_values(weight, |weight| Panels::of_columns(weight, inputs, outputs))?;
    let slope = options.negative_slope as f32;
    match options.bias {
        Some(bias) => with_values(bias, |bias| Layer::new(weights, Some(bias), slope)),
        None => Ok(Layer::new(weights, None, slope)),
    }
}

/// The length of what comes of a row of `inputs` values, where the kernels take the layers.
pub(super) fn outputs_of(layers: &[LinearLayer<'_>], inputs: usize) -> Option<usize> {
    layers
        .iter()
        .try_fold(inputs, |columns, (weight, options)| {
            let contiguous =
                weight.is_contiguous() && options.bias.is_none_or(Tensor::is_contiguous);
            options.outputs(columns, weight).filter(|_| contiguous)
        })
}

/// `xs`, `[rows, inputs]`, through the layers, of which there is one at least, without a graph: chunks of
/// rows while they are in cache, with the bits of [`linear`](super::linear) layer by layer. `None` where
/// the kernels do not take it.
pub(crate) fn linear_layers(
    xs: &Tensor,
    layers: &[LinearLayer<'_>],
    packed: &PackedLayers,
) -> Result<Option<Tensor>> {
    let Some((rows, inputs)) = rows_of(xs) else {
        return Ok(None);
    };
    let Some(columns) = outputs_of(layers, inputs) else {
        return Ok(None);
    };
    let packed = packed.current(layers)?;
    let xs = xs.contiguous()?;
    let ys = with_values(&xs, |values| {
        through(&packed.layers, Matrix::of_rows(values, inputs), rows)
    })?;
    Tensor::from_vec(ys, (rows, columns), xs.device()).map(Some)
}

/// `f` of a contiguous tensor's values.
pub(crate) fn with_values<T>(t: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = t.storage_and_layout();
    Ok(f(elements(&storage, layout)?))
}

impl PackedLayers {
    fn kept(&self) -> MutexGuard<'_, Option<Arc<Packed>>> {
        // Nothing panics while a change is half made.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The layers as they are now.
    fn current(&self, layers: &[LinearLayer<'_>]) -> Result<Arc<Packed>> {
        let kept = self.kept().clone();
        if let Some(packed) = kept
            && packed.is_of(layers)?
        {
            return Ok(packed);
        }
        let packed = Arc::new(Packed::new(layers)?);
        *self.kept() = Some(packed.clone());
        Ok(packed)
    }
}

impl Packed {
    fn new(layers: &[LinearLayer<'_>]) -> Result<Self> {
        let mut packed = Self {
            sources: Vec::new(),
            layers: Vec::new(),
        };
        for layer @ (weight, options) in layers {
            let source = Source {
                weight: with_values(weight, <[f32]>::to_vec)?,
                bias: match options.bias {
                    Some(bias) => Some(with_values(bias, <[f32]>::to_vec)?),
                    None => None,
                },
                slope: options.negative_slope,
            };
            packed.layers.push(packed_layer(layer)?);
            packed.sources.push(source);
        }
        Ok(packed)
    }

    fn is_of(&self, layers: &[LinearLayer<'_>]) -> Result<bool> {
        if layers.len() != self.sources.len() {
            return Ok(false);
        }
        for (source, (weight, options)) in self.sources.iter().zip(layers) {
            let bias = match (&source.bias, options.bias) {
                (Some(kept), Some(bias)) => with_values(bias, |bias| same_bits(kept, bias))?,
                (kept, bias) => kept.is_none() && bias.is_none(),
            };
            let same = source.slope == options.negative_slope
                && bias
                && with_values(weight, |weight| same_bits(&source.weight, weight))?;
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether two slices hold the same bits.
fn same_bits(a: &[f32], b: &[f32]) -> bool {
    /// Values compared without a look at the result.
    const RUN: usize = 1024;
    let differ = |(a, b): (&[f32], &[f32])| {
        vectorized(
            #[inline(always)]
            || {
                let pairs = a.iter().zip(b);
                pairs.fold(0, |all, (a, b)| all | (a.to_bits() ^ b.to_bits())) != 0
            },
        )
    };
    a.len() == b.len() && !a.chunks(RUN).zip(b.chunks(RUN)).any(differ)
}
