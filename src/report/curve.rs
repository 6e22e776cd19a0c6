use serde::{Deserialize, Serialize};

use super::ScoreAxis;

/// The densities of scores, smoothed, on a [`ScoreAxis`].
///
/// A density is per unit of the axis' position, so that each curve has the area 1 over positions. Scores beyond the
/// ends of the axis are counted where it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreCurves {
    /// From scores to positions.
    pub axis: ScoreAxis,
    /// By ascending position, evenly spaced.
    pub points: Vec<CurvePoint>,
    /// The scores of the labeled anomalies, ascending; empty if there are more than 200.
    pub anomalies: Vec<f64>,
    /// Number of scores beyond the axis.
    pub beyond: usize,
}

/// A point of [`ScoreCurves`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Its position on the axis.
    pub position: f64,
    /// The score there.
    pub score: f64,
    /// `f_U`, the density of unlabeled samples.
    pub unlabeled: f64,
    /// `f_A`, that of labeled anomalies.
    pub anomalies: f64,
    /// That of normals, `(f_U - alpha f_A) / (1 - alpha)`, not below 0, and divided by its area; `None` where the
    /// class prior leaves none.
    pub normal: Option<f64>,
}

/// Points of a curve.
const POINTS: usize = 241;

/// How far the axis goes from its centre at most: e^12 / 2 scales.
const REACH: f64 = 12.;

/// Anomalies that are kept one by one.
const MARKS: usize = 200;

/// The share of unlabeled scores that may lie beyond each end of the axis.
const BEYOND: f64 = 0.002;

impl ScoreCurves {
    /// Of sorted scores, not empty. Thresholds among the scores lie on the axis.
    pub(super) fn new(
        unlabeled: &[f64],
        anomalies: &[f64],
        alpha: f64,
        thresholds: &[f64],
    ) -> Self {
        let axis = ScoreAxis::new(unlabeled);
        let positions = |scores: &[f64]| -> Vec<f64> {
            scores
                .iter()
                .map(|&score| axis.position(score).clamp(-REACH, REACH))
                .collect()
        };
        let (u, a, t) = (
            positions(unlabeled),
            positions(anomalies),
            positions(thresholds),
        );
        let grid = Grid::new(&u, &a, &t);
        let widths = (grid.width(&u), grid.width(&a));
        let (unlabeled_curve, anomaly_curve) =
            (grid.density(&u, widths.0), grid.density(&a, widths.1));
        // At least as smooth as the curve that they are taken out of, else a rim of them stays.
        let taken = grid.density(&a, widths.0.max(widths.1));
        let normal = grid.normal(&unlabeled_curve, &taken, alpha);
        let point = |i: usize| CurvePoint {
            position: grid.at(i),
            score: axis.score(grid.at(i)),
            unlabeled: unlabeled_curve[i],
            anomalies: anomaly_curve[i],
            normal: normal.as_ref().map(|normal| normal[i]),
        };
        let (low, high) = (grid.low, grid.at(POINTS - 1));
        let all = unlabeled
            .iter()
            .chain(anomalies)
            .map(|&score| axis.position(score));
        let few = anomalies.len() <= MARKS;
        Self {
            axis,
            points: (0..POINTS).map(point).collect(),
            anomalies: if few { anomalies.to_vec() } else { vec![] },
            beyond: all
                .filter(|position| !(low..=high).contains(position))
                .count(),
        }
    }
}

/// Evenly spaced positions.
struct Grid {
    low: f64,
    step: f64,
}

impl Grid {
    /// Around the bulk of sorted positions.
    fn new(unlabeled: &[f64], anomalies: &[f64], thresholds: &[f64]) -> Self {
        let at = |sorted: &[f64], q: f64| sorted[(q * (sorted.len() - 1) as f64).round() as usize];
        let (first, last) = (at(unlabeled, 0.), at(unlabeled, 1.));
        let mut low = at(unlabeled, BEYOND).min(at(anomalies, 0.02));
        let mut high = at(unlabeled, 1. - BEYOND).max(at(anomalies, 0.98));
        for threshold in thresholds.iter().filter(|t| (first..=last).contains(*t)) {
            low = low.min(*threshold);
            high = high.max(*threshold);
        }
        // Room for the tails of a smoothed curve.
        let pad = (0.08 * (high - low)).max(0.05);
        Self {
            low: low - pad,
            step: (high - low + 2. * pad) / (POINTS - 1) as f64,
        }
    }

    fn at(&self, i: usize) -> f64 {
        self.low + i as f64 * self.step
    }

