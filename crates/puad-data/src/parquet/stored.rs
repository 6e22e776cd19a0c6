//! Rows of a Parquet file at any place.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::caught;
use super::file::ParquetFile;
use super::rows::Rows;
use super::table::{Features, ParquetOptions, read};
use crate::Result;
use crate::batch::{Batch, Values};
use crate::stored_rows::StoredRows;

/// Groups are decoded whole.
pub(super) struct StoredParquet {
    file: Arc<ParquetFile>,
    features: Features,
    ends: Vec<u64>,
    /// The group of which a part was read last: the next part is often its neighbour.
    held: Mutex<Option<(usize, Values)>>,
}

impl StoredParquet {
    pub(super) fn open(path: &Path, options: &ParquetOptions) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let features = Features::of(&file, options)?;
        let mut end = 0;
        let ends = (0..file.groups()).map(|group| {
            end += file.group_rows(group);
            end
        });
        Ok(Self {
            ends: ends.collect(),
            features,
            file: Arc::new(file),
            held: Mutex::new(None),
        })
    }

    fn group(&self, group: usize) -> Result<Values> {
        let (file, columns) = (Arc::clone(&self.file), self.features.columns.clone());
        let (rows, width) = (self.file.group_rows(group) as usize, columns.len());
        let mut rows_of = Rows::of_groups(file, columns, group..group + 1);
        let (values, _) = caught(self.file.path(), || read(&mut rows_of, width, rows, false))?;
        Ok(Values::new(values, self.features.fits_f32))
    }

    /// Appends the rows `from .. to` of a group.
    fn append(&self, all: &mut Values, group: usize, from: usize, to: usize) -> Result<()> {
        let width = self.features.columns.len();
        if (from, to as u64) == (0, self.file.group_rows(group)) {
            all.extend(self.group(group)?);
            return Ok(());
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|(at, _)| *at != group) {
            // Two of them at once would be too much.
            *held = None;
            *held = Some((group, self.group(group)?));
        }
        if let Some((_, values)) = &*held {
            all.extend(values.part(from * width..to * width));
        }
        Ok(())
    }
}

impl StoredRows for StoredParquet {
    fn sample_shape(&self) -> Vec<usize> {
        vec![self.features.columns.len()]
    }

    fn count(&self) -> u64 {
        self.file.rows()
    }

    fn columns(&self) -> Vec<String> {
        self.features.names.clone()
    }

    fn chunk_ends(&self) -> Vec<u64> {
        let mut ends = self.ends.clone();
        // Groups without rows are none.
        ends.dedup();
        ends.retain(|&end| end > 0);
        ends
    }

    fn read(&self, first: u64, count: usize) -> Result<Batch> {
        let end = first + count as u64;
        let mut values = Values::new(vec![], self.features.fits_f32);
        for group in self.ends.partition_point(|&end| end <= first)..self.ends.len() {
            let (stop, rows) = (self.ends[group], self.file.group_rows(group));
            let start = stop - rows;
            if start >= end {
                break;
            }
            let (from, to) = (first.max(start) - start, end.min(stop) - start);
            if from < to {
                self.append(&mut values, group, from as usize, to as usize)?;
            }
        }
        Ok(Batch {
            shape: vec![count, self.features.columns.len()],
            values,
            ids: vec![],
        })
    }
}
