//! Lines cut into cells.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::lines::{Lines, fail};
use super::table::CsvOptions;
use crate::{DataError, Place, Result};

/// What stands between cells, where nothing else is said.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines that are looked at ahead; more may be blank.
const LOOKED_AT: usize = 100;

/// The cells of one line; a quoted one may go over several.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    len: usize,
    /// Its first line, counted from 1.
    pub(super) line: u64,
    /// The first of the blank lines right before it; 0 for none.
    pub(super) blank: u64,
    /// Whether it begins as a comment does.
    pub(super) hashed: bool,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Without the spaces around it; what is not UTF-8 is Latin-1.
    pub(super) fn cell(&self, column: usize) -> Cow<'_, str> {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        let bytes = self.bytes[start..self.ends[column]].trim_ascii();
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text.trim()),
            Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
        }
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.len).map(|column| self.cell(column))
    }

    /// Whether the last of several cells is empty.
    pub(super) fn ends_empty(&self) -> bool {
        self.len > 1 && self.cell(self.len - 1).is_empty()
    }
}

/// The records that are still to come.
pub(super) struct Records {
    path: PathBuf,
    lines: Lines,
    /// Read before the delimiter was known, each with its number.
    ahead: VecDeque<(u64, Vec<u8>)>,
    /// Those above the table that have as many cells as its first line, or the last one without a table.
    pub(super) comments: Vec<Record>,
    delimiter: u8,
    parser: Reader,
    line: Vec<u8>,
    limit: u64,
}

impl Records {
    /// At most `limit` bytes are read.
    pub(super) fn open(path: &Path, options: &CsvOptions, limit: u64) -> Result<Self> {
        let mut lines = Lines::open(path, limit)?;
        for _ in 0..options.skip_lines {
            lines.next(&mut vec![]).map_err(|e| fail(path, &lines, e))?;
        }
        let mut ahead = VecDeque::new();
        let mut comments = VecDeque::new();
        let mut written = 0;
        while written < 2 && ahead.len() < LOOKED_AT {
            let mut line = vec![];
            if !lines.next(&mut line).map_err(|e| fail(path, &lines, e))? {
                break;
            }
            if written == 0 && is_comment(&line) {
                comments.push_back((lines.number(), line));
                if comments.len() > LOOKED_AT {
                    comments.pop_front();
                }
                continue;
            }
            written += usize::from(!is_blank(&line));
            ahead.push_back((lines.number(), line));
        }
        let said = match ahead.front() {
            // What Excel is told by.
            Some((_, line)) => line
                .strip_prefix(b"sep=")
                .and_then(|rest| rest.first().copied()),
            None => None,
        };
        if said.is_some() {
            ahead.pop_front();
        }
        let delimiter = match options.delimiter.or(said) {
            Some(delimiter) => delimiter,
            None => agreed(path, &ahead, options.decimal)?,
        };
        let mut records = Self {
            path: path.into(),
            lines,
            ahead,
            comments: vec![],
            delimiter,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            line: vec![],
            limit,
        };
        records.read_comments(comments)?;
        Ok(records)
    }

    /// Keeps those of as many cells as the first line, which may be names.
    fn read_comments(&mut self, comments: VecDeque<(u64, Vec<u8>)>) -> Result<()> {
        let fields = |line: &[u8]| count(&parted(line, self.delimiter), self.delimiter);
        let first = self.ahead.iter().find(|(_, line)| !is_blank(line));
        let last = comments.back();
        let like = match first {
            Some((_, line)) => fields(line),
            None => last.map_or(0, |(_, line)| fields(uncommented(line))),
        };
        let alike = |(_, line): &&(u64, Vec<u8>)| fields(uncommented(line)) == like;
        let mut alike: Vec<_> = comments.iter().filter(alike).collect();
        if first.is_none() {
            if let ([_, .., (number, _)], true) = (&alike[..], like > 0) {
                return Err(DataError::Ambiguous {
                    path: self.path.clone(),
                    place: Box::new(Place::Line(*number)),
                    found: "lines of cells that all begin with #".into(),
                    meanings: "comments or samples",
                    remedy: "quote the first cell of what is a sample",
                });
            }
            alike.retain(|comment| Some(*comment) == last);
        }
        for (number, line) in alike {
            let mut record = Record {
                line: *number,
                ..Record::default()
            };
            self.line = parted(uncommented(line), self.delimiter).into_owned();
            self.line.push(b'\n');
            if self.parse(&mut record, &mut 0) {
                self.comments.push(record);
            } else {
                // A quote that is not closed is none in a comment.
                self.parser.reset();
            }
        }
        Ok(())
    }

