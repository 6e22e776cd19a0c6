//! Tables as people have them: each the smallest that shows what could go wrong.

mod common;

use std::fs;

use common::Dir;
use puad_data::benchmarks::adbench;
use puad_data::csv::{self, CsvConfig, LabelColumn};
use puad_data::stream::{Batch, CsvOptions, NpyOptions, TableReader, Values};
use puad_data::table::TableFile;
use puad_data::{DataError, LabeledRows, Place, Result};

/// Columns and all rows.
fn read_with(
    name: &str,
    text: impl AsRef<[u8]>,
    options: &CsvOptions,
) -> Result<(Vec<String>, Batch)> {
    let dir = Dir::new();
    let table = TableReader::open_with(dir.file(name, text), options)?;
    Ok((table.columns(), table.read()?))
}

fn read(text: impl AsRef<[u8]>) -> Result<(Vec<String>, Batch)> {
    read_with("a.csv", text, &CsvOptions::default())
}

fn labeled(text: impl AsRef<[u8]>, config: &CsvConfig) -> Result<LabeledRows> {
    let dir = Dir::new();
    csv::read(dir.file("a.csv", text), config)
}

fn header(header: bool) -> CsvOptions {
    CsvOptions {
        header: Some(header),
        ..CsvOptions::default()
    }
}

fn values(batch: Batch) -> Vec<f64> {
    match batch.values {
        Values::U8(values) => values.into_iter().map(f64::from).collect(),
        Values::F32(values) => values.into_iter().map(f64::from).collect(),
        Values::F64(values) => values,
    }
}

