use super::levels::Levels;
use super::windows::{self, HALF, Window};

/// The windows from each score up that hold an anomaly, the smallest first.
pub(super) fn bins(levels: &Levels) -> impl Iterator<Item = Window> {
    let filled = levels.roc().filter(|&(_, share)| share > 0.);
    filled.map(|(passed, share)| Window { share, passed })
}

/// The interval of an estimate from the bin `best`, by it and by smaller ones.
pub(super) fn interval(levels: &Levels, best: Window, level: f64) -> (f64, f64) {
    let half = filled(levels, HALF).unwrap_or(best);
    windows::interval(best, half, &smaller(levels, best), levels.totals, level)
}

/// Of the bins smaller than `best` the first that holds each usable share: with equal scores it holds more.
fn smaller(levels: &Levels, best: Window) -> Vec<Window> {
    windows::usable(levels.totals.1)
        .filter_map(|share| filled(levels, share))
        .filter(|bin| bin.share < best.share)
        .collect()
}

fn filled(levels: &Levels, share: f64) -> Option<Window> {
    bins(levels).find(|bin| bin.share >= share - 1e-9)
}

#[cfg(test)]
mod tests {
    use super::super::PriorData;
    use super::*;

    #[test]
    fn smaller_windows_hold_the_shares_that_equal_scores_allow() {
        // 10, 20 and 70 anomalies on three levels, none on the highest.
        let anomalies = [vec![2.; 10], vec![1.; 20], vec![0.; 70]].concat();
        let data = PriorData::of_scores(vec![9., 2., 1., 0.], anomalies).unwrap();
        let levels = Levels::of(&data).unwrap();
        let shares =
            |windows: Vec<Window>| -> Vec<f64> { windows.iter().map(|w| w.share).collect() };
        assert_eq!(shares(bins(&levels).collect()), [0.1, 0.3, 1.]);
        let all = bins(&levels).last().unwrap();
        assert_eq!((all.share, all.passed), (1., 1.));
        // 25% and 15% of them are on the second level from the top.
        assert_eq!(shares(smaller(&levels, all)), [0.3, 0.3]);
    }
}
