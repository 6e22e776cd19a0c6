//! Files as they were delivered, made without regard to how they are read: each is read rightly, or the
//! error says what to do.

mod common;

use std::fs;
use std::io::Write;

use common::Dir;
use flate2::Compression;
use flate2::write::GzEncoder;
use puad_data::csv::{self, CsvConfig};
use puad_data::stream::{CsvOptions, TableReader, Values};

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

/// A meter's export from a German office: a title, semicolons, commas, degrees in Latin-1, a sum below.
#[test]
fn a_meter_in_an_office() {
    let dir = Dir::new();
    let table = "Zähler Halle 3;;\r\nZeit;Leistung (kW);Temp. (°C)\r\n\
                 01.03.2024 00:15;12,5;-0,3\r\n01.03.2024 00:30;11,75;-0,4\r\n";
    let path = dir.file("export.csv", latin1(table));
    let mut options = CsvOptions {
        decimal: b',',
        ids: Some("Zeit".into()),
        ..CsvOptions::default()
    };
    // The title is in the way.
    let error = TableReader::open_with(&path, &options)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("Zeit") && error.contains("Zähler Halle 3"),
        "{error}"
    );
    options.skip_lines = 1;
    let table = TableReader::open_with(&path, &options).unwrap();
    assert_eq!(table.columns(), ["Leistung (kW)", "Temp. (°C)"]);
    let batch = table.read().unwrap();
    assert_eq!(batch.values, Values::F64(vec![12.5, -0.3, 11.75, -0.4]));
    assert_eq!(batch.ids[1], "01.03.2024 00:30");

    let summed = [
        latin1(
            &fs::read(&path)
                .unwrap()
                .iter()
                .map(|&b| char::from(b))
                .collect::<String>(),
        ),
        b"Summe;24,25;\r\n".to_vec(),
    ]
    .concat();
    let path = dir.file("summed.csv", summed);
    let error = TableReader::open_with(&path, &options)
        .unwrap()
        .read()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 5") && error.contains("Temp. (°C)"),
        "{error}"
    );
}

/// Connections with kinds of attacks, without names, some columns words.
#[test]
fn connections_with_attacks() {
    let dir = Dir::new();
    let path = dir.file(
        "kddcup.data.csv",
        "0,tcp,http,SF,181,5450,normal.\n0,icmp,ecr_i,SF,1032,0,smurf.\n2,tcp,http,SF,239,486,normal.\n",
    );
    let mut config = CsvConfig {
        classes: vec!["normal.".into()],
        rest: Some(1),
        ..CsvConfig::default()
    };
    let error = csv::read(&path, &config).unwrap_err().to_string();
    assert!(error.contains("`header`"), "{error}");
    config.table.header = Some(false);
    let error = csv::read(&path, &config).unwrap_err().to_string();
    assert!(
        error.contains("line 1, column \"1\"") && error.contains("`columns`"),
        "{error}"
    );
    config.table.columns = Some(vec![0.into(), 4.into(), 5.into()]);
    let table = csv::read(&path, &config).unwrap();
    assert_eq!(table.row(1), Some(&[0., 1032., 0.][..]));
    assert_eq!(table.labels(), [Some(0), Some(1), Some(0)]);
}

/// A logger that lost its power: the last block is zeros.
#[test]
fn a_logger_without_power() {
    let dir = Dir::new();
    let bytes = [&b"t\tp\n1\t2\n3\t4\n5\t"[..], &[0; 64]].concat();
    let path = dir.file("log.tsv", bytes);
    let mut table = TableReader::open(&path).unwrap();
    assert_eq!(
        table.next_batch(2).unwrap().unwrap().values,
        Values::F64(vec![1., 2., 3., 4.])
    );
    let error = table.next_batch(2).unwrap_err().to_string();
    assert!(
        error.contains("line 4, column \"p\"") && error.len() < 1000,
        "{error}"
    );
}

/// Days packed one by one and joined, as `cat` does; the names come once a day.
#[test]
fn days_joined() {
    let dir = Dir::new();
    let packed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let joined = [packed("a,b\n1,2\n"), packed("3,4\n")].concat();
    let table = TableReader::open(dir.file("week.csv.gz", joined)).unwrap();
    assert_eq!(
        table.read().unwrap().values,
        Values::F64(vec![1., 2., 3., 4.])
    );
    let joined = [packed("a,b\n1,2\n"), packed("a,b\n3,4\n")].concat();
    let table = TableReader::open(dir.file("named.csv.gz", joined)).unwrap();
    let error = table.read().unwrap_err().to_string();
    assert!(
        error.contains("line 3") && error.contains("joined"),
        "{error}"
    );
}

/// A survey from a spreadsheet: an apostrophe, a percentage, a currency, a comment over two lines.
#[test]
fn a_survey_from_a_spreadsheet() {
    let dir = Dir::new();
    let head = "\u{feff}\"Income, $\",\"Share\",\"What else?\"\r\n";
    let ids = CsvOptions {
        ids: Some("What else?".into()),
        ..CsvOptions::default()
    };
    let open = |rows: &str| {
        let path = dir.file("survey.csv", format!("{head}{rows}"));
        TableReader::open_with(path, &ids)?.read()
    };
    let batch = open("1200.5,0.2,\"fine,\nthanks\"\r\n900,0.1,\"\"\"no\"\"\"\r\n").unwrap();
    assert_eq!(batch.values, Values::F64(vec![1200.5, 0.2, 900., 0.1]));
    assert_eq!(batch.ids, ["fine,\nthanks", "\"no\""]);
    for (row, column) in [
        ("\"1,200\",0.2,", "Income, $"),
        ("1,20%,", "Share"),
        ("$5,0.1,", "Income, $"),
    ] {
        let error = open(&format!("1,0.5,\"a\nb\"\r\n{row}\r\n"))
            .unwrap_err()
            .to_string();
        let place = format!("line 4, column {column:?}");
        assert!(error.contains(&place), "{error}");
    }
}