#[track_caller]
fn assert_read(text: impl AsRef<[u8]>, names: &[&str], expected: &[f64]) {
    let (columns, batch) = read(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(columns, names);
    assert_eq!(values(batch), expected);
}

fn cell(line: u64, column: &str) -> Place {
    let column = column.into();
    Place::Cell { line, column }
}

#[track_caller]
fn assert_cell<T>(result: Result<T>, line: u64, column: &str, remedy: &str) {
    match result.err().expect("an error") {
        DataError::Value { place, rule, .. } => {
            assert_eq!(place, cell(line, column));
            assert!(rule.contains(remedy), "{rule}");
        }
        error => panic!("{error}"),
    }
}

#[track_caller]
fn assert_asked<T>(result: Result<T>, remedy: &str) {
    match result.err().expect("an error") {
        error @ DataError::Ambiguous { .. } => {
            assert!(error.to_string().contains(remedy), "{error}");
        }
        error => panic!("{error}"),
    }
}

/// `df.to_csv(index=False)` of an array.
#[test]
fn pandas_numbers_for_names_are_names() {
    assert_read("0,1,2\n0.5,1.5,2.5\n", &["0", "1", "2"], &[0.5, 1.5, 2.5]);
    // With the rows' numbers, which are no feature.
    let (columns, batch) = read(",0,1,2\n0,0.5,1.5,2.5\n1,3.5,4.5,5.5\n").unwrap();
    assert_eq!((columns.len(), batch.shape), (3, vec![2, 3]));
    assert_eq!(batch.ids, ["0", "1"]);
    // Could be counts, or two of them.
    for text in ["0,1,2\n3,4,5\n", "0,1\n0.5,0.7\n", "0\n1.5\n", "0,1,2\n"] {
        assert_asked(read(text), "header");
        let rows = text.lines().count();
        let as_data = read_with("a.csv", text, &header(false)).unwrap().1;
        let as_names = read_with("a.csv", text, &header(true)).unwrap().1;
        assert_eq!((as_data.shape[0], as_names.shape[0]), (rows, rows - 1));
    }
    assert_read("1,2,3\n4,5,6\n", &[], &[1., 2., 3., 4., 5., 6.]);
    // With labels: their name says what the line is.
    let table = labeled("0,1,label\n3,4,1\n", &CsvConfig::default()).unwrap();
    assert_eq!(
        (table.values(), table.columns()),
        (&[3., 4.][..], &["0".into(), "1".into()][..])
    );
}

/// Not a header of which no row is left.
#[test]
fn a_first_row_with_a_gap_is_a_row() {
    for (text, column) in [
        (",0.5\n", "0"),
        ("NA,3\n", "0"),
        ("1.5,\n", "1"),
        ("NaN\n", "0"),
        ("?,?\n", "0"),
    ] {
        assert_cell(read(text), 1, column, "every cell must have a value");
    }
    let gap = labeled("NA,3,0\n", &CsvConfig::default());
    assert_cell(gap, 1, "0", "set `header`");
    // Neither a row nor names for sure.
    for text in ["1.5,x,3\n1,2,3\n", "1.2.3\n4\n", "country,2019\n1,2\n"] {
        assert_asked(read(text), "header");
    }
    assert_cell(read("a,b\n1,\n"), 2, "b", "every cell must have a value");
    assert_cell(read("a,b\n1,1e999\n"), 2, "b", "finite");
}

/// Both readers go by the same rules.
#[test]
fn a_file_without_names_keeps_its_first_row() {
    let text = "1.5,2,0\n2.5,3,1\n";
    let table = labeled(text, &CsvConfig::default()).unwrap();
    assert_eq!(table.values(), [1.5, 2., 2.5, 3.]);
    assert_read(text, &[], &[1.5, 2., 0., 2.5, 3., 1.]);
    let kinds = CsvConfig {
        classes: vec!["ok".into(), "broken".into()],
        ..CsvConfig::default()
    };
    assert_eq!(labeled("1.5,ok\n2.5,broken\n", &kinds).unwrap().len(), 2);
    assert_eq!(
        labeled("heat,state\n2.5,broken\n", &kinds).unwrap().len(),
        1
    );
    // A class that is not known: no name of a column above numbers.
    assert_cell(labeled("1.5,okay\n", &kinds), 1, "1", "classes");
}

#[test]
fn rows_of_their_own_names_are_no_feature() {
    for first in ["", "\"\"", "Unnamed: 0"] {
        let (columns, batch) = read(format!("{first},a,b\nx,1,2\ny,3,4\n")).unwrap();
        assert_eq!(columns, ["a", "b"]);
        assert_eq!(batch.ids, ["x", "y"]);
        assert_eq!(values(batch), [1., 2., 3., 4.]);
    }
    let table = labeled(",a,y\n0,1,1\n1,2,0\n", &CsvConfig::default()).unwrap();
    assert_eq!(
        (table.values(), table.columns()),
        (&[1., 2.][..], &["a".to_string()][..])
    );
    // Who asks for it gets it.
    let options = CsvOptions {
        columns: Some(vec![0.into(), "b".into()]),
        ..CsvOptions::default()
    };
    let (columns, batch) = read_with("a.csv", ",a,b\n7,1,2\n", &options).unwrap();
    assert_eq!((columns[1].as_str(), values(batch)), ("b", vec![7., 2.]));
    // A column of texts by its name.
    let options = CsvOptions {
        ids: Some("time".into()),
        ..CsvOptions::default()
    };
    let (columns, batch) = read_with("a.csv", "a,time,b\n1,9:15,2\n", &options).unwrap();
    assert_eq!(
        (columns.join(" "), batch.ids.join(" ")),
        ("a b".into(), "9:15".into())
    );
    assert_cell(read("a,time\n1,9:15\n"), 2, "time", "columns");
    // Numbers by which rows are told apart: new ones would be anomalies all.
    let numbered = "ID,a\n1001,0.5\n1002,0.7\n";
    assert_asked(read(numbered), "`ids`");
    let options = CsvOptions {
        ids: Some("ID".into()),
        ..CsvOptions::default()
    };
    let (columns, batch) = read_with("a.csv", numbered, &options).unwrap();
    assert_eq!(
        (columns, batch.ids),
        (vec!["a".into()], vec!["1001".into(), "1002".into()])
    );
    let options = CsvOptions {
        columns: Some(vec!["ID".into(), "a".into()]),
        ..CsvOptions::default()
    };
    assert_eq!(
        read_with("a.csv", numbered, &options).unwrap().1.shape,
        [2, 2]
    );
}

#[test]
fn a_blank_line_is_a_gap_where_there_is_one_column() {
    match read("1\n\n3\n").unwrap_err() {
        DataError::Malformed { place, .. } => assert_eq!(place, Place::Line(2)),
        error => panic!("{error}"),
    }
    assert!(read("heat\n\n3\n").is_err());
    assert_read("\n1\n3\n\n\n", &[], &[1., 3.]);
    assert_read("a,b\n\n1,2\n\n3,4\n\n", &["a", "b"], &[1., 2., 3., 4.]);
}

#[test]
fn digits_are_kept() {
    let times: Vec<f64> = (0..100).map(|i| 1_700_000_000. + f64::from(i)).collect();
    let lines: String = times.iter().map(|time| format!("{time},0\n")).collect();
    let table = labeled(format!("t,y\n{lines}"), &CsvConfig::default()).unwrap();
    assert_eq!(table.values(), times);
    // Beyond what f32 holds.
    let table = labeled("a,y\n1e300,0\n", &CsvConfig::default()).unwrap();
    assert_eq!(table.values(), [1e300]);

    let npy = |descr: &str, shape: &str, values: Vec<u8>| {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
        let length = (dict.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], dict.as_bytes(), &values].concat()
    };
    let dir = Dir::new();
    let file = fs::File::create(dir.path("a.npz")).unwrap();
    let mut archive = zip::ZipWriter::new(file);
    let bytes = times.iter().flat_map(|time| time.to_le_bytes()).collect();
    for (name, bytes) in [
        ("X.npy", npy("<f8", "(100, 1)", bytes)),
        ("y.npy", npy("|b1", "(100,)", vec![1; 100])),
    ] {
        let stored = zip::write::SimpleFileOptions::default();
        archive.start_file(name, stored).unwrap();
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
    }
    archive.finish().unwrap();
    let table = adbench::load(dir.path("a.npz")).unwrap();
    assert_eq!(table.values(), times);
    assert_eq!(table.rows_of(1).len(), 100);
}

