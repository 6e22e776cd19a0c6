//! The footer of a Parquet file: schema, and where the columns of each group of rows lie.
//!
//! The crate `parquet` makes room for as many children as a part of the schema claims (16 GiB for 27
//! bytes), goes down the schema by recursion, and gives every column a copy of the names above it.
//!
//! # References
//! Apache Parquet, `parquet.thrift`, `FileMetaData`; "File Format".

use std::fs::File;
use std::path::Path;

use ::parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};

use super::thrift::{Fault, I32, LIST, Walk};
use super::{bytes_at, malformed};
use crate::{DataError, Place, Result};

/// The longest footer: 8 MiB. For each byte of it the crate may make room of some 100.
const LONGEST: u64 = 1 << 23;

/// Groups of columns within groups.
const DEEPEST: usize = 8;

/// Bytes of the columns' names, those of the groups above each included.
const NAMES: i64 = 1 << 24;

const TREE: &str = "Parquet schemas must be one tree";

/// Reads and checks the footer; statistics are left out.
pub(super) fn read(file: &File, path: &Path) -> Result<ParquetMetaData> {
    let (start, bytes) = bytes(file, path)?;
    check(&bytes).map_err(|fault| fault.of(path, start))?;
    let skip = ParquetStatisticsPolicy::SkipAll;
    let options = ParquetMetaDataOptions::new()
        .with_encoding_stats_policy(skip.clone())
        .with_column_stats_policy(skip.clone())
        .with_size_stats_policy(skip);
    let decoded = ParquetMetaDataReader::decode_metadata_with_options(&bytes, Some(&options));
    decoded.map_err(|error| super::broken(path, error))
}

/// The footer and where it starts, by the last 8 bytes of the file.
fn bytes(file: &File, path: &Path) -> Result<(u64, Vec<u8>)> {
    let rule = "Parquet files must end with a footer of at most 2^23 bytes, its length and PAR1";
    let fail = |at, found| malformed(path, Place::Byte(at), rule, found);
    let length = file.metadata().map_err(|e| DataError::read(path, 0, e))?;
    let length = length.len();
    let Some(end) = length.checked_sub(8) else {
        return Err(fail(0, format!("{length} bytes")));
    };
    if bytes_at(file, path, 0, 2)? == [0x1f, 0x8b] {
        return Err(DataError::Unsupported {
            path: path.into(),
            rule: "a Parquet file is packed within, page by page",
            found: "a file packed by gzip as a whole: unpack it".into(),
        });
    }
    let tail = bytes_at(file, path, end, 8)?;
    let [a, b, c, d, b'P', b'A', b'R', b'1'] = tail[..] else {
        return Err(fail(end, format!("{tail:?}")));
    };
    let len = u64::from(u32::from_le_bytes([a, b, c, d]));
    let start = match end.checked_sub(len) {
        Some(start) if len <= LONGEST => start,
        _ => return Err(fail(end, format!("{len} of {length} bytes"))),
    };
    Ok((start, bytes_at(file, path, start, len)?))
}

/// Walks through the version and the schema, a tree's parts in the order of a walk from its root, and
/// then the rest.
fn check(footer: &[u8]) -> Result<(), Fault> {
    let mut walk = Walk::new(footer);
    walk.field(0, 1, I32)?;
    walk.varint()?;
    walk.field(1, 2, LIST)?;
    let (_, parts) = walk.list("Part")?;
    // Of each group from the root to here, how many children are still to come, and the bytes of the
    // names down to it.
    let mut open = vec![(1, 0)];
    let mut names = 0;
    for _ in 0..parts {
        while open.pop_if(|(left, _)| *left == 0).is_some() {}
        let Some((left, above)) = open.last_mut() else {
            return Err(walk.fault(TREE, "parts outside"));
        };
        *left -= 1;
        let above = *above;
        let (name, children) = part(&mut walk, parts)?;
        match children {
            0 => names += above + name,
            _ => open.push((children, above + name)),
        }
        if open.len() > DEEPEST + 1 || names > NAMES {
            let rule = "Parquet schemas must be at most 8 deep, their names at most 2^24 bytes";
            return Err(walk.fault(rule, format!("{} deep, {names} bytes", open.len() - 1)));
        }
    }
    let missing: u64 = open.iter().map(|(left, _)| left).sum();
    if missing > 0 {
        let found = format!("{missing} parts too few");
        return Err(walk.fault(TREE, found));
    }
    walk.structure("File", 2, &mut |_, _| {})
}

/// The bytes of the next part's name and the number of its children.
fn part(walk: &mut Walk, parts: u64) -> Result<(i64, u64), Fault> {
    let (mut name, mut children) = (None, 0);
    walk.structure("Part", 0, &mut |id, value| match id {
        4 => name = Some(value),
        5 => children = value,
        _ => {}
    })?;
    let count = u64::try_from(children).ok().filter(|&count| count < parts);
    match (name, count) {
        (Some(name), Some(count)) => Ok((name, count)),
        _ => {
            let rule =
                "Parquet columns must have a name, and groups no more children than all parts";
            Err(walk.fault(rule, format!("{children} of {parts} below {name:?}")))
        }
    }
}
