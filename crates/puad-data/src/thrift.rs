//! A strict reader of structures in Thrift's compact protocol, in which Parquet's headers are.
//!
//! It looks at what the crate `parquet` is about to read, and so accepts only what both read alike:
//! the fields of a table, by ascending number in the short form, of the table's kinds, with numbers
//! that fit. That crate goes by a field's number alone, cut to 16 bits, and cuts numbers to 32.
//!
//! # References
//! Apache Thrift, "Thrift Compact protocol encoding".

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::{DataError, Place};

/// The fields that a structure may have.
pub(super) type Fields = &'static [(u8, Kind)];

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    Structure(Fields),
    /// A list of structures, of numbers or of texts, none of which is kept.
    List(&'static Kind),
}

pub(super) const I32: u8 = 5;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCTURE: u8 = 12;

impl Kind {
    /// Whether it is the kind of this code; a truth value is its field's kind.
    fn is(self, code: u8) -> bool {
        match self {
            Kind::Bool => code == 1 || code == 2,
            Kind::Byte => code == 3,
            Kind::I16 => code == 4,
            Kind::I32 => code == I32,
            Kind::I64 => code == 6,
            Kind::Double => code == 7,
            Kind::Binary => code == 8,
            Kind::Structure(_) => code == STRUCTURE,
            Kind::List(_) => code == LIST,
        }
    }
}

/// The fields that a structure has.
#[derive(Debug)]
pub(super) struct Record(Vec<(u8, Value)>);

#[derive(Debug)]
enum Value {
    /// Nothing that is asked for.
    Passed,
    Number(i64),
    Length(u64),
    Structure(Record),
}

impl Record {
    pub(super) fn number(&self, id: u8) -> Option<i64> {
        match self.field(id)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Bytes of text.
    pub(super) fn length(&self, id: u8) -> Option<u64> {
        match self.field(id)? {
            Value::Length(length) => Some(*length),
            _ => None,
        }
    }

    pub(super) fn structure(&self, id: u8) -> Option<&Record> {
        match self.field(id)? {
            Value::Structure(record) => Some(record),
            _ => None,
        }
    }

    fn field(&self, id: u8) -> Option<&Value> {
        self.0.iter().find(|(of, _)| *of == id).map(|(_, v)| v)
    }
}

/// Why bytes are refused.
#[derive(Debug)]
pub(super) enum Fault {
    Read(io::Error),
    Rule(&'static str, String),
}

impl Fault {
    pub(super) fn at(self, path: &Path, offset: u64) -> DataError {
        match self {
            Fault::Read(source) => DataError::read(path, offset, source),
            Fault::Rule(rule, found) => DataError::Malformed {
                path: path.into(),
                place: Place::Byte(offset),
                rule,
                found,
            },
        }
    }
}

/// Reads a part of a file from its start on.
pub(super) struct Reader<'a> {
    bytes: BufReader<&'a File>,
    at: u64,
    end: u64,
}

impl<'a> Reader<'a> {
    /// Of `len` bytes from `start` on, all of which the file must have.
    pub(super) fn new(file: &'a File, start: u64, len: u64) -> Result<Self, Fault> {
        let length = file.metadata().map_err(Fault::Read)?.len();
        let end = start.checked_add(len).filter(|&end| end <= length);
        let Some(end) = end else {
            let rule = "Parquet files must hold what their footer places in them";
            let found = format!("{len} bytes from {start} on, of {length}");
            return Err(Fault::Rule(rule, found));
        };
        let mut bytes = BufReader::new(file);
        bytes.seek(SeekFrom::Start(start)).map_err(Fault::Read)?;
        let at = start;
        Ok(Self { bytes, at, end })
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    /// Reads a structure whose fields are all among `fields`.
    pub(super) fn structure(&mut self, fields: Fields) -> Result<Record, Fault> {
        self.rest(0, fields)
    }

    /// As [`Self::structure`], where field `last` was before.
    pub(super) fn rest(&mut self, last: u8, fields: Fields) -> Result<Record, Fault> {
        let mut record = Record(Vec::new());
        let mut id = last;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Ok(record);
            }
            let (step, code) = (byte >> 4, byte & 0xf);
            // Step 0 announces a number written out, which could repeat or wrap.
            id = id.saturating_add(step);
            let known = fields.iter().find(|(of, kind)| *of == id && kind.is(code));
            let Some((_, kind)) = known.filter(|_| step > 0) else {
                return Err(unexpected(id, byte));
            };
            let value = self.value(*kind)?;
            record.0.push((id, value));
        }
    }

