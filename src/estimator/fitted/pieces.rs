use std::path::Path;

use super::FittedDetector;
use crate::Result;
use crate::data::stream::{Batches, TableReader};
use crate::data::table::{Schema, Table, TableBatches, TableFile};
use crate::estimator::Input;

/// Rows that are scored at a time.
const ROWS: usize = 4096;

/// A table that [`FittedDetector::score_table`] and [`FittedDetector::alarms`] take piece by piece: a
/// [`TableFile`] or a [`Table`], or a [`TableReader`] of numbers alone, or its [`Batches`] of a size of one's own.
pub trait TableSource {
    /// The rows in pieces; `schema` says what columns the detector has.
    ///
    /// # Errors
    /// Of the file; [`Error::Config`](crate::Error::Config) for a file of named columns and a detector whose
    /// columns have no names.
    fn pieces(self, schema: Result<Schema>) -> Result<Pieces>;
}

/// The rows of a [`TableSource`] that are still to come.
pub struct Pieces(Source);

enum Source {
    Numbers(Box<Batches>),
    File(Box<TableBatches>),
    Held { table: Table, next: usize },
}

impl TableSource for TableReader {
    fn pieces(self, schema: Result<Schema>) -> Result<Pieces> {
        Batches::from(self).pieces(schema)
    }
}

impl TableSource for Batches {
    fn pieces(self, _: Result<Schema>) -> Result<Pieces> {
        Ok(Pieces(Source::Numbers(Box::new(self))))
    }
}

impl TableSource for &TableFile {
    fn pieces(self, schema: Result<Schema>) -> Result<Pieces> {
        let batches = self.batches_with_ids(&schema?, ROWS)?;
        Ok(Pieces(Source::File(Box::new(batches))))
    }
}

impl TableSource for TableFile {
    fn pieces(self, schema: Result<Schema>) -> Result<Pieces> {
        (&self).pieces(schema)
    }
}

impl TableSource for Table {
    fn pieces(self, _: Result<Schema>) -> Result<Pieces> {
        Ok(Pieces(Source::Held {
            table: self,
            next: 0,
        }))
    }
}

impl TableSource for &Table {
    fn pieces(self, schema: Result<Schema>) -> Result<Pieces> {
        self.clone().pieces(schema)
    }
}

impl Pieces {
    pub(super) fn of(source: impl TableSource, detector: &FittedDetector) -> Result<Self> {
        source.pieces(detector.schema())
    }

    /// The next rows and their names.
    pub(super) fn next(&mut self) -> Result<Option<(Input, Vec<String>)>> {
        match &mut self.0 {
            Source::Numbers(batches) => {
                let batch = batches.next_named()?;
                Ok(batch.map(|(samples, ids)| (samples.into(), ids)))
            }
            Source::File(batches) => {
                let table = batches.next().transpose()?;
                Ok(table.map(named))
            }
            Source::Held { table, next } => {
                let rows: Vec<usize> = (*next..table.len().min(*next + ROWS)).collect();
                *next += rows.len();
                Ok((!rows.is_empty()).then(|| named(table.select(&rows))))
            }
        }
    }

    /// The file, until its end or an error.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Source::Numbers(batches) => batches.path(),
            Source::File(batches) => Some(batches.path()),
            Source::Held { .. } => None,
        }
    }

    /// The number of all rows, where it is known.
    pub(super) fn total(&self) -> Option<u64> {
        match &self.0 {
            Source::Numbers(batches) => batches.total(),
            Source::File(batches) => batches.total(),
            Source::Held { table, .. } => Some(table.len() as u64),
        }
    }
}

fn named(table: Table) -> (Input, Vec<String>) {
    let ids = table.ids().to_vec();
    (table.into(), ids)
}
