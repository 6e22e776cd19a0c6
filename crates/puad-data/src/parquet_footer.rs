//! A look at the footer of a Parquet file before it is read.
//!
//! The crate `parquet` makes room for as many children as a part of the schema claims, goes down the
//! schema by recursion, gives every column a copy of the names above it, and skips the truth values of
//! a list that it does not know one by one, though they take no bytes.
//!
//! # References
//! Apache Parquet, `parquet.thrift`, `FileMetaData`; "File Format".

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::DataError;
use super::parquet_pages::STATISTICS;
use super::thrift::{Fault, Fields, I32, Kind, LIST, Reader};

/// The longest footer that is read: 2 MiB. Of each byte a list in it may claim an element, for which
/// the crate makes room of some 100 bytes.
const LONGEST: u64 = 1 << 21;

/// The most parts of a schema, columns and groups.
const PARTS: u64 = 1000;

/// Groups within groups.
const DEEPEST: usize = 8;

/// Bytes of a part's name.
const NAME: u64 = 1000;

const NOTHING: Fields = &[];

/// Whether it is in UTC, and a unit.
const TIME: Fields = &[
    (1, Kind::Bool),
    (
        2,
        Kind::Structure(&[
            (1, Kind::Structure(NOTHING)),
            (2, Kind::Structure(NOTHING)),
            (3, Kind::Structure(NOTHING)),
        ]),
    ),
];

/// One of the logical types.
const LOGICAL: Fields = &[
    (1, Kind::Structure(NOTHING)),
    (2, Kind::Structure(NOTHING)),
    (3, Kind::Structure(NOTHING)),
    (4, Kind::Structure(NOTHING)),
    (5, Kind::Structure(&[(1, Kind::I32), (2, Kind::I32)])),
    (6, Kind::Structure(NOTHING)),
    (7, Kind::Structure(TIME)),
    (8, Kind::Structure(TIME)),
    (10, Kind::Structure(&[(1, Kind::Byte), (2, Kind::Bool)])),
    (11, Kind::Structure(NOTHING)),
    (12, Kind::Structure(NOTHING)),
    (13, Kind::Structure(NOTHING)),
    (14, Kind::Structure(NOTHING)),
    (15, Kind::Structure(NOTHING)),
    (16, Kind::Structure(&[(1, Kind::Byte)])),
    (17, Kind::Structure(&[(1, Kind::Binary)])),
    (18, Kind::Structure(&[(1, Kind::Binary), (2, Kind::I32)])),
];

/// Type and its length, repetition, name, number of children, and what the type stands for.
const PART: Fields = &[
    (1, Kind::I32),
    (2, Kind::I32),
    (3, Kind::I32),
    (4, Kind::Binary),
    (5, Kind::I32),
    (6, Kind::I32),
    (7, Kind::I32),
    (8, Kind::I32),
    (9, Kind::I32),
    (10, Kind::Structure(LOGICAL)),
];

/// A name and a value.
const ENTRY: Kind = Kind::Structure(&[(1, Kind::Binary), (2, Kind::Binary)]);

/// A box of up to four dimensions, and types of shapes.
const PLACES: Fields = &[
    (
        1,
        Kind::Structure(&[
            (1, Kind::Double),
            (2, Kind::Double),
            (3, Kind::Double),
            (4, Kind::Double),
            (5, Kind::Double),
            (6, Kind::Double),
            (7, Kind::Double),
            (8, Kind::Double),
        ]),
    ),
    (2, Kind::List(&Kind::I32)),
];

/// Of a group's column.
const COLUMN: Fields = &[
    (1, Kind::I32),
    (2, Kind::List(&Kind::I32)),
    (3, Kind::List(&Kind::Binary)),
    (4, Kind::I32),
    (5, Kind::I64),
    (6, Kind::I64),
    (7, Kind::I64),
    (8, Kind::List(&ENTRY)),
    (9, Kind::I64),
    (10, Kind::I64),
    (11, Kind::I64),
    (12, Kind::Structure(STATISTICS)),
    (
        13,
        Kind::List(&Kind::Structure(&[
            (1, Kind::I32),
            (2, Kind::I32),
            (3, Kind::I32),
        ])),
    ),
    (14, Kind::I64),
    (15, Kind::I32),
    (
        16,
        Kind::Structure(&[
            (1, Kind::I64),
            (2, Kind::List(&Kind::I64)),
            (3, Kind::List(&Kind::I64)),
        ]),
    ),
    (17, Kind::Structure(PLACES)),
];

/// A column's file, place and description, and the places of its indices.
const CHUNK: Fields = &[
    (1, Kind::Binary),
    (2, Kind::I64),
    (3, Kind::Structure(COLUMN)),
    (4, Kind::I64),
    (5, Kind::I32),
    (6, Kind::I64),
    (7, Kind::I32),
];

