use puad::FittedDetector;
use puad::estimator::{Feedback, Input, Label};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Options, Outcome};

/// A fit, and what is true of its rows and of others.
pub struct Problem {
    pub detector: FittedDetector,
    /// Before the first round.
    pub feedback: Feedback,
    /// The unlabeled rows by their numbers, with whether they are anomalies.
    pub unlabeled: Vec<(usize, bool)>,
    /// Rows that no fit sees.
    pub test: Input,
    pub anomalous: Vec<bool>,
}

/// Who picks the rows that a person looks at.
#[derive(Clone, Copy, PartialEq)]
pub enum Picking {
    Suggested,
    Random,
}

/// The detector behind a round.
pub struct Round {
    /// Anomalies confirmed so far.
    pub found: usize,
    /// Precision of as many test rows, the highest, as are anomalies.
    pub top: f64,
    /// Precision of the test rows above the threshold; 0 without any.
    pub precision: f64,
    /// Recall of the test's anomalies there.
    pub recall: f64,
}

impl Problem {
    /// Anomalies among the unlabeled rows.
    pub fn hidden(&self) -> usize {
        self.unlabeled
            .iter()
            .filter(|(_, anomalous)| *anomalous)
            .count()
    }

    /// The detector before the first round, and behind each.
    pub fn rounds(&self, picking: Picking, options: &Options, seed: u64) -> Outcome<Vec<Round>> {
        let (mut detector, mut feedback) = (self.detector.clone(), self.feedback.clone());
        let mut at_random: Vec<usize> = self.unlabeled.iter().map(|(row, _)| *row).collect();
        at_random.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut rounds = vec![self.judge(&detector, &feedback)?];
        for round in 0..options.rounds {
            let rows: Vec<usize> = match picking {
                Picking::Suggested => {
                    let found = feedback.suggest(&detector, options.labels, &options.suggest())?;
                    found.iter().map(|suggestion| suggestion.row).collect()
                }
                Picking::Random => {
                    let from = round * options.labels;
                    at_random[from..from + options.labels].to_vec()
                }
            };
            feedback.add(rows.into_iter().map(|row| (row, self.label(row))))?;
            detector = detector.refit(&feedback, &options.refit())?;
            rounds.push(self.judge(&detector, &feedback)?);
        }
        Ok(rounds)
    }

    /// What a person finds.
    fn label(&self, row: usize) -> Label {
        let anomalous = self
            .unlabeled
            .iter()
            .any(|&(of, anomalous)| of == row && anomalous);
        if anomalous {
            Label::Anomaly
        } else {
            Label::Normal
        }
    }

    fn judge(&self, detector: &FittedDetector, feedback: &Feedback) -> Outcome<Round> {
        let found = detector.detect(&self.test)?;
        let mut order: Vec<usize> = (0..self.anomalous.len()).collect();
        order.sort_by(|&a, &b| found.scores[b].total_cmp(&found.scores[a]));
        let anomalies = self.anomalous.iter().filter(|of| **of).count();
        let right = |rows: &[usize]| rows.iter().filter(|&&row| self.anomalous[row]).count() as f64;
        let alarms: Vec<usize> = order
            .iter()
            .copied()
            .filter(|&row| found.anomalous[row])
            .collect();
        Ok(Round {
            found: feedback.confirmed(),
            top: right(&order[..anomalies]) / anomalies as f64,
            precision: right(&alarms) / alarms.len().max(1) as f64,
            recall: right(&alarms) / anomalies as f64,
        })
    }
}
