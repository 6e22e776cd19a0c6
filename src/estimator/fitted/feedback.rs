use std::collections::BTreeMap;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{FittedDetector, SuggestConfig, Suggestion};
use crate::data::table::{Group, Table};
use crate::data::{PuDataset, Samples};
use crate::drift::left_after_review;
use crate::prior::PriorEstimate;
use crate::{ClassPrior, Error, Result};

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
/// Rows stay in the part, trained on or held out, that the first fit put them in, so that no later one validates on what
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

/// The groups that a refit trains on and validates by.
pub(in crate::estimator) struct Groups {
    pub(in crate::estimator) train: PuDataset,
    pub(in crate::estimator) validation: PuDataset,
    /// Dismissed rows that were left among the unlabeled ones, because they are too few to be in both parts.
    pub(in crate::estimator) left: usize,
}

impl FittedDetector {
    /// Begins a review of the unlabeled rows of the fit: `data` as [`fit_dataset`](crate::Estimator::fit_dataset) (or
    /// `fit`) had it, in its order. `labels` are what is known already: numbers of unlabeled rows, counted from 0, each
    /// with what it was found to be; none to begin with.
    ///
    /// # Errors
    /// As [`score`](Self::score) of samples that this detector does not take; [`Error::Config`] for another number of
    /// rows than the fit had; as [`Feedback::add`].
    pub fn feedback(
        &self,
        data: &PuDataset,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let rows = (0..data.unlabeled().len()).collect();
        self.review(data, rows, labels)
    }

    /// As [`feedback`](Self::feedback), for data that [`fit_split`](crate::Estimator::fit_split) had in two parts: the
    /// unlabeled rows are numbered through, those of `train` first.
    ///
    /// # Errors
    /// As there, but for the number of rows.
    pub fn feedback_split(
        &self,
        train: &PuDataset,
        validation: &PuDataset,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let (train, validation) = (self.taken(train)?, self.taken(validation)?);
        let (first, second) = (train.unlabeled(), validation.unlabeled());
        let unlabeled = joined(&[first.to_tensor()?, second.to_tensor()?], first)?;
        let (border, all) = (first.len(), unlabeled.len());
        let part = |data, positions: std::ops::Range<usize>| Part {
            data,
            positions: positions.collect(),
        };
        let mut feedback = Feedback {
            unlabeled,
            parts: [part(train, 0..border), part(validation, border..all)],
            rows: (0..all).collect(),
            labels: BTreeMap::new(),
            prior: self.decision.prior,
        };
        feedback.add(labels)?;
        Ok(feedback)
    }

    /// As [`feedback`](Self::feedback), for the table that [`fit_table`](crate::Estimator::fit_table) had: rows go by
    /// their numbers in the table.
    ///
    /// # Errors
    /// As there, and as [`score`](Self::score) of the table.
    pub fn feedback_table(
        &self,
        table: &Table,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let (samples, _) = self.numbers(table)?;
        let group = |group| -> Result<Option<Samples>> {
            let rows: Vec<u32> = table
                .rows_of(group)
                .into_iter()
                .map(|row| row as u32)
                .collect();
            (!rows.is_empty())
                .then(|| samples.select(&rows))
                .transpose()
        };
        let (what, name) = ("feedback", "unlabeled");
        let unlabeled = group(Group::Unlabeled)?.ok_or(Error::EmptyGroup { what, group: name })?;
        let mut data = PuDataset::new(unlabeled)?;
        if let Some(anomalies) = group(Group::Anomalous)? {
            data = data.with_anomalies(anomalies)?;
        }
        if let Some(normals) = group(Group::Normal)? {
            data = data.with_normals(normals)?;
        }
        self.review(&data, table.rows_of(Group::Unlabeled), labels)
    }

    fn review(
        &self,
        data: &PuDataset,
        rows: Vec<usize>,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let data = self.taken(data)?;
        let (fraction, seed) = (self.config.validation_fraction, self.config.train.seed);
        let (train, validation) = data.split(fraction, seed)?;
        let (of_train, of_validation) = PuDataset::split_unlabeled(rows.len(), fraction, seed)?;
        let kept = self.decision.validation.unlabeled.len();
        if of_validation.len() != kept {
            let rule = "of the fit's unlabeled samples, all of them, of which it held out as many as it kept scores \
                        of; where it had its parts from you, or was recalibrated, use `feedback_split`";
            let found = format!(
                "{} rows, of which {} are held out, not {kept}",
                rows.len(),
                of_validation.len()
            );
            return Err(Error::config("data", rule, found));
        }
        let part = |data, positions: Vec<u32>| Part {
            data,
            positions: positions.into_iter().map(|at| at as usize).collect(),
        };
        let mut feedback = Feedback {
            unlabeled: data.unlabeled().clone(),
            parts: [part(train, of_train), part(validation, of_validation)],
            rows,
            labels: BTreeMap::new(),
            prior: self.decision.prior,
        };
        feedback.add(labels)?;
        Ok(feedback)
    }

    /// In the columns, type and scale of the fit.
    fn taken(&self, data: &PuDataset) -> Result<PuDataset> {
        data.map(|samples| Ok(self.accepted(samples.clone(), self.check)?.0))
    }
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
    pub(in crate::estimator) fn unlabeled(&self) -> usize {
        self.rows.len()
    }

