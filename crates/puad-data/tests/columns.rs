//! Tables with names, words, times and gaps: what is guessed of them, and how they are read.

mod common;

use common::Dir;
use proptest::prelude::*;
use puad_data::DataError;
use puad_data::stream::CsvOptions;
use puad_data::table::{Column, Group, Kind, Labels, Schema, Table, TableFile, Value};

fn file(text: &str) -> (Dir, TableFile) {
    let dir = Dir::new();
    let path = dir.file("table.csv", text);
    let file = TableFile::open(path).unwrap();
    (dir, file)
}

fn guessed(text: &str) -> Schema {
    file(text).1.schema().unwrap()
}

/// The kind and what is said of a column of these values, beside one of numbers.
fn column(values: &[&str]) -> (Kind, String) {
    let lines = values
        .iter()
        .enumerate()
        .map(|(i, value)| format!("{}.5,{value}\n", 7 * i));
    let text = format!("other,it\n{}", lines.collect::<String>());
    let schema = guessed(&text);
    let field = schema.field("it").unwrap();
    (field.kind, field.about.clone())
}

fn error<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn columns_are_what_they_look_like() {
    for (values, kind, about) in [
        (&["1", "2.5", ""][..], Kind::Number, "1 to 2.5, 1 gap"),
        (&["0", "1", "0"], Kind::Number, "0 to 1"),
        (
            &["true", "No", "f"],
            Kind::Boolean,
            "No (1), f (1), true (1)",
        ),
        (&["DE", "FR", "DE"], Kind::Category, "DE (2), FR (1)"),
        (
            &["2026-01-03 14:05", "n/a", "2026-01-03"],
            Kind::Time,
            "2026-01-03 00:00:00 to 2026-01-03 14:05:00, 1 gap",
        ),
        (
            &["03/01/2026", "04/01/2026", "03/01/2026"],
            Kind::Undecided,
            "times, and \"03/01/2026\" in line 2: `with_time` says how they are written, `with_gaps` what marks a gap, \
             or a category",
        ),
        (&["", "NA", "?"], Kind::Ignored, "nothing in it"),
        (
            &["1", "2", "n. d."],
            Kind::Undecided,
            "numbers, and \"n. d.\" in line 4: a mark of a gap (`with_gaps`, and `with_kind` for numbers), or a category",
        ),
        (&["a1", "b", "2"], Kind::Category, "2 (1), a1 (1), b (1)"),
    ] {
        assert_eq!(column(values), (kind, about.to_string()), "{values:?}");
    }
}

#[test]
fn what_is_not_read_as_it_looks_is_asked_for() {
    let many = |value: fn(usize) -> String| (0..30).map(value).collect::<Vec<_>>();
    // Thirty that differ would be ids, and be lost.
    for values in [
        many(|i| format!("{:02}.01.2026 14:05", i % 28 + 1)),
        many(|i| format!("\"2026-01-{:02} 12:00:00,5\"", i % 28 + 1)),
        many(|i| format!("\"{i},5\"")),
        many(|i| format!("\"1,{:03}.50\"", i)),
        many(|i| format!("${i}.50")),
        many(|i| format!("{i} %")),
        many(|i| match i % 3 {
            0 => "2026-01-03".into(),
            1 => "2026-01-04 12:00".into(),
            _ => "not yet".into(),
        }),
        many(|i| format!("{:05}", 501 + i)),
        many(|i| format!("{}", 1_234_567_890_123_456_789u64 + i as u64)),
    ] {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let (kind, about) = column(&values);
        assert_eq!(kind, Kind::Undecided, "{values:?}: {about}");
    }
    assert_eq!(column(&["1", "true", "0"]).0, Kind::Boolean);
    let (kind, about) = column(&["1", "7", "true"]);
    assert_eq!(kind, Kind::Undecided);
    assert!(about.contains("values of another kind"), "{about}");
    let schema = guessed("Betrag;Ort\n12,5;Ulm\n-0,5;Bonn\n");
    let about = &schema.field("Betrag").unwrap().about;
    assert!(
        about.contains("\"12,5\" in line 2: with a decimal comma"),
        "{about}"
    );
    // A header alone.
    let schema = guessed("heat,state\n");
    assert_eq!(schema.columns.len(), 2);
    assert!(schema.with_label("state", Labels::anomalous(["x"])).is_ok());
}

