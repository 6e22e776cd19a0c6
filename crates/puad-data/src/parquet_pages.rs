//! A look at the pages of a Parquet column before they are unpacked.
//!
//! The crate `parquet` makes room for what a page's header promises, up to 2 GiB for the page, and as
//! many values as it states of a dictionary; a file of a few kilobytes can promise that.
//!
//! # References
//! Apache Parquet, `parquet.thrift`, `PageHeader`; "Encodings".

use std::fs::File;
use std::path::Path;

use super::DataError;
use super::thrift::{Fault, Fields, Kind, Reader, Record};

/// The largest page that is unpacked: 256 MiB, where writers aim at one.
const LARGEST: u64 = 1 << 28;

pub(super) const STATISTICS: Fields = &[
    (1, Kind::Binary),
    (2, Kind::Binary),
    (3, Kind::I64),
    (4, Kind::I64),
    (5, Kind::Binary),
    (6, Kind::Binary),
    (7, Kind::Bool),
    (8, Kind::Bool),
    (9, Kind::I64),
];

/// Number of values, encoding, encodings of the levels, statistics.
const DATA: Fields = &[
    (1, Kind::I32),
    (2, Kind::I32),
    (3, Kind::I32),
    (4, Kind::I32),
    (5, Kind::Structure(STATISTICS)),
];

/// Number of values, encoding, whether it is sorted.
const DICTIONARY: Fields = &[(1, Kind::I32), (2, Kind::I32), (3, Kind::Bool)];

/// Numbers of values, of missing ones and of rows, encoding, bytes of the levels, whether it is packed,
/// statistics.
const DATA_2: Fields = &[
    (1, Kind::I32),
    (2, Kind::I32),
    (3, Kind::I32),
    (4, Kind::I32),
    (5, Kind::I32),
    (6, Kind::I32),
    (7, Kind::Bool),
    (8, Kind::Structure(STATISTICS)),
];

/// Type, sizes unpacked and packed, checksum, and a header for each of the types 0 to 3.
const PAGE: Fields = &[
    (1, Kind::I32),
    (2, Kind::I32),
    (3, Kind::I32),
    (4, Kind::I32),
    (5, Kind::Structure(DATA)),
    (6, Kind::Structure(&[])),
    (7, Kind::Structure(DICTIONARY)),
    (8, Kind::Structure(DATA_2)),
];

/// PLAIN, PLAIN_DICTIONARY, RLE and RLE_DICTIONARY. The others make room for a number of values that is
/// among the packed bytes.
const ENCODINGS: [u64; 4] = [0, 2, 3, 8];

/// Checks the headers of all pages in the `len` bytes from `start` on, of a column of `rows` values.
pub(super) fn check(
    file: &File,
    path: &Path,
    (start, len): (u64, u64),
    rows: usize,
) -> Result<(), DataError> {
    let reader = Reader::new(file, start, len).map_err(|fault| fault.at(path, start))?;
    let mut pages = Pages {
        reader,
        values: rows as u64,
    };
    let outcome = pages.check();
    outcome.map_err(|fault| fault.at(path, pages.reader.at()))
}

struct Pages<'a> {
    reader: Reader<'a>,
    /// How many may still come.
    values: u64,
}

impl Pages<'_> {
    fn check(&mut self) -> Result<(), Fault> {
        while !self.reader.is_done() {
            let header = self.reader.structure(PAGE)?;
            let unpacked = count(&header, 2)?;
            if unpacked > LARGEST {
                let rule = "Parquet pages must unpack to 0 to 2^28 bytes";
                return Err(Fault::Rule(rule, unpacked.to_string()));
            }
            self.content(&header, unpacked)?;
            self.reader.skip(count(&header, 3)?)?;
        }
        Ok(())
    }

    /// Checks the header that goes with the page's type, and is alone.
    fn content(&mut self, header: &Record, unpacked: u64) -> Result<(), Fault> {
        let kind = count(header, 1)?;
        let stated: Vec<u64> = (0..4)
            .filter(|&of| header.structure(5 + of).is_some())
            .map(u64::from)
            .collect();
        if stated != [kind] {
            let rule = "Parquet pages must have the header of their type, and no other";
            return Err(Fault::Rule(rule, format!("{stated:?} for type {kind}")));
        }
        let part = |id| header.structure(id);
        if let Some(data) = part(5) {
            encoding(count(data, 2)?, &ENCODINGS)?;
            // Levels may be packed to bits, as long as the page has them.
            encoding(count(data, 3)?, &[3, 4])?;
            encoding(count(data, 4)?, &[3, 4])?;
            self.data(count(data, 1)?)
        } else if let Some(dictionary) = part(7) {
            encoding(count(dictionary, 2)?, &ENCODINGS)?;
            self.dictionary(count(dictionary, 1)?, unpacked)
        } else if let Some(data) = part(8) {
            encoding(count(data, 4)?, &ENCODINGS)?;
            levels(data, unpacked)?;
            self.data(count(data, 1)?)
        } else {
            Ok(())
        }
    }

    fn data(&mut self, values: u64) -> Result<(), Fault> {
        let Some(left) = self.values.checked_sub(values) else {
            let rule = "Parquet pages must have a value for each row at most";
            let found = format!("{values} where {} may come", self.values);
            return Err(Fault::Rule(rule, found));
        };
        self.values = left;
        Ok(())
    }

    /// Each value takes 4 bytes at least, the length of one of bytes; and is of some row.
    fn dictionary(&self, values: u64, unpacked: u64) -> Result<(), Fault> {
        let most = (unpacked / 4).min(self.values);
        if values > most {
            let rule =
                "Parquet dictionaries must have a value for each row and for 4 bytes at most";
            return Err(Fault::Rule(rule, format!("{values} where {most} may be")));
        }
        Ok(())
    }
}