/// Windows' line ends, old Macs', blank lines, and cells over several lines.
#[test]
fn lines_have_the_numbers_that_an_editor_shows() {
    for end in ["\n", "\r\n", "\r"] {
        for (text, line) in [
            ("a,b\n1,2\n3,x\n", 3),
            ("a,b\n\n\n1,2\n\n3,x\n", 6),
            ("a,\"b\nc\"\n1,2\n3,x", 4),
        ] {
            match read(text.replace('\n', end)).unwrap_err() {
                DataError::Value {
                    place: Place::Cell { line: l, .. },
                    ..
                } => {
                    assert_eq!(l, line, "{text:?} with {end:?}");
                }
                error => panic!("{error}"),
            }
        }
        match read(["1,2", "", "3,4,5"].join(end)).unwrap_err() {
            DataError::Malformed { place, .. } => assert_eq!(place, Place::Line(3)),
            error => panic!("{error}"),
        }
    }
    match read("a,b\n1,\"2\n3,4\n").unwrap_err() {
        DataError::Malformed { place, rule, .. } => {
            assert_eq!((place, rule.contains("quote")), (Place::Line(2), true));
        }
        error => panic!("{error}"),
    }
}

#[test]
fn labels_as_people_write_them() {
    let plain = CsvConfig::default();
    for (text, expected) in [
        ("a,y\n1,1.0\n2,0.0\n", [Some(1), Some(0)]),
        ("a,y\n1,True\n2,False\n", [Some(1), Some(0)]),
        ("a,y\n1,1\n2,\n", [Some(1), None]),
        ("a,y\n1,NaN\n2,0\n", [None, Some(0)]),
    ] {
        assert_eq!(labeled(text, &plain).unwrap().labels(), expected, "{text}");
    }
    let table = labeled("a,y\n1,1\n2,\n3,\n4,0\n", &plain).unwrap();
    assert_eq!((table.unlabeled(), table.rows_of(1)), (vec![1, 2], vec![0]));
    // Each sense of -1 has its users.
    let signs = "a,y\n1,-1\n2,1\n";
    assert_cell(labeled(signs, &plain), 2, "y", "[\"1\", \"-1\"]");
    let scikit = CsvConfig {
        classes: vec!["1".into(), "-1".into()],
        ..CsvConfig::default()
    };
    assert_eq!(
        labeled(signs, &scikit).unwrap().labels(),
        [Some(1), Some(0)]
    );
    let kdd = "1,normal.\n2,smurf.\n3,neptune.\n";
    assert_cell(labeled(kdd, &plain), 1, "1", "name others in `classes`");
    let normal = CsvConfig {
        classes: vec!["normal.".into()],
        rest: Some(1),
        ..CsvConfig::default()
    };
    assert_eq!(
        labeled(kdd, &normal).unwrap().labels(),
        [Some(0), Some(1), Some(1)]
    );
    let named = CsvConfig {
        label: LabelColumn::Name("y".into()),
        ..CsvConfig::default()
    };
    assert_eq!(
        labeled("y,a\n,1\n1,2\n", &named).unwrap().labels(),
        [None, Some(1)]
    );
}

