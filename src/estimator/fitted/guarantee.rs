use super::FittedDetector;
use crate::conformal::{NormalTail, Review, benjamini_hochberg};
use crate::data::table::Group;
use crate::estimator::{Discoveries, Input, IntoInput, Warning};
use crate::statistics::check_share;
use crate::{ClassPrior, Error, Result};

impl FittedDetector {
    /// The `most` highest of unlabeled calibration rows, to be looked at by a person:
    /// [`Threshold::ReviewedRate`](crate::estimator::Threshold::ReviewedRate) is set by what is left. The rows must have
    /// been used neither in training nor for the choice of its epoch. Of a table with labels its unlabeled rows are
    /// reviewed, by their numbers in the table.
    ///
    /// ```
    /// use puad::conformal::Review;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::estimator::Threshold;
    /// use puad::{ClassPrior, Estimator, FitConfig};
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 30;
    /// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    ///
    /// let new = toy::generate(&ToyConfig::default(), 1)?;
    /// let (normals, rate) = (new.normals.len(), 0.02);
    /// let calibration = [new.normals, new.unlabeled_anomalies].concat();
    /// let most = Review::enough(calibration.len(), rate, ClassPrior::new(0.08)?);
    /// let review = detector.review(&calibration, most)?;
    /// // What a person would say, here known.
    /// let is_anomaly = |row: &usize| *row >= normals;
    /// let anomalies: Vec<usize> = review.rows().iter().copied().filter(is_anomaly).collect();
    /// let reviewed = review.confirm(&anomalies)?;
    /// assert_eq!(reviewed.more(rate), 0);
    /// detector.set_threshold(Threshold::ReviewedRate { rate, reviewed })?;
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score) and [`Review::of`].
    pub fn review(&self, calibration: impl IntoInput, most: usize) -> Result<Review> {
        let calibration = calibration.into_input()?;
        let rows = rows_of(&calibration, Group::Unlabeled)?;
        let review = Review::of(&self.group_scores(calibration, Group::Unlabeled)?, most)?;
        Ok(match rows {
            Some(rows) => review.numbered(&rows),
            None => review,
        })
    }

    /// The scores of a group's rows: of a table with labels, those that have it. Labeled rows are no part of a random
    /// sample of what nobody knows. Where no row has a label, all.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] for a table with labels that has none of the group.
    pub(super) fn group_scores(&self, input: Input, group: Group) -> Result<Vec<f64>> {
        let rows = rows_of(&input, group)?;
        let scores = self.score(input)?;
        Ok(match rows {
            Some(rows) => rows.into_iter().map(|row| scores[row]).collect(),
            None => scores,
        })
    }

    /// What p-values are made of: the share of normals above a score, by normals or by unlabeled rows that were used
    /// neither in training nor for the choice of its epoch. See [`NormalTail::of_scores`] for what is assumed.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn normal_tail(&self, calibration: impl IntoInput) -> Result<NormalTail> {
        let calibration = calibration.into_input()?;
        let group = match rows_of(&calibration, Group::Unlabeled) {
            Ok(_) => Group::Unlabeled,
            Err(_) => Group::Normal,
        };
        NormalTail::of_scores(&self.group_scores(calibration, group)?)
    }

    /// As [`normal_tail`](Self::normal_tail) of unlabeled rows, with the anomalies' part taken out: by labeled anomalies
    /// that were not trained on, or those of the validation part, which are often too few, and by the detector's class
    /// prior or another. See [`NormalTail::corrected`] for what is assumed.
    ///
    /// # Errors
    /// As [`score`](Self::score) and [`NormalTail::corrected`].
    pub fn corrected_tail(
        &self,
        unlabeled: impl IntoInput,
        anomalies: Option<Input>,
        prior: Option<ClassPrior>,
    ) -> Result<NormalTail> {
        let anomalies = match anomalies {
            Some(rows) => self.group_scores(rows, Group::Anomalous)?,
            None => self.decision.validation.anomalies.clone(),
        };
        let prior = prior.unwrap_or(self.decision.prior);
        let unlabeled = self.group_scores(unlabeled.into_input()?, Group::Unlabeled)?;
        NormalTail::corrected(&unlabeled, &anomalies, prior)
    }

    /// The alarms of a batch, of which on average at most the share `q`, in (0, 1), is false
    /// ([`benjamini_hochberg`], which has what is assumed). The threshold plays no part: how many are raised depends on
    /// how many stand out in the batch. `tail` is made once, of rows that are not in the batch.
    ///
    /// Where nothing is found although rows lie above all calibration rows, because there are too few of these,
    /// [`Warning::CoarsePValues`] says how many would do.
    ///
    /// ```
    /// use puad::ClassPrior;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::estimator::{IntoInput, Warning};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mixed = |seed| toy::generate(&ToyConfig::default(), seed);
    /// let toy = mixed(0)?;
    /// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
    /// let mut config = FitConfig { prior: ClassPrior::new(0.08)?.into(), ..FitConfig::default() };
    /// config.train.epochs = 60;
    /// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
    ///
    /// // Rows and anomalies that were not trained on; four more draws of the same.
    /// let (mut calibration, mut anomalies) = (Vec::new(), Vec::new());
    /// for seed in 1..5 {
    ///     let new = mixed(seed)?;
    ///     calibration.extend([new.normals, new.unlabeled_anomalies].concat());
    ///     anomalies.extend(new.labeled_anomalies);
    /// }
    /// let tail = detector.corrected_tail(&calibration, Some((&anomalies).into_input()?), None)?;
    /// let today = mixed(5)?;
    /// let normals = today.normals.len();
    /// let batch = [today.normals, today.unlabeled_anomalies].concat();
    /// let found = detector.discoveries(&batch, &tail, 0.1)?;
    /// let rows = found.rows();
    /// let wrong = rows.iter().filter(|row| **row < normals).count();
    /// assert!(2 * wrong <= rows.len());
    ///
    /// // Few calibration rows tell nothing apart.
    /// let tail = detector.normal_tail(&batch[..30])?;
    /// let found = detector.discoveries(&batch[600..], &tail, 0.01)?;
    /// assert!(found.rows().is_empty());
    /// assert!(matches!(found.warnings[..], [Warning::CoarsePValues { rows: 30, .. }]));
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`detect`](Self::detect) and [`benjamini_hochberg`].
    pub fn discoveries(
        &self,
        rows: impl IntoInput,
        tail: &NormalTail,
        q: f64,
    ) -> Result<Discoveries> {
        check_share("q", q)?;
        let found = self.detect(rows)?;
        let p_values = tail.p_values(&found.scores)?;
        let anomalous = benjamini_hochberg(&p_values, q)?;
        let mut warnings = found.warnings;
        if !anomalous.contains(&true) {
            warnings.extend(coarse(&p_values, tail, q));
        }
        Ok(Discoveries {
            scores: found.scores,
            p_values,
            anomalous,
            warnings,
        })
    }
}

/// The rows of a group, by the labels of a table; `None` where no row has one, so that all are what the caller says.
pub(super) fn rows_of(input: &Input, group: Group) -> Result<Option<Vec<usize>>> {
    let table = match input {
        Input::Table(table) if table.labels().is_some() => table,
        _ => return Ok(None),
    };
    let rows = table.rows_of(group);
    if !rows.is_empty() {
        return Ok(Some(rows));
    }
    if table.rows_of(Group::Unlabeled).len() == table.len() {
        return Ok(None);
    }
    let what = "a table with labels";
    let group = match group {
        Group::Unlabeled => "unlabeled",
        Group::Anomalous => "anomalous",
        Group::Normal => "normal",
    };
    Err(Error::EmptyGroup { what, group })
}

/// Where nothing was found: whether there are too few calibration rows for what lies above all of them.
fn coarse(p_values: &[f64], tail: &NormalTail, q: f64) -> Option<Warning> {
    let above = p_values.iter().filter(|p| **p <= tail.finest()).count();
    let share = q * above as f64 / p_values.len() as f64;
    (above > 0).then(|| Warning::CoarsePValues {
        rows: tail.rows(),
        needed: tail.rows_for(share),
    })
}
