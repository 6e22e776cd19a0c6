use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::Tensor;

use super::{Detections, FittedDetector, InputCheck, Pieces, TableSource, Warning, shift_row};
use crate::data::Samples;
use crate::estimator::Input;
use crate::estimator::inputs::{SEVERAL, distance};
use crate::{Error, Result};

/// Rows of a file with what a detector makes of them, in the file's order; from
/// [`FittedDetector::score_table`].
///
/// ```
/// use puad::estimator::ScoredRows;
///
/// fn report(rows: &ScoredRows) {
///     for i in rows.flagged() {
///         let name = rows.ids.get(i).map_or("", |id| id);
///         println!("row {} {name}: {:.3}", rows.first + i as u64, rows.found.scores[i]);
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
    /// What was read.
    pub input: Input,
    /// The rows' own names, `[n]`; empty where the file has none.
    pub ids: Vec<String>,
    /// Scores, decisions and probabilities, `[n]` each, and what was noticed of these rows.
    pub found: Detections,
}

impl ScoredRows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.found.scores.len()
    }

    /// Whether there is no row, which no batch of a file is.
    pub fn is_empty(&self) -> bool {
        self.found.scores.is_empty()
    }

    /// Rows of the file scored so far, these included.
    pub fn rows(&self) -> u64 {
        self.first + self.len() as u64
    }

    /// Positions in these rows of those that count as anomalies.
    pub fn flagged(&self) -> impl Iterator<Item = usize> {
        let rows = self.found.anomalous.iter().enumerate();
        rows.filter_map(|(i, anomalous)| anomalous.then_some(i))
    }
}

/// What [`FittedDetector::score_table`] says of a file.
///
/// ```
/// use puad::estimator::TableScored;
///
/// let summary = |of: &TableScored| format!("{} of {} rows flagged", of.flagged, of.rows);
/// assert_eq!(summary(&TableScored::default()), "0 of 0 rows flagged");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TableScored {
    /// Rows scored.
    pub rows: u64,
    /// How many of them count as anomalies.
    pub flagged: u64,
    /// What was noticed, once a column.
    pub warnings: Vec<Warning>,
}

impl TableScored {
    fn add(&mut self, rows: &ScoredRows) {
        self.rows = rows.rows();
        self.flagged += rows.flagged().count() as u64;
        for warning in &rows.found.warnings {
            if !self.warnings.iter_mut().any(|known| joined(known, warning)) {
                self.warnings.push(warning.clone());
            }
        }
    }
}

/// Whether a warning says of other rows what `known` says, which then says it of both.
fn joined(known: &mut Warning, more: &Warning) -> bool {
    match (known, more) {
        (
            Warning::FarOutside {
                samples: of,
                column: at,
                count: all,
                value: farthest,
                low,
                high,
            },
            Warning::FarOutside {
                samples,
                column,
                count,
                value,
                ..
            },
        ) if of == samples && at == column => {
            let off = |x| distance((*low, *high), x);
            if off(*value) > off(*farthest) {
                *farthest = *value;
            }
            *all += count;
            true
        }
        (
            Warning::NewLevels {
                samples: of,
                column: at,
                count: all,
                ..
            },
            Warning::NewLevels {
                samples,
                column,
                count,
                ..
            },
        ) if of == samples && at == column => {
            *all += count;
            true
        }
        // The first says enough.
        (Warning::OtherScale { .. }, Warning::OtherScale { .. }) => true,
        (known, more) => known == more,
    }
}

impl FittedDetector {
    /// Scores a file of any size in one pass and in constant memory. `on_rows` gets some rows at a time with
    /// scores, decisions and probabilities, and may end the run. A file without rows is no error.
    ///
    /// `table` is a [`TableFile`](crate::data::table::TableFile) or a [`Table`](crate::data::table::Table) of named
    /// columns, or a [`TableReader`](crate::data::stream::TableReader) of numbers alone, or its
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
    /// let scored = detector.score_table(TableReader::open(&path)?, |rows| {
    ///     alarms.extend(rows.flagged().map(|i| rows.ids[i].clone()));
    ///     println!("{} rows", rows.rows());
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!((scored.rows, scored.flagged), (3, alarms.len() as u64));
    /// println!("{:?}", scored.warnings); // Tuesday's values lie far outside of what the fit saw.
    /// assert!(alarms.contains(&"Tuesday".to_string()));
    /// std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`TableReader::next_batch`](crate::data::stream::TableReader::next_batch), and
    /// [`Error::InFile`] with an error as of [`score`](Self::score), rows counted from the start of the file.
    /// Whether the file is in the type and scale of the fit is decided by its first batch, or batches of twenty rows
    /// together, before a row is handed out; later rows in another scale are scored, with a warning.
    pub fn score_table(
        &self,
        table: impl TableSource,
        mut on_rows: impl FnMut(&ScoredRows) -> ControlFlow<()>,
    ) -> Result<TableScored> {
        let mut reading = Reading::new(self, table)?;
        let mut all = TableScored {
            warnings: reading.judge()?,
            ..TableScored::default()
        };
        while let Some(piece) = reading.next()? {
            let first = all.rows;
            // What is noticed from here on loses no row.
            let found = self.detect_in(piece.samples, InputCheck::Warn);
            let mut found = found.map_err(|e| reading.in_file(shift_row(e, first as usize)))?;
            // The beginning of the file has decided.
            let of_all = |w: &Warning| !matches!(w, Warning::OtherUnit { .. });
            found.warnings.retain(of_all);
            found.warnings.splice(..0, piece.warnings);
            let rows = ScoredRows {
                first,
                total: reading.total,
                input: piece.input,
                ids: piece.ids,
                found,
            };
            all.add(&rows);
            if on_rows(&rows).is_break() {
                break;
            }
        }
        Ok(all)
    }