    /// Reads the start of field `id`, of kind `code`, where field `last` was before.
    pub(super) fn field(&mut self, last: u8, id: u8, code: u8) -> Result<(), Fault> {
        let byte = self.byte()?;
        match byte == (id - last) << 4 | code {
            true => Ok(()),
            false => Err(unexpected(last.saturating_add(byte >> 4), byte)),
        }
    }

    /// Reads the start of a list: how many elements of a kind there are, each of a byte at least.
    pub(super) fn list(&mut self, of: Kind) -> Result<u64, Fault> {
        let byte = self.byte()?;
        // Some writers leave the kind out where there are none.
        if byte != 0 && !of.is(byte & 0xf) {
            let rule = "Parquet headers must have lists of the format's kinds";
            return Err(Fault::Rule(rule, format!("{byte:#04x}")));
        }
        let count = match byte >> 4 {
            15 => self.varint()?,
            few => few.into(),
        };
        self.room(count)?;
        Ok(count)
    }

    fn value(&mut self, kind: Kind) -> Result<Value, Fault> {
        match kind {
            Kind::Bool => Ok(Value::Passed),
            Kind::Byte => self.byte().map(|_| Value::Passed),
            Kind::I16 | Kind::I64 => self.varint().map(|_| Value::Passed),
            Kind::I32 => self.i32().map(|number| Value::Number(number.into())),
            Kind::Double => self.skip(8).map(|()| Value::Passed),
            Kind::List(of) => {
                let count = self.list(*of)?;
                (0..count).try_for_each(|_| self.value(*of).map(drop))?;
                Ok(Value::Passed)
            }
            Kind::Binary => {
                let len = self.varint()?;
                self.skip(len)?;
                Ok(Value::Length(len))
            }
            Kind::Structure(fields) => self.structure(fields).map(Value::Structure),
        }
    }

    pub(super) fn i32(&mut self) -> Result<i32, Fault> {
        let bits = self.varint()?;
        let number = (bits >> 1).cast_signed() ^ -(bits & 1).cast_signed();
        i32::try_from(number).map_err(|_| {
            let rule = "Parquet headers must have numbers of at most 32 bits";
            Fault::Rule(rule, number.to_string())
        })
    }

    /// A number of 7 bits a byte.
    fn varint(&mut self) -> Result<u64, Fault> {
        let mut bits = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(bits);
            }
        }
        let rule = "Parquet headers must have numbers of at most 10 bytes";
        Err(Fault::Rule(rule, format!("{bits:#x} and more")))
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let mut byte = [0];
        self.room(1)?;
        self.bytes.read_exact(&mut byte).map_err(Fault::Read)?;
        self.at += 1;
        Ok(byte[0])
    }

    pub(super) fn skip(&mut self, n: u64) -> Result<(), Fault> {
        self.room(n)?;
        // What a file holds is at most an i64.
        let moved = self.bytes.seek_relative(n.cast_signed());
        moved.map_err(Fault::Read)?;
        self.at += n;
        Ok(())
    }

    fn room(&self, n: u64) -> Result<(), Fault> {
        if n <= self.end.saturating_sub(self.at) {
            return Ok(());
        }
        let rule = "Parquet headers and pages must end with their footer or column";
        Err(Fault::Rule(rule, format!("{n} bytes more")))
    }
}

