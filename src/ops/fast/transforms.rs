//! The one-dimensional transforms on the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
//!
//! With `P(p) = sum_k x_k p^k` (at infinity: the last coefficient), a correlation of 8 pixels with
//! `r` weights that gives `m = 9 - r` values is `A_m [(G_r w) * (B d)]`, where
//! `G_r w = SCALE * P_w`, `(A_m v)_k = sum_i p_i^k v_i` (infinity only in the last), and `B` has the
//! coefficients of the Lagrange polynomials, each scaled to small dyadic numbers.

use pulp::Simd;

/// What the scaling of `B` leaves to the weights, by point.
pub(super) const SCALE: [f64; 8] = [
    1.,
    -2. / 9.,
    -2. / 9.,
    1. / 90.,
    1. / 90.,
    32. / 45.,
    32. / 45.,
    1.,
];

/// `x + c y`.
#[inline(always)]
fn fma<S: Simd>(simd: S, x: S::f32s, c: f32, y: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(c), y, x)
}

#[inline(always)]
fn pair<S: Simd>(simd: S, even: S::f32s, odd: S::f32s) -> [S::f32s; 2] {
    [simd.add_f32s(even, odd), simd.sub_f32s(even, odd)]
}

/// `B d`.
#[inline(always)]
pub(super) fn data<S: Simd>(s: S, d: [S::f32s; 8]) -> [S::f32s; 8] {
    let zero = fma(s, s.sub_f32s(d[0], d[6]), 5.25, s.sub_f32s(d[4], d[2]));
    let infinity = fma(s, s.sub_f32s(d[7], d[1]), 5.25, s.sub_f32s(d[3], d[5]));
    let even = fma(s, s.add_f32s(d[2], d[6]), -4.25, d[4]);
    let odd = fma(s, s.add_f32s(d[1], d[5]), -4.25, d[3]);
    let one = pair(s, even, odd);
    let even = fma(s, fma(s, d[6], -1.25, d[4]), 0.25, d[2]);
    let odd = fma(s, s.mul_f32s(s.splat_f32s(0.5), d[1]), -2.5, d[3]);
    let two = pair(s, even, fma(s, odd, 2., d[5]));
    let even = fma(s, fma(s, d[6], -5., d[4]), 4., d[2]);
    let odd = fma(s, s.mul_f32s(s.splat_f32s(0.5), d[5]), -2.5, d[3]);
    let half = pair(s, even, fma(s, odd, 2., d[1]));
    [
        zero, one[0], one[1], two[0], two[1], half[0], half[1], infinity,
    ]
}

/// `P_w(p)` and `P_w(-p)` of four weights.
#[inline(always)]
fn at4<S: Simd>(s: S, w: &[S::f32s; 4], p: f32) -> [S::f32s; 2] {
    let even = fma(s, w[0], p * p, w[2]);
    let odd = s.mul_f32s(s.splat_f32s(p), fma(s, w[1], p * p, w[3]));
    pair(s, even, odd)
}

/// `P_w` of four weights at every point.
#[inline(always)]
pub(super) fn kernel4<S: Simd>(s: S, w: [S::f32s; 4]) -> [S::f32s; 8] {
    let (one, two, half) = (at4(s, &w, 1.), at4(s, &w, 2.), at4(s, &w, 0.5));
    [w[0], one[0], one[1], two[0], two[1], half[0], half[1], w[3]]
}

/// Even and odd sums of the points: `v_p + v_-p`, `v_p - v_-p` for p = 1, 2, 1/2.
#[inline(always)]
fn sums<S: Simd>(s: S, v: &[S::f32s; 8]) -> [[S::f32s; 2]; 3] {
    [
        pair(s, v[1], v[2]),
        pair(s, v[3], v[4]),
        pair(s, v[5], v[6]),
    ]
}

/// `A_4 v`.
#[inline(always)]
pub(super) fn output4<S: Simd>(s: S, v: [S::f32s; 8]) -> [S::f32s; 4] {
    let [one, two, half] = sums(s, &v);
    [
        s.add_f32s(s.add_f32s(v[0], one[0]), s.add_f32s(two[0], half[0])),
        fma(s, fma(s, one[1], 2., two[1]), 0.5, half[1]),
        fma(s, fma(s, one[0], 4., two[0]), 0.25, half[0]),
        fma(
            s,
            fma(s, s.add_f32s(v[7], one[1]), 8., two[1]),
            0.125,
            half[1],
        ),
    ]
}

/// `A_5 v`.
#[inline(always)]
pub(super) fn output5<S: Simd>(s: S, v: [S::f32s; 8]) -> [S::f32s; 5] {
    let [one, two, half] = sums(s, &v);
    [
        s.add_f32s(s.add_f32s(v[0], one[0]), s.add_f32s(two[0], half[0])),
        fma(s, fma(s, one[1], 2., two[1]), 0.5, half[1]),
        fma(s, fma(s, one[0], 4., two[0]), 0.25, half[0]),
        fma(s, fma(s, one[1], 8., two[1]), 0.125, half[1]),
        fma(
            s,
            fma(s, s.add_f32s(v[7], one[0]), 16., two[0]),
            0.0625,
            half[0],
        ),
    ]
}
