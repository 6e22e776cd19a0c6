//! Parquet files that promise more than they hold, that are damaged, or that are larger than the memory
//! of this process.
#![cfg(feature = "parquet")]

use std::alloc::System;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap::Cap;
use parquet::basic::{Compression, GzipLevel};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use puad_data::stream::{ParquetOptions, TableReader, Values};
use puad_data::{DataError, Place, Result};

/// An allocation beyond it ends the process.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 32 << 20);

fn open(path: &Path, column: &str) -> Result<TableReader> {
    let columns = Some(vec![column.to_string()]);
    let ids = None;
    TableReader::open_with(path, &ParquetOptions { columns, ids })
}

/// The rule that reading the column breaks.
fn rule(path: &Path, column: &str) -> &'static str {
    match open(path, column).and_then(TableReader::read).unwrap_err() {
        DataError::Malformed { path: p, rule, .. } => {
            assert_eq!(p, path);
            rule
        }
        error => panic!("{error}"),
    }
}

struct Written {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(bytes: &[u8]) -> Written {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    fs::write(&path, bytes).unwrap();
    Written { _dir: dir, path }
}

/// Found by fuzzing: 5 kB of which the decoder makes a page of 1.4 GB.
#[test]
fn pages_are_not_unpacked_on_their_word() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/datasets");
    let rule = rule(&fixtures.join("promises.parquet"), "label");
    assert!(rule.contains("2^28 bytes"), "{rule}");
}

fn varint(mut bits: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while bits >= 0x80 {
        bytes.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    bytes.push(bits as u8);
    bytes
}

/// A part of a schema named `a`, with a number of children.
fn group(children: i32) -> Vec<u8> {
    let zigzag = ((children << 1) ^ (children >> 31)).cast_unsigned();
    [
        &[0x35, 0, 0x18, 1, b'a', 0x15][..],
        &varint(zigzag.into()),
        &[0],
    ]
    .concat()
}

fn leaf() -> Vec<u8> {
    vec![
        0x15, 12, 0x25, 2, 0x18, 1, b'b', 0x25, 0, 0x4c, 0x1c, 0, 0, 0,
    ]
}

/// Version and schema, without the end.
fn schema(claimed: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    [
        &[0x15, 4, 0x19, 0xfc][..],
        &varint(claimed),
        &parts.concat(),
    ]
    .concat()
}

fn with_footer(footer: &[u8]) -> Written {
    let len = (footer.len() as u32).to_le_bytes();
    file(&[b"PAR1", footer, &len, b"PAR1"].concat())
}

fn footer_rule(footer: &[u8]) -> &'static str {
    rule(&with_footer(footer).path, "b")
}

/// Found by fuzzing: the decoder skips truth values one by one, and they take no bytes. Three of 2^31
/// take it seconds each.
#[test]
fn lists_that_take_no_bytes_are_refused() {
    let whole = schema(2, &[group(1), leaf()]);
    let claims = [&[0xf1][..], &varint(i32::MAX as u64)].concat();
    // Behind no rows and no groups: of no field, of one that is known, and within another list.
    let empty = [&whole[..], &[0x16, 0, 0x19, 0x0c]].concat();
    for before in [&[0x89][..], &[0x19], &[0x89, 0x19], &[0x39]] {
        let footer = [&empty, before, &claims, &[0x19], &claims, &[0]].concat();
        assert!(footer_rule(&footer).contains("lists of"), "{before:?}");
    }
    // The same where the decoder sees it and the kind of the field hides it: a number as a text.
    let hidden = [&[0x89][..], &claims, &[0]].concat();
    let text = [&whole[..], &[0x18, hidden.len() as u8], &hidden, &[0]].concat();
    assert!(footer_rule(&text).contains("fields in order"));
}

