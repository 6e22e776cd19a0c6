//! What is written is read again as it was.

use puad_data::DataError;
use puad_data::output::{Cells, Kind, TableWriter};
use puad_data::table::{self, Schema, TableFile, Value};

const COLUMNS: [(&str, Kind); 5] = [
    ("row", Kind::Integer),
    ("a name, \"quoted\"", Kind::Text),
    ("score", Kind::Number),
    ("anomalous", Kind::Boolean),
    ("single", Kind::Single),
];

const SINGLES: [f32; 4] = [0.1, 1e-40, f32::MAX, 3.];

const SCORES: [f64; 4] = [0.1, 1e-300, f64::MAX, -0.0];

fn texts() -> Vec<String> {
    ["plain", "with, comma", "with \"quotes\"", "two\nlines"]
        .map(Into::into)
        .to_vec()
}

fn write(path: &std::path::Path, times: usize) {
    let mut writer = TableWriter::create(path, &COLUMNS).unwrap();
    for _ in 0..times {
        writer
            .write(&[
                Cells::Integers(&[0, 1, 2, -7]),
                Cells::Texts(&texts()),
                Cells::Numbers(&SCORES),
                Cells::Booleans(&[true, false, false, true]),
                Cells::Singles(&SINGLES),
            ])
            .unwrap();
    }
    assert!(!path.exists());
    writer.finish().unwrap();
}

fn endings() -> Vec<&'static str> {
    let mut endings = vec!["csv"];
    if cfg!(feature = "parquet") {
        endings.push("parquet");
    }
    endings
}

#[test]
fn cells_come_back_with_their_bits() {
    let dir = tempfile::tempdir().unwrap();
    for ending in endings() {
        let path = dir.path().join(format!("scores.{ending}"));
        write(&path, 2);
        let file = TableFile::open(&path).unwrap();
        let kinds = COLUMNS.map(|(name, kind)| {
            let kind = match kind {
                Kind::Boolean => table::Kind::Boolean,
                Kind::Text => table::Kind::Category,
                _ => table::Kind::Number,
            };
            (name, kind)
        });
        let schema = Schema::new(kinds).unwrap();
        let table = file.read(&schema).unwrap();
        assert_eq!(table.len(), 8, "{ending}");
        for row in 0..8 {
            let Some(Value::Number(score)) = table.value(row, "score") else {
                panic!("{:?}", table.value(row, "score"));
            };
            assert_eq!(score.to_bits(), SCORES[row % 4].to_bits());
            assert_eq!(
                table.value(row, "row"),
                Some(Value::Number([0., 1., 2., -7.][row % 4]))
            );
            let Some(Value::Number(single)) = table.value(row, "single") else {
                panic!("{:?}", table.value(row, "single"));
            };
            assert_eq!((single as f32).to_bits(), SINGLES[row % 4].to_bits());
            let anomalous = table.value(row, "anomalous");
            assert_eq!(
                anomalous,
                Some(Value::Boolean(row % 4 == 0 || row % 4 == 3))
            );
            let name = table.value(row, COLUMNS[1].0);
            assert_eq!(name, Some(Value::Word(&texts()[row % 4])));
        }
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 1, "nothing else is left");
        std::fs::remove_file(path).unwrap();
    }
}

#[cfg(feature = "parquet")]
#[test]
fn rows_come_in_groups_of_a_hundred_thousand() {
    use puad_data::stream::{ParquetOptions, StoredTable};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.parquet");
    let mut writer = TableWriter::create(&path, &[("x", Kind::Number)]).unwrap();
    let all: Vec<f64> = (0..250_001).map(f64::from).collect();
    for piece in all.chunks(70_000) {
        writer.write(&[Cells::Numbers(piece)]).unwrap();
    }
    writer.finish().unwrap();
    let options = ParquetOptions {
        columns: Some(vec!["x".into()]),
        ids: None,
    };
    let table = StoredTable::open_with(&path, &options).unwrap();
    assert_eq!(table.chunk_ends(), [100_000, 200_000, 250_001]);
    let puad_data::stream::Values::F64(read) = table.read(0, 250_001).unwrap().values else {
        panic!("f64");
    };
    assert_eq!(read, all);
}

#[test]
fn what_is_not_finished_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    for ending in endings() {
        let path = dir.path().join(format!("scores.{ending}"));
        std::fs::write(&path, "old").unwrap();
        let mut writer = TableWriter::create(&path, &[("x", Kind::Number)]).unwrap();
        writer.write(&[Cells::Numbers(&[1.])]).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        let empty = TableWriter::create(&path, &[("x", Kind::Number)]).unwrap();
        empty.finish().unwrap();
        assert_ne!(std::fs::read(&path).unwrap(), b"old");
        std::fs::remove_file(path).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let create = |name: &str, columns: &[(&str, Kind)]| {
        TableWriter::create(dir.path().join(name), columns)
            .err()
            .map(|e| e.to_string())
    };
    let one = [("x", Kind::Number)];
    assert!(create("a.xlsx", &one).unwrap().contains(".csv or .parquet"));
    assert!(create("a.csv", &[]).unwrap().contains("at least one"));
    assert!(
        create("a.csv", &[one[0], one[0]])
            .unwrap()
            .contains("\"x\" twice")
    );
    assert!(
        create("none/a.csv", &one)
            .unwrap()
            .contains("cannot be written")
    );
    let mut writer = TableWriter::create(dir.path().join("a.csv"), &COLUMNS[..3]).unwrap();
    let names = texts();
    let error = writer.write(&[Cells::Integers(&[1])]).unwrap_err();
    assert!(matches!(error, DataError::Length { .. }), "{error}");
    let cells = [
        Cells::Integers(&[1]),
        Cells::Texts(&names),
        Cells::Numbers(&[1.]),
    ];
    let error = writer.write(&cells).unwrap_err();
    assert!(matches!(error, DataError::Length { .. }), "{error}");
    let cells = [
        Cells::Integers(&[1]),
        Cells::Booleans(&[true]),
        Cells::Numbers(&[1.]),
    ];
    let error = writer.write(&cells).unwrap_err().to_string();
    assert!(error.contains("boolean cells of column"), "{error}");
}
