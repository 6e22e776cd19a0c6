use std::ops::ControlFlow;

use super::{FittedDetector, shift_row};
use crate::Result;
use crate::data::stream::TableReader;

/// How far [`FittedDetector::score_table`] has come.
///
/// ```
/// use puad::estimator::Progress;
///
/// let percent = |p: Progress| p.total.map(|total| 100 * p.rows / total);
/// assert_eq!(percent(Progress { rows: 50, total: Some(200) }), Some(25));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Samples scored so far.
    pub rows: u64,
    /// Samples in all, where the file says so (not in CSV).
    pub total: Option<u64>,
}

impl FittedDetector {
    /// Scores a file of any size, one training batch at a time, in constant memory. `on_batch` gets
    /// each batch's scores as they come, and may end the run. Returns the number of samples scored.
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
    /// std::fs::write(&path, "a,b\n0,1\n1,0\n5,5\n")?;
    ///
    /// let mut highest = f64::NEG_INFINITY;
    /// let rows = detector.score_table(TableReader::open(&path)?, |progress, scores| {
    ///     highest = scores.iter().copied().fold(highest, f64::max);
    ///     println!("{} rows", progress.rows);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(rows, 3);
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`TableReader::next_batch`], and as [`score`](Self::score), rows counted from the start of the
    /// file.
    pub fn score_table(
        &self,
        mut table: TableReader,
        mut on_batch: impl FnMut(Progress, &[f64]) -> ControlFlow<()>,
    ) -> Result<u64> {
        let size = self.config().train.batch_size;
        let total = table.len();
        let mut start = 0;
        while let Some(batch) = table.next_batch(size)? {
            let scores = self
                .score(batch)
                .map_err(|e| shift_row(e, start as usize))?;
            let rows = table.rows_read();
            if on_batch(Progress { rows, total }, &scores).is_break() {
                return Ok(rows);
            }
            start = rows;
        }
        Ok(start)
    }
}
