//! The rows of a cell, from the files of `tests/fixtures/splits.py`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use puad::candle_core::{Device, Tensor};
use puad::data::Samples;
use puad::data::array::Array;
use puad::data::npz::Npz;
use puad::estimator::IntoSamples;

use crate::cell::Cell;

/// What a method sees, and what it is measured by.
pub struct Split {
    pub unlabeled: Samples,
    pub anomalies: Samples,
    pub test: Samples,
    /// Of the test rows, whether they are anomalies.
    pub is_anomaly: Vec<bool>,
    /// Of the test rows, whether they count.
    pub counts: Vec<bool>,
    /// The share of anomalies among the unlabeled rows.
    pub prior: f64,
}

impl Split {
    /// # Errors
    /// A file that is not there or lacks an array, arrays that do not belong together.
    pub fn load(folder: &Path, cell: &Cell) -> anyhow::Result<Self> {
        let [rows, truth] = paths(folder, cell);
        let mut arrays = open(folder, &rows)?;
        let mut samples = |key: &str| table(&arrays.read(key)?).with_context(|| at(&rows, key));
        let (unlabeled, anomalies, test) = (samples("U")?, samples("A")?, samples("T")?);
        let mut arrays = open(folder, &truth)?;
        let mut flags = |key: &str, of: &Samples| {
            flags(&arrays.read(key)?, of.len()).with_context(|| at(&truth, key))
        };
        let hidden = flags("yU", &unlabeled)?;
        let anomalous = hidden.iter().filter(|&&flag| flag).count();
        Ok(Self {
            is_anomaly: flags("y", &test)?,
            counts: flags("mask", &test)?,
            prior: anomalous as f64 / hidden.len() as f64,
            unlabeled,
            anomalies,
            test,
        })
    }

    /// Scores and labels of the test rows that count.
    pub fn counted(&self, scores: &[f64]) -> (Vec<f64>, Vec<bool>) {
        let rows = scores.iter().zip(&self.is_anomaly).zip(&self.counts);
        rows.filter(|(_, counts)| **counts)
            .map(|((score, label), _)| (*score, *label))
            .unzip()
    }
}

/// Whether the cell has files. It has none where the set has too few anomalies for the setting.
///
/// # Errors
/// If there is no cell of this set and seed: the file, and what makes it.
pub fn exists(folder: &Path, cell: &Cell) -> anyhow::Result<bool> {
    let [rows, _] = paths(folder, cell);
    if rows.try_exists()? {
        return Ok(true);
    }
    let entries = std::fs::read_dir(folder).map_err(|_| missing(folder, &rows))?;
    let (start, end) = (format!("{}__", cell.set), format!("__{}.npz", cell.seed));
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&start) && name.ends_with(&end) {
            return Ok(false);
        }
    }
    Err(missing(folder, &rows))
}

fn paths(folder: &Path, cell: &Cell) -> [PathBuf; 2] {
    [".npz", ".y.npz"].map(|ending| folder.join(cell.stem() + ending))
}

fn missing(folder: &Path, path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is missing: `python tests/fixtures/splits.py DATA/adbench {}` makes the splits of the sets in DATA/adbench, \
         for seeds 0 to 2",
        path.display(),
        folder.display()
    )
}

fn at(path: &Path, key: &str) -> String {
    format!("{}, array {key}", path.display())
}

fn open(folder: &Path, path: &Path) -> anyhow::Result<Npz> {
    if !path.try_exists()? {
        bail!(missing(folder, path));
    }
    Ok(Npz::open(path)?)
}

/// `[rows, columns]`, in the 32 bits that the splits have.
fn table(array: &Array) -> anyhow::Result<Samples> {
    let &[rows, columns] = array.shape() else {
        bail!("rows and columns are wanted, got shape {:?}", array.shape());
    };
    let values = array.to_f64().into_iter().map(|value| value as f32);
    let tensor = Tensor::from_vec(values.collect::<Vec<f32>>(), (rows, columns), &Device::Cpu)?;
    Ok(tensor.into_samples()?)
}

