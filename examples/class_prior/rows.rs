//! Runs that are kept.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// What tells a run from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    pub source: String,
    /// The share of anomalies among the unlabeled rows, in thousandths.
    pub alpha: u32,
    pub labels: usize,
    pub seed: u64,
    /// Whose labels they are, where not a random sample of the anomalies.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bias: String,
}

#[derive(Serialize, Deserialize)]
struct Row<T> {
    cell: Cell,
    found: T,
}

/// A file of runs, a line each.
pub struct Rows {
    path: PathBuf,
    file: File,
    done: HashSet<Cell>,
}

impl Rows {
    pub fn open(path: &Path) -> Outcome<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let text = fs::read_to_string(path)?;
        // A run that was cut off while it was written is run again.
        if !text.is_empty() && !text.ends_with('\n') {
            writeln!(file)?;
        }
        let rows = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Row<serde_json::Value>>(line).ok());
        let done = rows.map(|row| row.cell).collect();
        let path = path.into();
        Ok(Self { path, file, done })
    }

    pub fn has(&self, cell: &Cell) -> bool {
        self.done.contains(cell)
    }

    pub fn add<T: Serialize>(&mut self, cell: Cell, found: T) -> Outcome<()> {
        let line = serde_json::to_string(&Row {
            cell: cell.clone(),
            found,
        })?;
        writeln!(self.file, "{line}")?;
        self.done.insert(cell);
        Ok(())
    }

    /// All that can be read, in order.
    pub fn read<T: DeserializeOwned>(&self) -> Outcome<Vec<(Cell, T)>> {
        let text = fs::read_to_string(&self.path)?;
        let rows = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Row<T>>(line).ok());
        let mut rows: Vec<(Cell, T)> = rows.map(|row| (row.cell, row.found)).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows)
    }
}