    /// The class prior of those.
    pub(in crate::estimator) fn prior(&self) -> ClassPrior {
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
        let known = || PriorEstimate {
            alpha: self.prior,
            low: self.prior,
            high: self.prior,
            level: 0.95,
            doubts: vec![],
        };
        let before = before.cloned().unwrap_or_else(known);
        left_after_review(&before, n, confirmed, dismissed)
    }

    /// The held-out part as it came, reviewed rows among its unlabeled ones: what threshold and probabilities are made
    /// of, because new data come unreviewed too. Confirmed anomalies are not among its labeled ones: they were picked by
    /// their scores.
    pub(in crate::estimator) fn held_out(&self) -> &PuDataset {
        &self.parts[1].data
    }

    /// Confirmed anomalies with the labeled ones, dismissed rows with the labeled normals if these are learned from, each
    /// in its part.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] if no unlabeled row is left in a part.
    pub(in crate::estimator) fn groups(&self, normals: bool) -> Result<Groups> {
        let of = |label| [0, 1].map(|part| self.positions(part, label));
        let confirmed = of(Label::Anomaly);
        let mut dismissed = of(Label::Normal);
        let given = [0, 1].map(|part| self.parts[part].data.normals().is_some());
        let few = given == [false, false] && self.dismissed() < 2;
        if !normals || few {
            dismissed = [vec![], vec![]];
        } else if given == [false, false] {
            share(&mut dismissed);
        }
        let part = |at: usize| self.part(at, &confirmed, &dismissed);
        let taken = dismissed[0].len() + dismissed[1].len();
        Ok(Groups {
            train: part(0)?,
            validation: part(1)?,
            left: self.dismissed() - taken,
        })
    }

    /// The positions, among all, of the rows of a part that have this label.
    fn positions(&self, part: usize, of: Label) -> Vec<usize> {
        let positions = self.parts[part].positions.iter().copied();
        positions
            .filter(|at| self.labels.get(at) == Some(&of))
            .collect()
    }

    fn part(
        &self,
        at: usize,
        confirmed: &[Vec<usize>; 2],
        dismissed: &[Vec<usize>; 2],
    ) -> Result<PuDataset> {
        let Part { data, positions } = &self.parts[at];
        let labeled = |position: &usize| {
            let mut lists = confirmed.iter().chain(dismissed);
            lists.any(|list| list.contains(position))
        };
        let open = (0..positions.len() as u32).filter(|&i| !labeled(&positions[i as usize]));
        let open: Vec<u32> = open.collect();
        if open.is_empty() {
            let group = ["unlabeled", "unlabeled validation"][at];
            let what = "a refit";
            return Err(Error::EmptyGroup { what, group });
        }
        let mut result = PuDataset::new(data.unlabeled().select(&open)?)?;
        if let Some(anomalies) = self.with_rows(data.anomalies(), &confirmed[at])? {
            result = result.with_anomalies(anomalies)?;
        }
        if let Some(normals) = self.with_rows(data.normals(), &dismissed[at])? {
            result = result.with_normals(normals)?;
        }
        Ok(result)
    }

    /// A group with unlabeled rows behind it.
    fn with_rows(&self, group: Option<&Samples>, positions: &[usize]) -> Result<Option<Samples>> {
        if positions.is_empty() {
            return Ok(group.cloned());
        }
        let positions: Vec<u32> = positions.iter().map(|&at| at as u32).collect();
        let rows = self.unlabeled.gather(&positions)?;
        let Some(group) = group else {
            return Samples::from(rows)
                .with_names(self.unlabeled.names())
                .map(Some);
        };
        let before = group.to_tensor()?;
        let rows = rows.to_device(before.device())?;
        joined(&[before, rows], group).map(Some)
    }
}

/// One behind the other, with the names of `like`.
fn joined(tensors: &[Tensor; 2], like: &Samples) -> Result<Samples> {
    let [first, second] = tensors;
    let second = second.to_device(first.device())?;
    Samples::from(Tensor::cat(&[first, &second], 0)?).with_names(like.names())
}

/// Both parts need some: where one has none it gets a fifth of the other's, rounded up, the last ones.
fn share([train, validation]: &mut [Vec<usize>; 2]) {
    let move_some = |from: &mut Vec<usize>, to: &mut Vec<usize>| {
        let kept = from.len() - from.len().div_ceil(5);
        to.extend(from.split_off(kept));
    };
    if validation.is_empty() {
        move_some(train, validation);
    } else if train.is_empty() {
        move_some(validation, train);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_get_some_of_the_dismissed_rows() {
        let shared = |train: Vec<usize>, validation: Vec<usize>| {
            let mut parts = [train, validation];
            share(&mut parts);
            parts
        };
        assert_eq!(shared(vec![1, 2], vec![]), [vec![1], vec![2]]);
        assert_eq!(
            shared(vec![], (0..6).collect()),
            [vec![4, 5], vec![0, 1, 2, 3]]
        );
        assert_eq!(shared(vec![7], vec![8, 9]), [vec![7], vec![8, 9]]);
    }
}
