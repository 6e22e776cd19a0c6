use rand::Rng;

use super::PriorData;
use crate::Result;

/// Scores as counts: what an estimator by ranks sees of them. Level 0 is the highest score; equal scores share one.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    unlabeled: Vec<u32>,
    anomalous: Vec<u32>,
    /// How many unlabeled samples there are, >= 1, and labeled anomalies, >= 1.
    pub(super) totals: (f64, f64),
}

impl Levels {
    /// # Errors
    /// As [`PriorData::scores`].
    pub(super) fn of(data: &PriorData) -> Result<Self> {
        let (unlabeled, anomalies) = data.scores()?;
        // -0 + 0 is 0: the two zeros are one score.
        let group = |scores: &[f64], anomalous| -> Vec<(f64, bool)> {
            scores.iter().map(|&s| (s + 0., anomalous)).collect()
        };
        let mut rows = group(unlabeled, false);
        rows.extend(group(anomalies, true));
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut levels = Self {
            unlabeled: Vec::new(),
            anomalous: Vec::new(),
            totals: (unlabeled.len() as f64, anomalies.len() as f64),
        };
        for level in rows.chunk_by(|a, b| a.0 == b.0) {
            let anomalous = level.iter().filter(|row| row.1).count();
            levels.unlabeled.push((level.len() - anomalous) as u32);
            levels.anomalous.push(anomalous as u32);
        }
        Ok(levels)
    }

    /// Counts of each level, unlabeled and anomalous, from the highest score down.
    pub(super) fn counts(&self) -> impl Iterator<Item = (f64, f64)> {
        let pairs = self.unlabeled.iter().zip(&self.anomalous);
        pairs.map(|(&u, &a)| (f64::from(u), f64::from(a)))
    }

    /// How many, unlabeled and anomalous, reach each level, from the highest score down.
    pub(super) fn reaching(&self) -> impl Iterator<Item = (f64, f64)> {
        self.counts().scan((0., 0.), |above, (u, a)| {
            *above = (above.0 + u, above.1 + a);
            Some(*above)
        })
    }

    /// The share of the unlabeled samples and of the anomalies that reach each level, from the highest score down.
    pub(super) fn roc(&self) -> impl Iterator<Item = (f64, f64)> {
        let (n, m) = self.totals;
        self.reaching().map(move |(u, a)| (u / n, a / m))
    }

    /// As many unlabeled samples and as many anomalies, each drawn with replacement.
    pub(super) fn resampled(&self, rng: &mut impl Rng) -> Self {
        Self {
            unlabeled: redrawn(&self.unlabeled, rng),
            anomalous: redrawn(&self.anomalous, rng),
            totals: self.totals,
        }
    }
}

fn redrawn(counts: &[u32], rng: &mut impl Rng) -> Vec<u32> {
    let owners: Vec<u32> = (0..)
        .zip(counts)
        .flat_map(|(level, &count)| (0..count).map(move |_| level))
        .collect();
    let mut drawn = vec![0; counts.len()];
    for _ in 0..owners.len() {
        drawn[owners[rng.random_range(0..owners.len())] as usize] += 1;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};

    #[test]
    fn counts_go_from_the_highest_score_down_and_equal_scores_share_a_level() {
        let data = PriorData::of_scores(vec![1., -0., 3., 1.], vec![3., 0., 9.]).unwrap();
        let levels = Levels::of(&data).unwrap();
        let counts: Vec<_> = levels.counts().collect();
        assert_eq!(counts, [(0., 1.), (1., 1.), (2., 0.), (1., 1.)]);
        let reaching: Vec<_> = levels.reaching().collect();
        assert_eq!(reaching, [(0., 1.), (1., 2.), (3., 2.), (4., 3.)]);
    }

    #[test]
    fn a_resample_has_as_many_of_each_group_at_levels_that_had_some() {
        let data = PriorData::of_scores(vec![1., 0., 3., 1., 7.], vec![3., 0., 9.]).unwrap();
        let levels = Levels::of(&data).unwrap();
        let rng = |seed| substream(seed, Purpose::Prior, 0);
        let drawn = levels.resampled(&mut rng(0));
        assert_eq!(drawn.reaching().last(), Some((5., 3.)));
        for ((u, a), (was_u, was_a)) in drawn.counts().zip(levels.counts()) {
            assert!((was_u > 0. || u == 0.) && (was_a > 0. || a == 0.));
        }
        let all = (0..20).map(|seed| levels.resampled(&mut rng(seed)).unlabeled);
        assert!(all.collect::<std::collections::HashSet<_>>().len() > 5);
    }

    #[test]
    fn vectors_are_refused() {
        let data = PriorData::of_vectors(&[[0., 1.]], &[[1., 2.]]).unwrap();
        assert!(Levels::of(&data).is_err());
    }
}
