use std::fmt;

use serde::{Deserialize, Serialize};

use super::two_sample::Pooled;
use crate::{Error, Result};

/// A test of whether a window's scores come from where held-out scores of the fit came from, and of what changed.
///
/// **Whether.** Kolmogorov-Smirnov for the whole, and the largest standardised difference of the shares in the upper
/// half, quarter, eighth, ... for the tail that anomalies are in; of the two p-values the smaller one, doubled
/// (Bonferroni). Each is the share of random windows of all scores in which the statistic is as large (a permutation
/// test), so that [`Verdict::Unchanged`] is missed with a probability of at most [`error`](Self::error) where nothing
/// changed, in windows of any size and with equal scores: the only assumption is that old and new scores are
/// exchangeable then. Both statistics are functions of the window's conformal p-values
/// `(1 + kept scores at least as large) / (kept scores + 1)`.
///
/// **What.** Below the scores of labeled anomalies there are hardly any anomalies, so that the scores there are
/// normals', whatever the share of anomalies has become. The same test on the scores below the lowest labeled anomaly
/// (with fewer than 19 of these: below the median of the kept scores too) at the same error rate therefore tells normals
/// that moved. Where it finds nothing, and the share above has changed, there are more anomalies, or fewer. Normals that
/// left the region altogether have moved, too: more than half of the window would be anomalies otherwise.
///
/// Not controlled is the other error: a window too small to show that its normals moved, while its tail does, gets
/// [`Verdict::MoreAnomalies`]; so do normals of a new kind that score above that border, or whose upper half alone moved
/// where labels are few ([`FitConfig::folds`](crate::FitConfig::folds) keeps scores of all of them), and anomalies of a
/// new kind. A higher border for few labels was tried and calls more anomalies shifted normals too often: with eight,
/// one in nine scores below the lowest.
/// With anomalies that often score below all labeled ones the second error rate is exceeded.
///
/// # References
/// Vovk, Gammerman, Shafer, Algorithmic learning in a random world, 2005 (exchangeability of conformal p-values); Good,
/// Permutation, parametric, and bootstrap tests of hypotheses, 2005.
///
/// ```
/// use puad::drift::{DriftTest, Verdict};
///
/// let scores = |n: usize, from: f64| (0..n).map(move |i| from + (i as f64 * 0.618).fract());
/// let kept: Vec<f64> = scores(200, 0.).collect();
/// let anomalies: Vec<f64> = scores(20, 3.).collect();
/// let test = DriftTest::default();
///
/// let same: Vec<f64> = scores(100, 0.).collect();
/// assert_eq!(test.compare(&kept, &anomalies, &same)?.verdict, Verdict::Unchanged);
/// let more: Vec<f64> = scores(100, 0.).chain(scores(15, 3.)).collect();
/// assert_eq!(test.compare(&kept, &anomalies, &more)?.verdict, Verdict::MoreAnomalies);
/// let moved: Vec<f64> = scores(100, 0.3).collect();
/// assert_eq!(test.compare(&kept, &anomalies, &moved)?.verdict, Verdict::ShiftedNormals);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftTest {
    /// The probability, at most, of another verdict than [`Verdict::Unchanged`] where nothing changed, and of
    /// [`Verdict::ShiftedNormals`] where the share of anomalies alone did. In [0.0001, 0.5]; default: 0.05. Time goes
    /// with its inverse below 0.05: `max(1000, 50 / error)` random windows are drawn.
    pub error: f64,
    /// Of the random windows.
    pub seed: u64,
}

impl Default for DriftTest {
    fn default() -> Self {
        Self {
            error: 0.05,
            seed: 0,
        }
    }
}

/// What a [`DriftTest`] says of a window.
///
/// ```
/// use puad::drift::Verdict;
///
/// assert_eq!(Verdict::MoreAnomalies.to_string(), "more anomalies");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing speaks against scores as in the fit.
    Unchanged,
    /// Normals score as before, and more rows score as anomalies do.
    MoreAnomalies,
    /// Normals score as before, and fewer rows score as anomalies do.
    FewerAnomalies,
    /// Normals score otherwise than before. Whether the share of anomalies has changed as well cannot be told.
    ShiftedNormals,
    /// Something changed, and the scores do not tell what: no labeled anomaly was kept, fewer than twenty scores of
    /// either side are normals' for certain, or the share of high scores is what it was.
    Changed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unchanged => "unchanged",
            Self::MoreAnomalies => "more anomalies",
            Self::FewerAnomalies => "fewer anomalies",
            Self::ShiftedNormals => "shifted normals",
            Self::Changed => "changed",
        })
    }
}

