//! Linear layers: rows of values times weights that lie in panels, chunks of rows through all layers.
//!
//! A sum runs over the weights' inputs in one order, whichever rows are beside it: a row's values have the
//! same bits alone and in any batch, on any number of threads.

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::aligned::{Places, Values};
use super::product::{Contraction, Target, multiply_layer};
use super::vector::{Slot, dispatch, lanes, with_scratch};

/// Rows that pass through all layers while they are in cache.
const CHUNK: usize = 2 * ROWS;
/// Products below which another thread costs more than it saves.
const HAND_OFF: usize = 6_000_000;
/// Products of a task.
const TASK: usize = 2_000_000;
/// Rows of a task are a multiple: full tiles on every machine, and few enough that a batch divides evenly.
const ROWS: usize = 24;
/// Weights that leave the cache before they are read again: the fewer tasks read them, the better.
const STREAMED: usize = 1 << 20;
/// Values that one thread packs.
const PACKED: usize = 1 << 15;

/// A matrix `[summed, columns]` in panels as wide as two vectors, each row by row; the last may be as wide
/// as one. Zeros lie behind the columns.
#[derive(Debug)]
pub(in crate::ops) struct Panels {
    values: Values,
    summed: usize,
    columns: usize,
    /// Columns, to whole vectors.
    stride: usize,
    /// Columns of a panel.
    width: usize,
}

impl Panels {
    /// Of values that lie row by row: `[summed, columns]`.
    pub(in crate::ops) fn of_rows(values: &[f32], summed: usize, columns: usize) -> Self {
        Self::fill(summed, columns, |first, filled, width, panel| {
            for (row, out) in panel.chunks_exact_mut(width).enumerate() {
                let row = &values[row * columns + first..][..filled];
                out[..filled].write_copy_of_slice(row);
            }
        })
    }

    /// Of values that lie column by column: `[columns, summed]`.
    pub(in crate::ops) fn of_columns(values: &[f32], summed: usize, columns: usize) -> Self {
        /// Values of a column that are read together: a line of the cache.
        const RUN: usize = 16;
        assert_eq!(values.len(), summed * columns);
        Self::fill(summed, columns, |first, filled, width, panel| {
            for (run, out) in panel.chunks_mut(RUN * width).enumerate() {
                for column in 0..filled {
                    let values = &values[(first + column) * summed + run * RUN..];
                    let out = out[column..].iter_mut().step_by(width);
                    out.zip(values).for_each(|(out, &value)| {
                        out.write(value);
                    });
                }
            }
        })
    }

    /// `fill` gets the first column of a panel, how many there are, its width and where it goes, and writes all rows of
    /// these columns.
    fn fill(
        summed: usize,
        columns: usize,
        fill: impl Fn(usize, usize, usize, &mut [MaybeUninit<f32>]) + Sync,
    ) -> Self {
        let lanes = lanes();
        let (stride, width) = (columns.next_multiple_of(lanes), 2 * lanes);
        let mut values = Places::new(summed * stride);
        let panel = (width * summed).max(1);
        let panels = values.par_chunks_mut(panel).with_min_len(PACKED / panel);
        panels.enumerate().for_each(|(i, panel)| {
            let first = i * width;
            let filled = width.min(columns - first);
            let width = width.min(stride - first);
            if filled < width {
                panel.fill(MaybeUninit::new(0.));
            }
            fill(first, filled, width, panel);
        });
        Self {
            // SAFETY: columns are written by `fill`, and zeros lie behind them.
            values: unsafe { values.assume_init() },
            summed,
            columns,
            stride,
            width,
        }
    }
}

/// `leaky(a weights + bias)`.
#[derive(Debug)]
pub(in crate::ops) struct Layer {
    weights: Panels,
    /// To whole vectors.
    bias: Vec<f32>,
    /// 1 for no activation.
    slope: f32,
}

impl Layer {
    /// No bias is one of 0.
    pub(in crate::ops) fn new(weights: Panels, bias: Option<&[f32]>, slope: f32) -> Self {
        let mut bias = bias.unwrap_or_default().to_vec();
        bias.resize(weights.stride, 0.);
        Self {
            weights,
            bias,
            slope,
        }
    }

