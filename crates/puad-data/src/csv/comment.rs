//! Comments above a table, of which one may hold its names, as numpy writes them.

use super::head::{Head, counts};
use super::records::Record;
use crate::cell::{Cell, bare, cell, like_a_number};

/// What the comments of as many cells as the table's lines are to it.
#[derive(Debug)]
pub(super) enum Above {
    /// Comments: its names stand in its own first line, or nowhere.
    Comments,
    /// The last line of them holds its names.
    Names(Record),
    /// What may be one or the other, and how to say which.
    Asked {
        line: u64,
        found: String,
        meanings: &'static str,
        remedy: &'static str,
    },
}

/// Of `comments`, none for a file that is said to have no names. `own`: what the first line of the table is by
/// itself. `told`: whether it was said that there are names.
pub(super) fn above(
    mut comments: Vec<Record>,
    first: &Record,
    own: Head,
    told: bool,
    decimal: u8,
) -> Above {
    let Some(last) = comments.pop() else {
        return Above::Comments;
    };
    let of_texts = first.cells().any(|text| cell(&text, decimal) == Cell::Text);
    let start = |record: &Record| record.cells().take(4).collect::<Vec<_>>().join(", ");
    match own {
        Head::Names if of_texts => Above::Comments,
        Head::Names => Above::Asked {
            line: first.line,
            found: format!("numbers from 0 on below a comment ({})", start(&last)),
            meanings: "names of columns or a sample below their names",
            remedy: "pass the comment over by `skip_lines`, or set `header` to true where it holds the names",
        },
        _ if !comments.is_empty() => Above::Asked {
            line: last.line,
            found: format!("several comments, the last of them ({}),", start(&last)),
            meanings: "names of columns or none",
            remedy: "set `header` to false, or pass the others over by `skip_lines`",
        },
        _ if told || (are_names(&last, decimal) && !is_prose(&last)) => Above::Names(last),
        _ => Above::Asked {
            line: last.line,
            found: format!("a comment ({})", start(&last)),
            meanings: "names of columns or none",
            remedy: "set `header` to true or false",
        },
    }
}

/// Texts that do not begin as numbers, the first of which may be missing; or pandas' numbers.
fn are_names(record: &Record, decimal: u8) -> bool {
    let is_name = |text: &str| cell(text, decimal) == Cell::Text && !like_a_number(bare(text));
    let unnamed = usize::from(record.cell(0).is_empty());
    record.cells().skip(unnamed).all(|text| is_name(&text)) || counts(record.cells().skip(unnamed))
}

/// Names of several words are rare, and remarks of one are.
fn is_prose(record: &Record) -> bool {
    let mut cells = record.cells();
    cells.any(|text| bare(&text).contains(char::is_whitespace))
}

/// What a first line is where it is said that there are names above the samples: these, unless a number or a
/// gap is among them.
pub(super) fn told(first: &Record, decimal: u8) -> Head {
    if are_names(first, decimal) && !counts(first.cells()) {
        Head::Names
    } else {
        Head::Sample
    }
}
