use super::hull::{Nearest, dot, nearest};
use crate::prior::kernel::{gaussian, squared_distances, unit};
use crate::prior::points::Points;

/// Distances below this share of the two means' distance are 0: what a slope at the threshold rises by in less than
/// 0.01 of `lambda`.
const ZERO: f64 = 5e-4;

/// `d(lambda)`: how far `lambda mean_U + (1 - lambda) mean_A` lies from the convex hull of all rows, in the kernel's
/// space.
pub(super) struct Curve {
    /// `[n, n]`.
    kernel: Vec<f64>,
    /// `mean_U - mean_A` as weights.
    difference: Vec<f64>,
    /// Its length: the slope of `d` at infinity.
    apart: f64,
    /// How many rows are unlabeled: the first ones.
    unlabeled: usize,
}

/// The curve at one `lambda`.
pub(super) struct At {
    pub(super) distance: f64,
    pub(super) slope: f64,
    /// Of the nearest point.
    pub(super) weights: Vec<f64>,
}

impl Curve {
    /// With the width at which the two means are farthest apart, among `widths` in units of the median distance.
    pub(super) fn new(points: &Points, widths: &[f64]) -> Self {
        let rows: Vec<_> = (0..points.len()).collect();
        let (n, m) = (points.unlabeled() as f64, points.anomalies() as f64);
        let weight = |row| {
            if row < points.unlabeled() {
                1. / n
            } else {
                -1. / m
            }
        };
        let difference: Vec<_> = rows.iter().map(|&row| weight(row)).collect();
        let distances = squared_distances(points, &rows);
        let unit = unit(&distances);
        let of_width = |width: &f64| {
            let kernel = gaussian(&distances, width * unit);
            let means = kernel
                .chunks_exact(rows.len())
                .map(|row| dot(row, &difference));
            let squared: f64 = means
                .zip(&difference)
                .map(|(mean, weight)| mean * weight)
                .sum();
            (kernel, squared.max(0.).sqrt())
        };
        let farthest = widths
            .iter()
            .map(of_width)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        // The settings are checked to have one.
        let (kernel, apart) = farthest.unwrap_or_else(|| (gaussian(&distances, unit), 0.));
        Self {
            kernel,
            difference,
            apart,
            unlabeled: points.unlabeled(),
        }
    }

    /// The slope of `d` at infinity, which is its largest.
    pub(super) fn apart(&self) -> f64 {
        self.apart
    }

    /// The weights of the unlabeled mean, which is the nearest point to that of `lambda = 1`.
    pub(super) fn start(&self) -> Vec<f64> {
        self.difference
            .iter()
            .map(|weight| weight.max(0.))
            .collect()
    }

    /// Of the smaller group.
    pub(super) fn rows(&self) -> f64 {
        self.unlabeled.min(self.difference.len() - self.unlabeled) as f64
    }

    /// At `lambda >= 1`, from the weights of a nearest point at another one.
    pub(super) fn at(&self, lambda: f64, start: Vec<f64>) -> At {
        let target = |&weight: &f64| {
            if weight > 0. {
                lambda * weight
            } else {
                (lambda - 1.) * weight
            }
        };
        let target: Vec<_> = self.difference.iter().map(target).collect();
        let zero = ZERO * self.apart;
        let Nearest {
            weights,
            gradient,
            objective,
        } = nearest(&self.kernel, &target, start, zero * zero / 2.);
        let distance = (2. * objective).sqrt();
        if distance <= 1.0001 * zero {
            return At {
                distance,
                slope: 0.,
                weights,
            };
        }
        // By the envelope theorem: the nearest point's own motion changes nothing.
        let slope = -dot(&self.difference, &gradient) / distance;
        At {
            distance,
            slope,
            weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::PriorData;

    fn curve() -> Curve {
        let unlabeled = (0..90).map(f64::from).collect();
        let anomalies = (80..100).map(f64::from).collect();
        let data = PriorData::of_scores(unlabeled, anomalies).unwrap();
        Curve::new(&Points::of(&data), &[0.1, 0.3, 1.])
    }

    #[test]
    fn the_curve_starts_at_zero_and_is_convex_and_its_slope_is_its_own() {
        let curve = curve();
        assert_eq!(curve.at(1., curve.start()).distance, 0.);
        let step = 1e-3;
        let mut last = 0.;
        for lambda in [1.2, 1.5, 2., 4., 30.] {
            let at = curve.at(lambda, curve.start());
            let ahead = curve.at(lambda + step, at.weights);
            let difference = (ahead.distance - at.distance) / step;
            assert!(
                (difference - at.slope).abs() < 0.02,
                "{lambda}: {difference} {}",
                at.slope
            );
            assert!(at.slope >= last - 1e-3 && at.slope <= curve.apart() + 1e-3);
            last = at.slope;
        }
    }

    #[test]
    fn the_start_changes_the_optimum_by_the_solvers_precision() {
        let curve = curve();
        let once = curve.at(1.5, curve.start());
        let far = curve.at(20., curve.start());
        let again = curve.at(1.5, far.weights);
        assert!((once.distance - again.distance).abs() < 1e-3 * once.distance);
    }
}
