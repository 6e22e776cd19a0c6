//! How the columns of samples and the rows of a file are told: by names, and what is said where there are none.
#![cfg(feature = "tables")]

use puad::candle_core::{Device, Tensor};
use puad::data::stream::TableReader;
use puad::data::table::{Column, Table, TableFile};
use puad::data::{PuDataset, Samples};
use puad::estimator::Warning;
use puad::{ClassPrior, Error, Estimator, FitConfig, FittedDetector};

fn rows(first: usize, count: usize) -> Tensor {
    let value = |i: usize| ((i * 37 + first) % 101) as f32 / 10. + (i % 2) as f32;
    let values: Vec<f32> = (0..2 * count).map(value).collect();
    Tensor::from_vec(values, (count, 2), &Device::Cpu).unwrap()
}

fn samples(first: usize, count: usize, names: &[&str]) -> Samples {
    let samples = Samples::from(rows(first, count));
    samples.with_names(names).unwrap()
}

fn fit(names: &[&str], of_labeled: &[&str]) -> FittedDetector {
    let mut config = FitConfig {
        prior: ClassPrior::new(0.1).unwrap().into(),
        method: Some("PUForest".parse().unwrap()),
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let data = PuDataset::new(samples(0, 60, names)).unwrap();
    let data = data.with_anomalies(samples(5, 12, of_labeled)).unwrap();
    Estimator::new(config).fit_dataset(&data).unwrap()
}

fn by_place(warnings: &[Warning]) -> Vec<String> {
    let found = warnings.iter();
    let found = found.filter(|warning| matches!(warning, Warning::ByPlace { .. }));
    found.map(ToString::to_string).collect()
}

#[test]
fn columns_that_go_by_their_place_are_told() {
    let names = ["heat", "flow"];
    assert!(by_place(fit(&[], &[]).warnings()).is_empty());
    assert!(by_place(fit(&names, &names).warnings()).is_empty());
    let one = "the columns of anomalous samples were matched with those of the unlabeled samples by their place: ";
    let told = by_place(fit(&names, &[]).warnings());
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with(one), "{told:?}");
    assert!(told[0].contains("the unlabeled samples have names, and anomalous samples have none"));
    let told = by_place(fit(&[], &names).warnings());
    assert!(told[0].contains("anomalous samples have names, and the unlabeled samples have none"));

    // Of what is scored: of four pairs the two that are unlike.
    for (of_fit, of_scored, named) in [
        (&[][..], &[][..], None),
        (&names, &names, None),
        (&names, &[], Some(false)),
        (&[], &names, Some(true)),
    ] {
        let found = fit(of_fit, of_fit)
            .detect(samples(3, 8, of_scored))
            .unwrap();
        let found = found.warnings.iter().find_map(|warning| match warning {
            Warning::ByPlace {
                samples,
                with,
                named,
            } => Some((&samples[..], &with[..], *named)),
            _ => None,
        });
        assert_eq!(
            found,
            named.map(|named| ("scored samples", "the fit's samples", named))
        );
    }
}

/// A validation set of one's own, and samples for a detector of tables, too.
#[test]
fn columns_of_other_ways_in_are_told() {
    let names = ["heat", "flow"];
    let of = |names: &[&str]| {
        let data = PuDataset::new(samples(0, 60, names)).unwrap();
        data.with_anomalies(samples(5, 12, names)).unwrap()
    };
    let mut config = FitConfig {
        method: Some("PUForest".parse().unwrap()),
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let fitted = Estimator::new(config.clone())
        .fit_split(&of(&names), &of(&[]))
        .unwrap();
    let told = by_place(fitted.warnings());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("with those of the fit's samples"));

    let column = |at: usize| -> Column {
        let values = rows(0, 60).t().unwrap().get(at).unwrap();
        let values: Vec<f32> = values.to_vec1().unwrap();
        values.into_iter().map(f64::from).collect::<Vec<_>>().into()
    };
    let table = Table::new([("heat", column(0)), ("flow", column(1))]).unwrap();
    config.method = Some("IF".parse().unwrap());
    let fitted = Estimator::new(config).fit_table(&table).unwrap();
    let found = fitted.detect(rows(3, 8)).unwrap();
    assert_eq!(by_place(&found.warnings).len(), 1);
    assert!(by_place(&fitted.detect(&table).unwrap().warnings).is_empty());
}

