use std::path::Path;

use super::stream::{ScoredRows, TableScored};
use super::{FittedDetector, TableSource};
use crate::Result;
use crate::data::output::{Cells, Kind, TableWriter};

impl FittedDetector {
    /// As [`score_table`](Self::score_table), with the outcome as a file at `path`, `.csv` or `.parquet` (feature `parquet`):
    /// `row` (counted from 0), `id` where the table has names of rows (of a
    /// [`TableFile`](crate::data::table::TableFile) the column that the fit's schema or
    /// [`with_ids`](crate::data::table::TableFile::with_ids) says, else one with a [name](crate::data::table::TableFile::batches_with_ids)
    /// that says so), `score`, `anomalous`, and `probability` where the fit
    /// had labeled anomalies. The file has its name only when it is whole; one that was there is replaced then.
    ///
    /// ```
    /// use puad::data::stream::TableReader;
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let mut config = FitConfig::default();
    /// config.train.epochs = 1;
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
    /// let dir = std::env::temp_dir().join(format!("puad-output-{}", std::process::id()));
    /// std::fs::create_dir_all(&dir)?;
    /// std::fs::write(dir.join("week.csv"), ",a,b\nMonday,0,1\nTuesday,90,90\n")?;
    ///
    /// let scored = detector.score_table_to(TableReader::open(dir.join("week.csv"))?, dir.join("scores.csv"))?;
    /// let written = std::fs::read_to_string(dir.join("scores.csv"))?;
    /// assert_eq!((scored.rows, written.lines().count()), (2, 3));
    /// assert!(written.starts_with("row,id,score,anomalous,probability\n0,Monday,"));
    /// std::fs::remove_dir_all(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`score_table`](Self::score_table) and [`TableWriter`]; no file is left then.
    pub fn score_table_to(
        &self,
        table: impl TableSource,
        path: impl AsRef<Path>,
    ) -> Result<TableScored> {
        let path = path.as_ref();
        let probabilities = self.calibration().is_some();
        let mut writer = None;
        let scored = self.try_score_table(table, |rows| match &mut writer {
            Some(writer) => write(writer, rows),
            None => {
                let first = create(path, !rows.ids.is_empty(), probabilities)?;
                write(writer.insert(first), rows)
            }
        })?;
        let writer = match writer {
            Some(writer) => writer,
            // Of a table without rows.
            None => create(path, false, probabilities)?,
        };
        writer.finish()?;
        Ok(scored)
    }
}

fn create(path: &Path, ids: bool, probabilities: bool) -> Result<TableWriter> {
    let columns = [
        Some(("row", Kind::Integer)),
        ids.then_some(("id", Kind::Text)),
        Some(("score", Kind::Number)),
        Some(("anomalous", Kind::Boolean)),
        probabilities.then_some(("probability", Kind::Number)),
    ];
    let columns: Vec<(&str, Kind)> = columns.into_iter().flatten().collect();
    Ok(TableWriter::create(path, &columns)?)
}

fn write(writer: &mut TableWriter, rows: &ScoredRows) -> Result<()> {
    let numbers: Vec<i64> = (rows.first..rows.rows()).map(|row| row as i64).collect();
    let ids = (!rows.ids.is_empty()).then_some(Cells::Texts(&rows.ids));
    let probabilities = rows.found.probabilities.as_deref().map(Cells::Numbers);
    let columns = [
        Some(Cells::Integers(&numbers)),
        ids,
        Some(Cells::Numbers(&rows.found.scores)),
        Some(Cells::Booleans(&rows.found.anomalous)),
        probabilities,
    ];
    let columns: Vec<Cells<'_>> = columns.into_iter().flatten().collect();
    Ok(writer.write(&columns)?)
}
