//! `out = A B` in register blocks, where a row of `A` is anything that lies at regular offsets: a
//! matrix, or the pixels under a kernel.

use pulp::Simd;

use super::vector::Slot;

/// Steps summed in registers before they are added to the result: the error of a sum in one run grows
/// with the root of its length, and this was most of Winograd's error.
const RUN: usize = 16;

/// The summed index `k`: segments of `len` steps. Step `i` of segment `(a, b)` reads the row of `A`
/// at `a + i a_stride` and the row of `B` that starts at `b + i b_stride`.
pub(super) struct Contraction<'a> {
    pub(super) segments: &'a [(usize, usize)],
    pub(super) len: usize,
    pub(super) a_stride: usize,
    pub(super) b_stride: usize,
}

impl Contraction<'_> {
    /// The largest offsets into a row of `A` and into `B`, or `None` for an empty sum.
    fn largest(&self) -> Option<(usize, usize)> {
        let steps = self.len.checked_sub(1)?;
        let a = self.segments.iter().map(|s| s.0).max()?;
        let b = self.segments.iter().map(|s| s.1).max()?;
        Some((a + steps * self.a_stride, b + steps * self.b_stride))
    }
}

/// Where the result goes: row `r` of `columns` values at `r * stride`.
pub(super) struct Target<'a, V> {
    pub(super) values: &'a mut [V],
    pub(super) stride: usize,
    pub(super) columns: usize,
}

/// What a sum begins with, and what becomes of it while it is still in registers.
#[derive(Clone, Copy)]
enum Edge<'a> {
    Plain,
    /// It begins with what is there.
    Added,
    /// It begins with its column's bias and ends in LeakyReLU.
    Layer {
        bias: &'a [f32],
        slope: f32,
    },
}

/// `out[r] = sum_k A[rows[r] + k] B[k]`; `out.columns` a multiple of the lanes. Every value of the
/// rows is written.
#[inline(always)]
pub(super) fn multiply<S: Simd, V: Slot>(
    simd: S,
    a: (&[f32], &[usize]),
    b: &[f32],
    k: &Contraction<'_>,
    out: Target<'_, V>,
) {
    // SAFETY: a sum that is not added reads nothing.
    unsafe { product(simd, a, b, k, out, Edge::Plain) }
}

/// As [`multiply`], from the columns' `bias` on and with LeakyReLU behind it; no activation for a
/// `slope` of 1.
#[inline(always)]
pub(super) fn multiply_layer<S: Simd, V: Slot>(
    simd: S,
    a: (&[f32], &[usize]),
    b: &[f32],
    k: &Contraction<'_>,
    out: Target<'_, V>,
    (bias, slope): (&[f32], f32),
) {
    assert!(out.columns <= bias.len());
    // SAFETY: a sum that is not added reads nothing.
    unsafe { product(simd, a, b, k, out, Edge::Layer { bias, slope }) }
}

/// As [`multiply`], added to what is there.
#[inline(always)]
pub(super) fn multiply_add<S: Simd>(
    simd: S,
    a: (&[f32], &[usize]),
    b: &[f32],
    k: &Contraction<'_>,
    out: Target<'_, f32>,
) {
    // SAFETY: the values are f32.
    unsafe { product(simd, a, b, k, out, Edge::Added) }
}

/// # Safety
/// Where the edge is [`Edge::Added`], the rows of `out` are initialised; a bias has `out.columns` values.
#[inline(always)]
unsafe fn product<S: Simd, V: Slot>(
    simd: S,
    (a, rows): (&[f32], &[usize]),
    b: &[f32],
    k: &Contraction<'_>,
    out: Target<'_, V>,
    edge: Edge<'_>,
) {
    let width = 2 * S::F32_LANES;
    assert!(out.columns.is_multiple_of(S::F32_LANES));
    let Some(last_row) = rows.len().checked_sub(1) else {
        return;
    };
    assert!(last_row * out.stride + out.columns <= out.values.len());
    if let (Some((a_last, b_last)), Some(row)) = (k.largest(), rows.iter().max()) {
        assert!(row + a_last < a.len());
        assert!(b_last + out.columns <= b.len());
    }
    for column in (0..out.columns).step_by(width) {
        // The slice of `b` may be empty, where nothing is summed.
        let block = Block {
            a: a.as_ptr(),
            b: b.as_ptr().wrapping_add(column),
            out: out.values[column..].as_mut_ptr().cast::<f32>(),
            stride: out.stride,
            column,
            edge,
            k,
        };
        if column + width <= out.columns {
            // SAFETY: the assertions above bound every access of the block's rows and columns, and
            // the caller says what is initialised.
            unsafe { block.rows::<S, 2>(simd, rows) };
        } else {
            // SAFETY: the same.
            unsafe { block.rows::<S, 1>(simd, rows) };
        }
    }
}