/// A value of 0 or 1 for each of `rows`.
fn flags(array: &Array, rows: usize) -> anyhow::Result<Vec<bool>> {
    let (shape, values) = (array.shape(), array.to_f64());
    ensure!(shape == [rows], "shape [{rows}] is wanted, got {shape:?}");
    if let Some(row) = values.iter().position(|value| ![0., 1.].contains(value)) {
        bail!("0 or 1 is wanted, got {} in row {row}", values[row]);
    }
    Ok(values.into_iter().map(|value| value == 1.).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Setting;
    use crate::tiny;

    fn cell(set: &str, setting: Setting, seed: u64) -> Cell {
        let set = set.into();
        Cell { set, setting, seed }
    }

    #[test]
    fn a_split_is_what_its_files_say() {
        let dir = tempfile::tempdir().unwrap();
        tiny::write(dir.path(), "tiny__novel__2");
        let cell = cell("tiny", Setting::Novel, 2);
        let split = Split::load(dir.path(), &cell).unwrap();
        let lengths = [&split.unlabeled, &split.anomalies, &split.test].map(Samples::len);
        assert_eq!(lengths, [tiny::UNLABELED, tiny::LABELED, tiny::TEST]);
        assert_eq!(split.prior, 0.1);
        // Of twenty anomalies, the last in the test, half do not count.
        let rows: Vec<f64> = (0..tiny::TEST).map(|row| row as f64).collect();
        let (scores, labels) = split.counted(&rows);
        assert_eq!(scores.len(), tiny::TEST - 10);
        assert_eq!(labels.iter().filter(|&&label| label).count(), 10);
        assert_eq!(scores.last(), Some(&(tiny::TEST as f64 - 11.)));
    }

    #[test]
    fn what_is_missing_is_named_with_what_makes_it() {
        let dir = tempfile::tempdir().unwrap();
        tiny::write(dir.path(), "tiny__L10__0");
        let is_there = |set, setting, seed| exists(dir.path(), &cell(set, setting, seed));
        assert!(is_there("tiny", Setting::L10, 0).unwrap());
        assert!(!is_there("tiny", Setting::Novel, 0).unwrap());
        for (set, seed) in [("tiny", 1), ("tin", 0)] {
            let error = is_there(set, Setting::L10, seed).unwrap_err().to_string();
            let told = [
                format!("{set}__L10__{seed}.npz is missing"),
                "python tests/fixtures/splits.py".into(),
            ];
            assert!(told.iter().all(|told| error.contains(told)), "{error}");
        }
        let nowhere = dir.path().join("nowhere");
        let error = exists(&nowhere, &cell("tiny", Setting::L10, 0)).unwrap_err();
        assert!(error.to_string().contains("is missing"), "{error}");
        std::fs::remove_file(dir.path().join("tiny__L10__0.y.npz")).unwrap();
        let error = Split::load(dir.path(), &cell("tiny", Setting::L10, 0));
        let error = error.err().unwrap().to_string();
        assert!(error.contains("tiny__L10__0.y.npz is missing"), "{error}");
    }

    #[test]
    fn arrays_that_do_not_belong_together_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let of = |flags: &[u8]| {
            let path = dir.path().join("flags.npz");
            tiny::archive(&path, &[("y", tiny::npy("|u1", &[flags.len()], flags))]);
            Npz::open(&path).unwrap().read("y").unwrap()
        };
        assert_eq!(flags(&of(&[0, 1]), 2).unwrap(), [false, true]);
        let error = flags(&of(&[0, 1]), 3).unwrap_err().to_string();
        assert_eq!(error, "shape [3] is wanted, got [2]");
        let error = flags(&of(&[0, 2]), 2).unwrap_err().to_string();
        assert_eq!(error, "0 or 1 is wanted, got 2 in row 1");
        let error = table(&of(&[0, 1])).err().unwrap().to_string();
        assert_eq!(error, "rows and columns are wanted, got shape [2]");
    }
}
