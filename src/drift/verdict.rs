use std::fmt;

use serde::{Deserialize, Serialize};

use super::mixture::Mixture;
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
/// **What.** Where the share of anomalies alone changed, the window's scores are a mixture of the kept ones and of labeled
/// anomalies', or with fewer anomalies the kept ones are such a mixture of the window's. The share that leaves the least
/// distance is sought, and where that is larger than chance explains, at the same error rate, by a bootstrap that draws
/// kept scores, window and labeled anomalies anew, the normals have moved. Else there are more anomalies, or fewer, as
/// the share says. More than half of the window is never taken for new anomalies: then the normals have moved, too.
///
/// Not controlled is the other error: a window too small to show that its normals moved gets
/// [`Verdict::MoreAnomalies`] where they moved upwards; so do normals of a new kind that score as labeled anomalies do.
/// Anomalies that score otherwise than the labeled ones, of a new kind or since the easy ones were labeled, may pass for
/// normals that moved: the second error rate is then exceeded.
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
    /// Something changed, and the scores do not tell what: no labeled anomaly was kept, there are fewer than twenty scores
    /// of a side, or no other share of anomalies is nearer to the window than that of the kept scores.
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
    /// That they are but for the share of anomalies, so that normals score as before; `None` where it was not asked, or
    /// there were too few.
    pub normals_p_value: Option<f64>,
}

/// Scores of each side below which nothing is said of what changed.
pub(crate) const FEW: usize = 20;

/// The share of a window that may be anomalies beyond those of the kept scores.
const MOST: f64 = 0.5;

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
        let p_value = self.p_value(kept, window);
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

    fn p_value(&self, kept: &[f64], window: &[f64]) -> f64 {
        let draws = (50. / self.error).ceil().max(1000.) as usize - 1;
        let [whole, tail] = Pooled::new(kept, window).p_values(draws, self.seed, 0);
        (2. * whole.min(tail)).min(1.)
    }

    fn what_changed(
        &self,
        kept: &[f64],
        anomalies: &[f64],
        window: &[f64],
    ) -> (Verdict, Option<f64>) {
        if anomalies.is_empty() || kept.len() < FEW || window.len() < FEW {
            return (Verdict::Changed, None);
        }
        let draws = (20. / self.error).ceil().max(400.) as usize - 1;
        let found = Mixture::new(kept, anomalies, window).explained(draws, self.seed);
        let verdict = match found.share {
            share if share > MOST || found.p_value <= self.error => Verdict::ShiftedNormals,
            share if share > 0. => Verdict::MoreAnomalies,
            share if share < 0. => Verdict::FewerAnomalies,
            _ => Verdict::Changed,
        };
        (verdict, Some(found.p_value))
    }
}

#[cfg(test)]
mod tests;
