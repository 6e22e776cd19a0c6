mod begin;
mod groups;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FittedDetector, LEVEL, SuggestConfig, Suggestion};
use crate::data::{PuDataset, Samples};
use crate::drift::left_after_review;
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Error, Result};

pub(super) use groups::Groups;

/// What a person found a row to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// An anomaly: a confirmed alarm.
    Anomaly,
    /// Normal: a dismissed alarm.
    Normal,
}

/// The data of a fit and what a person found out about its unlabeled rows since, over any number of rounds:
/// [`FittedDetector::feedback`] begins, [`suggest`](Self::suggest) says which rows to look at, [`add`](Self::add) takes
/// their labels, and [`FittedDetector::refit`] learns from them. Rows go by the numbers that they had at the beginning.
///
/// Rows stay in the part, trained on or held out, that the first fit put them in (but for a fifth of the dismissed ones of
/// a part, where the other has none), so that no later one validates on what
/// an earlier one was trained on.
///
/// ```
/// use puad::data::PuDataset;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::{IntoSamples, Label, RefitConfig, SuggestConfig};
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let normals = toy.normals.len();
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat().into_samples()?;
/// let data = PuDataset::new(unlabeled)?.with_anomalies(toy.labeled_anomalies.into_samples()?)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 20;
/// let mut detector = Estimator::new(config).fit_dataset(&data)?;
///
/// let mut feedback = detector.feedback(&data, [])?;
/// for round in 0..2 {
///     for suggestion in feedback.suggest(&detector, 10, &SuggestConfig::default())? {
///         // A person looks at the row.
///         let label = if suggestion.row < normals { Label::Normal } else { Label::Anomaly };
///         feedback.add([(suggestion.row, label)])?;
///     }
///     detector = detector.refit(&feedback, &RefitConfig { epochs: 5, ..RefitConfig::default() })?;
/// }
/// assert_eq!(feedback.confirmed() + feedback.dismissed(), 20);
/// assert!(feedback.left(None)?.alpha < detector.decision_prior());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Feedback {
    parts: [Part; 2],
    /// All unlabeled rows by their numbers.
    unlabeled: Samples,
    /// The numbers of the unlabeled rows, ascending: all, or those of a table.
    rows: Vec<usize>,
    /// By position in `rows`.
    labels: BTreeMap<usize, Label>,
    /// Of all unlabeled rows.
    prior: ClassPrior,
}

/// What a fit trains on, or holds out.
#[derive(Clone, Debug)]
struct Part {
    data: PuDataset,
    /// Of each of its unlabeled rows the position among all.
    positions: Vec<usize>,
}

impl Feedback {
    /// Labels of unlabeled rows, by their numbers. All of them are taken, or none.
    ///
    /// # Errors
    /// [`Error::Config`] for a row that was not unlabeled in the fit, or one that has another label.
    pub fn add(&mut self, labels: impl IntoIterator<Item = (usize, Label)>) -> Result<()> {
        let mut all = self.labels.clone();
        for (row, label) in labels {
            let position = self.rows.binary_search(&row).map_err(|_| {
                let rule = "of rows that were unlabeled in the fit";
                Error::config("labels", rule, format!("one of row {row}"))
            })?;
            if let Some(other) = all.insert(position, label).filter(|other| *other != label) {
                let found = format!("row {row} as {other:?} and as {label:?}");
                return Err(Error::config("labels", "one of a row", found));
            }
        }
        self.labels = all;
        Ok(())
    }

    /// The labels so far by the numbers of their rows, ascending.
    pub fn labels(&self) -> impl Iterator<Item = (usize, Label)> {
        self.labels
            .iter()
            .map(|(&at, &label)| (self.rows[at], label))
    }

    /// Anomalies among them.
    pub fn confirmed(&self) -> usize {
        self.count(Label::Anomaly)
    }

    /// Normals among them.
    pub fn dismissed(&self) -> usize {
        self.count(Label::Normal)
    }

    fn count(&self, of: Label) -> usize {
        self.labels.values().filter(|label| **label == of).count()
    }

    /// Unlabeled rows of the fit.
    pub(in crate::estimator::fitted) fn unlabeled(&self) -> usize {
        self.rows.len()
    }

    /// The class prior of those.
    pub(in crate::estimator::fitted) fn prior(&self) -> ClassPrior {
        self.prior
    }

    /// As [`FittedDetector::suggest`], of the rows that have no label yet.
    ///
    /// # Errors
    /// As there.
    pub fn suggest(
        &self,
        detector: &FittedDetector,
        k: usize,
        config: &SuggestConfig,
    ) -> Result<Vec<Suggestion>> {
        let open = (0..self.rows.len()).filter(|at| !self.labels.contains_key(at));
        let open: Vec<usize> = open.collect();
        let found = detector.suggest_among(&self.unlabeled, &open, k, config)?;
        let numbered = found.into_iter().map(|suggestion| Suggestion {
            row: self.rows[suggestion.row],
            ..suggestion
        });
        Ok(numbered.collect())
    }

    /// The class prior of the rows that have no label yet: of `before`, an estimate for all unlabeled rows of the fit, or
    /// else of the class prior that the detector decided by at the beginning, whose interval is that number alone. See
    /// [`left_after_review`].
    ///
    /// # Errors
    /// As there.
    pub fn left(&self, before: Option<&PriorEstimate>) -> Result<PriorEstimate> {
        let (n, confirmed, dismissed) = (self.rows.len(), self.confirmed(), self.dismissed());
        let known = || PriorEstimate::exact(self.prior, LEVEL);
        let before = before.cloned().unwrap_or_else(known);
        left_after_review(&before, n, confirmed, dismissed)
    }
}
