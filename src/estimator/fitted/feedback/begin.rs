use std::collections::BTreeMap;

use super::{Feedback, Label, Part};
use crate::data::PuDataset;
use crate::data::table::{Group, Table};
use crate::estimator::FittedDetector;
use crate::{Error, Result};

/// What scores of single precision may differ by on another device, relative to themselves and to the largest.
const ROUNDING: f64 = 1e-3;
const OF_THE_LARGEST: f64 = 1e-6;

impl FittedDetector {
    /// Begins a review of the unlabeled rows of the fit: `data` as [`fit_dataset`](crate::Estimator::fit_dataset) (or
    /// `fit`) had it, in its order. `labels` are what is known already: numbers of unlabeled rows, counted from 0, each
    /// with what it was found to be; none to begin with.
    ///
    /// # Errors
    /// As [`score`](Self::score) of samples that this detector does not take; [`Error::Config`] for another number of
    /// rows than the fit had, or for other rows, as far as those tell that the fit held out; as [`Feedback::add`].
    pub fn feedback(
        &self,
        data: &PuDataset,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let rows = (0..data.unlabeled().len()).collect();
        self.begun(data, rows, labels)
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
        let unlabeled = first.followed_by(&second.apart_from(first)?)?;
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
        let data = PuDataset::of_table(&samples, table, "feedback")?;
        self.begun(&data, table.rows_of(Group::Unlabeled), labels)
    }

    fn begun(
        &self,
        data: &PuDataset,
        rows: Vec<usize>,
        labels: impl IntoIterator<Item = (usize, Label)>,
    ) -> Result<Feedback> {
        let data = self.taken(data)?;
        let (fraction, seed) = (self.config.validation_fraction, self.config.train.seed);
        let (train, validation) = data.split(fraction, seed)?;
        let (of_train, of_validation) = data.split_positions(fraction, seed)?;
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
        if !self.kept_scores_of(&validation)? {
            let rule = "the fit's, every row as it was and where it was: those that it held out have other scores now";
            return Err(Error::config("data", rule, "others, or another order"));
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

    /// Whether the kept scores are those of these held-out samples, but for another device's rounding.
    fn kept_scores_of(&self, validation: &PuDataset) -> Result<bool> {
        // The fit scored them as it trains, gross values clipped.
        let clips = self.config.scaling.clips();
        let validation = match self.inputs.as_ref().filter(|_| clips) {
            Some(inputs) => inputs.clipped_groups(validation)?,
            None => validation.clone(),
        };
        let mut scores = self.scores_of(validation.unlabeled())?;
        scores.sort_unstable_by(f64::total_cmp);
        let kept = &self.decision.validation.unlabeled;
        let size = kept.iter().fold(0f64, |most, score| most.max(score.abs()));
        let near =
            |(a, b): (&f64, &f64)| (a - b).abs() <= ROUNDING * a.abs() + OF_THE_LARGEST * size;
        Ok(scores.iter().zip(kept).all(near))
    }

    /// In the columns, type and scale of the fit.
    fn taken(&self, data: &PuDataset) -> Result<PuDataset> {
        data.map(|samples| Ok(self.accepted(samples.clone(), self.check)?.0))
    }
}