/// Columns, bytes, rows, the order of the rows, place, packed bytes and number of a group.
const GROUP: Fields = &[
    (1, Kind::List(&Kind::Structure(CHUNK))),
    (2, Kind::I64),
    (3, Kind::I64),
    (
        4,
        Kind::List(&Kind::Structure(&[
            (1, Kind::I32),
            (2, Kind::Bool),
            (3, Kind::Bool),
        ])),
    ),
    (5, Kind::I64),
    (6, Kind::I64),
    (7, Kind::I16),
];

/// Behind the schema: rows, groups of rows, notes, the writer, and the columns' orders.
const BEHIND: Fields = &[
    (3, Kind::I64),
    (4, Kind::List(&Kind::Structure(GROUP))),
    (5, Kind::List(&ENTRY)),
    (6, Kind::Binary),
    (
        7,
        Kind::List(&Kind::Structure(&[
            (1, Kind::Structure(NOTHING)),
            (2, Kind::Structure(NOTHING)),
        ])),
    ),
];

/// Checks the footer's place, the schema in it and that the rest has the format's fields.
pub(super) fn check(file: &File, path: &Path) -> Result<(), DataError> {
    let (start, len) = place(file).map_err(|fault| fault.at(path, 0))?;
    let mut reader = Reader::new(file, start, len).map_err(|fault| fault.at(path, start))?;
    let outcome = schema(&mut reader).and_then(|()| reader.rest(2, BEHIND));
    outcome.map_err(|fault| fault.at(path, reader.at()))?;
    Ok(())
}

/// Where the footer starts and how long it is, by the last 8 bytes of the file.
fn place(mut file: &File) -> Result<(u64, u64), Fault> {
    let rule = "Parquet files must end with a footer of at most 2^21 bytes, its length and PAR1";
    let length = file.metadata().map_err(Fault::Read)?.len();
    let Some(end) = length.checked_sub(8) else {
        return Err(Fault::Rule(rule, format!("{length} bytes")));
    };
    let mut tail = [0; 8];
    let read = file.seek(SeekFrom::Start(end));
    read.and_then(|_| file.read_exact(&mut tail))
        .map_err(Fault::Read)?;
    let [len @ .., b'P', b'A', b'R', b'1'] = tail else {
        return Err(Fault::Rule(rule, format!("{tail:?}")));
    };
    let len = u64::from(u32::from_le_bytes(len));
    match end.checked_sub(len) {
        Some(start) if len <= LONGEST => Ok((start, len)),
        _ => Err(Fault::Rule(rule, format!("{len} of {length} bytes"))),
    }
}

