use std::ops::ControlFlow;

use super::{FittedDetector, shift_row};
use crate::Result;
use crate::data::Samples;
use crate::data::stream::Batches;

/// Rows of a file with what a detector makes of them, in the file's order; from
/// [`FittedDetector::score_table`].
///
/// ```
/// use puad::estimator::ScoredRows;
///
/// fn report(rows: &ScoredRows) {
///     for i in rows.flagged() {
///         let name = rows.ids.get(i).map_or("", |id| id);
///         println!("row {} {name}: {:.3}", rows.first + i as u64, rows.scores[i]);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScoredRows {
    /// The number of the first one in the file, counted from 0.
    pub first: u64,
    /// Rows of the file, where it says so (not in CSV).
    pub total: Option<u64>,
    /// What was read, `[n, ...]`, with the names of the columns.
    pub samples: Samples,
    /// The rows' own names, `[n]`; empty where the file has none.
    pub ids: Vec<String>,
    /// Anomaly scores, `[n]`, larger = more anomalous.
    pub scores: Vec<f64>,
    /// Whether each counts as an anomaly, `[n]`, by the detector's threshold.
    pub anomalous: Vec<bool>,
    /// The probability of each to be an anomaly, `[n]`; `None` if the fit had no labeled anomalies.
    pub probabilities: Option<Vec<f64>>,
}

impl ScoredRows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there is no row, which no batch of a file is.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Rows of the file scored so far, these included.
    pub fn rows(&self) -> u64 {
        self.first + self.len() as u64
    }

    /// Positions in these rows of those that count as anomalies.
    pub fn flagged(&self) -> impl Iterator<Item = usize> {
        let rows = self.anomalous.iter().enumerate();
        rows.filter_map(|(i, anomalous)| anomalous.then_some(i))
    }
}

impl FittedDetector {
    /// Scores a file of any size in one pass and in constant memory. `on_rows` gets some rows at a time with
    /// scores, decisions and probabilities, and may end the run. Returns the number of rows scored, 0 for a
    /// file without any.
    ///
    /// `table` is a [`TableReader`](crate::data::stream::TableReader), or its
    /// [`batches`](crate::data::stream::TableReader::batches) of a size of one's own.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use puad::data::stream::TableReader;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 1;
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
    /// let path = std::env::temp_dir().join(format!("puad-new-{}.csv", std::process::id()));
    /// std::fs::write(&path, ",a,b\nMonday,0,1\nTuesday,90,90\nFriday,1,0\n")?;
    ///
    /// let mut alarms = vec![];
    /// let rows = detector.score_table(TableReader::open(&path)?, |rows| {
    ///     alarms.extend(rows.flagged().map(|i| rows.ids[i].clone()));
    ///     println!("{} rows", rows.rows());
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(rows, 3);
    /// assert!(alarms.contains(&"Tuesday".to_string()));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`TableReader::next_batch`](crate::data::stream::TableReader::next_batch), and as
    /// [`score`](Self::score), rows counted from the start of the file.
    pub fn score_table(
        &self,
        table: impl Into<Batches>,
        mut on_rows: impl FnMut(&ScoredRows) -> ControlFlow<()>,
    ) -> Result<u64> {
        let mut batches = table.into();
        let total = batches.total();
        let mut first = 0;
        while let Some((samples, ids)) = batches.next_named()? {
            let scores = self.score(&samples);
            let scores = scores.map_err(|e| shift_row(e, first as usize))?;
            let of_each = |calibration: &super::Calibration| {
                scores.iter().map(|&s| calibration.probability(s)).collect()
            };
            let rows = ScoredRows {
                first,
                total,
                samples,
                ids,
                anomalous: scores
                    .iter()
                    .map(|&s| self.decision.is_anomaly(s))
                    .collect(),
                probabilities: self.calibration().map(of_each),
                scores,
            };
            first = rows.rows();
            if on_rows(&rows).is_break() {
                break;
            }
        }
        Ok(first)
    }
}
