use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, FixedSizeListBuilder, Float32Builder, Float64Builder, LargeListBuilder, ListBuilder,
    StringBuilder,
};
use puad::candle_core::{DType, Tensor};
use puad::data::table::{Column, Table};
use puad::encoding::Gaps;

use super::*;

const ROWS: usize = 101;

fn rows(tensor: &Tensor) -> Vec<Vec<f64>> {
    let flat = tensor.flatten_from(1).unwrap();
    flat.to_dtype(DType::F64).unwrap().to_vec2().unwrap()
}

fn list<R: AsRef<[f64]>>(rows: &[R]) -> ArrayRef {
    let mut builder = ListBuilder::new(Float64Builder::new());
    for row in rows {
        builder.values().append_slice(row.as_ref());
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn single_list(rows: &[Vec<f64>]) -> ArrayRef {
    let mut builder = LargeListBuilder::new(Float32Builder::new());
    for row in rows {
        row.iter()
            .for_each(|x| builder.values().append_value(*x as f32));
        builder.append(true);
    }
    Arc::new(builder.finish())
}

fn fixed_list(rows: &[Vec<f64>]) -> ArrayRef {
    let mut builder = FixedSizeListBuilder::new(Float64Builder::new(), rows[0].len() as i32);
    for row in rows {
        builder.values().append_slice(row);
        builder.append(true);
    }
    Arc::new(builder.finish())
}

#[tokio::test]
async fn lists_are_vectors_in_their_own_type() {
    let detector = fit(random(&[200, 3]));
    let world = World::with(&detector);
    let tensor = random(&[ROWS, 3]);
    let single = tensor.to_dtype(DType::F32).unwrap();
    world.table([
        ("id", ids(ROWS)),
        ("list", list(&rows(&tensor))),
        ("fixed", fixed_list(&rows(&tensor))),
        ("single", single_list(&rows(&single))),
    ]);
    let scores = detector.score(&tensor).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', list)").await),
        all(&scores)
    );
    assert_eq!(
        bits(&world.scores("puad_score('m', fixed)").await),
        all(&scores)
    );
    let scores = detector.score(&single).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', single)").await),
        all(&scores)
    );
}

#[tokio::test]
async fn images_are_lists_row_by_row() {
    let detector = fit(random(&[60, 2, 4, 3]).to_dtype(DType::F32).unwrap());
    let world = World::with(&detector);
    let images = random(&[ROWS, 2, 4, 3]).to_dtype(DType::F32).unwrap();
    world.table([("id", ids(ROWS)), ("image", single_list(&rows(&images)))]);
    let scores = detector.score(&images).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', image)").await),
        all(&scores)
    );
    assert_eq!(
        world.scores("puad_score('m', NULL)").await,
        vec![None; ROWS]
    );
    let error = world.error("puad_score('m', id)").await;
    assert!(
        error.contains("one list column of 24 floats, [2, 4, 3] row by row"),
        "{error}"
    );
    let error = world.error("puad_score('m', image, image)").await;
    assert!(error.contains("one list column of 24 floats"), "{error}");
}

#[tokio::test]
async fn another_length_is_an_error_with_the_length() {
    let detector = fit(random(&[200, 3]));
    let world = World::with(&detector);
    let values = [
        vec![0.1, 0.2, 0.3],
        vec![0.4, 0.5],
        vec![0.7, 0.8, 0.9],
        vec![],
    ];
    world.table([
        ("id", ids(4)),
        ("list", list(&values)),
        ("pair", fixed_list(&vec![vec![0.; 2]; 4])),
    ]);
    let error = world.error("puad_score('m', list)").await;
    assert!(
        error.contains("lists of 3 numbers, got 2 in row 1"),
        "{error}"
    );
    let scores = detector.score([[0.1, 0.2, 0.3], [0.7, 0.8, 0.9]]).unwrap();
    let expected = [
        Some(scores[0].to_bits()),
        None,
        Some(scores[1].to_bits()),
        None,
    ];
    assert_eq!(
        bits(&world.scores("try_puad_score('m', list)").await),
        expected
    );
    // The type says it, before anything is read.
    let error = world
        .engine
        .sql("SELECT puad_score('m', pair) FROM t")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("lists of 3 floats"), "{error}");
}

#[tokio::test]
async fn gaps_in_lists_give_null_and_nan_an_error() {
    let detector = fit(random(&[200, 2]));
    let world = World::with(&detector);
    let column = |last: f64| -> ArrayRef {
        let mut builder = ListBuilder::new(Float64Builder::new());
        builder.append_value([Some(0.25), Some(0.5)]);
        builder.append_null();
        builder.append_value([Some(0.25), None]);
        builder.append_value([Some(0.75), Some(last)]);
        Arc::new(builder.finish())
    };
    world.table([
        ("id", ids(4)),
        ("list", column(1.)),
        ("bad", column(f64::NAN)),
    ]);
    let scores = detector.score([[0.25, 0.5], [0.75, 1.]]).unwrap();
    let (first, last) = (scores[0].to_bits(), scores[1].to_bits());
    let found = world.scores("puad_score('m', list)").await;
    assert_eq!(bits(&found), [Some(first), None, None, Some(last)]);
    let error = world.error("puad_score('m', bad)").await;
    assert!(
        error.contains("column 1 of model \"m\"") && error.contains("NaN"),
        "{error}"
    );
    let found = world.scores("try_puad_score('m', bad)").await;
    assert_eq!(bits(&found), [Some(first), None, None, None]);
}

#[tokio::test]
async fn lists_of_other_things_are_refused_at_planning() {
    let world = World::with(&fit(random(&[200, 2])));
    let mut texts = ListBuilder::new(StringBuilder::new());
    texts.append_value([Some("a"), Some("b")]);
    world.table([
        ("id", ids(1)),
        ("texts", Arc::new(texts.finish()) as ArrayRef),
    ]);
    let error = world
        .engine
        .sql("SELECT puad_score('m', texts) FROM t")
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("lists of 2 floats of 32 or 64 bits"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_of_numbers_takes_a_list_with_its_gaps() {
    let column = |name: &'static str| {
        let values: Vec<f64> = random(&[120]).to_vec1().unwrap();
        (name, Column::from(values))
    };
    let table = Table::new([column("a"), column("b")]).unwrap();
    let mut config = config("ae");
    config.encoding.column("b").gaps = Gaps::Fill;
    let detector = Estimator::new(config).fit_table(&table).unwrap();
    let world = World::with(&detector);
    let mut builder = ListBuilder::new(Float64Builder::new());
    builder.append_value([Some(0.25), Some(0.5)]);
    builder.append_value([Some(0.25), None]);
    builder.append_value([None, Some(0.5)]);
    builder.append_null();
    world.table([
        ("id", ids(4)),
        ("list", Arc::new(builder.finish()) as ArrayRef),
    ]);
    let expected = Table::new([
        ("a", Column::from(vec![0.25, 0.25])),
        ("b", Column::numbers([Some(0.5), None])),
    ]);
    let scores = detector.score(expected.unwrap()).unwrap();
    let expected = [
        Some(scores[0].to_bits()),
        Some(scores[1].to_bits()),
        None,
        None,
    ];
    assert_eq!(bits(&world.scores("puad_score('m', list)").await), expected);
}