/// 27 bytes for which the decoder makes room of 16 GiB, and groups within groups that overflow its
/// stack.
#[test]
fn schemas_are_not_taken_at_their_word() {
    let refused =
        |claimed, parts: &[Vec<u8>]| footer_rule(&[schema(claimed, parts), vec![0]].concat());
    assert!(refused(1, &[group(i32::MAX)]).contains("no more children"));
    assert!(refused(2, &[group(-1), leaf()]).contains("no more children"));
    assert!(refused(2, &[vec![0x15, 2, 0], leaf()]).contains("have a name"));
    let tree = "Parquet schemas must be one tree";
    assert_eq!(refused(3, &[group(1), leaf(), leaf()]), tree);
    assert_eq!(refused(3, &[group(2), group(2), leaf()]), tree);
    assert_eq!(refused(0, &[]), tree);
    assert!(refused(u64::MAX, &[]).contains("end where"));
    let deep = [vec![group(1); 20_000], vec![leaf()]].concat();
    assert!(refused(20_001, &deep).contains("8 deep"));
    // 100 columns below a name of 200 kB.
    let long = [
        &[0x48][..],
        &varint(200_000),
        &vec![b'a'; 200_000],
        &[0x15, 200, 1, 0],
    ]
    .concat();
    let wide = [vec![group(1), long], vec![leaf(); 100]].concat();
    assert!(refused(102, &wide).contains("2^24 bytes"));
}

#[test]
fn footers_outside_the_file_or_without_end_are_refused() {
    let whole = [
        &schema(2, &[group(1), leaf()])[..],
        &[0x16, 0, 0x19, 0x0c, 0],
    ]
    .concat();
    let table = with_footer(&whole);
    let columns = puad_data::parquet::columns(&table.path).unwrap();
    assert_eq!(columns[0].name, "b");
    for cut in 0..whole.len() {
        footer_rule(&whole[..cut]);
    }
    let groups = [
        &whole[..whole.len() - 2],
        &[0xfc],
        &varint(i32::MAX as u64),
        &[0],
    ]
    .concat();
    assert!(footer_rule(&groups).contains("end where"));
    for bytes in [
        &b""[..],
        b"PAR1",
        b"not Parquet at all",
        b"\0\0\0\0PARE",
        b"PAR1\xff\xff\xff\xffPAR1",
    ] {
        assert!(rule(&file(bytes).path, "b").contains("end with a footer"));
    }
    let long = vec![0; (1 << 23) + 1];
    assert!(footer_rule(&long).contains("2^23"));
    // Kinds and steps that the decoder takes for something else.
    for byte in 1..=u8::MAX {
        footer_rule(&[byte; 1000]);
    }
}

