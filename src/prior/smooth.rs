use super::hull::Hull;
use super::levels::Levels;

/// Cells of the axis on which both densities are smoothed. An axis of 20,000 ranks is 21 long: a cell is less than a
/// tenth of it, well under any bandwidth.
const CELLS: usize = 512;

/// Half the width of Epanechnikov's kernel, in standard deviations.
const REACH: f64 = 2.236_067_977_499_79;

/// The smallest bandwidth, and the smallest spread of the anomalies that one is made for: where all of them have one
/// score, or lie above all unlabeled samples, their spread is 0.
const LEAST: (f64, f64) = (0.05, 0.2);

/// The hull of the shares of unlabeled samples and of anomalies above each score, both smoothed by one kernel on the
/// axis `logit(rank among the unlabeled)`, which no increasing map of the scores changes. `bandwidth`: the kernel's
/// standard deviation in units of `spread m^(-1/5)`.
pub(super) fn smooth_hull(levels: &Levels, bandwidth: f64) -> Hull {
    let (n, m) = levels.totals;
    let places = places(levels);
    let width = (bandwidth * spread(&places).max(LEAST.1) * m.powf(-0.2)).max(LEAST.0);
    // The highest score is first.
    let margin = REACH * width;
    let (top, bottom) = (places[0].at + margin, places[places.len() - 1].at - margin);
    let step = (top - bottom) / (CELLS - 1) as f64;
    let mut cells = vec![(0., 0.); CELLS];
    for place in &places {
        // Between the two nearest cells, in inverse proportion to its distance from them.
        let position = ((top - place.at) / step).clamp(0., (CELLS - 1) as f64);
        let cell = (position as usize).min(CELLS - 2);
        let right = position - cell as f64;
        for (cell, part) in [(cell, 1. - right), (cell + 1, right)] {
            cells[cell].0 += part * place.unlabeled / n;
            cells[cell].1 += part * place.anomalous / m;
        }
    }
    Hull::over(above(&cells, step / width))
}

struct Place {
    at: f64,
    unlabeled: f64,
    anomalous: f64,
}

/// Each level's place on the axis, the highest first. Unlabeled samples of the level itself count half.
fn places(levels: &Levels) -> Vec<Place> {
    let (n, _) = levels.totals;
    let reaching = levels.reaching().zip(levels.counts());
    reaching
        .map(|((reached, _), (unlabeled, anomalous))| {
            let above = reached - unlabeled / 2.;
            Place {
                at: ((n - above + 0.25) / (above + 0.25)).ln(),
                unlabeled,
                anomalous,
            }
        })
        .collect()
}

/// Silverman's: the smaller of the anomalies' standard deviation and of what their quartiles say of it.
fn spread(places: &[Place]) -> f64 {
    let m: f64 = places.iter().map(|place| place.anomalous).sum();
    let mean = places.iter().map(|p| p.anomalous * p.at).sum::<f64>() / m;
    let squares: f64 = places
        .iter()
        .map(|place| place.anomalous * (place.at - mean).powi(2))
        .sum();
    let quantile = |share: f64| {
        let mut left = share * m;
        let reached = places.iter().find(|place| {
            left -= place.anomalous;
            left <= 0. && place.anomalous > 0.
        });
        reached.map_or(mean, |place| place.at)
    };
    (squares / m)
        .sqrt()
        .min((quantile(0.25) - quantile(0.75)) / 1.349)
}

/// What lies above each cell, for cells `step` standard deviations of the kernel apart.
fn above(cells: &[(f64, f64)], step: f64) -> Vec<(f64, f64)> {
    // The kernel spreads a cell's share over as many neighbours on each side; it is all above the one behind them.
    let reach = (REACH / step).ceil() as usize;
    let mut gained = vec![(0., 0.); cells.len()];
    let shares: Vec<f64> = (0..=2 * reach)
        .map(|k| {
            beyond((k as f64 - reach as f64 - 0.5) * step)
                - beyond((k as f64 - reach as f64 + 0.5) * step)
        })
        .collect();
    let last = cells.len() as isize - 1;
    for (cell, &(u, a)) in cells.iter().enumerate() {
        if u == 0. && a == 0. {
            continue;
        }
        for (k, share) in shares.iter().enumerate() {
            let to = (cell as isize + k as isize - reach as isize).clamp(0, last) as usize;
            gained[to].0 += share * u;
            gained[to].1 += share * a;
        }
    }
    let mut sum = (0., 0.);
    gained
        .iter()
        .map(|&(u, a)| {
            sum = (sum.0 + u, sum.1 + a);
            sum
        })
        .collect()
}

/// The share of Epanechnikov's kernel of standard deviation 1 beyond `x`.
fn beyond(x: f64) -> f64 {
    let u = (x / REACH).clamp(-1., 1.);
    0.5 - 0.75 * u + 0.25 * u.powi(3)
}

#[cfg(test)]
mod tests {
    use super::super::PriorData;
    use super::*;
    use approx::assert_relative_eq;

    fn roc(unlabeled: Vec<f64>, anomalies: Vec<f64>) -> Hull {
        let data = PriorData::of_scores(unlabeled, anomalies).unwrap();
        smooth_hull(&Levels::of(&data).unwrap(), 0.5)
    }

    #[test]
    fn the_kernel_is_epanechnikovs_of_standard_deviation_1() {
        assert_eq!((beyond(-9.), beyond(0.), beyond(9.)), (1., 0.5, 0.));
        let steps = 40_000;
        let variance: f64 = (0..steps)
            .map(|i| 6. * (f64::from(i) + 0.5) / f64::from(steps) - 3.)
            .map(|x| x * x * (beyond(x - 1e-4) - beyond(x + 1e-4)) / 2e-4 * 6. / f64::from(steps))
            .sum();
        assert_relative_eq!(variance, 1., epsilon = 1e-3);
    }

    /// Unlabeled scores of which the upper tenth is where the anomalies are.
    #[test]
    fn a_step_of_densities_is_found() {
        let unlabeled: Vec<f64> = (0..2000).map(f64::from).collect();
        let anomalies: Vec<f64> = (0..200).map(|i| 1800. + f64::from(i) + 0.5).collect();
        let roc = roc(unlabeled, anomalies);
        for share in [0.5, 0.25, 0.1] {
            assert_relative_eq!(roc.window(share).alpha(), 0.1, max_relative = 0.05);
        }
    }

    #[test]
    fn equal_scores_are_one_straight_line() {
        let roc = roc(vec![2.; 7], vec![2.; 3]);
        assert_relative_eq!(roc.window(0.3).alpha(), 1., epsilon = 1e-12);
    }
}
