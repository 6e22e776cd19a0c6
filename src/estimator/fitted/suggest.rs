use std::fmt;

use serde::{Deserialize, Serialize};

use super::FittedDetector;
use crate::cluster::{Count, KMeansConfig, kmeans};
use crate::data::Samples;
use crate::data::table::Group;
use crate::estimator::values::for_rows;
use crate::estimator::{Input, IntoInput};
use crate::{Error, Result};

/// How [`FittedDetector::suggest`] picks rows.
///
/// ```
/// use puad::estimator::SuggestConfig;
///
/// // The highest alone: most anomalies soon, of the kinds that are known.
/// let config = SuggestConfig { highest: 1., spread: 0., near_threshold: 0., ..SuggestConfig::default() };
/// config.check()?;
/// assert!(SuggestConfig { highest: 0.9, ..config }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuggestConfig {
    /// Share of the rows that score highest. Default: 0.5. The three shares are at least 0 and add up to 1.
    pub highest: f64,
    /// Share of the rows that are spread over the clusters of high scores. Default: 0.3.
    pub spread: f64,
    /// Share of the rows whose scores lie next to the threshold. Default: 0.2.
    pub near_threshold: f64,
    /// Times the number of rows asked for that are clustered, the highest of all; at least 1. Default: 10.
    pub pool: usize,
    /// Of the clustering.
    pub seed: u64,
}

impl Default for SuggestConfig {
    fn default() -> Self {
        Self {
            highest: 0.5,
            spread: 0.3,
            near_threshold: 0.2,
            pool: 10,
            seed: 0,
        }
    }
}

impl SuggestConfig {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        let shares = [self.highest, self.spread, self.near_threshold];
        let sum: f64 = shares.iter().sum();
        if !(shares.iter().all(|share| *share >= 0.) && (sum - 1.).abs() < 1e-9) {
            let rule = "at least 0 and 1 in all";
            return Err(Error::config("shares", rule, format!("{shares:?}")));
        }
        if self.pool == 0 {
            return Err(Error::config("pool", "at least 1", self.pool));
        }
        Ok(())
    }

    /// Rows of each kind, `k` in all.
    fn counts(&self, k: usize) -> [usize; 3] {
        let part = |share: f64| (share * k as f64).round() as usize;
        let highest = part(self.highest).min(k);
        let both = part(self.highest + self.spread).clamp(highest, k);
        [highest, both - highest, k - both]
    }
}

/// Why a row is worth a look.
///
/// ```
/// use puad::estimator::Why;
///
/// assert_eq!(Why::Cluster { rows: 12 }.to_string(), "highest of 12 rows alike");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Why {
    /// It is among those that score highest.
    Highest,
    /// It scores highest of a cluster of high scores from which no other row was picked.
    Cluster {
        /// Rows of the cluster.
        rows: usize,
    },
    /// Its score lies next to the threshold: its label says most about where that belongs.
    NearThreshold,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Highest => write!(f, "among the highest"),
            Self::Cluster { rows } => write!(f, "highest of {rows} rows alike"),
            Self::NearThreshold => write!(f, "next to the threshold"),
        }
    }
}

/// A row that is worth a look, from [`FittedDetector::suggest`].
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Its number among those given, counted from 0.
    pub row: usize,
    /// Larger = more anomalous.
    pub score: f64,
    /// That it is an anomaly; `None` without labeled anomalies in the fit.
    pub probability: Option<f64>,
    /// Why it was picked.
    pub why: Why,
}