fn unexpected(id: u8, byte: u8) -> Fault {
    let rule = "Parquet headers must have the format's fields in order, each of its kind";
    Fault::Rule(rule, format!("field {id} by {byte:#04x}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;

    pub(crate) fn zigzag(value: i64) -> Vec<u8> {
        varint(((value << 1) ^ (value >> 63)).cast_unsigned())
    }

    pub(crate) fn varint(mut bits: u64) -> Vec<u8> {
        let mut bytes = vec![];
        while bits >= 0x80 {
            bytes.push(bits as u8 | 0x80);
            bits >>= 7;
        }
        bytes.push(bits as u8);
        bytes
    }

    /// A file of these bytes behind four others.
    pub(crate) fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[&[9; 4], bytes].concat()).unwrap();
        file
    }

    const INNER: Fields = &[(1, Kind::Byte), (2, Kind::Bool)];
    const OUTER: Fields = &[
        (1, Kind::I32),
        (3, Kind::Binary),
        (4, Kind::I64),
        (20, Kind::Bool),
        (9, Kind::Structure(INNER)),
    ];

    fn read(bytes: &[u8]) -> Result<Record, Fault> {
        let file = file(bytes);
        Reader::new(&file, 4, bytes.len() as u64)?.structure(OUTER)
    }

    fn rule(bytes: &[u8]) -> &'static str {
        match read(bytes).unwrap_err() {
            Fault::Rule(rule, _) => rule,
            Fault::Read(error) => panic!("{error}"),
        }
    }

    #[test]
    fn structures_of_the_tables_fields() {
        let record = read(&[
            0x15, 0x03, 0x28, 2, b'a', b'b', 0x16, 0x80, 1, 0x5c, 0x13, 7, 0x11, 0, 0xb2, 0,
        ])
        .unwrap();
        assert_eq!(record.number(1), Some(-2));
        assert_eq!(record.length(3), Some(2));
        assert_eq!((record.number(4), record.number(2)), (None, None));
        assert!(record.structure(9).is_some() && record.structure(1).is_none());
        assert!(read(&[0]).unwrap().number(1).is_none());
    }

    #[test]
    fn other_fields_are_refused() {
        for bytes in [
            &[0x25, 2, 0][..],
            // Written out: field 1, and 65537, which the decoder takes for 1.
            &[0x05, 2, 2, 0],
            &[&[0x05][..], &zigzag(65_537), &[2, 0]].concat(),
            // Another kind, and a stop that carries a step.
            &[0x16, 2, 0],
            &[0x18, 1, 2, 0],
            &[0x10],
            // Twice, by a step of 0.
            &[0x15, 2, 0x05, 2, 2, 0],
            &[0x9c, 0x23, 1, 0, 0],
            &[0xf5, 0xf5, 0xf5],
        ] {
            assert!(rule(bytes).contains("fields in order"), "{bytes:?}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        for number in [1 << 31, -(1 << 31) - 1, (1 << 32) + 370, i64::MIN] {
            let bytes = [&[0x15][..], &zigzag(number), &[0]].concat();
            assert!(rule(&bytes).contains("32 bits"), "{number}");
        }
        let bytes = [&[0x15][..], &zigzag(i32::MIN.into()), &[0]].concat();
        assert_eq!(read(&bytes).unwrap().number(1), Some(i32::MIN.into()));
        assert!(rule(&[0x15, 0xff, 0xff, 0xff]).contains("must end"));
        assert!(rule(&[&[0x15][..], &[0xff; 12]].concat()).contains("10 bytes"));
        assert!(rule(&[&[0x38][..], &varint(u64::MAX)].concat()).contains("must end"));
        for (start, len) in [(0, 8), (7, 1), (u64::MAX, 1), (1, u64::MAX)] {
            assert!(Reader::new(&file(&[0, 0]), start, len).is_err());
        }
    }
}
