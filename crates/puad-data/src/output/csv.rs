use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::file::{Unfinished, failed};
use super::{Cells, Form, Kind};
use crate::Result;

/// Comma-separated values with a line of names (RFC 4180, lines ending in `\n`).
pub(super) struct CsvForm {
    path: PathBuf,
    unfinished: Unfinished,
    file: BufWriter<File>,
}

impl CsvForm {
    pub(super) fn create(path: &Path, columns: &[(String, Kind)]) -> Result<Self> {
        let (unfinished, file) = Unfinished::create(path)?;
        let mut form = Self {
            path: path.into(),
            unfinished,
            file: BufWriter::new(file),
        };
        let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
        form.line(&names)?;
        Ok(form)
    }

    fn line(&mut self, cells: &[String]) -> Result<()> {
        let written = writeln!(self.file, "{}", cells.join(","));
        written.map_err(|e| failed(&self.path, e))
    }
}

impl Form for CsvForm {
    fn write(&mut self, columns: &[Cells<'_>]) -> Result<()> {
        let rows = columns.first().map_or(0, Cells::len);
        for row in 0..rows {
            let cells: Vec<String> = columns.iter().map(|cells| cell(cells, row)).collect();
            self.line(&cells)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Unfinished> {
        let ended = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        ended.map_err(|e| failed(&self.path, e))?;
        Ok(self.unfinished)
    }
}

fn cell(cells: &Cells<'_>, row: usize) -> String {
    match cells {
        Cells::Integers(cells) => cells[row].to_string(),
        // With an exponent where that is shorter.
        Cells::Numbers(cells) => format!("{:?}", cells[row]),
        Cells::Singles(cells) => format!("{:?}", cells[row]),
        Cells::Booleans(cells) => cells[row].to_string(),
        Cells::Texts(cells) => quoted(&cells[row]),
    }
}

/// In quotes where a reader would take it for something else.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']) && text.trim() == text;
    if plain {
        return text.into();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}