/// A column `x` of 64-bit integers.
fn integers(values: &[i64]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message a { required int64 x; }").unwrap());
    let mut writer = SerializedFileWriter::new(vec![], schema, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<Int64Type>()
        .write_batch(values, None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn dictionaries_are_not_taken_at_their_word() {
    let values: Vec<i64> = (0..200).map(|i| i % 100).collect();
    let mut bytes = integers(&values);
    let whole = file(&bytes);
    let read = open(&whole.path, "x").and_then(TableReader::read).unwrap();
    assert_eq!(
        read.values,
        Values::F64(values.iter().map(|&v| v as f64).collect())
    );
    // The header of the dictionary: 100 values, which become 8191.
    let header = [0x4c, 0x15, 0xc8, 0x01, 0x15];
    let at = bytes
        .windows(5)
        .position(|window| window == header)
        .unwrap();
    bytes[at + 2..at + 4].copy_from_slice(&[0xfe, 0x7f]);
    assert!(rule(&file(&bytes).path, "x").contains("dictionaries must"));
    // The encoding of the dictionary, plain, becomes that of lengths by differences.
    bytes[at + 2..at + 6].copy_from_slice(&[0xc8, 0x01, 0x15, 12]);
    let err = open(&file(&bytes).path, "x").and_then(TableReader::read);
    assert!(matches!(err, Err(DataError::Unsupported { .. })));
    // A step of 0, which announces a number written out.
    bytes[at] = 0x0c;
    assert!(rule(&file(&bytes).path, "x").contains("fields in order"));
}

#[test]
fn other_packings_are_refused() {
    let mut bytes = integers(&[3, 1, 4]);
    // The column's path and packing.
    let path = [0x19, 0x18, 1, b'x', 0x15, 0];
    let at = bytes.windows(6).position(|window| window == path).unwrap();
    bytes[at + 5] = 2 * 5;
    match open(&file(&bytes).path, "x").and_then(TableReader::read) {
        Err(DataError::Unsupported { found, .. }) => {
            assert_eq!(found, "LZ4 in column \"x\"");
        }
        other => panic!("{other:?}"),
    }
}

/// A megabyte of zeros in some kB, of which the header promises 40 bytes.
#[test]
fn gzip_is_unpacked_no_further_than_promised() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let properties = WriterProperties::builder()
        .set_compression(gzip)
        .set_dictionary_enabled(false)
        .set_data_page_row_count_limit(1 << 18)
        .set_data_page_size_limit(1 << 21)
        .set_write_batch_size(1 << 17);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let schema = Arc::new(parse_message_type("message m { required int64 x; }").unwrap());
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties.build().into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values = vec![0; 1 << 17];
    column
        .typed::<Int64Type>()
        .write_batch(&values, None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    assert_eq!(
        open(&path, "x")
            .unwrap()
            .next_batch(5)
            .unwrap()
            .unwrap()
            .shape,
        [5, 1]
    );

    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() < 20_000);
    // The unpacked size of the first page's header: 2^20, by zigzag in 7 bits a byte.
    let size = varint(1 << 21);
    let at = bytes
        .windows(size.len())
        .position(|window| window == size)
        .unwrap();
    bytes[at..at + size.len()].copy_from_slice(&[0xd0, 0x80, 0x80, 0x00]);
    fs::write(&path, bytes).unwrap();
    assert!(rule(&path, "x").contains("headers promise"));
}

/// Cut at every byte, and every byte changed by each of some masks.
#[test]
fn damaged_files() {
    let whole = integers(&[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]);
    let read = |bytes: &[u8]| {
        let file = file(bytes);
        open(&file.path, "x").and_then(TableReader::read)
    };
    for len in 0..whole.len() {
        assert!(read(&whole[..len]).is_err(), "{len}");
    }
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        for mask in [0x01, 0x10, 0x40, 0x81, 0xff] {
            bytes[at] = whole[at] ^ mask;
            if let Ok(table) = read(&bytes) {
                assert_eq!(table.shape, [11, 1], "{at} {mask}");
            }
        }
        bytes[at] = whole[at];
    }
}

/// 64 MB in 16 groups, and a NaN in the last row.
#[test]
fn files_larger_than_memory_are_read_a_batch_at_a_time() {
    const GROUP: usize = 250_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.parquet");
    let schema = "message a { required double x; required double y; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .build();
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for group in 0..16 {
        let mut values: Vec<f64> = (0..GROUP).map(|i| (group * GROUP + i) as f64).collect();
        let mut group_writer = writer.next_row_group().unwrap();
        while let Some(mut column) = group_writer.next_column().unwrap() {
            column
                .typed::<DoubleType>()
                .write_batch(&values, None, None)
                .unwrap();
            column.close().unwrap();
            if group == 15 {
                values[GROUP - 1] = f64::NAN;
            }
        }
        group_writer.close().unwrap();
    }
    writer.close().unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 2 * ALLOCATOR.limit() as u64 - (4 << 20));

    let read = |column: &str| {
        let (mut rows, mut sum) = (0, 0.);
        for batch in open(&path, column)?.batches(10_000)? {
            let Values::F64(values) = batch?.values else {
                panic!("f32");
            };
            rows += values.len();
            sum += values.iter().sum::<f64>();
        }
        Ok((rows, sum))
    };
    let all = (16 * GROUP) as f64;
    assert_eq!(read("x").unwrap(), (16 * GROUP, all * (all - 1.) / 2.));
    match read("y") {
        Err(DataError::Value { place, .. }) => {
            let (row, column) = (16 * GROUP - 1, "y".into());
            assert_eq!(place, Place::Entry { row, column });
        }
        other => panic!("{other:?}"),
    }
}
