/// Steps of the solver, for each row and besides, after which it stays where it is. Of wide kernels it does not reach
/// its gap by then; with seven times as many steps no share changed by more than 0.001 where that was tried.
const STEPS: (usize, usize) = (30, 5000);

/// The gap to the optimum at which it is reached, as a share of the objective.
const GAP: f64 = 1e-3;

/// Weights on the simplex, whose kernel mean is as near as can be to that of a target.
#[derive(Clone, Debug)]
pub(super) struct Nearest {
    pub(super) weights: Vec<f64>,
    /// `K (w - v)`.
    pub(super) gradient: Vec<f64>,
    /// `(w - v)' K (w - v) / 2`, >= 0.
    pub(super) objective: f64,
}

/// The solution of `min_w (w - v)' K (w - v) / 2` over the simplex, from the weights `start` on it.
///
/// `kernel`: `[n, n]`, positive semi-definite. `target`: `v`, of sum 1. An objective of at most `zero` is not made
/// smaller.
///
/// Each step moves weight from one row to another, as far as the objective falls: to the row of the least gradient,
/// from the one that promises the largest fall. The gap between the largest gradient of a weight above 0 and the least
/// bounds the distance to the optimum, so that the solver knows how near it is.
pub(super) fn nearest(kernel: &[f64], target: &[f64], start: Vec<f64>, zero: f64) -> Nearest {
    let n = target.len();
    let column = |row: usize| &kernel[row * n..][..n];
    let diagonal: Vec<_> = (0..n).map(|row| column(row)[row]).collect();
    let curvature = |a: usize, b: usize| diagonal[a] + diagonal[b] - 2. * column(a)[b];
    let mut weights = start;
    let mut gradient = product(kernel, &weights, target);
    let mut value = objective(&weights, target, &gradient);
    for _ in 0..STEPS.0 * n + STEPS.1 {
        let to = least(&gradient);
        let (mut from, mut largest, mut gap) = (to, 0., 0f64);
        for (row, (value, weight)) in gradient.iter().zip(&weights).enumerate() {
            let slope = value - gradient[to];
            if *weight > 0. && slope > 0. {
                gap = gap.max(slope);
                let fall = slope * slope / curvature(to, row).max(FLAT);
                if fall > largest {
                    (from, largest) = (row, fall);
                }
            }
        }
        if value <= zero || gap <= GAP * value {
            break;
        }
        let slope = gradient[from] - gradient[to];
        let bend = curvature(to, from).max(FLAT);
        let step = (slope / bend).min(weights[from]);
        // All of it where it is the rest: nothing is left by rounding.
        weights[from] = if step < weights[from] {
            weights[from] - step
        } else {
            0.
        };
        weights[to] += step;
        value += step * (step * bend / 2. - slope);
        for (gradient, (to, from)) in gradient.iter_mut().zip(column(to).iter().zip(column(from))) {
            *gradient += step * (to - from);
        }
    }
    let gradient = product(kernel, &weights, target);
    Nearest {
        objective: objective(&weights, target, &gradient).max(0.),
        weights,
        gradient,
    }
}

/// The curvature between two rows that are alike.
const FLAT: f64 = 1e-12;

fn least(gradient: &[f64]) -> usize {
    let mut least = 0;
    for (row, value) in gradient.iter().enumerate() {
        if *value < gradient[least] {
            least = row;
        }
    }
    least
}

/// `K (w - v)`.
fn product(kernel: &[f64], weights: &[f64], target: &[f64]) -> Vec<f64> {
    let residual: Vec<_> = weights.iter().zip(target).map(|(w, v)| w - v).collect();
    let rows = kernel.chunks_exact(target.len());
    rows.map(|row| dot(row, &residual)).collect()
}

fn objective(weights: &[f64], target: &[f64], gradient: &[f64]) -> f64 {
    let residual = weights.iter().zip(target).map(|(w, v)| w - v);
    residual.zip(gradient).map(|(r, g)| r * g).sum::<f64>() / 2.
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    fn kernel(points: &[f64]) -> Vec<f64> {
        let value = |x: f64, y: f64| (-(x - y).powi(2) / 2.).exp();
        points
            .iter()
            .flat_map(|&x| points.iter().map(move |&y| value(x, y)))
            .collect()
    }

    /// The Euclidean projection onto the simplex.
    fn projected(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let (mut sum, mut shift) = (0., 0.);
        for (i, value) in sorted.iter().enumerate() {
            sum += value;
            let candidate = (sum - 1.) / (i + 1) as f64;
            if value - candidate > 0. {
                shift = candidate;
            }
        }
        values.iter().map(|value| (value - shift).max(0.)).collect()
    }

    /// By another method: small steps down the gradient, each projected.
    fn slowly(kernel: &[f64], target: &[f64]) -> f64 {
        let n = target.len();
        let mut weights = vec![1. / n as f64; n];
        for _ in 0..20_000 {
            let gradient = product(kernel, &weights, target);
            let moved: Vec<_> = weights
                .iter()
                .zip(&gradient)
                .map(|(w, g)| w - g / n as f64)
                .collect();
            weights = projected(&moved);
        }
        objective(&weights, target, &product(kernel, &weights, target))
    }

    // Two rows and v = (lambda, 1 - lambda): all weight on the first, (lambda - 1)^2 (1 - k) from v.
    #[test]
    fn two_rows_have_a_closed_form() {
        let kernel = kernel(&[0., 1.]);
        for lambda in [1., 1.2, 3.] {
            let found = nearest(&kernel, &[lambda, 1. - lambda], vec![0.5, 0.5], 1e-12);
            let expected = (lambda - 1f64).powi(2) * (1. - (-0.5f64).exp());
            assert_abs_diff_eq!(found.objective, expected, epsilon = 1e-9);
        }
    }

    /// `lambda` and the objective that SLSQP of scipy 1.17.1 ends at, from two starts, for the points below.
    const REFERENCE: [(f64, f64); 4] = [
        (1.1, 3.036_071_182_728e-5),
        (1.5, 0.001_521_881_134_627),
        (2., 0.011_590_718_738_290),
        (3., 0.118_266_906_978_365),
    ];

    #[test]
    fn objectives_are_those_of_a_general_solver() {
        for (lambda, expected) in REFERENCE {
            let points = [0.1, 0.9, 1.7, 2.2, 3.5, 0.4, 2.9, 3.1];
            let mut target = vec![lambda / 5.; 5];
            target.extend([(1. - lambda) / 3.; 3]);
            let found = nearest(&kernel(&points), &target, vec![0.125; 8], 1e-12).objective;
            assert!(
                (found - expected).abs() < 2e-3 * expected + 1e-10,
                "{lambda}: {found}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_optimum_is_a_slow_solvers(
            points in prop::collection::vec(-4f64..4., 4..12),
            lambda in 1f64..4.,
        ) {
            let (n, unlabeled) = (points.len(), points.len() / 2);
            let mut target = vec![lambda / unlabeled as f64; unlabeled];
            target.extend(vec![(1. - lambda) / (n - unlabeled) as f64; n - unlabeled]);
            let kernel = kernel(&points);
            let found = nearest(&kernel, &target, vec![1. / n as f64; n], 1e-10);
            let slow = slowly(&kernel, &target);
            prop_assert!((found.weights.iter().sum::<f64>() - 1.).abs() < 1e-9);
            prop_assert!(found.weights.iter().all(|&weight| weight >= 0.));
            prop_assert!(found.objective < slow * 1.002 + 1e-6, "{} {slow}", found.objective);
            prop_assert!(slow < found.objective * 1.002 + 1e-4, "{} {slow}", found.objective);
        }
    }
}
