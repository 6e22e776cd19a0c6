//! A walk through structures in Thrift's compact protocol, in which Parquet's footer and page headers
//! are, before the crate `parquet` decodes them.
//!
//! That crate skips the truth values of a list that it does not know one by one, though they take no
//! bytes, and goes by a field's number and not by its kind, so that a number said to be a text can hide
//! such a list from a walk that goes by kinds alone. This one lets through what both read alike: fields by
//! ascending number in the short form, of the kinds of the format.
//!
//! # References
//! Apache Thrift, "Thrift Compact protocol encoding"; Apache Parquet, `parquet.thrift`.

use std::path::Path;

use super::malformed;
use crate::{DataError, Place};

/// The kinds of the format's structures' fields, from 1 on: integers of some bits, another structure, or
/// a list (`[`). What comes behind them is of any kind.
const STRUCTURES: [(&str, &str); 26] = [
    ("File", "i32 [Part i64 [Group [Entry text [Order"),
    ("Part", "i32 i32 i32 text i32 i32 i32 i32 i32 Logical"),
    (
        "Logical",
        "Empty Empty Empty Empty Decimal Empty Time Time any Integer Empty Empty Empty Empty Empty \
         Variant Geometry Geography Empty",
    ),
    ("Empty", "any"),
    ("Decimal", "i32 i32"),
    ("Time", "bool Unit"),
    ("Unit", "Empty Empty Empty"),
    ("Integer", "i8 bool"),
    ("Variant", "i8"),
    ("Geometry", "text"),
    ("Geography", "text i32"),
    ("Entry", "text text"),
    ("Order", "Empty Empty Empty"),
    ("Group", "[Chunk i64 i64 [Sorting i64 i64 i16"),
    ("Sorting", "i32 bool bool"),
    ("Chunk", "text i64 Column i64 i32 i64 i32"),
    (
        "Column",
        "i32 [i32 [text i32 i64 i64 i64 [Entry i64 i64 i64 Statistics [Encoding i64 i32 Sizes Places",
    ),
    ("Statistics", "text text i64 i64 text text bool bool i64"),
    ("Encoding", "i32 i32 i32"),
    ("Sizes", "i64 [i64 [i64"),
    ("Places", "Box [i32"),
    (
        "Box",
        "double double double double double double double double",
    ),
    ("Page", "i32 i32 i32 i32 Data Empty Dictionary Second"),
    ("Data", "i32 i32 i32 i32 Statistics"),
    ("Dictionary", "i32 i32 bool"),
    ("Second", "i32 i32 i32 i32 i32 i32 bool Statistics"),
];

/// The protocol's codes of a 32-bit integer, of a list and of a structure.
pub(super) const I32: u8 = 5;
pub(super) const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// Structures and lists within each other.
const DEEPEST: usize = 16;

/// The kind of a structure's field.
fn kind(structure: &str, id: u8) -> &'static str {
    let of = STRUCTURES.iter().find(|(name, _)| *name == structure);
    let mut kinds = of.map_or("", |(_, kinds)| kinds).split(' ');
    kinds.nth(usize::from(id) - 1).unwrap_or("any")
}

fn allows(kind: &str, code: u8) -> bool {
    match kind {
        "any" | "" => true,
        "bool" => code == 1 || code == 2,
        "i8" => code == 3,
        "i16" => code == 4,
        "i32" => code == I32,
        "i64" => code == 6,
        "double" => code == 7,
        "text" => code == 8,
        _ if kind.starts_with('[') => code == LIST,
        _ => code == STRUCT,
    }
}

/// Why bytes are refused, and where.
#[derive(Debug)]
pub(super) struct Fault {
    at: usize,
    rule: &'static str,
    found: String,
}

impl Fault {
    /// `start`: where the walk began.
    pub(super) fn of(self, path: &Path, start: u64) -> DataError {
        let place = Place::Byte(start + self.at as u64);
        malformed(path, place, self.rule, self.found)
    }
}

pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes walked through.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes to the end of a structure, where field `last` was before. `seen` gets each field's number
    /// and its value if it is an integer, its length if it is a text.
    pub(super) fn structure(
        &mut self,
        name: &str,
        last: u8,
        seen: &mut dyn FnMut(u8, i64),
    ) -> Result<(), Fault> {
        self.fields(name, last, seen, DEEPEST)
    }

    fn fields(
        &mut self,
        name: &str,
        last: u8,
        seen: &mut dyn FnMut(u8, i64),
        depth: usize,
    ) -> Result<(), Fault> {
        let mut id = last;
        loop {
            let byte = self.byte()?;
            let (step, code) = (byte >> 4, byte & 0xf);
            if code == 0 {
                return Ok(());
            }
            // Step 0 announces a number written out, which could repeat or wrap.
            let next = id.checked_add(step).filter(|_| step > 0);
            let Some(next) = next.filter(|&next| allows(kind(name, next), code)) else {
                return Err(self.unexpected(id, byte));
            };
            id = next;
            let value = self.value(kind(name, id), code, depth)?;
            seen(id, value);
        }
    }

    /// Reads the start of field `id`, of kind `code`, where field `last` was before.
    pub(super) fn field(&mut self, last: u8, id: u8, code: u8) -> Result<(), Fault> {
        let byte = self.byte()?;
        if byte == (id - last) << 4 | code {
            Ok(())
        } else {
            Err(self.unexpected(last, byte))
        }
    }

    fn value(&mut self, kind: &str, code: u8, depth: usize) -> Result<i64, Fault> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.fault("Parquet headers must not be nested deeper than 16", code));
        };
        match code {
            1 | 2 => Ok(0),
            3 => self.byte().map(i64::from),
            4..=6 => {
                let bits = self.varint()?;
                Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
            }
            7 => self.skip(8),
            8 => {
                let len = self.varint()?;
                self.skip(len)
            }
            LIST => {
                let of = kind.strip_prefix('[').unwrap_or("any");
                let (code, count) = self.list(of)?;
                (0..count).try_for_each(|_| self.value(of, code, depth).map(drop))?;
                Ok(0)
            }
            STRUCT => self.fields(kind, 0, &mut |_, _| {}, depth).map(|()| 0),
            _ => Err(self.unexpected(0, code)),
        }
    }

    /// The code and number of a list's elements, each of which takes a byte at least.
    pub(super) fn list(&mut self, of: &str) -> Result<(u8, u64), Fault> {
        let byte = self.byte()?;
        let code = byte & 0xf;
        // Some writers leave the kind out where there are none.
        if byte != 0 && (!allows(of, code) || code < 3) {
            let rule = "Parquet headers must have lists of the format's kinds";
            return Err(self.fault(rule, format!("{byte:#04x}")));
        }
        let count = match byte >> 4 {
            15 => self.varint()?,
            few => few.into(),
        };
        self.room(count)?;
        Ok((code, count))
    }

    /// A number of 7 bits a byte.
    pub(super) fn varint(&mut self) -> Result<u64, Fault> {
        let mut bits = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(bits);
            }
        }
        let rule = "Parquet headers must have numbers of at most 10 bytes";
        Err(self.fault(rule, format!("{bits:#x} and more")))
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.room(1)?;
        let byte = self.bytes[self.at];
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, n: u64) -> Result<i64, Fault> {
        self.room(n)?;
        self.at += n as usize;
        Ok(n.cast_signed())
    }

    fn room(&self, n: u64) -> Result<(), Fault> {
        if n <= (self.bytes.len() - self.at) as u64 {
            Ok(())
        } else {
            let rule = "Parquet headers must end where they are said to";
            Err(self.fault(rule, format!("{n} bytes more")))
        }
    }

    pub(super) fn fault(&self, rule: &'static str, found: impl ToString) -> Fault {
        let found = found.to_string();
        Fault {
            at: self.at,
            rule,
            found,
        }
    }

    fn unexpected(&self, last: u8, byte: u8) -> Fault {
        let rule = "Parquet headers must have the format's fields in order, each of its kind";
        self.fault(rule, format!("{byte:#04x} behind field {last}"))
    }
}