/// Reads the version and then the schema, a tree's parts in the order of a walk from its root.
fn schema(reader: &mut Reader) -> Result<(), Fault> {
    reader.field(0, 1, I32)?;
    reader.i32()?;
    reader.field(1, 2, LIST)?;
    let parts = reader.list(Kind::Structure(PART))?;
    if parts > PARTS {
        let rule = "Parquet schemas must have at most 1000 parts";
        return Err(Fault::Rule(rule, parts.to_string()));
    }
    // How many children are still to come, of each group from the root to here.
    let mut open = vec![1];
    for _ in 0..parts {
        while open.last() == Some(&0) {
            open.pop();
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None => return Err(not_a_tree("parts outside".into())),
        }
        let children = part(reader)?;
        if children > parts {
            return Err(not_a_tree(format!("{children} children in {parts} parts")));
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > DEEPEST + 1 {
            let rule = "Parquet schemas must not be nested deeper than 8";
            return Err(Fault::Rule(rule, (open.len() - 1).to_string()));
        }
    }
    match open.iter().sum() {
        0 => Ok(()),
        missing => Err(not_a_tree(format!("{missing} parts too few"))),
    }
}

/// The number of children of the next part.
fn part(reader: &mut Reader) -> Result<u64, Fault> {
    let part = reader.structure(PART)?;
    match part.length(4) {
        Some(..=NAME) => {}
        name => {
            let rule = "Parquet columns must have names of at most 1000 bytes";
            return Err(Fault::Rule(rule, format!("{name:?}")));
        }
    }
    let children = part.number(5).unwrap_or(0);
    u64::try_from(children).map_err(|_| not_a_tree(format!("{children} children")))
}

fn not_a_tree(found: String) -> Fault {
    Fault::Rule("Parquet schemas must be one tree", found)
}

#[cfg(test)]
mod tests {
    use super::super::thrift::tests::{file, varint, zigzag};
    use super::*;

    /// A part named `a` with a number of children.
    fn node(children: i64) -> Vec<u8> {
        [&[0x35, 0, 0x18, 1, b'a', 0x15][..], &zigzag(children), &[0]].concat()
    }

    fn leaf() -> Vec<u8> {
        vec![
            0x15, 12, 0x25, 2, 0x18, 1, b'b', 0x25, 0, 0x4c, 0x1c, 0, 0, 0,
        ]
    }

    fn footer(parts: u64, nodes: &[Vec<u8>]) -> Vec<u8> {
        [
            &[0x15, 4, 0x19, 0xfc][..],
            &varint(parts),
            &nodes.concat(),
            &[0],
        ]
        .concat()
    }

    fn checked(footer: &[u8], len: u32) -> Result<(), DataError> {
        let bytes = [footer, &len.to_le_bytes(), b"PAR1"].concat();
        check(&file(&bytes), Path::new("a.parquet"))
    }

    fn rule(footer: &[u8]) -> &'static str {
        match checked(footer, footer.len() as u32).unwrap_err() {
            DataError::Malformed { rule, .. } => rule,
            error => panic!("{error}"),
        }
    }

    #[test]
    fn trees_pass() {
        let mut chain: Vec<_> = (0..DEEPEST).map(|_| node(1)).collect();
        chain.push(leaf());
        for nodes in [
            vec![node(0)],
            vec![node(2), node(2), leaf(), leaf(), leaf()],
            [vec![node(999)], vec![leaf(); 999]].concat(),
            chain,
        ] {
            let footer = footer(nodes.len() as u64, &nodes);
            checked(&footer, footer.len() as u32).unwrap();
        }
        // A list of few has its length in its first byte, and each kind of logical type.
        let mut short = vec![0x15, 4, 0x19, 0x2c];
        short.extend(node(1));
        short.extend([
            0x48, 1, b'c', 0x6c, 0x8c, 0x12, 0x1c, 0x2c, 0, 0, 0, 0, 0, 0,
        ]);
        checked(&short, short.len() as u32).unwrap();
    }

    #[test]
    fn parts_that_are_not_one_tree_are_refused() {
        let of = |parts, nodes: &[Vec<u8>]| rule(&footer(parts, nodes));
        let tree = "Parquet schemas must be one tree";
        assert_eq!(of(1, &[node(i32::MAX.into())]), tree);
        assert_eq!(of(2, &[node(2), leaf()]), tree);
        assert_eq!(of(2, &[node(-1), leaf()]), tree);
        assert_eq!(of(3, &[node(1), leaf(), leaf()]), tree);
        assert_eq!(of(0, &[]), tree);
        assert!(of(1001, &vec![leaf(); 1001]).contains("1000 parts"));
        assert!(of(u64::MAX, &[]).contains("must end"));
        // Fewer than are claimed.
        assert!(of(3, &[node(2), leaf()]).contains("names"));
        let mut chain: Vec<_> = (0..=DEEPEST).map(|_| node(1)).collect();
        chain.push(leaf());
        assert!(of(10, &chain).contains("deeper than 8"));
        let long = [&[0x48][..], &varint(1001), &[b'a'; 1001], &[0]].concat();
        assert!(of(2, &[node(1), long]).contains("1000 bytes"));
        assert!(of(1, &[vec![0x15, 4, 0]]).contains("names"));
    }

    #[test]
    fn footers_that_read_otherwise_are_refused() {
        let order = "fields in order";
        // Number 65538 written out, a schema of another kind or before the version, and a part's
        // number of children as text.
        for bytes in [
            &[&[0x15, 4, 0x09][..], &zigzag(65_538), &[0x1c]].concat()[..],
            &[0x15, 4, 0x18, 1, 0],
            &[0x29, 0x1c, 0],
            &footer(1, &[vec![0x48, 1, b'a', 0x18, 1, 2, 0]]),
            &footer(1, &[vec![0x48, 1, b'a', 0x05, 10, 2, 0]]),
        ] {
            assert!(rule(bytes).contains(order), "{bytes:?}");
        }
        assert!(rule(&[0x15, 4, 0x19, 0x15, 2, 0]).contains("lists of"));
    }

    /// Found by fuzzing: the decoder skips truth values one by one, and they take no bytes.
    #[test]
    fn lists_that_take_no_bytes_are_refused() {
        let whole = footer(2, &[node(1), leaf()]);
        let schema = &whole[..whole.len() - 1];
        let claims = [&[0xf1][..], &varint(i32::MAX as u64), &[0]].concat();
        for before in [&[0x79][..], &[0x29], &[0xd9]] {
            let bytes = [schema, before, &claims].concat();
            assert!(!rule(&bytes).is_empty());
        }
        let groups = [schema, &[0x29, 0xfc], &varint(i32::MAX as u64), &[0]].concat();
        assert!(rule(&groups).contains("must end"));
    }

    #[test]
    fn footers_outside_the_file_or_without_end_are_refused() {
        let whole = footer(2, &[node(1), leaf()]);
        let len = whole.len() as u32;
        // Four bytes come before it.
        for wrong in [len + 5, u32::MAX, 1 << 22] {
            let err = checked(&whole, wrong).unwrap_err();
            assert!(err.to_string().contains("PAR1"), "{err}");
        }
        for cut in 0..len {
            rule(&whole[..cut as usize]);
        }
        for bytes in [&b""[..], b"PAR", b"\0\0\0\0PARE", b"\0\0\0"] {
            assert!(check(&file(bytes), Path::new("a")).is_err());
        }
        let large = vec![0; LONGEST as usize + 1];
        assert!(rule(&large).contains("2^21"));
    }
}