struct Block<'a> {
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    stride: usize,
    column: usize,
    edge: Edge<'a>,
    k: &'a Contraction<'a>,
}

impl Block<'_> {
    /// # Safety
    /// Every access that `rows` and `k` name lies inside its slice, for `V` vectors of columns. With
    /// [`Edge::Added`], the output is initialised.
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize>(&self, simd: S, rows: &[usize]) {
        let mut at = 0;
        macro_rules! blocks {
            ($($size:literal),*) => {$(
                while rows.len() - at >= $size {
                    // SAFETY: the caller's, for these rows.
                    unsafe { self.tile::<S, $size, V>(simd, at, rows) };
                    at += $size;
                }
            )*};
        }
        // Accumulators, one row of B and a broadcast value fit the registers.
        if S::REGISTER_COUNT >= 32 {
            blocks!(12, 8, 4, 1);
        } else {
            blocks!(6, 3, 1);
        }
    }

    /// # Safety
    /// As [`rows`](Self::rows).
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        first: usize,
        rows: &[usize],
    ) {
        // SAFETY: the caller's.
        unsafe {
            let mut a = [self.a; R];
            for (r, a) in a.iter_mut().enumerate() {
                *a = a.add(rows[first + r]);
            }
            let out = self.out.add(first * self.stride);
            let zero = [[simd.splat_f32s(0.); V]; R];
            let (mut sums, mut steps, mut begun) = (zero, 0, false);
            let mut left = self.k.segments.len() * self.k.len;
            for &(a_at, b_at) in self.k.segments {
                let mut done = 0;
                while done < self.k.len {
                    let run = (self.k.len - done).min(RUN - steps);
                    let mut offset = a_at + done * self.k.a_stride;
                    let mut b = self.b.add(b_at + done * self.k.b_stride).cast::<f32>();
                    for _ in 0..run {
                        let mut bs = [simd.splat_f32s(0.); V];
                        for (v, row) in bs.iter_mut().enumerate() {
                            let b = b.add(v * S::F32_LANES);
                            *row = b.cast::<S::f32s>().read_unaligned();
                        }
                        for r in 0..R {
                            let value = simd.splat_f32s(*a[r].add(offset));
                            for v in 0..V {
                                sums[r][v] = simd.mul_add_e_f32s(value, bs[v], sums[r][v]);
                            }
                        }
                        offset += self.k.a_stride;
                        b = b.wrapping_add(self.k.b_stride);
                    }
                    (done, steps, left) = (done + run, steps + run, left - run);
                    if steps == RUN && left > 0 {
                        self.flush(simd, out, &sums, begun, false);
                        (sums, steps, begun) = (zero, 0, true);
                    }
                }
            }
            self.flush(simd, out, &sums, begun, true);
        }
    }

    /// Writes a tile of sums to `out`, on top of what has `begun` there.
    ///
    /// # Safety
    /// `out` has room for the tile, and where it has begun, or begins with what is there, it is
    /// initialised.
    #[inline(always)]
    unsafe fn flush<S: Simd, const R: usize, const V: usize>(
        &self,
        simd: S,
        out: *mut f32,
        sums: &[[S::f32s; V]; R],
        begun: bool,
        ends: bool,
    ) {
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                let at = v * S::F32_LANES;
                // SAFETY: the caller's; a bias is as long as the columns.
                unsafe {
                    let out = out.add(r * self.stride + at).cast::<S::f32s>();
                    let sum = match self.edge {
                        Edge::Plain if !begun => sum,
                        Edge::Layer { bias, .. } if !begun => {
                            let bias = bias.as_ptr().add(self.column + at).cast::<S::f32s>();
                            simd.add_f32s(bias.read_unaligned(), sum)
                        }
                        _ => simd.add_f32s(out.read_unaligned(), sum),
                    };
                    out.write_unaligned(match self.edge {
                        Edge::Layer { slope, .. } if ends && slope != 1. => {
                            leaky(simd, sum, sum, simd.splat_f32s(slope))
                        }
                        _ => sum,
                    });
                }
            }
        }
    }
}

/// `value` where `x > 0`, else `slope * value`.
#[inline(always)]
fn leaky<S: Simd>(simd: S, x: S::f32s, value: S::f32s, slope: S::f32s) -> S::f32s {
    let positive = simd.less_than_f32s(simd.splat_f32s(0.), x);
    simd.select_f32s(positive, value, simd.mul_f32s(value, slope))
}
