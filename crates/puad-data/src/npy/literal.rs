//! The few Python literals that a header is made of.

use crate::file::Source;
use crate::{DataError, Result};

/// NumPy's own limit, since version 2.
const HIGHEST_RANK: usize = 64;

pub(super) struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    offset: u64,
    source: &'a Source<'a>,
}

impl<'a> Parser<'a> {
    /// `offset`: the position of `text` in `source`, for errors.
    pub(super) fn new(text: &'a [u8], offset: u64, source: &'a Source<'a>) -> Self {
        Self {
            text,
            at: 0,
            offset,
            source,
        }
    }

    pub(super) fn error(&self, at: usize, rule: &'static str) -> DataError {
        let rest = &self.text[at.min(self.text.len())..];
        let found = match rest {
            [] => "the end of the header".to_string(),
            rest => format!("{:?}", String::from_utf8_lossy(&rest[..rest.len().min(24)])),
        };
        let offset = self.offset + at as u64;
        self.source.malformed(offset, rule, found)
    }

    pub(super) fn skip_spaces(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let spaces = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.at += spaces;
        self.at
    }

    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let at = self.skip_spaces();
        let found = self.text.get(at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte) {
            return Ok(());
        }
        Err(self.error(
            self.at,
            match byte {
                b'{' => "npy headers must start with '{'",
                b':' => "npy header keys must be followed by ':'",
                b'(' => "npy shapes must start with '('",
                b')' => "npy shapes must be integers with ',' between, up to ')'",
                _ => "npy header entries must end with ',' or '}'",
            },
        ))
    }

    /// A string in single or double quotes, without escapes.
    pub(super) fn string(&mut self) -> Result<&'a [u8]> {
        let start = self.skip_spaces();
        let rule = "npy header keys and types must be quoted strings";
        let quote = match self.text.get(start) {
            Some(&quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.error(start, rule)),
        };
        let content = &self.text[start + 1..];
        let end = content.iter().position(|&b| b == quote || b == b'\\');
        match end {
            Some(end) if content[end] == quote => {
                self.at = start + end + 2;
                Ok(&content[..end])
            }
            _ => Err(self.error(start, rule)),
        }
    }

    pub(super) fn boolean(&mut self) -> Result<bool> {
        let at = self.skip_spaces();
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if self.text[at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error(at, "npy fortran_order must be True or False"))
    }

    /// `()`, `(3,)`, `(3, 2)`; Python 2 wrote `(3L, 2L)`.
    pub(super) fn tuple(&mut self) -> Result<Vec<usize>> {
        self.expect(b'(')?;
        let mut dims = Vec::new();
        while !self.accept(b')') {
            let at = self.skip_spaces();
            let digits = self.text[at..].iter().take_while(|b| b.is_ascii_digit());
            let end = at + digits.count();
            let number = std::str::from_utf8(&self.text[at..end]);
            let dim = number.ok().and_then(|digits| digits.parse().ok());
            let (Some(dim), true) = (dim, dims.len() < HIGHEST_RANK) else {
                let rule = "npy shapes must be up to 64 integers that fit in memory";
                return Err(self.error(at, rule));
            };
            dims.push(dim);
            self.at = end;
            if self.text.get(end) == Some(&b'L') {
                self.at += 1;
            }
            if !self.accept(b',') {
                self.expect(b')')?;
                // `(3)` is a number in Python, not a tuple.
                if dims.len() == 1 {
                    return Err(self.error(at, "npy shapes of one dimension must end with ','"));
                }
                break;
            }
        }
        Ok(dims)
    }
}