#[test]
fn delimiters_decimals_and_letters() {
    assert_read("a;b\n1;2.5\n", &["a", "b"], &[1., 2.5]);
    assert_read("a\tb\n1\t2.5\n", &["a", "b"], &[1., 2.5]);
    assert_read("a|b\n1|2.5\n", &["a", "b"], &[1., 2.5]);
    // One column whose name has a semicolon.
    assert_read("\"heat; C\"\n1.5\n", &["heat; C"], &[1.5]);
    assert_read("heat; C\n1.5\n", &["heat; C"], &[1.5]);
    let (columns, batch) = read_with("a.tsv", "a, b\tc\n1\t2\n", &CsvOptions::default()).unwrap();
    assert_eq!(
        (columns.join("|"), values(batch)),
        ("a, b|c".into(), vec![1., 2.])
    );
    let dir = Dir::new();
    let tsv = TableReader::open(dir.file("b.TSV", "1\t2\n3\t4\n")).unwrap();
    assert_eq!(tsv.read().unwrap().shape, [2, 2]);
    // Excel's own line.
    assert_read("sep=;\na;b\n1;2\n", &["a", "b"], &[1., 2.]);

    let comma = CsvOptions {
        decimal: b',',
        ..CsvOptions::default()
    };
    let european = "heat;load\n0,5;80\n-1,25;7\n";
    assert_cell(read(european), 2, "heat", "`decimal`");
    let (_, batch) = read_with("a.csv", european, &comma).unwrap();
    assert_eq!(values(batch), [0.5, 80., -1.25, 7.]);
    assert_asked(read("0,5;1,2\n0,7;1,3\n"), "`decimal`");
    let both = CsvOptions {
        delimiter: Some(b';'),
        ..comma.clone()
    };
    let (_, batch) = read_with("a.csv", "0,5;1,2\n0,7;1,3\n", &both).unwrap();
    assert_eq!(values(batch), [0.5, 1.2, 0.7, 1.3]);

    let (_, batch) = read_with("a.csv", "0,5\n0,7\n", &comma).unwrap();
    assert_eq!(
        (batch.shape.clone(), values(batch)),
        (vec![2, 1], vec![0.5, 0.7])
    );
    let quoted = "\"a\",\"b\"\n\"0,5\",\"1,2\"\n";
    let (_, batch) = read_with("a.csv", quoted, &comma).unwrap();
    assert_eq!(values(batch), [0.5, 1.2]);

    assert_read(b"temp\xe9rature,b\n1,2\n", &["température", "b"], &[1., 2.]);
    let utf16 = "\u{feff}température\tb\r\n1\t2\r\n".encode_utf16();
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    assert_read(utf16, &["température", "b"], &[1., 2.]);
    // numpy's savetxt, and what instruments write above a table.
    assert_read("# a,b\n1,2\n", &["a", "b"], &[1., 2.]);
    assert_read("# a b\n1.0e+00 2.0e+00\n", &["a", "b"], &[1., 2.]);
    assert_read(" 1.0   2.0\n 10.0 -2.0\n", &[], &[1., 2., 10., -2.]);
    assert_read("# run 7\n# by me\na,b\n1,2\n", &["a", "b"], &[1., 2.]);
    assert_read("# run 7\n1,2\n", &[], &[1., 2.]);
    // Quotes behind a space.
    assert_read("\"a\", \"b\"\n1, \"2\"\n", &["a", "b"], &[1., 2.]);
    // Files that were joined, and a line of units.
    assert_cell(read("a,b\n1,2\na,b\n3,4\n"), 3, "a", "joined");
    assert_cell(read("a,b\nmm,s\n1,2\n"), 2, "a", "numbers");
    match read("a b\n1 0.5 0.7\n").unwrap_err() {
        DataError::Malformed { rule, .. } => assert!(rule.contains("R writes"), "{rule}"),
        error => panic!("{error}"),
    }
    assert_read("a,b\nTrue,2\nFalse,3\n", &["a", "b"], &[1., 2., 0., 3.]);
}

