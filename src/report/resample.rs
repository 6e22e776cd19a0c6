//! What else the samples, and the class prior, could have been.

use rand::Rng;
use rand_distr::{Distribution, Gamma};
use rayon::prelude::*;

use super::cells::{self, Cells, Masses};
use crate::prior::PriorEstimate;
use crate::rng::{Purpose, substream};

/// Samples that are supposed below all and above all scores.
const END: f64 = 0.5;

/// As many for AUROC and average precision: one anomaly below all costs an AUROC near 1 much, and of the truths that
/// intervals miss nearly all would lie above them.
const END_OF_RANKS: f64 = 0.25;

/// Draws of every measure: a Bayesian bootstrap (Rubin, Annals of Statistics 1981) over both groups, and over the
/// class prior.
///
/// Each sample's weight is an exponential number, normalised over its group, and half a sample is supposed below
/// all scores and half above: without them a share of 8 of 8 would be 1 in every draw. With them the share above a
/// given score has the distribution `Beta(k + 1/2, n - k + 1/2)`, Jeffreys' posterior, at all scores at once. Measures
/// over all thresholds have a quarter there.
///
/// Of anomalies that were scored out of fold the place among unlabeled samples is known, and not the score: another
/// detector's was mapped to the same place on this one's scale. Where a draw has more unlabeled samples above a
/// threshold, that lies lower among them, and so many more anomalies are above it. Equal scores have one place, their
/// middle; beyond the unlabeled scores there are no places, and a threshold there is compared with scores.
pub(super) struct Draws {
    /// Against unlabeled samples.
    pub(super) auroc_unlabeled: Vec<f64>,
    /// Against normals, as it comes out, be it above 1.
    pub(super) auroc: Vec<f64>,
    pub(super) average_precision: Vec<f64>,
    /// By threshold.
    pub(super) at: Vec<AtThreshold>,
}

/// Draws of what happens at a threshold.
#[derive(Default)]
pub(super) struct AtThreshold {
    /// `alpha P_A / P_U`, as it comes out, be it above 1.
    pub(super) precision: Vec<f64>,
    pub(super) recall: Vec<f64>,
    pub(super) false_positive_rate: Vec<f64>,
}

/// How the scores of anomalies and those of unlabeled samples belong together.
#[derive(Clone, Copy)]
pub(super) enum Scores {
    /// One detector gave both.
    Own,
    /// Those of anomalies were put in their places among the unlabeled ones.
    Placed,
}

impl Draws {
    pub(super) fn new(
        cells: &Cells,
        thresholds: &[f64],
        prior: &PriorEstimate,
        scores: Scores,
        (resamples, seed): (usize, u64),
    ) -> Self {
        let gammas = [&cells.anomalies, &cells.unlabeled].map(|counts| gammas(counts));
        let cuts: Vec<Above> = thresholds
            .iter()
            .map(|&threshold| Above::new(cells, threshold, scores))
            .collect();
        let places = cells.places();
        let rest = Gamma::new(END - END_OF_RANKS, 1.).expect("a positive shape");
        let one = |index: usize| {
            let mut rng = substream(seed, Purpose::Report, index as u64);
            let alpha = prior.draw(&mut rng);
            let mut weights = gammas.each_ref().map(|gammas| weights(gammas, &mut rng));
            let ranks = Masses::of(&weights);
            for weights in &mut weights {
                weights[0] += rest.sample(&mut rng);
                *weights.last_mut().expect("two ends") += rest.sample(&mut rng);
            }
            let masses = Masses::of(&weights);
            let at = cuts.iter().map(|cut| cut.shares(&masses, &places));
            One::new(&ranks, &cells.anomalies, at.collect(), alpha)
        };
        let all: Vec<One> = (0..resamples).into_par_iter().map(one).collect();
        let at = |i: usize| {
            let each = all.iter().map(|one| (one.at[i], one.alpha));
            AtThreshold {
                precision: each
                    .clone()
                    .map(|((found, flagged), alpha)| alpha * found / flagged.max(f64::MIN_POSITIVE))
                    .collect(),
                recall: each.clone().map(|((found, _), _)| found).collect(),
                false_positive_rate: each
                    .map(|(shares, alpha)| cells::false_positive_rate(shares, alpha))
                    .collect(),
            }
        };
        Self {
            auroc_unlabeled: all.iter().map(|one| one.auroc_unlabeled).collect(),
            auroc: all.iter().map(|one| one.auroc).collect(),
            average_precision: all.iter().map(|one| one.average_precision).collect(),
            at: (0..thresholds.len()).map(at).collect(),
        }
    }
}

