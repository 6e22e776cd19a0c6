use super::{Feedback, Label, Part};
use crate::data::{PuDataset, Samples};
use crate::{Error, Result};

/// The groups that a refit trains on and validates by.
pub(in crate::estimator::fitted) struct Groups {
    pub(in crate::estimator::fitted) train: PuDataset,
    pub(in crate::estimator::fitted) validation: PuDataset,
    /// Dismissed rows that were left among the unlabeled ones, because they are too few to be in both parts.
    pub(in crate::estimator::fitted) left: usize,
}

impl Groups {
    /// Of the labeled anomalies of both parts, one part behind the other, which were labeled before the review, so many of
    /// each part: confirmed ones stand behind them.
    pub(in crate::estimator::fitted) fn calibrating(&self, labeled: [usize; 2]) -> Vec<bool> {
        let mut all = Vec::new();
        for (data, labeled) in [&self.train, &self.validation].into_iter().zip(labeled) {
            let anomalies = data.anomalies().map_or(0, Samples::len);
            all.extend((0..anomalies).map(|row| row < labeled));
        }
        all
    }
}

impl Feedback {
    /// Labeled anomalies of each part before the review.
    pub(in crate::estimator::fitted) fn labeled(&self) -> [usize; 2] {
        [0, 1].map(|part| self.parts[part].data.anomalies().map_or(0, Samples::len))
    }

    /// The held-out part as it came, reviewed rows among its unlabeled ones: what threshold and probabilities are made
    /// of, because new data come unreviewed too. Confirmed anomalies are not among its labeled ones: they were picked by
    /// their scores.
    pub(in crate::estimator::fitted) fn held_out(&self) -> &PuDataset {
        &self.parts[1].data
    }

    /// Confirmed anomalies with the labeled ones, dismissed rows with the labeled normals if these are learned from, each
    /// in its part.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] if no unlabeled row is left in a part.
    pub(in crate::estimator::fitted) fn groups(&self, normals: bool) -> Result<Groups> {
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
        let rows = self.unlabeled.select(&positions)?;
        match group {
            Some(group) => group.followed_by(&rows.apart_from(group)?).map(Some),
            None => Ok(Some(rows)),
        }
    }
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
