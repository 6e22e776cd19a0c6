//! Whether the first line of a file holds names.

use super::labels::Labels;
use super::records::Record;
use crate::cell::{Cell, bare, cell, is_gap, like_a_number};
use crate::value::time;

/// What a first line may be taken for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Names,
    Sample,
    /// Either, for this reason.
    Either(&'static str),
}

/// The first two lines of a file, and what is known of its columns.
pub(super) struct First<'a> {
    pub(super) first: &'a Record,
    pub(super) second: Option<&'a Record>,
    /// Columns of numbers.
    pub(super) features: &'a [usize],
    pub(super) labels: Option<&'a Labels>,
    pub(super) decimal: u8,
}

impl First<'_> {
    pub(super) fn head(&self) -> Head {
        let kinds = || self.features.iter().map(|&column| self.kind(column));
        let numbers = kinds()
            .filter(|kind| matches!(kind, Cell::Number(_)))
            .count();
        let texts = kinds().filter(|kind| *kind == Cell::Text).count();
        match (numbers, texts) {
            (_, 0) => self.without_texts(numbers),
            (0, _) if self.slips() => Head::Either("texts that begin as numbers"),
            (0, _) => Head::Names,
            _ => Head::Either("numbers and texts"),
        }
    }

    /// Of columns that need not be numbers: names stand above what is no text, and no sample has names in its
    /// place.
    pub(super) fn head_of_columns(&self) -> Head {
        // A number of another country stands below names as well.
        let number = |text: &str| {
            let of = |decimal| matches!(cell(text, decimal), Cell::Number(_));
            of(self.decimal) || of(b',')
        };
        let value = |text: &str| number(text) || time::read(bare(text)).is_some();
        let sample = self.first.cells().any(|text| value(&text));
        let gap = usize::from(self.first.cell(0).is_empty());
        let of_second = |column: usize| match self.second {
            Some(second) if column < second.len() => {
                value(&second.cell(column)) || is_gap(&second.cell(column), false)
            }
            _ => false,
        };
        let text =
            |column: usize| self.kind(column) == Cell::Text && !value(&self.first.cell(column));
        let names = (0..self.first.len()).any(|column| text(column) && of_second(column));
        match (names, sample) {
            _ if sample && counts(self.first.cells().skip(gap)) && self.first.len() > gap => {
                Head::Either("the numbers from 0 on, as pandas writes them,")
            }
            (true, true) => Head::Either("values and texts"),
            (true, false) if self.slips() => Head::Either("texts that begin as numbers"),
            (true, false) => Head::Names,
            (false, true) => Head::Sample,
            (false, false) if self.second.is_none() => Head::Names,
            (false, false) => Head::Either("texts above texts"),
        }
    }

    fn kind(&self, column: usize) -> Cell {
        cell(&self.first.cell(column), self.decimal)
    }

    fn slips(&self) -> bool {
        let texts = self
            .features
            .iter()
            .filter(|&&column| self.kind(column) == Cell::Text);
        texts
            .clone()
            .all(|&column| like_a_number(&self.first.cell(column)))
    }

    /// Numbers and gaps. pandas names the columns of an array 0, 1, 2, with a gap above the rows' numbers.
    fn without_texts(&self, numbers: usize) -> Head {
        let labeled = |labels: &Labels| labels.label(&self.first.cell(labels.column)).is_ok();
        let of_features = || self.features.iter().map(|&column| self.first.cell(column));
        if !self.labels.is_none_or(labeled) {
            // A word above the labels: their name, or a class that is not known.
            return if counts(of_features()) {
                Head::Names
            } else {
                Head::Sample
            };
        }
        let gap = usize::from(self.first.cell(0).is_empty());
        if numbers == 0 || !counts(self.first.cells().skip(gap)) {
            return Head::Sample;
        }
        let points = |second: &Record| {
            second
                .cells()
                .any(|cell| cell.contains(['.', ',', 'e', 'E']))
        };
        if numbers >= 3 && self.second.is_some_and(points) {
            Head::Names
        } else {
            Head::Either("the numbers from 0 on, as pandas writes them,")
        }
    }
}

/// Whether the cells are 0, 1, 2 and so on.
pub(super) fn counts<T: AsRef<str>>(cells: impl Iterator<Item = T>) -> bool {
    cells
        .enumerate()
        .all(|(i, cell)| cell.as_ref() == i.to_string())
}

/// Whether a column of this name holds the rows' own names, which pandas and R write above nothing.
pub(super) fn names_rows(name: &str) -> bool {
    matches!(name, "" | "Unnamed: 0")
}

/// The names of a first line; columns without one are named as by pandas.
pub(super) fn names(first: &Record, fields: usize) -> Vec<String> {
    let name = |column: usize| match bare(&first.cell(column)) {
        "" => format!("Unnamed: {column}"),
        text => text.into(),
    };
    (0..fields).map(name).collect()
}