/// One draw of everything.
struct One {
    auroc_unlabeled: f64,
    auroc: f64,
    average_precision: f64,
    alpha: f64,
    /// The shares of anomalies and of unlabeled samples above each threshold.
    at: Vec<(f64, f64)>,
}

impl One {
    fn new(ranks: &Masses, counts: &[usize], at: Vec<(f64, f64)>, alpha: f64) -> Self {
        let auroc_unlabeled = ranks.auroc();
        Self {
            auroc_unlabeled,
            auroc: cells::decontaminated(auroc_unlabeled, alpha),
            average_precision: ranks.average_precision(counts, alpha),
            alpha,
            at,
        }
    }
}

/// Where a threshold lies.
struct Above {
    /// The first cell above it.
    above: usize,
    /// Whether anomalies are above it by their places.
    by_place: bool,
}

impl Above {
    fn new(cells: &Cells, threshold: f64, scores: Scores) -> Self {
        let above = cells.above(threshold);
        let (_, flagged) = cells.empirical().at_or_above(above);
        let is_among = flagged > 0. && flagged < 1.;
        Self {
            above,
            by_place: matches!(scores, Scores::Placed) && is_among,
        }
    }

    /// The shares of anomalies and of unlabeled samples above it in one draw of both groups.
    fn shares(&self, masses: &Masses, places: &[f64]) -> (f64, f64) {
        let (found, flagged) = masses.at_or_above(self.above);
        if !self.by_place {
            return (found, flagged);
        }
        let anomalies = masses.anomalies.iter().zip(places);
        let placed = anomalies.filter(|(_, place)| **place < flagged);
        (placed.map(|(mass, _)| mass).sum::<f64>().min(1.), flagged)
    }
}

/// The unnormalised weight of each cell: a sum of as many exponential numbers as it has samples.
fn gammas(counts: &[usize]) -> Vec<Option<Gamma<f64>>> {
    let last = counts.len() - 1;
    let shape = |(i, &count): (usize, &usize)| {
        let end = i == 0 || i == last;
        let count = if end { END_OF_RANKS } else { count as f64 };
        (count > 0.).then_some(count)
    };
    let gamma = |shape| Gamma::new(shape, 1.).expect("a positive shape");
    counts
        .iter()
        .enumerate()
        .map(|cell| shape(cell).map(gamma))
        .collect()
}

fn weights(gammas: &[Option<Gamma<f64>>], rng: &mut impl Rng) -> Vec<f64> {
    let draw = |gamma: &Option<Gamma<f64>>| gamma.map_or(0., |gamma| gamma.sample(rng));
    gammas.iter().map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassPrior;

    /// The share above a score is distributed as Jeffreys' posterior, so that precision is, divided by that of the
    /// unlabeled samples, which leaves no doubt here.
    #[test]
    fn shares_have_the_moments_of_the_beta_distribution() {
        let cells = Cells::new(&[9.; 1_000_000], &[1., 2., 3., 4., 5., 6., 7., 8.], &[2.5]);
        let draws = Draws::new(
            &cells,
            &[2.5],
            &PriorEstimate::exact(ClassPrior::new(0.5).unwrap(), 0.9),
            Scores::Own,
            (20_000, 3),
        );
        let shares = draws.at[0]
            .precision
            .iter()
            .map(|precision| precision / 0.5);
        let mean = shares.clone().sum::<f64>() / 20_000.;
        let variance = shares.map(|share| (share - mean).powi(2)).sum::<f64>() / 20_000.;
        let expected: f64 = 6.5 / 9.;
        let spread = expected * (1. - expected) / 10.;
        assert!(
            (mean - expected).abs() < 5. * (spread / 20_000.).sqrt(),
            "{mean}"
        );
        assert!((variance / spread - 1.).abs() < 0.05, "{variance} {spread}");
    }
}