    /// Reads the next record; whether there was one more.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool> {
        record.blank = 0;
        record.len = 0;
        let mut written = 0;
        let mut begun = false;
        while let Some(number) = self.next_line()? {
            if !begun && is_blank(&self.line) {
                if record.blank == 0 {
                    record.blank = number;
                }
                continue;
            }
            if !begun {
                begun = true;
                record.line = number;
                record.hashed = is_comment(&self.line);
            }
            if self.delimiter == b' ' {
                self.line = parted(&self.line, b' ').into_owned();
            }
            self.line.push(b'\n');
            if self.parse(record, &mut written) {
                return Ok(true);
            }
        }
        if !begun {
            return Ok(false);
        }
        Err(DataError::Malformed {
            path: self.path.clone(),
            place: Place::Line(record.line),
            rule: "a quote that opens a cell must be closed",
            found: "the end of the file".into(),
        })
    }

    /// The number of the next line, which is then in `line`.
    fn next_line(&mut self) -> Result<Option<u64>> {
        if let Some((number, line)) = self.ahead.pop_front() {
            self.line = line;
            return Ok(Some(number));
        }
        self.line.clear();
        let more = self.lines.next(&mut self.line);
        match more.map_err(|e| fail(&self.path, &self.lines, e))? {
            true => Ok(Some(self.lines.number())),
            // The file was cut there, perhaps within a number.
            false if self.lines.bytes() >= self.limit => {
                let lines = vec![self.lines.number() as usize];
                Err(DataError::too_large(&self.path, lines, 1, self.limit))
            }
            false => Ok(None),
        }
    }

    /// Cuts the line; whether the record ends with it. `written`: bytes of the record so far.
    fn parse(&mut self, record: &mut Record, written: &mut usize) -> bool {
        let mut rest = self.line.as_slice();
        loop {
            let room = &mut record.bytes[*written..];
            let ends = &mut record.ends[record.len..];
            let (result, read, bytes, fields) = self.parser.read_record(rest, room, ends);
            rest = &rest[read..];
            *written += bytes;
            record.len += fields;
            match result {
                ReadRecordResult::InputEmpty => return false,
                ReadRecordResult::OutputFull => grow(&mut record.bytes),
                ReadRecordResult::OutputEndsFull => grow(&mut record.ends),
                ReadRecordResult::Record | ReadRecordResult::End => return true,
            }
        }
    }
}

fn grow<T: Clone + Default>(room: &mut Vec<T>) {
    room.resize((2 * room.len()).max(64), T::default());
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&byte| byte == b' ')
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// The delimiter that the first two lines have both; a comma where there is none.
fn agreed(path: &Path, ahead: &VecDeque<(u64, Vec<u8>)>, decimal: u8) -> Result<u8> {
    let mut lines = ahead.iter().filter(|(_, line)| !is_blank(line));
    let (Some((number, first)), second) = (lines.next(), lines.next()) else {
        return Ok(b',');
    };
    // A comma within numbers parts no cells, unless these are in quotes.
    let none = if decimal == b',' && !first.contains(&b'"') {
        b';'
    } else {
        b','
    };
    let both = |delimiter: &&u8| {
        if **delimiter == decimal && none != decimal {
            return false;
        }
        let in_second = second.is_none_or(|(_, line)| count(line, **delimiter) > 0);
        count(first, **delimiter) > 0 && in_second
    };
    // Numbers with nothing but spaces between, as numpy's savetxt writes them.
    let of_numbers = |line: &[u8]| {
        let words: Vec<_> = line
            .split(|&byte| byte == b' ')
            .filter(|word| !word.is_empty())
            .collect();
        let number =
            |word: &&[u8]| std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok());
        words.len() > 1 && words.iter().all(number)
    };
    if of_numbers(second.map_or(first, |(_, line)| line)) {
        return Ok(b' ');
    }
    let mut found: Vec<u8> = DELIMITERS.iter().filter(both).copied().collect();
    if let (true, Some((_, second))) = (found.len() > 1, second) {
        // Each line has as many of the right one.
        let as_many = |&delimiter: &u8| count(first, delimiter) == count(second, delimiter);
        let fitting: Vec<u8> = found.iter().copied().filter(as_many).collect();
        if !fitting.is_empty() {
            found = fitting;
        }
    }
    match found[..] {
        [] => Ok(none),
        [only] => Ok(only),
        _ => {
            let found = found.iter().map(|&byte| char::from(byte));
            Err(DataError::Ambiguous {
                path: path.into(),
                place: Box::new(Place::Line(*number)),
                found: format!("each of {:?}", found.collect::<Vec<_>>()),
                meanings: "what stands between cells",
                remedy: "set `delimiter`, and `decimal` for a decimal comma",
            })
        }
    }
}

/// A line whose cells have one delimiter between them where several spaces stand for one.
fn parted(line: &[u8], delimiter: u8) -> Cow<'_, [u8]> {
    if delimiter != b' ' {
        return Cow::Borrowed(line);
    }
    let words = line
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(&b' '))
}

/// numpy writes `#` before names.
fn uncommented(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    let bare = line.iter().position(|&byte| byte != b'#' && byte != b' ');
    &line[bare.unwrap_or(line.len())..]
}

/// How often it stands outside of quotes.
fn count(line: &[u8], delimiter: u8) -> usize {
    let outside = line.split(|&byte| byte == b'"').step_by(2);
    outside.flatten().filter(|&&byte| byte == delimiter).count()
}
