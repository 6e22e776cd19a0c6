use super::*;

fn table() -> Table {
    let columns = [
        (
            "amount",
            Column::numbers([Some(12.), Some(9.), None, Some(30.)]),
        ),
        ("country", Column::from(vec!["DE", "FR", "DE", ""])),
        ("at", Column::Times(vec![0., 60., 120., f64::NAN])),
        ("online", Column::from(vec![true, false, true, true])),
    ];
    Table::new(columns).unwrap()
}

fn filling() -> EncodingConfig {
    let mut config = EncodingConfig::default();
    config.all.gaps = Gaps::Fill;
    config
}

fn values(samples: &Samples) -> Vec<Vec<f64>> {
    samples.to_tensor().unwrap().to_vec2().unwrap()
}

#[test]
fn columns_are_matched_by_name_and_others_passed_over() {
    let table = table();
    let encoding = Encoding::fit(&table, &[0, 1], &filling()).unwrap();
    let columns: Vec<(String, Column)> = table
        .columns()
        .map(|(n, c)| (n.into(), c.clone()))
        .collect();
    let extra = ("zip".to_string(), Column::from(vec!["a", "b", "c", "d"]));
    let turned = Table::new(columns.into_iter().rev().chain([extra])).unwrap();
    assert_eq!(
        values(&encoding.encode(&turned).unwrap()),
        values(&encoding.encode(&table).unwrap())
    );
    assert_eq!(encoding.columns(), ["amount", "country", "at", "online"]);

    let part = Table::new([
        ("country", Column::from(vec!["DE"])),
        ("zip", Column::from(vec!["a"])),
    ])
    .unwrap();
    match encoding.encode(&part).unwrap_err() {
        Error::Columns {
            missing, surplus, ..
        } => {
            assert_eq!(missing, ["amount", "at", "online"]);
            assert_eq!(surplus, ["zip"]);
        }
        error => panic!("{error}"),
    }
    let other = Table::new([
        ("amount", Column::from(vec!["12"])),
        ("country", Column::from(vec!["DE"])),
        ("at", Column::from(vec![0.])),
        ("online", Column::from(vec![true])),
    ]);
    let error = encoding.encode(&other.unwrap()).unwrap_err().to_string();
    assert_eq!(
        error,
        "column \"amount\" must be of kind number as in the fit, got category"
    );
}

#[test]
fn gaps_are_errors_with_their_row_unless_they_are_filled() {
    let table = table();
    let refusing = Encoding::fit(&table, &[0, 1], &EncodingConfig::default()).unwrap();
    assert!(refusing.encode(&table.select(&[0, 1])).is_ok());
    let error = refusing.encode(&table).unwrap_err().to_string();
    assert!(
        error.contains("column \"amount\", got none in row 2"),
        "{error}"
    );
    let mut mixed = EncodingConfig::default();
    mixed.column("amount").gaps = Gaps::Fill;
    let mixed = Encoding::fit(&table, &[0, 1], &mixed).unwrap();
    let error = mixed.encode(&table).unwrap_err().to_string();
    assert!(
        error.contains("column \"country\", got none in row 3"),
        "{error}"
    );

    let filled = Encoding::fit(&table, &[0, 1], &filling()).unwrap();
    let names = filled.names();
    let expected = [
        "amount",
        "amount (missing)",
        "country (rarity)",
        "at",
        "at (missing)",
        "online",
        "online (missing)",
    ];
    assert_eq!(names, expected);
    assert_eq!(filled.sources(), [0, 0, 1, 2, 2, 3, 3]);
    let rows = values(&filled.encode(&table).unwrap());
    // The median of 9 and 12, and a gap that no row of the fit had.
    assert_eq!(rows[2][..2], [12., 1.]);
    assert_eq!(rows[3], [30., 0., 3f64.ln(), 60., 1., 1., 0.]);
}

#[test]
fn levels_that_were_not_seen_are_told() {
    let table = table();
    let encoding = Encoding::fit(&table, &[0, 2], &filling()).unwrap();
    let (_, new) = encoding
        .encode_rows("rows", &table.select(&[1, 0, 1, 3]))
        .unwrap();
    let expected = NewLevels {
        column: 1,
        level: "FR".into(),
        rows: 2,
    };
    assert_eq!(new, [expected]);
}

#[test]
fn what_is_fitted_is_of_the_training_rows_alone() {
    let table = table();
    let encoding = Encoding::fit(&table, &[0, 1], &filling()).unwrap();
    let mut columns: Vec<(String, Column)> = table
        .columns()
        .map(|(n, c)| (n.into(), c.clone()))
        .collect();
    columns[0].1 = Column::from(vec![12., 9., 1e9, -1e9]);
    columns[1].1 = Column::from(vec!["DE", "FR", "XX", "YY"]);
    let other = Table::new(columns).unwrap();
    assert_eq!(
        Encoding::fit(&other, &[0, 1], &filling()).unwrap(),
        encoding
    );
    assert_ne!(
        Encoding::fit(&other, &[0, 1, 2], &filling()).unwrap(),
        encoding
    );
}

#[test]
fn settings_that_do_not_go_with_a_table_are_errors() {
    let table = table();
    let said = |change: fn(&mut EncodingConfig)| {
        let mut config = filling();
        change(&mut config);
        Encoding::fit(&table, &[0], &config)
            .unwrap_err()
            .to_string()
    };
    assert!(said(|c| c.column("amuont").one_hot = 3).contains("\"amuont\" of [\"amount\""));
    assert!(said(|c| c.column("country").logarithm = true).ends_with("got \"country\""));
    assert!(said(|c| c.all.beyond = Beyond::Hashed(0)).contains("at least 1 column"));
    let nothing = |c: &mut EncodingConfig| {
        c.all.gaps = Gaps::Refuse;
        c.column("at").instant = false;
    };
    assert!(said(nothing).contains("none for \"at\""));
    assert!(Encoding::fit(&table, &[], &filling()).is_err());
    let empty = Table::new(Vec::<(String, Column)>::new()).unwrap();
    assert!(Encoding::fit(&empty, &[0], &EncodingConfig::default()).is_err());
}

#[test]
fn an_encoding_survives_its_file() {
    let mut config = filling();
    config.column("at").hour = true;
    config.column("amount").logarithm = true;
    let encoding = Encoding::fit(&table(), &[0, 1, 2, 3], &config).unwrap();
    let text = serde_json::to_string(&encoding).unwrap();
    let same: Encoding = serde_json::from_str(&text).unwrap();
    same.check().unwrap();
    assert_eq!(same, encoding);
    assert_eq!(
        values(&same.encode(&table()).unwrap()),
        values(&encoding.encode(&table()).unwrap())
    );
    let broken = text.replace("\"yes\":0.75", "\"yes\":7.5");
    assert_ne!(broken, text);
    assert!(
        serde_json::from_str::<Encoding>(&broken)
            .unwrap()
            .check()
            .is_err()
    );
}

#[test]
fn every_row_is_encoded_by_itself() {
    let table = table();
    let encoding = Encoding::fit(&table, &[0, 1, 2], &filling()).unwrap();
    let whole = values(&encoding.encode(&table).unwrap());
    for (row, expected) in whole.iter().enumerate() {
        assert_eq!(
            &values(&encoding.encode(&table.select(&[row])).unwrap())[0],
            expected
        );
    }
    assert_eq!(encoding.encode(&table.select(&[])).unwrap().len(), 0);
}
