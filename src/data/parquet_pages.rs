//! A look at the pages of a Parquet column before they are unpacked.
//!
//! The crate `parquet` makes room for what a page's header promises, up to 2 GiB, and a file of a few
//! kilobytes can promise that. A header is a structure in Thrift's compact protocol, whose fields 2
//! and 3 are the page's size unpacked and packed.
//!
//! # References
//! Apache Parquet, `parquet.thrift`, `PageHeader`. Apache Thrift, "Thrift Compact protocol encoding".

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::{DataError, FormatError};

/// The largest page that is unpacked: 256 MiB, where writers aim at one.
const LARGEST: i64 = 1 << 28;

/// Structures within structures; a page's header has three.
const DEEPEST: usize = 8;

/// Kinds of fields in the compact protocol.
const I32: u8 = 5;
const STRUCTURE: u8 = 12;

/// Checks the headers of all pages in the `len` bytes from `start` on.
pub(super) fn check(file: &File, path: &Path, start: u64, len: u64) -> Result<(), DataError> {
    let mut bytes = BufReader::new(file);
    let outcome = bytes.seek(SeekFrom::Start(start)).map_err(Fault::Read);
    let mut pages = Pages {
        bytes,
        at: start,
        end: start.saturating_add(len),
    };
    outcome.and_then(|_| pages.check()).map_err(|fault| {
        let offset = pages.at;
        match fault {
            Fault::Read(source) => DataError::Read {
                path: path.into(),
                offset,
                source,
            },
            Fault::Rule(rule, found) => FormatError::Malformed {
                offset,
                rule,
                found,
            }
            .at(path),
        }
    })
}

enum Fault {
    Read(io::Error),
    Rule(&'static str, String),
}

struct Pages<'a> {
    bytes: BufReader<&'a File>,
    at: u64,
    end: u64,
}