    /// Of a bell for each of the sorted positions, in points.
    fn width(&self, sorted: &[f64]) -> f64 {
        (bandwidth(sorted) / self.step).clamp(1.5, POINTS as f64 / 24.)
    }

    /// Sums of Gaussian bells over positions, which are shared out to the two nearest points first, divided by the
    /// area.
    fn density(&self, positions: &[f64], width: f64) -> Vec<f64> {
        let mut counts = [0.; POINTS];
        for position in positions {
            let place = ((position - self.low) / self.step).clamp(0., (POINTS - 1) as f64);
            let (left, share) = (place.floor() as usize, place.fract());
            counts[left] += 1. - share;
            counts[(left + 1).min(POINTS - 1)] += share;
        }
        let bell: Vec<f64> = (0..POINTS)
            .map(|i| (-0.5 * (i as f64 / width).powi(2)).exp())
            .collect();
        let smoothed = |i: usize| {
            counts
                .iter()
                .zip(0..)
                .map(|(n, j)| n * bell[i.abs_diff(j)])
                .sum::<f64>()
        };
        let curve = (0..POINTS).map(smoothed).collect();
        self.of_area_one(curve)
    }

    fn normal(&self, unlabeled: &[f64], anomalies: &[f64], alpha: f64) -> Option<Vec<f64>> {
        let rest = |(u, a): (&f64, &f64)| (u - alpha * a).max(0.);
        let rest: Vec<f64> = unlabeled.iter().zip(anomalies).map(rest).collect();
        let any = rest.iter().sum::<f64>() > 0.;
        (alpha < 1. && any).then(|| self.of_area_one(rest))
    }

    fn of_area_one(&self, mut curve: Vec<f64>) -> Vec<f64> {
        let area = self.step * curve.iter().sum::<f64>();
        curve.iter_mut().for_each(|density| *density /= area);
        curve
    }
}

/// Silverman's rule of thumb (Density estimation for statistics and data analysis, 1986, eq. 3.31), of sorted values.
fn bandwidth(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let deviation = (sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    let at = |q: f64| sorted[(q * (n - 1.)).round() as usize];
    let quartiles = (at(0.75) - at(0.25)) / 1.34;
    let spread = if quartiles > 0. {
        quartiles.min(deviation)
    } else {
        deviation
    };
    0.9 * spread * n.powf(-0.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn area(curves: &ScoreCurves, of: impl Fn(&CurvePoint) -> f64) -> f64 {
        let step = curves.points[1].position - curves.points[0].position;
        step * curves.points.iter().map(of).sum::<f64>()
    }

    #[test]
    fn normals_are_what_anomalies_leave_of_the_unlabeled() {
        // Anomalies around 10, of which the unlabeled samples hold a fifth.
        let spread = |n: u32, at: f64| (0..n).map(move |i| at + f64::from(i) / f64::from(n));
        let unlabeled: Vec<f64> = spread(800, 0.).chain(spread(200, 10.)).collect();
        let anomalies: Vec<f64> = spread(100, 10.).collect();
        let curves = ScoreCurves::new(&unlabeled, &anomalies, 0.2, &[]);
        let above =
            |of: fn(&CurvePoint) -> f64| area(&curves, |p| if p.score > 6. { of(p) } else { 0. });
        assert!((above(|p| p.unlabeled) - 0.2).abs() < 0.01);
        assert!((above(|p| p.anomalies) - 1.).abs() < 0.01);
        assert!(above(|p| p.normal.unwrap()) < 0.05);
        assert_eq!(curves.beyond, 0);
    }

    proptest! {
        #[test]
        fn curves_are_densities(
            mut u in prop::collection::vec(-3f64..3., 1..50), mut a in prop::collection::vec(-3f64..9., 1..10),
            alpha in 0f64..=1., log_scale in -150f64..150., ties in any::<bool>(),
        ) {
            for scores in [&mut u, &mut a] {
                scores.iter_mut().for_each(|s| {
                    *s = if ties { s.round() } else { *s } * 10f64.powf(log_scale);
                });
                scores.sort_by(f64::total_cmp);
            }
            let curves = ScoreCurves::new(&u, &a, alpha, &[u[0]]);
            let text = serde_json::to_string(&curves).unwrap();
            prop_assert_eq!(&serde_json::from_str::<ScoreCurves>(&text).unwrap(), &curves);
            prop_assert!((area(&curves, |p| p.unlabeled) - 1.).abs() < 1e-9);
            prop_assert!((area(&curves, |p| p.anomalies) - 1.).abs() < 1e-9);
            for p in &curves.points {
                prop_assert!(p.unlabeled >= 0. && p.anomalies >= 0. && p.normal.is_none_or(|n| n >= 0.));
            }
        }
    }
}