impl FittedDetector {
    /// The `k` unlabeled rows whose labels would help most: those that score highest, which are most often anomalies;
    /// some of other regions of high scores, which may be kinds that nobody labeled; some next to the threshold. In this
    /// order, each once, by the shares of `config`; ties go to the first row. Of a table the rows that its labels call
    /// unlabeled are looked at, and the numbers are the table's.
    ///
    /// The regions are clusters ([`kmeans`]) of the `pool k` rows that score highest, as the model sees them.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::estimator::SuggestConfig;
    /// use puad::{Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 20;
    /// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    /// for suggestion in detector.suggest(&unlabeled, 10, &SuggestConfig::default())? {
    ///     println!("row {}: {}", suggestion.row, suggestion.why);
    /// }
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score); [`Error::Config`] for a setting outside its range, or unless `k` is at least 1 and at
    /// most the number of rows.
    pub fn suggest(
        &self,
        unlabeled: impl IntoInput,
        k: usize,
        config: &SuggestConfig,
    ) -> Result<Vec<Suggestion>> {
        let input = unlabeled.into_input()?;
        let rows = match &input {
            Input::Table(table) => table.rows_of(Group::Unlabeled),
            Input::Samples(samples) => (0..samples.len()).collect(),
        };
        let (samples, _) = self.numbers(input)?;
        let (samples, _) = self.accepted(samples, self.check)?;
        self.suggest_among(&samples, &rows, k, config)
    }

    /// Of these rows of samples that were accepted.
    pub(super) fn suggest_among(
        &self,
        samples: &Samples,
        rows: &[usize],
        k: usize,
        config: &SuggestConfig,
    ) -> Result<Vec<Suggestion>> {
        config.check()?;
        if !(1..=rows.len()).contains(&k) {
            let rule = "at least 1 and at most the number of unlabeled rows";
            let found = format!("{k} of {}", rows.len());
            return Err(Error::config("k", rule, found));
        }
        let positions: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        let samples = samples.select(&positions)?;
        let scores = self.scores_of(&samples)?;
        let mut picks = Picks::new(&scores);
        let [highest, spread, _] = config.counts(k);
        picks.highest(highest);
        if spread > 0 {
            let pool = picks.order[..rows.len().min(k.saturating_mul(config.pool))].to_vec();
            let points = self.points(&samples, &pool)?;
            picks.spread(&pool, &points, highest + spread, config.seed)?;
        }
        picks.near(self.threshold(), k);
        let suggestion = |(at, why): (usize, Why)| Suggestion {
            row: rows[at],
            score: scores[at],
            probability: self.calibration().map(|c| c.probability(scores[at])),
            why,
        };
        Ok(picks.picked.into_iter().map(suggestion).collect())
    }

    /// As the model sees them, flat.
    fn points(&self, samples: &Samples, rows: &[usize]) -> Result<Vec<Vec<f64>>> {
        let positions: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        let raw = samples.gather(&positions)?;
        let mut points = Vec::with_capacity(rows.len());
        for_rows(&self.explained(0, &raw)?.into(), |row| {
            points.push(row.to_vec())
        })?;
        Ok(points)
    }
}

/// What was picked so far.
struct Picks {
    /// All rows, the highest score first, of equal ones the first.
    order: Vec<usize>,
    scores: Vec<f64>,
    is_picked: Vec<bool>,
    picked: Vec<(usize, Why)>,
}

impl Picks {
    fn new(scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        Self {
            order,
            scores: scores.to_vec(),
            is_picked: vec![false; scores.len()],
            picked: vec![],
        }
    }

    fn pick(&mut self, row: usize, why: Why) {
        if !std::mem::replace(&mut self.is_picked[row], true) {
            self.picked.push((row, why));
        }
    }

    /// Until there are so many in all.
    fn highest(&mut self, until: usize) {
        for at in 0..self.order.len() {
            if self.picked.len() >= until {
                break;
            }
            self.pick(self.order[at], Why::Highest);
        }
    }