#[test]
fn keys_and_shuffled_counts_are_no_numbers() {
    let rows = |name: &str, value: fn(usize) -> usize| {
        let lines = (0..30).map(|i| format!("{},{i}.5\n", value(i)));
        let schema = guessed(&format!("{name},heat\n{}", lines.collect::<String>()));
        schema.columns[0].kind
    };
    assert_eq!(rows("TransactionID", |i| 500 + 7 * i), Kind::Id);
    assert_eq!(rows("customer_id", |i| i % 7), Kind::Undecided);
    // As pandas writes a sample of rows, and files one below another.
    assert_eq!(rows("", |i| 7 * i % 30), Kind::Id);
    assert_eq!(rows("", |i| i % 15), Kind::Undecided);

    assert_eq!(rows("paid", |i| 500 + 7 * i), Kind::Number);
}

#[test]
fn what_tells_rows_apart_is_no_feature() {
    let words: Vec<String> = (0..30).map(|i| format!("T-{i:04}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(column(&words).0, Kind::Id);
    // Nineteen may differ by chance.
    assert_eq!(column(&words[..19]).0, Kind::Category);
    let texts: Vec<String> = (0..30)
        .map(|i| format!("{} {i}", "long ".repeat(20)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(column(&texts).0, Kind::Ignored);

    let schema = guessed("id,heat,word\n17,1.5,a\n19,2.5,b\n");
    assert_eq!(schema.field("id").unwrap().kind, Kind::Id);
    // A customer's, or the index of a market.
    let schema = guessed("id,heat\n17,1.5\n17,2.5\n");
    assert_eq!(schema.field("id").unwrap().kind, Kind::Undecided);
    let (_dir, file) = file("id,heat\n17,1.5\n17,2.5\n");
    let said = error(file.read(&schema));
    assert!(
        said.contains("the column \"id\"") && said.contains("with_kind"),
        "{said}"
    );
    let schema = schema.with_kind("id", Kind::Category).unwrap();
    assert_eq!(
        file.read(&schema).unwrap().value(1, "id"),
        Some(Value::Word("17"))
    );
    // pandas' count of rows.
    let schema = guessed(",heat\n0,1.5\n1,2.5\n");
    assert_eq!(schema.columns[0].kind, Kind::Id);
}

#[test]
fn labels_are_guessed_only_where_they_mean_one_thing() {
    let of = |values: &[&str]| {
        let lines = values.iter().map(|value| format!("1.5,{value}\n"));
        guessed(&format!("heat,fraud\n{}", lines.collect::<String>()))
    };
    let schema = of(&["", "fraud", ""]);
    assert_eq!(schema.field("fraud").unwrap().kind, Kind::Label);
    assert_eq!(schema.labels, Labels::anomalous(["fraud"]));
    assert_eq!(of(&["", "1", ""]).labels, Labels::anomalous(["1"]));
    let schema = guessed("heat,Is Anomaly\n1.5,0\n2.5,1\n");
    assert_eq!(schema.columns[1].kind, Kind::Undecided);
    // Normal, or not found out; who is normal is no anomaly.
    for values in [
        &["0", "1", "0"][..],
        &["", "0", "1"],
        &["", "ok", ""],
        &["", "normal.", ""],
        &["", "", ""],
    ] {
        let schema = of(values);
        assert_eq!(
            schema.field("fraud").unwrap().kind,
            Kind::Undecided,
            "{values:?}"
        );
    }
}

#[test]
fn a_label_is_what_it_is_said_to_be() {
    let (_dir, file) = file("heat,state\n1,ok\n2,broken\n3,\n4,unclear\n");
    let schema = file.schema().unwrap();
    let labels = Labels::anomalous(["broken"]).normal(["ok"]);
    let said = error(file.read(&schema.clone().with_label("state", labels.clone()).unwrap()));
    assert!(
        said.ends_with("got \"unclear\" in line 5, column \"state\""),
        "{said}"
    );
    let schema = schema
        .with_label("state", labels.others(Group::Unlabeled))
        .unwrap();
    let table = file.read(&schema).unwrap();
    assert_eq!(table.names(), ["heat"]);
    assert_eq!(table.rows_of(Group::Anomalous), [1]);
    assert_eq!(table.rows_of(Group::Normal), [0]);
    assert_eq!(table.rows_of(Group::Unlabeled), [2, 3]);
}

#[test]
fn columns_are_matched_by_name() {
    let (_dir, today) = file("extra,b,a\nx,2,1\ny,4,3\n");
    let schema = Schema::new([("a", Kind::Number), ("id", Kind::Id), ("b", Kind::Number)]).unwrap();
    let table = today.read(&schema).unwrap();
    assert_eq!(table.names(), ["a", "b"]);
    assert_eq!(table.column("a"), Some(&Column::from(vec![1., 3.])));
    assert!(table.ids().is_empty() && table.labels().is_none());
    let schema =
        Schema::new([("c", Kind::Number), ("a", Kind::Number), ("d", Kind::Time)]).unwrap();
    let said = error(today.read(&schema));
    assert!(
        said.contains("must hold the columns [\"c\", \"d\"], got [\"extra\", \"b\", \"a\"]"),
        "{said}"
    );
}

#[test]
fn gaps_are_what_is_said_to_be_one() {
    let (_dir, file) = file("country,heat,mark\nNA,-999,none\nDE,2,?\n");
    let kinds = [
        ("country", Kind::Category),
        ("heat", Kind::Number),
        ("mark", Kind::Category),
    ];
    let schema = Schema::new(kinds).unwrap();
    let table = file.read(&schema).unwrap();
    let row = |table: &Table, row| {
        ["country", "heat", "mark"].map(|name| table.value(row, name).unwrap().to_string())
    };
    assert_eq!(row(&table, 0), ["missing", "-999", "none"]);
    assert_eq!(row(&table, 1), ["DE", "2", "missing"]);
    let table = file
        .read(&schema.with_only_gaps(["-999.0", "None"]))
        .unwrap();
    assert_eq!(row(&table, 0), ["NA", "missing", "missing"]);
    assert_eq!(row(&table, 1), ["DE", "2", "?"]);
}

#[test]
fn values_of_another_kind_are_errors_with_their_place() {
    let (_dir, file) = file(
        "heat,on,at\n1,yes,2026-01-03\n2,maybe,01.03.2026\nx,no,2026-01-03\ninf,no,2026-01-03\n",
    );
    let read = |name: &str, kind| error(file.read(&Schema::new([(name, kind)]).unwrap()));
    assert!(read("heat", Kind::Number).ends_with("got \"x\" in line 4, column \"heat\""));
    assert!(read("on", Kind::Boolean).ends_with("got \"maybe\" in line 3, column \"on\""));
    assert!(read("at", Kind::Time).ends_with("got \"01.03.2026\" in line 3, column \"at\""));
    let schema = Schema::new([("at", Kind::Time)])
        .unwrap()
        .with_time("at", "%d.%m.%Y")
        .unwrap();
    assert!(error(file.read(&schema)).ends_with("got \"2026-01-03\" in line 2, column \"at\""));
    let infinite = Schema::new([("heat", Kind::Number)])
        .unwrap()
        .with_gaps(["x"]);
    assert!(
        error(file.read(&infinite))
            .ends_with("numbers must be finite, got \"inf\" in line 5, column \"heat\"")
    );
}

#[test]
fn first_lines_are_names_where_values_stand_below_them() {
    let names = |text: &str| {
        let schema = file(text).1.schema();
        schema.map(|schema| {
            schema
                .columns
                .into_iter()
                .map(|f| f.name)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(names("word,heat\nb,2\n").unwrap(), ["word", "heat"]);
    assert_eq!(names("word,heat\nb,\n").unwrap(), ["word", "heat"]);
    assert_eq!(names("0,tcp,http\n1,udp,dns\n").unwrap(), ["0", "1", "2"]);
    assert_eq!(names("2026-01-03,a\n2026-01-04,b\n").unwrap(), ["0", "1"]);
    for text in ["a,b\nc,d\n", "0,1\n0.5,b\n"] {
        assert!(
            matches!(names(text), Err(DataError::Ambiguous { .. })),
            "{text}"
        );
    }
    let said = error(names("a,a\n1,2\n"));
    assert!(said.contains("\"a\" twice"), "{said}");
}

#[test]
fn names_may_be_given() {
    let dir = Dir::new();
    let path = dir.file("records.txt", "0,tcp,normal\n0,udp,smurf\n");
    let options = |names: &[&str]| CsvOptions {
        names: Some(names.iter().map(ToString::to_string).collect()),
        ..CsvOptions::default()
    };
    let file = TableFile::open_with(&path, options(&["duration", "protocol", "kind"]));
    let schema = file.schema().unwrap();
    let schema = schema.with_label(
        "kind",
        Labels::default()
            .normal(["normal"])
            .others(Group::Anomalous),
    );
    let table = file.read(&schema.unwrap()).unwrap();
    assert_eq!(table.names(), ["duration", "protocol"]);
    assert_eq!(table.labels(), Some(&[Group::Normal, Group::Anomalous][..]));
    let said = error(TableFile::open_with(&path, options(&["a", "b"])).schema());
    assert!(said.ends_with("got 3 for 2 names in line 1"), "{said}");
    let both = CsvOptions {
        header: Some(true),
        ..options(&["a", "b", "c"])
    };
    assert!(error(TableFile::open_with(&path, both).schema()).starts_with("names must be none"));
    let chosen = CsvOptions {
        ids: Some("a".into()),
        ..options(&["a", "b", "c"])
    };
    assert!(error(TableFile::open_with(&path, chosen).schema()).contains("a schema says"));
}

#[test]
fn decimal_commas_hold_for_numbers() {
    let dir = Dir::new();
    let path = dir.file("german.csv", "Betrag;Ort\n12,5;Ulm\n-0,5;Bonn\n");
    let file = TableFile::open_with(
        path,
        CsvOptions {
            decimal: b',',
            ..CsvOptions::default()
        },
    );
    let table = file.read(&file.schema().unwrap()).unwrap();
    assert_eq!(
        table.column("Betrag"),
        Some(&Column::from(vec![12.5, -0.5]))
    );
}

#[test]
fn columns_of_two_arrays_of_one_name_are_told() {
    let dir = Dir::new();
    let npy = |shape: &str, values: &[f64]| {
        let dict = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}");
        let length = (dict.len() as u16).to_le_bytes();
        let values: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        [b"\x93NUMPY\x01\x00", &length[..], dict.as_bytes(), &values].concat()
    };
    let schema = |second: &str| {
        let file = std::fs::File::create(dir.path("a.npz")).unwrap();
        let mut archive = zip::ZipWriter::new(file);
        for (name, bytes) in [
            ("x", npy("(1, 2)", &[1., 2.])),
            (second, npy("(1,)", &[3.])),
        ] {
            let stored = zip::write::SimpleFileOptions::default();
            archive.start_file(format!("{name}.npy"), stored).unwrap();
            std::io::Write::write_all(&mut archive, &bytes).unwrap();
        }
        archive.finish().unwrap();
        TableFile::open(dir.path("a.npz")).unwrap().schema()
    };
    assert_eq!(schema("x2").unwrap().columns.len(), 3);
    assert!(error(schema("x1")).ends_with("different names, got \"x1\" twice"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = error(TableFile::open("/nowhere/at-all.csv").unwrap().schema());
    assert!(said.contains("/nowhere/at-all.csv"), "{said}");
    assert!(TableFile::open("table.xlsx").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whole and in pieces of any size a file is the same rows.
    #[test]
    fn pieces_are_the_whole(
        rows in prop::collection::vec((prop::option::of(-1e6..1e6f64), "[a-d]{0,2}", any::<bool>(), 0i64..1_000_000_000), 1..40),
        size in 1usize..50,
    ) {
        let line = |(number, word, flag, time): &(Option<f64>, String, bool, i64)| {
            let number = number.map_or(String::new(), |number| number.to_string());
            let time = Value::Time(*time as f64).to_string();
            format!("{number},{word},{flag},{time}\n")
        };
        let text = format!("n,w,f,t\n{}", rows.iter().map(line).collect::<String>());
        let (_dir, file) = file(&text);
        let kinds = [("t", Kind::Time), ("w", Kind::Category), ("n", Kind::Number), ("f", Kind::Boolean)];
        let schema = Schema::new(kinds).unwrap();
        let whole = file.read(&schema).unwrap();
        prop_assert_eq!(whole.len(), rows.len());
        for (i, (number, word, flag, time)) in rows.iter().enumerate() {
            prop_assert_eq!(whole.value(i, "n").unwrap(), number.map_or(Value::Gap, Value::Number));
            let word = if word.is_empty() { Value::Gap } else { Value::Word(word) };
            prop_assert_eq!(whole.value(i, "w").unwrap(), word);
            prop_assert_eq!(whole.value(i, "f").unwrap(), Value::Boolean(*flag));
            prop_assert_eq!(whole.value(i, "t").unwrap(), Value::Time(*time as f64));
        }
        let mut first = 0;
        for piece in file.batches(&schema, size).unwrap() {
            let piece = piece.unwrap();
            let these: Vec<usize> = (first..first + piece.len()).collect();
            prop_assert_eq!(&piece, &whole.select(&these));
            first += piece.len();
        }
        prop_assert_eq!(first, rows.len());
    }
}

#[test]
fn what_may_be_a_label_a_key_or_the_time_of_a_day_is_asked() {
    // One word beside more gaps, under any name.
    for word in ["fraud", "1", "yes"] {
        let (kind, about) = column(&["", word, ""]);
        assert_eq!(kind, Kind::Undecided, "{word}");
        assert!(about.contains("with_label"), "{about}");
    }
    assert_eq!(column(&["", "a", "a"]).0, Kind::Category);
    // Names of which hardly one is there twice.
    let names: Vec<String> = (0..40).map(|i| format!("name {}", i % 30)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(column(&names).0, Kind::Undecided);
    let names: Vec<String> = (0..40).map(|i| format!("name {}", i % 15)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(column(&names).0, Kind::Category);

    let (kind, about) = column(&["14:05", "9:30", "14:05:33"]);
    assert_eq!(kind, Kind::Undecided);
    assert!(about.contains("with_time"), "{about}");
    let (_dir, file) = file("heat,at\n1,14:05\n2,9:30\n");
    let schema = file.schema().unwrap().with_time("at", "%H:%M").unwrap();
    let table = file.read(&schema).unwrap();
    assert_eq!(
        table.column("at"),
        Some(&Column::Times(vec![50_700., 34_200.]))
    );
}

#[test]
fn marks_of_gaps_are_added_to_the_usual_ones() {
    let (_dir, file) = file("heat,word\n1,a\noffline,b\nNA,c\n2,d\n");
    let schema = file.schema().unwrap();
    assert_eq!(schema.field("heat").unwrap().kind, Kind::Undecided);
    let schema = schema
        .with_gaps(["offline"])
        .with_kind("heat", Kind::Number)
        .unwrap();
    assert_eq!(
        schema.field("heat").unwrap().about,
        "numbers, and \"offline\" in line 3"
    );
    let table = file.read(&schema).unwrap();
    let heat = Column::numbers([Some(1.), None, None, Some(2.)]);
    assert_eq!(table.column("heat"), Some(&heat));
    let text = serde_json::to_string(&schema).unwrap();
    assert!(text.ends_with("\"gaps\":[\"offline\"]}"), "{text}");
    assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
    let only = schema.with_only_gaps(["offline"]);
    assert!(error(file.read(&only)).contains("with_only_gaps"));
    let text = serde_json::to_string(&only).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), only);
}

#[test]
fn a_last_column_may_be_empty_for_long() {
    let lines: String = (0..50)
        .map(|i| format!("{i},w{},{}\n", i % 3, if i == 40 { "fraud" } else { "" }))
        .collect();
    let (_dir, file) = file(&lines);
    let schema = file.schema().unwrap();
    assert_eq!(schema.columns.len(), 3);
    let schema = schema
        .with_label("2", Labels::anomalous(["fraud"]))
        .unwrap();
    assert_eq!(file.read(&schema).unwrap().rows_of(Group::Anomalous), [40]);
}
