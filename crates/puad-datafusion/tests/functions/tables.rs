use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use datafusion::arrow::datatypes::Int32Type;
use puad::data::table::{Column, Table};
use puad::encoding::Gaps;

use super::*;

const ROWS: usize = 101;

/// 2026-01-03 00:00, a Saturday.
const START: i64 = 1_767_398_400;

const WORDS: [&str; 4] = ["DE", "FR", "IT", "new"];

fn amount(row: usize) -> Option<f64> {
    (row % 7 != 3).then_some(row as f64 / 8.)
}

fn word(row: usize) -> Option<&'static str> {
    (row % 11 != 5).then_some(WORDS[row % 3])
}

fn flag(row: usize) -> Option<bool> {
    (row % 13 != 1).then_some(row.is_multiple_of(2))
}

/// Microseconds.
fn time(row: usize) -> Option<i64> {
    (row % 17 != 9).then_some(START * 1_000_000 + row as i64 * 3_600_250_001)
}

fn seconds(time: Option<i64>) -> f64 {
    time.map_or(f64::NAN, |time| time as f64 / 1e6)
}

fn table(rows: &[usize]) -> Table {
    let rows = rows.iter().copied();
    Table::new([
        ("amount", Column::numbers(rows.clone().map(amount))),
        ("country", Column::words(rows.clone().map(word))),
        ("online", Column::Booleans(rows.clone().map(flag).collect())),
        (
            "at",
            Column::Times(rows.map(|row| seconds(time(row))).collect()),
        ),
    ])
    .unwrap()
}

fn is_whole(row: &usize) -> bool {
    amount(*row).is_some() && word(*row).is_some() && flag(*row).is_some() && time(*row).is_some()
}

fn whole() -> Vec<usize> {
    (0..ROWS).filter(is_whole).collect()
}

fn detector(gaps: Gaps) -> FittedDetector {
    let mut config = config("ae");
    config.encoding.all.gaps = gaps;
    config.encoding.column("at").hour = true;
    let rows = match gaps {
        Gaps::Fill => (0..ROWS).collect(),
        Gaps::Refuse => whole(),
    };
    Estimator::new(config).fit_table(&table(&rows)).unwrap()
}

fn arrays() -> Vec<(&'static str, ArrayRef)> {
    let amounts: Float64Array = (0..ROWS).map(amount).collect();
    let words: StringArray = (0..ROWS).map(word).collect();
    let flags: BooleanArray = (0..ROWS).map(flag).collect();
    let times: TimestampMicrosecondArray = (0..ROWS).map(time).collect();
    vec![
        ("id", ids(ROWS)),
        ("amount", Arc::new(amounts)),
        ("country", Arc::new(words)),
        ("online", Arc::new(flags)),
        ("at", Arc::new(times)),
    ]
}

const CALL: &str = "puad_score('m', amount, country, online, at)";

#[tokio::test]
async fn gaps_are_filled_where_the_fit_fills_them() {
    let detector = detector(Gaps::Fill);
    let world = World::with(&detector);
    world.table(arrays());
    let scores = detector
        .score(table(&(0..ROWS).collect::<Vec<_>>()))
        .unwrap();
    assert_eq!(bits(&world.scores(CALL).await), all(&scores));
}

#[tokio::test]
async fn gaps_give_null_where_the_fit_refuses_them() {
    let detector = detector(Gaps::Refuse);
    let world = World::with(&detector);
    world.table(arrays());
    let mut scores = detector.score(table(&whole())).unwrap().into_iter();
    let expected: Vec<Option<u64>> = (0..ROWS)
        .map(|row| is_whole(&row).then(|| scores.next().unwrap().to_bits()))
        .collect();
    assert!(expected.contains(&None));
    assert_eq!(bits(&world.scores(CALL).await), expected);
}

#[tokio::test]
async fn one_column_may_fill_gaps_and_another_refuse_them() {
    let mut config = config("ae");
    config.encoding.column("country").gaps = Gaps::Fill;
    let detector = Estimator::new(config).fit_table(&table(&whole())).unwrap();
    let world = World::with(&detector);
    world.table([
        ("id", ids(3)),
        (
            "amount",
            Arc::new(Float64Array::from(vec![Some(1.), Some(1.), None])) as ArrayRef,
        ),
        (
            "country",
            Arc::new(StringArray::from(vec![None, Some(""), Some("DE")])),
        ),
        ("online", Arc::new(BooleanArray::from(vec![true; 3]))),
        ("at", Arc::new(TimestampSecondArray::from(vec![START; 3]))),
    ]);
    let found = world.scores(CALL).await;
    // An empty text is a gap too.
    assert!(found[0].is_some() && found[0] == found[1], "{found:?}");
    assert_eq!(found[2], None);
}