#[test]
fn delimiters_at_line_ends_add_no_column() {
    for text in [
        "a,b,\n1,2,\n3,4,\n",
        "a,b\n1,2,\n3,4,\n",
        "a,b,\n1,2\n3,4\n",
        "a,b\n1,2\n3,4,\n",
    ] {
        assert_read(text, &["a", "b"], &[1., 2., 3., 4.]);
    }
    assert_read("1,2,\n3,4,\n", &[], &[1., 2., 3., 4.]);
    let table = labeled("a,b,y,\n1,2,1,\n3,4,0,\n", &CsvConfig::default()).unwrap();
    assert_eq!(
        (table.width(), table.labels()),
        (2, &[Some(1), Some(0)][..])
    );
    // Where something stands there after all.
    for text in ["a,b,\n1,2,\n3,4,5\n", "1,2,\n3,4,\n5,6,7\n"] {
        match read(text).unwrap_err() {
            DataError::Malformed { place, .. } => assert_eq!(place, Place::Line(3)),
            error => panic!("{error}"),
        }
    }
    // Labels that are all missing, without names.
    assert_asked(
        labeled("1,2,0,\n3,4,1,\n", &CsvConfig::default()),
        "`label`",
    );
    let last = CsvConfig {
        label: LabelColumn::Index(2),
        ..CsvConfig::default()
    };
    assert_eq!(labeled("1,2,\n3,4,\n", &last).unwrap().unlabeled(), [0, 1]);
    // Or at first.
    let table = labeled("1,2,\n3,4,\n5,6,1\n", &CsvConfig::default()).unwrap();
    assert_eq!(table.labels(), [None, None, Some(1)]);
}

#[test]
fn files_that_are_no_tables_are_told_what_they_are() {
    let dir = Dir::new();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    for (name, bytes, kind) in [
        ("a.csv", pointer.as_bytes(), "Git LFS"),
        ("a.npy", pointer.as_bytes(), "Git LFS"),
        ("a.npz", pointer.as_bytes(), "Git LFS"),
        ("b.csv", b"PK\x03\x04\x14\0", "zip"),
        ("c.csv", b"<!DOCTYPE html><html>", "web page"),
        ("d.csv", b"{\"a\": 1, \"b\": 2}\n", "JSON"),
        ("b.npy", b"PK\x03\x04\x14\0\0\0", "zip"),
    ] {
        let err = TableReader::open(dir.file(name, bytes)).err().unwrap();
        assert!(err.to_string().contains(kind), "{name}: {err}");
    }
    #[cfg(feature = "parquet")]
    for (bytes, kind) in [
        (pointer.as_bytes(), "Git LFS"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0", "unpack"),
    ] {
        let err = TableReader::open(dir.file("a.parquet", bytes))
            .err()
            .unwrap();
        assert!(err.to_string().contains(kind), "{err}");
    }
    // But this is a table.
    assert_read("BMI,age\n21.5,40\n", &["BMI", "age"], &[21.5, 40.]);
}

#[test]
fn no_rows_are_no_error() {
    for text in ["", "a,b\n", "\n\n", "a,b\n\n"] {
        assert_eq!(read(text).unwrap().1.shape[0], 0, "{text:?}");
        assert!(labeled(text, &CsvConfig::default()).unwrap().is_empty());
    }
    let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}";
    let length = (dict.len() as u16).to_le_bytes();
    let npy = [b"\x93NUMPY\x01\x00", &length[..], dict.as_bytes()].concat();
    let dir = Dir::new();
    let table = TableReader::open_with(dir.file("a.npy", npy), &NpyOptions::default()).unwrap();
    assert_eq!(table.read().unwrap().shape, [0, 3]);
}

/// What is not finite has file, row and column, whatever the format.
#[test]
fn nan_in_an_array_has_a_place() {
    let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}";
    let length = (dict.len() as u16).to_le_bytes();
    let values = [0f32, 1., 2., 3., 4., f32::NAN];
    let values: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let npy = [b"\x93NUMPY\x01\x00", &length[..], dict.as_bytes(), &values].concat();
    let dir = Dir::new();
    let path = dir.file("a.npy", npy);
    for size in [1, 2, 9] {
        let mut batches = TableReader::open(&path).unwrap().batches(size).unwrap();
        match batches.find_map(Result::err).unwrap() {
            DataError::Value { path: p, place, .. } => {
                let column = "1".to_string();
                assert_eq!(
                    (p.unwrap(), place),
                    (path.clone(), Place::Entry { row: 2, column })
                );
            }
            error => panic!("{error}"),
        }
        assert!(batches.next().is_none());
    }
}

/// The error has the file's name, not that of a column which the schema lacks then.
#[test]
fn an_empty_file_has_no_schema() {
    let dir = Dir::new();
    for text in ["", "\n\n"] {
        let path = dir.file("empty.csv", text);
        let error = TableFile::open(&path).unwrap().schema().unwrap_err();
        let told = error.to_string();
        assert!(told.contains("empty.csv must hold"), "{told}");
    }
}