    /// The highest of each cluster of the pool, in its order, that has none yet. As many clusters as picks: those before
    /// cannot fill them all. Where too few rows differ for that the highest take the places.
    fn spread(
        &mut self,
        pool: &[usize],
        points: &[Vec<f64>],
        until: usize,
        seed: u64,
    ) -> Result<()> {
        let config = KMeansConfig {
            count: Count::Given(until.min(pool.len())),
            ..KMeansConfig::default()
        };
        let clusters = kmeans(points, &config, seed)?;
        let mut has_pick = vec![false; clusters.len()];
        for (row, &cluster) in pool.iter().zip(&clusters.of_rows) {
            has_pick[cluster] |= self.is_picked[*row];
        }
        for (row, &cluster) in pool.iter().zip(&clusters.of_rows) {
            if self.picked.len() < until && !std::mem::replace(&mut has_pick[cluster], true) {
                let rows = clusters.sizes[cluster];
                self.pick(*row, Why::Cluster { rows });
            }
        }
        self.highest(until);
        Ok(())
    }

    /// By rank, in turn above and below: the highest and the lowest scores may be of another order of magnitude.
    fn near(&mut self, threshold: f64, until: usize) {
        let border = self
            .order
            .partition_point(|&row| self.scores[row] > threshold);
        let order = self.order.clone();
        let (above, below) = order.split_at(border);
        let (mut above, mut below) = (above.iter().rev(), below.iter());
        loop {
            let next = [above.next(), below.next()];
            for &row in next.into_iter().flatten() {
                if self.picked.len() < until {
                    self.pick(row, Why::NearThreshold);
                }
            }
            if self.picked.len() >= until || next == [None, None] {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(picks: &Picks, of: fn(&Why) -> bool) -> Vec<usize> {
        let picked = picks.picked.iter().filter(|(_, why)| of(why));
        picked.map(|(row, _)| *row).collect()
    }

    #[test]
    fn shares_are_counts_that_add_up() {
        let config = SuggestConfig::default();
        for (k, counts) in [
            (10, [5, 3, 2]),
            (1, [1, 0, 0]),
            (2, [1, 1, 0]),
            (4, [2, 1, 1]),
        ] {
            assert_eq!(config.counts(k), counts, "{k}");
        }
        let near = SuggestConfig {
            highest: 0.,
            spread: 0.,
            near_threshold: 1.,
            ..config
        };
        assert_eq!(near.counts(3), [0, 0, 3]);
    }

    #[test]
    fn rows_are_picked_by_score_by_region_and_by_the_threshold() {
        // Rows 0 to 9 score 10 to 1; the even ones lie elsewhere, and the last one far away.
        let scores: Vec<f64> = (0..10).map(|i| 10. - f64::from(i)).collect();
        let points: Vec<Vec<f64>> = [5., 0., 5., 0., 5., 0., 5., 0., 5., 90.]
            .map(|x| vec![x])
            .into();
        let mut picks = Picks::new(&scores);
        picks.highest(1);
        let pool = picks.order.clone();
        picks.spread(&pool, &points, 3, 0).unwrap();
        picks.near(4.5, 6);
        assert_eq!(rows(&picks, |why| *why == Why::Highest), [0]);
        assert_eq!(
            rows(&picks, |why| matches!(why, Why::Cluster { .. })),
            [1, 9]
        );
        // 5 is above, 4 and 3 are below; 6 comes next to 5.
        assert_eq!(rows(&picks, |why| *why == Why::NearThreshold), [5, 6, 4]);
    }

    #[test]
    fn equal_rows_and_far_thresholds_leave_no_place_empty() {
        for threshold in [f64::NEG_INFINITY, 0., f64::INFINITY] {
            let mut picks = Picks::new(&[1.; 6]);
            picks.highest(2);
            let pool = picks.order.clone();
            let same: Vec<Vec<f64>> = std::iter::repeat_n(vec![7.], 6).collect();
            picks.spread(&pool, &same, 4, 0).unwrap();
            picks.near(threshold, 6);
            let mut all: Vec<usize> = picks.picked.iter().map(|(row, _)| *row).collect();
            assert_eq!(all[..4], [0, 1, 2, 3]);
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        }
    }
}
