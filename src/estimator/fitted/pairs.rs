use std::fmt;

use candle_core::Tensor;

use super::{FittedDetector, Reason};
use crate::estimator::IntoInput;
use crate::model::Occlusion;
use crate::{Error, Result};

/// Two columns of a row that do not go together, from [`FittedDetector::pairs`].
///
/// ```
/// use puad::estimator::{Column, Observed, Pair, Reason};
///
/// let reason = |index, name: &str, value| Reason {
///     column: Column { index, name: Some(name.into()), channel: false },
///     value: Observed::Number(value),
///     usual: None,
///     contribution: 0.5,
/// };
/// let columns = [reason(0, "width", 9.), reason(1, "height", 1.)];
/// let pair = Pair { columns, contribution: 4., beyond: 3.5 };
/// assert_eq!(pair.to_string(), "width is 9 while height is 1");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The two, each with what it contributes alone, which may be below 0.
    pub columns: [Reason; 2],
    /// By how much the score falls with the two values of a usual row in their places.
    pub contribution: f64,
    /// How much of that neither column's own contribution has, > 0.
    pub beyond: f64,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two] = &self.columns;
        let (one, two) = (one.observed(), two.observed());
        write!(f, "{one} while {two}")
    }
}

impl FittedDetector {
    /// Pairs of columns that explain more of a row's score together than the weightier of the two does alone: at most
    /// `most` a row, those first that gain most. Each may be usual by itself, as a large width and a small height are.
    ///
    /// Both are replaced by the values of one unlabeled training row at a time. For `d` columns that takes
    /// `d (d + 1) / 2` times the stored rows (32 up to 256 numbers) in scores for each row: 14,560 for 30 columns.
    ///
    /// ```
    /// use puad::{Estimator, FitConfig};
    ///
    /// // Twice as high as wide, or else 8 and 0.
    /// let usual: Vec<[f64; 3]> = (0..400).map(|i| f64::from(i % 40)).map(|x| [x / 4., x / 2., x % 3.]).collect();
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 60;
    /// let detector = Estimator::new(config).fit(&usual, vec![[8f64, 0., 1.]; 10])?;
    /// let pairs = detector.pairs(&[[8f64, 0., 1.]], 1)?;
    /// assert_eq!(pairs[0][0].to_string(), "column 0 is 8 while column 1 is 0");
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`reasons`](Self::reasons); [`Error::EmptyGroup`] for a detector from an old file, without stored rows.
    pub fn pairs(&self, input: impl IntoInput, most: usize) -> Result<Vec<Vec<Pair>>> {
        let input = input.into_input()?;
        let samples = self.vectors(&input, self.check)?;
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let reference = self.reference.as_ref().ok_or(Error::EmptyGroup {
            what: "an explanation by occlusion",
            group: "unlabeled",
        })?;
        let parts = match &self.encoding {
            Some(encoding) => encoding.sources(),
            None => (0..samples.sample_shape()[0]).collect(),
        };
        let pairs = each_pair(parts.iter().max().map_or(0, |last| last + 1));
        let score = |xs: &Tensor| self.model.score(xs);
        let occlusion = Occlusion::new(&score, reference, self.device())?;
        let values = self.values(&input, &samples)?;
        let mut told = Vec::with_capacity(samples.len());
        for raw in samples.batches(self.config.train.batch_size, samples.device())? {
            let xs = self.explained(told.len(), &raw?)?;
            for falls in occlusion.pairs(&xs, &parts, &pairs)? {
                let row = told.len();
                let reason = |column: usize| {
                    self.reason(column, values.at(row, column), falls[column].into())
                };
                let mut found = gains(&pairs, &falls);
                found.truncate(most);
                let found = found.into_iter().map(|(at, beyond)| Pair {
                    columns: [reason(pairs[at].0), reason(pairs[at].1)],
                    contribution: falls[at].into(),
                    beyond: beyond.into(),
                });
                told.push(found.collect());
            }
        }
        Ok(told)
    }
}

/// The columns by themselves, and behind them each two.
fn each_pair(columns: usize) -> Vec<(usize, usize)> {
    let alone = (0..columns).map(|one| (one, one));
    let two = (0..columns).flat_map(|one| (one + 1..columns).map(move |two| (one, two)));
    alone.chain(two).collect()
}

/// The pairs of two by which the score falls more than by either alone, and by how much; the most first.
fn gains(pairs: &[(usize, usize)], falls: &[f32]) -> Vec<(usize, f32)> {
    let gain = |at: usize| {
        let (one, two) = pairs[at];
        falls[at] - falls[one].max(falls[two]).max(0.)
    };
    let two = (0..pairs.len()).filter(|&at| pairs[at].0 != pairs[at].1);
    let mut gains: Vec<(usize, f32)> = two
        .map(|at| (at, gain(at)))
        .filter(|(_, gain)| *gain > 0.)
        .collect();
    gains.sort_by(|a, b| b.1.total_cmp(&a.1));
    gains
}