    /// Rows of `a` to `out`, `[rows, stride]`, all of it.
    #[inline(always)]
    fn apply<S: Simd, V: Slot>(&self, s: S, a: Matrix<'_>, rows: usize, out: &mut [V]) {
        let weights = &self.weights;
        let mut starts = [0; CHUNK];
        for (row, start) in starts.iter_mut().enumerate() {
            *start = row * a.row;
        }
        for first in (0..weights.stride).step_by(weights.width) {
            let columns = weights.width.min(weights.stride - first);
            let k = Contraction {
                segments: &[(0, first * weights.summed)],
                len: weights.summed,
                a_stride: a.step,
                b_stride: columns,
            };
            let out = Target {
                values: &mut out[first..],
                stride: weights.stride,
                columns,
            };
            let a = (a.values, &starts[..rows]);
            let edge = (&self.bias[first..], self.slope);
            multiply_layer(s, a, &weights.values, &k, out, edge);
        }
    }
}

/// Value `k` of row `r` lies at `r row + k step`.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Matrix<'a> {
    pub(in crate::ops) values: &'a [f32],
    pub(in crate::ops) row: usize,
    pub(in crate::ops) step: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` values.
    pub(in crate::ops) fn of_rows(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            step: 1,
        }
    }

    /// The transpose of rows of `columns` values.
    pub(in crate::ops) fn of_columns(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: 1,
            step: columns,
        }
    }

    fn rows_from(self, first: usize) -> Self {
        Self {
            values: &self.values[first * self.row..],
            ..self
        }
    }
}

/// Rows of `a` through the layers, of which there is one at least: `[rows, columns]` of the last.
pub(in crate::ops) fn through(layers: &[Layer], a: Matrix<'_>, rows: usize) -> Vec<f32> {
    let columns = layers.last().map_or(0, |last| last.weights.columns);
    let mut out = Box::new_uninit_slice(rows * columns);
    let weights = layers.iter().map(|l| &l.weights);
    let products: usize = weights.map(|w| w.summed * w.stride).sum();
    let run = |first: usize, out: &mut [MaybeUninit<f32>]| {
        let rows = out.len() / columns;
        let widest = layers.iter().map(|l| l.weights.stride).max();
        let buffer = rows.min(CHUNK) * widest.unwrap_or(0);
        with_scratch(2 * buffer, |scratch| {
            let (from, to) = scratch.split_at_mut(buffer);
            let a = a.rows_from(first);
            dispatch(Through {
                layers,
                a,
                buffers: (from, to),
                out,
            });
        });
    };
    if rows.saturating_mul(products) >= HAND_OFF && rayon::current_num_threads() > 1 {
        let task = (TASK / products.max(1))
            .clamp(1, rows)
            .next_multiple_of(if products < STREAMED { ROWS } else { CHUNK });
        let tasks = out.par_chunks_mut(task * columns).enumerate();
        tasks.for_each(|(i, out)| run(i * task, out));
    } else if !out.is_empty() {
        run(0, &mut out);
    }
    // SAFETY: the tasks are all of it, and each writes its rows.
    unsafe { out.assume_init() }.into_vec()
}

struct Through<'a> {
    layers: &'a [Layer],
    a: Matrix<'a>,
    /// Each holds a chunk of every layer's output.
    buffers: (&'a mut [f32], &'a mut [f32]),
    /// Rows of the last layer's columns.
    out: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for Through<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Some((last, before)) = self.layers.split_last() else {
            return;
        };
        let (mut from, mut to) = self.buffers;
        let weights = &last.weights;
        let chunks = self.out.chunks_mut(CHUNK * weights.columns);
        for (i, out) in chunks.enumerate() {
            let rows = out.len() / weights.columns;
            let input = self.a.rows_from(i * CHUNK);
            let mut stride = None;
            for layer in before {
                let a = stride.map_or(input, |stride| Matrix::of_rows(from, stride));
                layer.apply(s, a, rows, to);
                stride = Some(layer.weights.stride);
                std::mem::swap(&mut from, &mut to);
            }
            let a = stride.map_or(input, |stride| Matrix::of_rows(from, stride));
            if weights.stride == weights.columns {
                last.apply(s, a, rows, out);
                continue;
            }
            last.apply(s, a, rows, to);
            let padded = to.chunks_exact(weights.stride);
            for (out, padded) in out.chunks_exact_mut(weights.columns).zip(padded) {
                for (out, &value) in out.iter_mut().zip(padded) {
                    out.write(value);
                }
            }
        }
    }
}

/// The sums of columns of `values`, `[rows, columns]`, in runs of rows: a fixed order.
pub(in crate::ops) fn column_sums(values: &[f32], columns: usize) -> Vec<f32> {
    const RUN: usize = 16;
    let mut sums = vec![0.; columns];
    let mut part = vec![0.; columns];
    for run in values.chunks((RUN * columns).max(1)) {
        part.fill(0.);
        for row in run.chunks_exact(columns) {
            part.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
        }
        sums.iter_mut().zip(&part).for_each(|(sum, &x)| *sum += x);
    }
    sums
}
