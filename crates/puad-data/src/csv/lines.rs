//! Lines of text of any encoding and line end.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read, Take};
use std::path::Path;

use crate::file::Source;
use crate::{DataError, Place, Result, magic};

/// The longest line that is held: 256 MiB.
const LONGEST: usize = 1 << 28;

type Bytes = Chain<Cursor<Vec<u8>>, Take<Source<'static>>>;

/// The lines of a file in UTF-8, UTF-16 with a mark, or Latin-1; they end with `\n`, `\r\n` or `\r`.
pub(super) struct Lines {
    text: Box<dyn BufRead>,
    /// Lines begun so far, so that the last one read has this number.
    number: u64,
    bytes: u64,
    /// Whether the last line ended with `\r`, to which a `\n` belongs.
    after_return: bool,
}

impl Lines {
    /// At most `limit` bytes are read.
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self> {
        let mut source = Source::open(path)?.take(limit);
        let mut start = Vec::new();
        let read = source
            .by_ref()
            .take(magic::ENOUGH as u64)
            .read_to_end(&mut start);
        read.map_err(|e| DataError::read(path, 0, e))?;
        if let Some(kind) = magic::kind(&start).filter(|_| !start.starts_with(b"BM")) {
            return Err(DataError::Unsupported {
                path: path.into(),
                rule: "text tables must be text",
                found: kind.into(),
            });
        }
        let (mark, utf16) = match start[..] {
            [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
            [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
            [0xef, 0xbb, 0xbf, ..] => (3, None),
            _ => (0, None),
        };
        let mut bytes = Cursor::new(start).chain(source);
        let mut skipped = [0; 3];
        let skip = bytes.read_exact(&mut skipped[..mark]);
        skip.map_err(|e| DataError::read(path, 0, e))?;
        let text: Box<dyn BufRead> = match utf16 {
            Some(unit) => Box::new(BufReader::new(Utf16::new(bytes, unit))),
            None => Box::new(BufReader::new(bytes)),
        };
        Ok(Self {
            text,
            number: 0,
            bytes: mark as u64,
            after_return: false,
        })
    }

    /// The number of the last line, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Bytes read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends the next line without its end to `line`; whether there was one.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let mut begun = false;
        loop {
            let buffer = self.text.fill_buf()?;
            let (end, taken) = match buffer {
                [] => {
                    self.number += u64::from(begun);
                    return Ok(begun);
                }
                [b'\n', ..] if self.after_return => (false, 1),
                _ => match buffer.iter().position(|&b| b == b'\n' || b == b'\r') {
                    Some(at) => {
                        line.extend_from_slice(&buffer[..at]);
                        (true, at + 1)
                    }
                    None => {
                        line.extend_from_slice(buffer);
                        begun = true;
                        (false, buffer.len())
                    }
                },
            };
            self.after_return = end && buffer[taken - 1] == b'\r';
            self.text.consume(taken);
            self.bytes += taken as u64;
            if end {
                self.number += 1;
                return Ok(true);
            }
            if line.len() > LONGEST {
                return Err(io::Error::other("a line has more than 2^28 bytes"));
            }
        }
    }
}

/// What broke in line `number`.
pub(super) fn fail(path: &Path, lines: &Lines, source: io::Error) -> DataError {
    match source.kind() {
        io::ErrorKind::InvalidData => DataError::Malformed {
            path: path.into(),
            place: Place::Line(lines.number + 1),
            rule: "text must be of a known encoding",
            found: source.to_string(),
        },
        _ => DataError::read(path, lines.bytes, source),
    }
}

/// UTF-16, in pieces, as UTF-8.
struct Utf16 {
    bytes: Bytes,
    unit: fn([u8; 2]) -> u16,
    /// The first half of a character.
    half: Option<u16>,
    /// Text that is still to be handed out.
    text: Vec<u8>,
    at: usize,
}

impl Utf16 {
    fn new(bytes: Bytes, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            bytes,
            unit,
            half: None,
            text: vec![],
            at: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut raw = Vec::new();
        self.bytes.by_ref().take(1 << 13).read_to_end(&mut raw)?;
        if raw.len() % 2 == 1 {
            let message = "UTF-16 that ends within a character";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let (units, _) = raw.as_chunks::<2>();
        let mut units: Vec<u16> = units.iter().map(|&pair| (self.unit)(pair)).collect();
        if let Some(half) = self.half.take() {
            units.insert(0, half);
        }
        if let Some(half) = units.pop_if(|unit| (0xd800..0xdc00).contains(unit) && !raw.is_empty())
        {
            self.half = Some(half);
        }
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        self.text = text.collect::<String>().into_bytes();
        self.at = 0;
        Ok(())
    }
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.refill()?;
        }
        let n = buffer.len().min(self.text.len() - self.at);
        buffer[..n].copy_from_slice(&self.text[self.at..][..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut lines = Lines::open(&path, u64::MAX).unwrap();
        let (mut all, mut line) = (vec![], vec![]);
        while lines.next(&mut line).unwrap() {
            all.push((
                lines.number(),
                String::from_utf8(std::mem::take(&mut line)).unwrap(),
            ));
        }
        all
    }

    #[test]
    fn every_line_end_and_encoding() {
        let expected =
            [(1, "é,b"), (2, ""), (3, "1,2"), (4, "3,🌡")].map(|(n, l)| (n, l.to_string()));
        for end in ["\n", "\r\n", "\r"] {
            for last in ["", end] {
                let text = ["é,b", "", "1,2", "3,🌡"].join(end) + last;
                let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                assert_eq!(lines(text.as_bytes()), expected);
                assert_eq!(
                    lines(&[b"\xef\xbb\xbf", text.as_bytes()].concat()),
                    expected
                );
                assert_eq!(lines(&[b"\xff\xfe", &little[..]].concat()), expected);
                assert_eq!(lines(&[b"\xfe\xff", &big[..]].concat()), expected);
            }
        }
        assert!(lines(b"").is_empty());
        // A character on the border of two pieces.
        let text = "🌡".repeat(5000);
        let bytes = [0xfeff].into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = bytes.flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&bytes), [(1, text)]);
    }
}