/// A number that must be there and not be negative.
fn count(record: &Record, id: u8) -> Result<u64, Fault> {
    let number = record.number(id);
    let count = number.and_then(|number| u64::try_from(number).ok());
    count.ok_or_else(|| {
        let rule =
            "Parquet pages must state their type, sizes, numbers and encoding, none negative";
        Fault::Rule(rule, format!("{number:?} in field {id}"))
    })
}

fn encoding(found: u64, read: &[u64]) -> Result<(), Fault> {
    if read.contains(&found) {
        return Ok(());
    }
    let rule = "Parquet pages must be encoded plainly or by dictionary, levels by run lengths";
    Err(Fault::Rule(rule, format!("encoding {found}")))
}

/// The second version's missing values, rows and levels.
fn levels(data: &Record, unpacked: u64) -> Result<(), Fault> {
    let values = count(data, 1)?;
    let parts = [count(data, 2)?, count(data, 3)?];
    let bytes = count(data, 5)? + count(data, 6)?;
    if parts.iter().any(|&part| part > values) || bytes > unpacked {
        let rule =
            "Parquet pages must have no more missing values, rows or bytes of levels than all";
        let found = format!("{parts:?} of {values}, {bytes} of {unpacked} bytes");
        return Err(Fault::Rule(rule, found));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::thrift::tests::{file, zigzag};
    use super::*;

    const ROWS: usize = 100;

    /// The fields of a structure from 1 on, all `i32`.
    fn numbers(values: &[i64]) -> Vec<u8> {
        let field = |&value| [&[0x15][..], &zigzag(value)].concat();
        values.iter().flat_map(field).collect()
    }

    /// A page of a type, with `packed` bytes of content.
    fn page(kind: i64, unpacked: i64, packed: i64, header: &[u8]) -> Vec<u8> {
        let step = (5 + kind - 3) as u8;
        let mut bytes = [
            &numbers(&[kind, unpacked, packed])[..],
            &[step << 4 | 0xc],
            header,
            &[0, 0],
        ]
        .concat();
        bytes.resize(bytes.len() + packed.clamp(0, 1000) as usize, 7);
        bytes
    }

    fn data(unpacked: i64, packed: i64) -> Vec<u8> {
        let statistics = [0x1c, 0x18, 1, b'a', 0x26, 2, 0x41, 0];
        let header = [&numbers(&[1, 0, 3, 3])[..], &statistics].concat();
        page(0, unpacked, packed, &header)
    }

    fn checked(bytes: &[u8], len: u64) -> Result<(), DataError> {
        check(&file(bytes), Path::new("a.parquet"), (4, len), ROWS)
    }

    fn rule(bytes: &[u8]) -> &'static str {
        match checked(bytes, bytes.len() as u64).unwrap_err() {
            DataError::Malformed { rule, .. } => rule,
            error => panic!("{error}"),
        }
    }

    #[test]
    fn pages_of_any_honest_size_pass() {
        let pages = [
            page(2, 400, 370, &numbers(&[100, 0])),
            data(403, 370),
            page(1, 0, 0, &[]),
            data(0, 0),
            data(LARGEST as i64, 1),
            page(
                3,
                10,
                9,
                &[&numbers(&[97, 1, 97, 8, 4, 6])[..], &[0x12]].concat(),
            ),
            // A checksum, of any sign, and levels packed to bits.
            [
                &numbers(&[0, 1, 1, -5])[..],
                &[0x1c],
                &numbers(&[0, 2, 4, 4]),
                &[0, 0, 7],
            ]
            .concat(),
        ]
        .concat();
        checked(&pages, pages.len() as u64).unwrap();
        checked(&[], 0).unwrap();
    }

    /// Found by fuzzing: 5 kB that took 1.4 GB.
    #[test]
    fn promises_beyond_the_limit_are_refused() {
        for unpacked in [1_396_406_960, LARGEST as i64 + 1, i32::MAX.into()] {
            assert!(rule(&data(unpacked, 1)).contains("2^28"));
        }
        assert!(rule(&data(-1, 1)).contains("none negative"));
        assert!(rule(&data(1, -1)).contains("none negative"));
        assert!(rule(&data(1, 1001)).contains("must end with"));
        assert!(rule(&data(i64::MIN, 1)).contains("32 bits"));
        let page = data(10, 20);
        let err = checked(&page, page.len() as u64 + 1).unwrap_err();
        assert!(err.to_string().contains("footer places"), "{err}");
    }

    /// Headers that the decoder reads as a page of 2^30 bytes, and a lax reader as one of 1.
    #[test]
    fn headers_that_read_otherwise_are_refused() {
        let large = zigzag(1 << 30);
        // Field 65538 is field 2 where numbers are cut to 16 bits.
        let wrapped = [
            &numbers(&[0, 1, 1])[..],
            &[0x05],
            &zigzag(65_538),
            &large,
            &[0, 7],
        ]
        .concat();
        // Field 4 as six bytes of text, or as 3 and then field 2.
        let mut disguised = [&numbers(&[0, 1, 1])[..], &[0x18, 6, 0x05, 4]].concat();
        disguised.extend([&large[..4], &[0, 7]].concat());
        for bytes in [wrapped, disguised] {
            assert!(rule(&bytes).contains("fields in order"));
        }
        // 2^32 + 370 bytes, of which 370 are left where numbers are cut to 32 bits.
        for (unpacked, packed) in [(1, (1 << 32) + 370), ((1 << 32) + 370, 1)] {
            assert!(rule(&data(unpacked, packed)).contains("32 bits"));
        }
        // The same within the header of the type.
        for header in [
            &[0x15, 2, 0x15, 0, 0x05, 2, 4][..],
            &[0x18, 1, 2],
            &[0x16, 2],
        ] {
            assert!(rule(&page(2, 40, 1, header)).contains("fields in order"));
        }
    }

    #[test]
    fn numbers_of_values_are_bounded() {
        let of = |kind, unpacked, header: &[i64]| rule(&page(kind, unpacked, 1, &numbers(header)));
        // By the bytes of the page, and by the rows.
        for (unpacked, values) in [(40, 11), (4000, 101), (4000, i32::MAX.into())] {
            assert!(of(2, unpacked, &[values, 0]).contains("dictionaries must"));
        }
        assert!(of(0, 40, &[101, 0, 3, 3]).contains("each row at most"));
        assert!(of(3, 40, &[101, 0, 1, 0, 0, 0]).contains("each row at most"));
        let two = page(0, 4, 4, &numbers(&[51, 0, 3, 3])).repeat(2);
        assert!(rule(&two).contains("each row at most"));
        for header in [
            [5, 6, 5, 0, 0, 0],
            [5, 0, 6, 0, 0, 0],
            [5, 0, 5, 0, 20, 21],
            [5, 0, 5, 0, i32::MAX.into(), i32::MAX.into()],
        ] {
            assert!(of(3, 40, &header).contains("no more"), "{header:?}");
        }
        assert!(of(2, 40, &[-1, 0]).contains("none negative"));
        assert!(of(2, 40, &[1]).contains("none negative"));
    }

    #[test]
    fn other_encodings_and_headers_of_other_types_are_refused() {
        for encoding in [1, 4, 5, 6, 7, 9, 10] {
            for (kind, header) in [
                (0, vec![1, encoding, 3, 3]),
                (2, vec![1, encoding]),
                (3, vec![1, 0, 1, encoding, 0, 0]),
            ] {
                let found = rule(&page(kind, 40, 1, &numbers(&header)));
                assert!(found.contains("encoded plainly"), "{kind} {encoding}");
            }
        }
        assert!(rule(&page(0, 40, 1, &numbers(&[1, 0, 5, 3]))).contains("levels by"));
        let mut other = data(40, 1);
        other[1] = 4;
        assert!(rule(&other).contains("header of their type"));
        assert!(rule(&[&numbers(&[0, 1, 1])[..], &[0, 7]].concat()).contains("of their type"));
        let both = [
            &numbers(&[2, 40, 1])[..],
            &[0x4c],
            &numbers(&[1, 0]),
            &[0, 0x1c],
            &numbers(&[1, 0, 1, 0, 0, 0]),
            &[0, 0, 7],
        ];
        assert!(rule(&both.concat()).contains("and no other"));
    }

    #[test]
    fn headers_cut_anywhere_and_bottomless_ones_are_errors() {
        let whole = data(10, 20);
        for len in 1..whole.len() {
            rule(&whole[..len]);
            assert!(checked(&whole[..len], whole.len() as u64).is_err(), "{len}");
        }
        for byte in 1..=u8::MAX {
            rule(&[byte; 10_000]);
        }
    }
}