#[test]
fn columns_that_do_not_match_are_told_with_whose_they_are() {
    let data = PuDataset::new(samples(0, 9, &["heat", "flow"])).unwrap();
    let error = data
        .with_anomalies(samples(0, 9, &["heat", "fluid"]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "anomalous samples must have the columns of the data they go with: missing [\"flow\"], and [\"fluid\"] are not \
         among those"
    );
    let whole = |names: &[&str]| {
        let data = PuDataset::new(samples(0, 60, names)).unwrap();
        data.with_anomalies(samples(5, 12, names)).unwrap()
    };
    let error = Estimator::new(FitConfig::default())
        .fit_split(&whole(&["heat", "flow"]), &whole(&["heat", "fluid"]))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("unlabeled validation samples must have the columns"),
        "{text}"
    );
    let fitted = fit(&["heat", "flow"], &["heat", "flow"]);
    let error = fitted.score(samples(0, 9, &["heat", "flow2"])).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("scored samples must have the columns"),
        "{error}"
    );

    // Of a table only what is missing, and what is there besides.
    let numbers = || Column::from(vec![1., 2.]);
    let table = Table::new([("heat", numbers()), ("fluid", numbers())]).unwrap();
    match fitted.score(&table).unwrap_err() {
        Error::Columns {
            missing, surplus, ..
        } => assert_eq!(
            (missing, surplus),
            (vec!["flow".into()], vec!["fluid".into()])
        ),
        error => panic!("{error}"),
    }

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("week.csv");
    std::fs::write(&path, "heat,weight\n1.5,2.5\n").unwrap();
    let error = fitted.score_table_to(
        TableReader::open(&path).unwrap(),
        dir.path().join("out.csv"),
    );
    let error = error.unwrap_err();
    assert!(
        matches!(&error, Error::InFile { path: of, .. } if *of == path),
        "{error}"
    );
}

/// The fit knew of no ids, and the file has some: they are written with the scores.
#[test]
fn rows_keep_the_names_of_their_file() {
    let names = ["heat", "flow"];
    let fitted = fit(&names, &names);
    let dir = tempfile::tempdir().unwrap();
    let ids = |file: TableFile| -> Vec<String> {
        let out = dir.path().join("scores.csv");
        fitted.score_table_to(file, &out).unwrap();
        let text = std::fs::read_to_string(out).unwrap();
        if !text.starts_with("row,id,") {
            assert!(text.starts_with("row,score,"), "{text}");
            return vec![];
        }
        let cells = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(1).unwrap().into());
        cells.collect()
    };
    let file = |head: &str, id: &dyn Fn(usize) -> String| {
        let path = dir.path().join("week.csv");
        let more = if head.matches(',').count() > 2 {
            ",7"
        } else {
            ""
        };
        let lines = (0..30).map(|i| format!("{},{}.5,{}.25{more}\n", id(i), i % 7, i % 5));
        std::fs::write(&path, format!("{head}\n{}", lines.collect::<String>())).unwrap();
        TableFile::open(path).unwrap()
    };
    let order = |i: usize| format!("A-{i}");
    let expected: Vec<String> = (0..30).map(order).collect();
    assert_eq!(ids(file("order_id,heat,flow", &order)), expected);
    assert_eq!(ids(file(",heat,flow", &order)), expected);
    // Two that may be it are none, and a name that says nothing is none.
    assert!(ids(file("order_id,heat,flow,shop_id", &order)).is_empty());
    assert!(ids(file("order,heat,flow", &order)).is_empty());
    // By its name, of numbers.
    let numbers: Vec<String> = (0..30).map(|i| (500 + i).to_string()).collect();
    assert_eq!(
        ids(file("id,flow,heat", &|i| (500 + i).to_string())),
        numbers
    );
    // That repeat: what is no id by its looks is one where it is said.
    let shop = |i: usize| format!("shop {}", i % 3);
    assert!(ids(file("shop,heat,flow", &shop)).is_empty());
    let shops: Vec<String> = (0..30).map(shop).collect();
    assert_eq!(ids(file("shop,heat,flow", &shop).with_ids("shop")), shops);
    let error = fitted.score_table_to(
        file("shop,heat,flow", &shop).with_ids("heat"),
        dir.path().join("scores.csv"),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("ids must be a column that is no feature"),
        "{error}"
    );
    // And one that looks like it stays a feature where the fit had it.
    assert!(ids(file("heat,other,flow", &|i| i.to_string())).is_empty());

    let absent = file("shop,heat,flow", &shop).with_ids("order");
    let error = fitted
        .score_table_to(absent, dir.path().join("scores.csv"))
        .unwrap_err();
    assert!(
        error.to_string().contains("the column \"order\""),
        "{error}"
    );
    // A file that is read whole has them too.
    let file = file("shop,heat,flow", &shop).with_ids("shop");
    let schema = file.schema().unwrap();
    assert_eq!(file.read(&schema).unwrap().ids(), shops);
}
