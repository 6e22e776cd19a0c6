use super::levels::Levels;
use super::windows::Window;

/// The least concave curve above an ROC curve of labeled anomalies against unlabeled samples: its slope is the ratio
/// of their densities, made to grow with the score as pooling adjacent violators would.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hull {
    /// From (0, 0) to (1, 1): shares of the unlabeled samples, of the anomalies.
    corners: Vec<(f64, f64)>,
}

impl Hull {
    /// Over the curve of the scores as they are.
    pub(super) fn of(levels: &Levels) -> Self {
        Self::over(levels.roc())
    }

    /// Over points of a non-decreasing curve that starts at (0, 0) and ends at (1, 1).
    pub(super) fn over(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut corners: Vec<(f64, f64)> = vec![(0., 0.)];
        for point in points.into_iter().chain([(1., 1.)]) {
            // Sums of shares may end a rounding above 1.
            let point = (point.0.min(1.), point.1.min(1.));
            while let [.., before, last] = corners[..] {
                let rise = (last.1 - before.1) * (point.0 - before.0);
                if rise > (point.1 - before.1) * (last.0 - before.0) {
                    break;
                }
                corners.pop();
            }
            corners.push(point);
        }
        Self { corners }
    }

    /// The window that holds the share `share` of the anomalies.
    pub(super) fn window(&self, share: f64) -> Window {
        let ((u0, a0), (u1, a1)) = self.segment(share);
        let part = if a1 > a0 {
            (share - a0) / (a1 - a0)
        } else {
            1.
        };
        Window {
            share,
            passed: u0 + part.clamp(0., 1.) * (u1 - u0),
        }
    }

    /// `f_U / f_A` at the score that the share `share` of the anomalies reaches.
    pub(super) fn ratio(&self, share: f64) -> f64 {
        let ((u0, a0), (u1, a1)) = self.segment(share);
        if a1 > a0 { (u1 - u0) / (a1 - a0) } else { 1. }
    }

    fn segment(&self, share: f64) -> ((f64, f64), (f64, f64)) {
        let end = self.corners.partition_point(|corner| corner.1 < share);
        let end = end.clamp(1, self.corners.len() - 1);
        (self.corners[end - 1], self.corners[end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn it_is_concave_above_its_points() {
        let points = [(0.1, 0.2), (0.2, 0.7), (0.5, 0.75), (0.6, 0.95), (1., 1.)];
        let hull = Hull::over(points);
        assert_eq!(hull.corners[..3], [(0., 0.), (0.2, 0.7), (0.6, 0.95)]);
        assert_relative_eq!(hull.window(0.35).passed, 0.1);
        assert_relative_eq!(hull.ratio(0.35), 0.2 / 0.7);
        assert_relative_eq!(hull.ratio(0.8), 0.4 / 0.25);
    }

    #[test]
    fn a_step_up_and_a_step_right_are_no_division_by_zero() {
        let hull = Hull::over([(0., 1.), (1., 1.)]);
        assert_eq!((hull.window(0.5).passed, hull.ratio(0.5)), (0., 0.));
        let hull = Hull::over([(1., 0.), (1., 1.)]);
        assert_eq!((hull.window(0.5).alpha(), hull.ratio(0.5)), (1., 1.));
    }

    /// What expectation-maximisation makes of the ratio, flattened where a window begins.
    #[test]
    fn the_ratio_of_a_window_is_where_expectation_maximisation_stays() {
        let hull = Hull::over([(0.02, 0.3), (0.05, 0.5), (0.2, 0.8), (1., 1.)]);
        let flat = hull.window(0.5);
        // Mass of unlabeled samples and f_A / f_U of each piece.
        let pieces = [
            (flat.passed, flat.share / flat.passed),
            (0.15, 0.3 / 0.15),
            (0.8, 0.2 / 0.8),
        ];
        let alpha = (0..200).fold(1f64, |alpha, _| {
            let posterior = |&(mass, ratio): &(f64, f64)| mass * (alpha * ratio).min(1.);
            pieces.iter().map(posterior).sum()
        });
        assert_relative_eq!(alpha, flat.alpha(), epsilon = 1e-9);
    }
}