    /// As [`score_table`](Self::score_table), to its end or to the first error of `on_rows`.
    ///
    /// # Errors
    /// As there, and that one.
    pub(super) fn try_score_table(
        &self,
        table: impl TableSource,
        mut on_rows: impl FnMut(&ScoredRows) -> Result<()>,
    ) -> Result<TableScored> {
        let mut failed = None;
        let scored = self.score_table(table, |rows| match on_rows(rows) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(scored), Err)
    }
}

/// Some rows, as they were read and as numbers.
struct Piece {
    input: Input,
    samples: Samples,
    ids: Vec<String>,
    warnings: Vec<Warning>,
}

/// A table that is being scored.
struct Reading<'a> {
    detector: &'a FittedDetector,
    pieces: Pieces,
    path: Option<PathBuf>,
    total: Option<u64>,
    /// Rows read.
    read: usize,
    /// Read to judge by, and not yet scored.
    opening: VecDeque<Piece>,
}

impl<'a> Reading<'a> {
    fn new(detector: &'a FittedDetector, table: impl TableSource) -> Result<Self> {
        let pieces = Pieces::of(table, detector)?;
        Ok(Self {
            detector,
            path: pieces.path().map(Path::to_path_buf),
            total: pieces.total(),
            pieces,
            read: 0,
            opening: VecDeque::new(),
        })
    }

    /// Whether the first batches, of as many rows as it takes to tell another scale, are in the type and scale of
    /// the fit.
    fn judge(&mut self) -> Result<Vec<Warning>> {
        while self.read < SEVERAL {
            let Some(piece) = self.read()? else {
                break;
            };
            self.opening.push_back(piece);
        }
        let whole = whole(self.opening.iter().map(|piece| &piece.samples))?;
        let Some(judged) = whole else {
            return Ok(vec![]);
        };
        let detector = self.detector;
        let accepted = detector.accepted(judged, detector.check);
        Ok(accepted.map_err(|e| self.in_file(e))?.1)
    }

    fn next(&mut self) -> Result<Option<Piece>> {
        match self.opening.pop_front() {
            None => self.read(),
            held => Ok(held),
        }
    }

    fn read(&mut self) -> Result<Option<Piece>> {
        let Some((input, ids)) = self.pieces.next()? else {
            return Ok(None);
        };
        let numbers = self.detector.numbers(&input);
        let numbers = numbers.map_err(|e| self.in_file(shift_row(e, self.read)));
        let (samples, warnings) = numbers?;
        self.read += input.len();
        Ok(Some(Piece {
            input,
            samples,
            ids,
            warnings,
        }))
    }

    fn in_file(&self, error: Error) -> Error {
        match self.path.clone() {
            Some(path) => Error::InFile {
                path,
                error: Box::new(error),
            },
            None => error,
        }
    }
}

/// Samples of one file as one; of 8-bit images, which are not compared by scale, the first.
fn whole<'a>(mut samples: impl Iterator<Item = &'a Samples>) -> Result<Option<Samples>> {
    let Some(first) = samples.next() else {
        return Ok(None);
    };
    let (true, Some(next)) = (first.tensor().is_some(), samples.next()) else {
        return Ok(Some(first.clone()));
    };
    let tensors = [first, next].into_iter().chain(samples);
    let tensors: Vec<Tensor> = tensors.map(Samples::to_tensor).collect::<Result<_>>()?;
    let names = first.names();
    Samples::from(Tensor::cat(&tensors, 0)?)
        .with_names(names)
        .map(Some)
}