#[tokio::test]
async fn an_empty_text_is_a_gap() {
    let detector = detector(Gaps::Refuse);
    let world = World::with(&detector);
    world.table([
        ("id", ids(2)),
        (
            "amount",
            Arc::new(Float64Array::from(vec![1., 1.])) as ArrayRef,
        ),
        ("country", Arc::new(StringArray::from(vec!["DE", ""]))),
        ("online", Arc::new(BooleanArray::from(vec![true; 2]))),
        ("at", Arc::new(TimestampSecondArray::from(vec![START; 2]))),
    ]);
    let found = world.scores(CALL).await;
    assert!(found[0].is_some() && found[1].is_none(), "{found:?}");
}

#[tokio::test]
async fn texts_numbers_and_times_come_in_several_types() {
    let detector = detector(Gaps::Refuse);
    let world = World::with(&detector);
    let n = WORDS.len();
    let days = [20456, 20457, 20470, 1];
    let at = days.map(|day| i64::from(day) * 86_400);
    let dictionary: DictionaryArray<Int32Type> = WORDS.into_iter().collect();
    let times = |unit: i64| at.map(|at| at * unit).to_vec();
    let zoned = TimestampMillisecondArray::from(times(1000)).with_timezone("+02:00");
    world.table([
        ("id", ids(n)),
        (
            "n",
            Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef,
        ),
        (
            "online",
            Arc::new(BooleanArray::from(vec![true, false, true, false])),
        ),
        ("text", Arc::new(StringArray::from(WORDS.to_vec()))),
        ("large", Arc::new(LargeStringArray::from(WORDS.to_vec()))),
        ("viewed", Arc::new(StringViewArray::from(WORDS.to_vec()))),
        ("coded", Arc::new(dictionary)),
        ("day", Arc::new(Date32Array::from(days.to_vec()))),
        ("s", Arc::new(TimestampSecondArray::from(times(1)))),
        ("zoned", Arc::new(zoned)),
        (
            "ns",
            Arc::new(TimestampNanosecondArray::from(times(1_000_000_000))),
        ),
    ]);
    let table = Table::new([
        ("amount", Column::from(vec![1., 2., 3., 4.])),
        ("country", Column::from(WORDS.to_vec())),
        ("online", Column::from(vec![true, false, true, false])),
        ("at", Column::Times(at.map(|at| at as f64).to_vec())),
    ]);
    let scores = all(&detector.score(table.unwrap()).unwrap());
    for text in ["text", "large", "viewed", "coded"] {
        for time in ["day", "s", "zoned", "ns", "CAST(s AS TIMESTAMP)"] {
            let call = format!("puad_score('m', n, {text}, online, {time})");
            assert_eq!(bits(&world.scores(&call).await), scores, "{call}");
        }
    }
}

#[tokio::test]
async fn nan_in_a_table_is_no_gap() {
    let detector = detector(Gaps::Fill);
    let world = World::with(&detector);
    let mut arrays = arrays();
    let amounts: Float64Array = (0..ROWS)
        .map(|row| {
            if row == 4 {
                Some(f64::NAN)
            } else {
                amount(row)
            }
        })
        .collect();
    arrays[1].1 = Arc::new(amounts);
    world.table(arrays);
    let error = world.error(CALL).await;
    assert!(
        error.contains("column \"amount\" of model \"m\"") && error.contains("NaN"),
        "{error}"
    );
    let mut expected = all(&detector
        .score(table(&(0..ROWS).collect::<Vec<_>>()))
        .unwrap());
    expected[4] = None;
    assert_eq!(bits(&world.scores(&format!("try_{CALL}")).await), expected);
}

#[tokio::test]
async fn columns_of_another_kind_are_refused_at_planning() {
    let world = World::with(&detector(Gaps::Fill));
    world.table(arrays());
    for (columns, name, expected, actual) in [
        ("country, country, online, at", "amount", "a number", "Utf8"),
        ("amount, amount, online, at", "country", "text", "Float64"),
        (
            "amount, country, id, at",
            "online",
            "a truth value",
            "Int64",
        ),
        (
            "amount, country, online, id",
            "at",
            "a timestamp or a date",
            "Int64",
        ),
        ("at, country, online, at", "amount", "a number", "Timestamp"),
    ] {
        let query = format!("SELECT puad_score('m', {columns}) FROM t");
        let error = world.engine.sql(&query).await.unwrap_err().to_string();
        let named = format!("column {name:?} of model \"m\" must be {expected}, got {actual}");
        assert!(error.contains(&named), "{error}");
        assert!(error.starts_with("Error during planning"), "{error}");
    }
    let query = "SELECT puad_score('m', amount, country) FROM t";
    let error = world.engine.sql(query).await.unwrap_err().to_string();
    let named = r#"takes 4 columns (["amount", "country", "online", "at"]), got 2 columns"#;
    assert!(error.contains(named), "{error}");
}