impl Pages<'_> {
    fn check(&mut self) -> Result<(), Fault> {
        while self.at < self.end {
            let [unpacked, packed] = self.header()?;
            if !(0..=LARGEST).contains(&unpacked) {
                let rule = "Parquet pages must unpack to 0 to 2^28 bytes";
                return Err(Fault::Rule(rule, unpacked.to_string()));
            }
            match u64::try_from(packed) {
                Ok(packed) => self.skip(packed)?,
                Err(_) => {
                    let rule = "Parquet pages must have sizes that are not negative";
                    return Err(Fault::Rule(rule, packed.to_string()));
                }
            }
        }
        Ok(())
    }

    /// The sizes that a page's header states, each once.
    fn header(&mut self) -> Result<[i64; 2], Fault> {
        let (mut unpacked, mut packed) = (None, None);
        let rule = "Parquet pages must state their two sizes, each once";
        self.fields(0, &mut |pages, id, kind| {
            let size = match (id, kind) {
                (2, I32) => &mut unpacked,
                (3, I32) => &mut packed,
                (2 | 3, _) => return Err(Fault::Rule(rule, format!("a field of kind {kind}"))),
                _ => return Ok(false),
            };
            match size.replace(pages.number()?) {
                Some(_) => Err(Fault::Rule(rule, format!("field {id} twice"))),
                None => Ok(true),
            }
        })?;
        match (unpacked, packed) {
            (Some(unpacked), Some(packed)) => Ok([unpacked, packed]),
            _ => Err(Fault::Rule(rule, "a header without".into())),
        }
    }

    /// Reads a structure. `visit` gets each field's number and kind, and says whether it has read the
    /// value; else it is read over.
    fn fields(
        &mut self,
        depth: usize,
        visit: &mut dyn FnMut(&mut Self, i64, u8) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        if depth > DEEPEST {
            let rule = "Parquet page headers must not be nested deeper than 8";
            return Err(Fault::Rule(rule, depth.to_string()));
        }
        let mut id = 0i64;
        loop {
            let [byte] = self.array()?;
            let kind = byte & 0xf;
            if byte == 0 {
                return Ok(());
            }
            id = match byte >> 4 {
                0 => self.number()?,
                step => id.wrapping_add(step.into()),
            };
            if !visit(self, id, kind)? {
                self.value(kind, depth, false)?;
            }
        }
    }

    /// Reads over a value. In a list, a truth value takes a byte, which a field's kind already is.
    fn value(&mut self, kind: u8, depth: usize, in_list: bool) -> Result<(), Fault> {
        match kind {
            1 | 2 if in_list => self.skip(1),
            1 | 2 => Ok(()),
            3 => self.skip(1),
            4..=6 => self.number().map(drop),
            7 => self.skip(8),
            8 => {
                let len = self.varint()?;
                self.skip(len)
            }
            9 | 10 => {
                let [byte] = self.array()?;
                let count = match byte >> 4 {
                    15 => self.varint()?,
                    few => few.into(),
                };
                // Every element takes a byte at least, so that the end of the column ends this.
                (0..count).try_for_each(|_| self.element(byte & 0xf, depth))
            }
            STRUCTURE => self.fields(depth + 1, &mut |_, _, _| Ok(false)),
            _ => {
                let rule = "Parquet page headers must be made of Thrift's kinds but for maps";
                Err(Fault::Rule(rule, kind.to_string()))
            }
        }
    }

    fn element(&mut self, kind: u8, depth: usize) -> Result<(), Fault> {
        match kind {
            // Lists of lists would be another way to nest.
            9 | 10 => {
                let rule = "Parquet page headers must hold no list of lists";
                Err(Fault::Rule(rule, kind.to_string()))
            }
            _ => self.value(kind, depth, true),
        }
    }

    /// A signed number: zigzag, 7 bits a byte.
    fn number(&mut self) -> Result<i64, Fault> {
        let bits = self.varint()?;
        Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut bits = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(bits);
            }
        }
        let rule = "Parquet page headers must have numbers of at most 10 bytes";
        Err(Fault::Rule(rule, format!("{bits:#x} and more")))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.room(N as u64)?;
        self.bytes.read_exact(&mut bytes).map_err(Fault::Read)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn skip(&mut self, n: u64) -> Result<(), Fault> {
        self.room(n)?;
        // Room in a file is room in an i64.
        let moved = self.bytes.seek_relative(n.cast_signed());
        moved.map_err(Fault::Read)?;
        self.at += n;
        Ok(())
    }

    /// Whether `n` more bytes are the column's.
    fn room(&self, n: u64) -> Result<(), Fault> {
        if n <= self.end.saturating_sub(self.at) && n <= i64::MAX.cast_unsigned() {
            return Ok(());
        }
        let rule = "Parquet pages must end with their column";
        Err(Fault::Rule(rule, format!("{n} bytes more")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zigzag(value: i64) -> Vec<u8> {
        let mut bits = ((value << 1) ^ (value >> 63)).cast_unsigned();
        let mut bytes = vec![];
        while bits >= 0x80 {
            bytes.push(bits as u8 | 0x80);
            bits >>= 7;
        }
        bytes.push(bits as u8);
        bytes
    }

    /// Type, sizes, a structure with a list and text in it, and then `packed` bytes.
    fn page(unpacked: i64, packed: i64) -> Vec<u8> {
        let mut bytes = [
            &[0x15, 0x04][..],
            &[0x15],
            &zigzag(unpacked),
            &[0x15],
            &zigzag(packed),
            // Field 5: field 1 a list of two i32, field 2 text, field 3 true.
            &[
                0x2c, 0x19, 0x25, 0x02, 0x90, 0x01, 0x18, 0x02, b'a', b'b', 0x11, 0,
            ],
            &[0],
        ]
        .concat();
        bytes.resize(bytes.len() + packed.clamp(0, 1000) as usize, 7);
        bytes
    }

    fn checked(bytes: &[u8], len: u64) -> Result<(), DataError> {
        let mut file = tempfile::tempfile().unwrap();
        // Not from the start of the file on.
        file.write_all(&[&[9; 4], bytes].concat()).unwrap();
        check(&file, Path::new("a.parquet"), 4, len)
    }

    fn rule(bytes: &[u8]) -> (u64, &'static str) {
        match checked(bytes, bytes.len() as u64).unwrap_err() {
            DataError::Format {
                source: FormatError::Malformed { offset, rule, .. },
                ..
            } => (offset, rule),
            error => panic!("{error}"),
        }
    }

    #[test]
    fn pages_of_any_honest_size_pass() {
        let pages = [page(403, 370), page(0, 0), page(LARGEST, 1)].concat();
        checked(&pages, pages.len() as u64).unwrap();
        checked(&[], 0).unwrap();
        // Field numbers may be written out.
        checked(&[5, 2, 4, 5, 4, 0, 5, 6, 0, 0], 10).unwrap();
    }

    /// Found by fuzzing: 5 kB that took 1.4 GB.
    #[test]
    fn promises_beyond_the_limit_are_refused() {
        let (_, rule_of_size) = rule(&page(1_396_406_960, 370));
        assert!(rule_of_size.contains("2^28"), "{rule_of_size}");
        for unpacked in [LARGEST + 1, i64::from(i32::MAX), -1, i64::MIN] {
            assert_eq!(rule(&page(unpacked, 1)).1, rule_of_size);
        }
        assert!(rule(&page(1, -1)).1.contains("negative"));
        assert!(rule(&page(1, 1001)).1.contains("end with their column"));
        // A small size, and then a large one.
        let twice = [
            &[0x15, 4, 0x15, 2][..],
            &[5, 4],
            &zigzag(1 << 30),
            &[0x15, 0, 0],
        ]
        .concat();
        assert!(rule(&twice).1.contains("each once"), "{}", rule(&twice).1);
        assert!(rule(&[0x15, 4, 0x15, 2, 0]).1.contains("each once"));
    }

    #[test]
    fn headers_cut_anywhere_and_bottomless_ones_are_errors() {
        let whole = page(10, 20);
        for len in 1..whole.len() {
            rule(&whole[..len]);
            // The column promises what the file does not hold.
            let err = checked(&whole[..len], whole.len() as u64);
            // Beyond the end of a file may be sought, but not read.
            assert!(err.is_err() || len >= whole.len() - 20, "{len}");
        }
        assert!(rule(&[0x1c; 100_000]).1.contains("nested"));
        assert!(rule(&[0x19; 100_000]).1.contains("list of lists"));
        assert!(
            rule(&[&[0x16][..], &[0xff; 12]].concat())
                .1
                .contains("10 bytes")
        );
        let long_list = [&[0x19, 0xf3][..], &[0xff; 9], &[1], &[0; 50]].concat();
        assert!(rule(&long_list).1.contains("end with their column"));
    }
}
