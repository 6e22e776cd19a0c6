//! Lines that begin with `#`: above a table, within it, and in place of one.

mod common;

use common::Dir;
use puad_data::csv::{self, CsvConfig, LabelColumn};
use puad_data::stream::{CsvOptions, TableReader, Values};
use puad_data::{DataError, Place, Result};

type Read = (Vec<String>, Vec<f64>, Vec<String>);

/// Columns, values and the rows' names.
fn read_with(text: &str, options: &CsvOptions) -> Result<Read> {
    let dir = Dir::new();
    let table = TableReader::open_with(dir.file("a.csv", text), options)?;
    let columns = table.columns();
    let batch = table.read()?;
    match batch.values {
        Values::F64(values) => Ok((columns, values, batch.ids)),
        values => panic!("{values:?}"),
    }
}

fn header(header: Option<bool>) -> CsvOptions {
    CsvOptions {
        header,
        ..CsvOptions::default()
    }
}

#[track_caller]
fn assert_read(text: &str, options: &CsvOptions, names: &[&str], expected: &[f64]) {
    let (columns, values, _) = read_with(text, options).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((columns, &values[..]), (owned(names), expected), "{text:?}");
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_asked(text: &str, options: &CsvOptions, at: u64, remedy: &str) {
    match read_with(text, options).unwrap_err() {
        DataError::Ambiguous {
            place, remedy: r, ..
        } => {
            assert_eq!(*place, Place::Line(at), "{text:?}");
            assert!(r.contains(remedy), "{r}");
        }
        error => panic!("{text:?}: {error}"),
    }
}

/// Who exported it, when and with what, in as many cells as the table has.
#[test]
fn a_comment_above_names_is_passed_over() {
    let (auto, named) = (header(None), header(Some(true)));
    for above in [
        "# exported by X, 2024, v2\n",
        "#a,b,c\n",
        "# mm, s, K\n",
        "# run 7\n",
        "# a \"quote, that, is open\n",
        "# run, 7, of 9\n# by, me, alone\n#\n\n",
    ] {
        let text = format!("{above}heat,load,speed\n1,2,3\n4,5,6\n");
        for options in [&auto, &named] {
            let names = ["heat", "load", "speed"];
            assert_read(&text, options, &names, &[1., 2., 3., 4., 5., 6.]);
        }
        let dir = Dir::new();
        let by_name = CsvConfig {
            label: LabelColumn::Name("load".into()),
            ..CsvConfig::default()
        };
        let table = csv::read(dir.file("a.csv", &text), &by_name).unwrap();
        assert_eq!(table.columns(), ["heat", "speed"]);
        assert_eq!(table.labels(), [Some(2), Some(5)]);
    }
    // The rows' own names, which have none.
    let (columns, _, ids) = read_with("# by X, 2024\n,heat\nm1,1\n", &auto).unwrap();
    assert_eq!((columns, ids), (owned(&["heat"]), owned(&["m1"])));
}

/// numpy's `savetxt(header="a,b")`.
#[test]
fn a_comment_above_numbers_may_hold_the_names() {
    let (auto, named, none) = (header(None), header(Some(true)), header(Some(false)));
    for options in [&auto, &named] {
        assert_read("# a,b\n1,2\n", options, &["a", "b"], &[1., 2.]);
        assert_read("# a b\n1.0e+00 2.0e+00\n", options, &["a", "b"], &[1., 2.]);
        assert_read("# run 7\n# a,b\n1,2\n", options, &["a", "b"], &[1., 2.]);
        assert_read("# a,b\n# run 7\n1,2\n", options, &["a", "b"], &[1., 2.]);
        assert_read("# a,b\n0,1\n2,3\n", options, &["a", "b"], &[0., 1., 2., 3.]);
    }
    // A gap is none of a name, and the line no head.
    let error = read_with("# a,b\nNA,2\n", &auto).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    assert_read("# a,b\n1,2\n", &none, &[], &[1., 2.]);
    // Not for sure names.
    let text = "# exported by X, 2024, v2\n1,2,3\n";
    assert_asked(text, &auto, 1, "header");
    assert_read(text, &none, &[], &[1., 2., 3.]);
    let names = ["exported by X", "2024", "v2"];
    assert_read(text, &named, &names, &[1., 2., 3.]);
    let text = "# a,b\n# mm,s\n1,2\n";
    assert_asked(text, &auto, 2, "skip_lines");
    assert_asked(text, &named, 2, "skip_lines");
    assert_read(text, &none, &[], &[1., 2.]);
    // Below a comment that may name them: pandas' numbers for names, or a sample.
    let text = "# a,b,c\n0,1,2\n0.5,1.5,2.5\n";
    assert_asked(text, &auto, 2, "skip_lines");
    assert_read(text, &named, &["a", "b", "c"], &[0., 1., 2., 0.5, 1.5, 2.5]);
    let skipped = CsvOptions {
        skip_lines: 1,
        ..auto.clone()
    };
    assert_read(text, &skipped, &["0", "1", "2"], &[0.5, 1.5, 2.5]);
    // Comments of other numbers of cells name nothing.
    assert_read("# run 7\n1,2\n", &auto, &[], &[1., 2.]);
    assert_read("# a,b,c\n1,2\n", &auto, &[], &[1., 2.]);
}

#[test]
fn a_comment_within_a_table_is_an_error_of_its_line() {
    let auto = header(None);
    let line = |text: &str| match read_with(text, &auto).unwrap_err() {
        DataError::Malformed { place, rule, .. } if rule.contains('#') => place,
        error => panic!("{text:?}: {error}"),
    };
    for text in [
        "a,b\n1,2\n# the sensor was changed\n3,4\n",
        "a,b\n1,2\n# 3,4\n5,6\n",
        "1,2\n3,4\n# end\n",
    ] {
        let at = text.lines().position(|line| line.starts_with('#')).unwrap();
        assert_eq!(line(text), Place::Line(at as u64 + 1));
    }
    // A row that was taken out by hand, below the rows' names.
    assert_eq!(line(",a\nx,1\n#y,2\nz,3\n"), Place::Line(3));
    assert_eq!(line(",a\n#x,1\ny,2\n"), Place::Line(3));
    // Numbers of machines, and who says so by quotes.
    let (_, values, ids) = read_with(",a\n#17,1\n#18,2\n", &auto).unwrap();
    assert_eq!((values, ids), (vec![1., 2.], owned(&["#17", "#18"])));
    let (_, _, ids) = read_with(",a\nx,1\n\"#y\",2\n", &auto).unwrap();
    assert_eq!(ids, ["x", "#y"]);
}

/// Samples that all begin with `#` are not lost without a word.
#[test]
fn a_file_of_comments_alone() {
    let auto = header(None);
    assert_asked("#17,1,2\n#18,3,4\n", &auto, 2, "quote");
    assert_read("# a,b\n", &auto, &["a", "b"], &[]);
    assert_read("# run 7\n# a,b\n", &auto, &["a", "b"], &[]);
    let (_, values, _) = read_with("# run 7\n# by me\n", &auto).unwrap();
    assert!(values.is_empty());
}