/// What a [`DriftTest`] found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What it comes to.
    pub verdict: Verdict,
    /// That of the test.
    pub error: f64,
    /// That the scores are those of the fit: in (0, 1], below the error rate for any other verdict than unchanged.
    pub p_value: f64,
    /// That the normals' scores are; `None` where it was not asked, or there were too few.
    pub normals_p_value: Option<f64>,
}

/// Labeled anomalies below the lowest of which few others are expected: one in twenty.
const ANOMALIES: usize = 19;

/// Scores of normals, of each side, that a comparison needs.
const NORMALS: usize = 20;

impl DriftTest {
    /// # Errors
    /// [`Error::Config`] for an error rate outside its range.
    pub fn check(&self) -> Result<()> {
        if (1e-4..=0.5).contains(&self.error) {
            return Ok(());
        }
        Err(Error::config("error", "in [0.0001, 0.5]", self.error))
    }

    /// Compares the scores of a window with `kept` ones, which were held out of the fit; `anomalies` are scores of
    /// labeled anomalies that were. In any order.
    ///
    /// # Errors
    /// [`Error::Config`] for an error rate outside its range, [`Error::EmptyGroup`] without kept scores or a window,
    /// [`Error::NonFiniteValue`] for a score that is NaN or infinite.
    pub fn compare(&self, kept: &[f64], anomalies: &[f64], window: &[f64]) -> Result<Drift> {
        self.check()?;
        let groups = [
            ("kept scores", kept),
            ("scores of labeled anomalies", anomalies),
            ("a window's scores", window),
        ];
        for (what, scores) in groups {
            if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
                let value = scores[index];
                return Err(Error::NonFiniteValue { what, index, value });
            }
        }
        if kept.is_empty() || window.is_empty() {
            let (what, group) = ("a test of drift", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        let p_value = self.p_value(kept, window, 0);
        let unchanged = Drift {
            verdict: Verdict::Unchanged,
            error: self.error,
            p_value,
            normals_p_value: None,
        };
        if p_value > self.error {
            return Ok(unchanged);
        }
        let (verdict, normals_p_value) = self.what_changed(kept, anomalies, window);
        Ok(Drift {
            verdict,
            normals_p_value,
            ..unchanged
        })
    }

    fn p_value(&self, kept: &[f64], window: &[f64], stream: u64) -> f64 {
        let draws = (50. / self.error).ceil().max(1000.) as usize - 1;
        let [whole, tail] = Pooled::new(kept, window).p_values(draws, self.seed, stream);
        (2. * whole.min(tail)).min(1.)
    }

    fn what_changed(
        &self,
        kept: &[f64],
        anomalies: &[f64],
        window: &[f64],
    ) -> (Verdict, Option<f64>) {
        let Some(border) = border(kept, anomalies) else {
            return (Verdict::Changed, None);
        };
        let below = |scores: &[f64]| -> Vec<f64> {
            scores
                .iter()
                .copied()
                .filter(|score| *score < border)
                .collect()
        };
        let (old, new) = (below(kept), below(window));
        if old.len() < NORMALS || new.len() < NORMALS {
            let share = old.len() as f64 / kept.len() as f64;
            let least = share * window.len() as f64 / 2.;
            let have_left = old.len() >= NORMALS && least >= 2. * NORMALS as f64;
            let verdict = if have_left {
                Verdict::ShiftedNormals
            } else {
                Verdict::Changed
            };
            return (verdict, None);
        }
        let p_value = self.p_value(&old, &new, 1);
        let verdict = if p_value <= self.error {
            Verdict::ShiftedNormals
        } else {
            share_above(&old, kept, &new, window)
        };
        (verdict, Some(p_value))
    }
}

/// The score below which hardly any anomaly lies.
fn border(kept: &[f64], anomalies: &[f64]) -> Option<f64> {
    let lowest = anomalies.iter().copied().min_by(f64::total_cmp)?;
    if anomalies.len() >= ANOMALIES {
        return Some(lowest);
    }
    let mut sorted = kept.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(lowest.min(sorted[sorted.len() / 2]))
}

/// By the number of the window's scores that are not below the border, against that of a random sample: less than a
/// standard deviation apart it is no reason.
fn share_above(old: &[f64], kept: &[f64], new: &[f64], window: &[f64]) -> Verdict {
    let (m, n) = (kept.len() as f64, window.len() as f64);
    let (all, new) = (m + n, n - new.len() as f64);
    let above = new + m - old.len() as f64;
    let mean = n * above / all;
    let deviation = (mean * (m / all) * (all - above) / (all - 1.)).sqrt();
    match new - mean {
        gain if gain > deviation => Verdict::MoreAnomalies,
        gain if gain < -deviation => Verdict::FewerAnomalies,
        _ => Verdict::Changed,
    }
}

#[cfg(test)]
mod tests;
