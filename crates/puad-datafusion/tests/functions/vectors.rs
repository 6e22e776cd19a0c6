use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int16Array, UInt64Array,
};
use puad::candle_core::{DType, Tensor};

use super::*;

const ROWS: usize = 203;

/// Columns of f64, in [0, 1].
fn columns(width: usize) -> (Tensor, Vec<Vec<f64>>) {
    let tensor = random(&[ROWS, width]);
    let columns = tensor.t().unwrap().to_vec2().unwrap();
    (tensor, columns)
}

fn doubles(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn labeled() -> FittedDetector {
    let far = random(&[20, 3]).affine(1., 4.).unwrap();
    fit_labeled(random(&[200, 3]), far)
}

#[tokio::test]
async fn columns_score_as_the_detector_scores_rows() {
    let detector = labeled();
    let world = World::with(&detector);
    let (tensor, columns) = columns(3);
    world.table([
        ("id", ids(ROWS)),
        ("a", doubles(&columns[0])),
        ("b", doubles(&columns[1])),
        ("c", doubles(&columns[2])),
    ]);
    let scores = detector.score(&tensor).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', a, b, c)").await),
        all(&scores)
    );
    assert_eq!(
        bits(&world.scores("try_puad_score('m', a, b, c)").await),
        all(&scores)
    );

    let probabilities = detector.predict_proba(&tensor).unwrap();
    let found = world.scores("puad_proba('m', a, b, c)").await;
    assert_eq!(bits(&found), all(&probabilities));

    // Some are and some are not.
    let mut detector = detector;
    let median = puad::estimator::Threshold::Value(median(&scores));
    detector.set_threshold(median).unwrap();
    detector.save(world.path("median")).unwrap();
    let found = world.call("puad_predict('median', a, b, c)").await.unwrap();
    let found: Vec<Option<bool>> = found.as_boolean().iter().collect();
    let expected: Vec<Option<bool>> = detector
        .predict(&tensor)
        .unwrap()
        .into_iter()
        .map(Some)
        .collect();
    assert!(expected.contains(&Some(true)) && expected.contains(&Some(false)));
    assert_eq!(found, expected);
}

fn median(scores: &[f64]) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[tokio::test]
async fn columns_of_32_bits_alone_are_scored_in_32_bits() {
    // In a narrow range, so that scaling in 32 bits shows.
    let drawn = |rows| random(&[rows, 2]).affine(1e-3, 1.).unwrap();
    let drawn = |rows| drawn(rows).to_dtype(DType::F32).unwrap();
    let detector = fit(drawn(200));
    let world = World::with(&detector);
    let tensor = drawn(ROWS);
    let single = tensor.to_dtype(DType::F32).unwrap();
    let columns: Vec<Vec<f32>> = single.t().unwrap().to_vec2().unwrap();
    let column = |at: usize| -> ArrayRef { Arc::new(Float32Array::from(columns[at].clone())) };
    let wide = columns[1].iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    world.table([
        ("id", ids(ROWS)),
        ("a", column(0)),
        ("b", column(1)),
        ("wide", doubles(&wide)),
    ]);
    let scores = detector.score(&single).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', a, b)").await),
        all(&scores)
    );
    let double = single.to_dtype(DType::F64).unwrap();
    let in_32_bits = scores;
    let scores = detector.score(&double).unwrap();
    assert_ne!(scores, in_32_bits);
    assert_eq!(
        bits(&world.scores("puad_score('m', a, wide)").await),
        all(&scores)
    );
}

#[tokio::test]
async fn integers_and_decimals_are_numbers() {
    let detector = fit(random(&[200, 3]).affine(100., 0.).unwrap());
    let world = World::with(&detector);
    let whole = (0..ROWS as i16).collect::<Vec<_>>();
    let unsigned = (0..ROWS as u64).rev().collect::<Vec<_>>();
    let cents = (0..ROWS as i128).map(|i| 25 * i).collect::<Vec<_>>();
    let rows: Vec<[f64; 3]> = (0..ROWS)
        .map(|i| [i as f64, (ROWS - 1 - i) as f64, i as f64 / 4.])
        .collect();
    let cents = Decimal128Array::from(cents)
        .with_precision_and_scale(9, 2)
        .unwrap();
    world.table([
        ("id", ids(ROWS)),
        ("a", Arc::new(Int16Array::from(whole))),
        ("b", Arc::new(UInt64Array::from(unsigned))),
        ("c", Arc::new(cents)),
    ]);
    let scores = detector.score(&rows).unwrap();
    assert_eq!(
        bits(&world.scores("puad_score('m', a, b, c)").await),
        all(&scores)
    );
}

#[tokio::test]
async fn expressions_and_constants_are_columns_too() {
    let detector = fit(random(&[200, 2]));
    let world = World::with(&detector);
    let (_, columns) = columns(1);
    world.table([("id", ids(ROWS)), ("a", doubles(&columns[0]))]);
    let rows: Vec<[f64; 2]> = columns[0].iter().map(|a| [a * 2., 0.5]).collect();
    let scores = detector.score(&rows).unwrap();
    let found = world
        .scores("puad_score('m', a * 2, CAST(0.5 AS DOUBLE))")
        .await;
    assert_eq!(bits(&found), all(&scores));

    // Of constants alone, which the engine computes when it plans.
    let found = world
        .column("SELECT puad_score('m', 1, 0.5)")
        .await
        .unwrap();
    let expected = detector.score([[1., 0.5]]).unwrap();
    assert_eq!(bits(&floats(&found)), all(&expected));

    let query = "SELECT count(*) FROM t WHERE puad_score('m', a, a) > 1e300";
    let none = world.column(query).await.unwrap();
    assert_eq!(
        none.as_primitive::<datafusion::arrow::datatypes::Int64Type>()
            .value(0),
        0
    );
}

#[tokio::test]
async fn a_null_gives_null_and_leaves_other_rows_as_they_are() {
    let detector = labeled();
    let world = World::with(&detector);
    let (tensor, columns) = columns(3);
    let gappy = columns[1].iter().enumerate();
    let gappy: Float64Array = gappy.map(|(i, x)| (i % 5 != 2).then_some(*x)).collect();
    world.table([
        ("id", ids(ROWS)),
        ("a", doubles(&columns[0])),
        ("b", Arc::new(gappy)),
        ("c", doubles(&columns[2])),
        (
            "nothing",
            datafusion::arrow::array::new_null_array(
                &datafusion::arrow::datatypes::DataType::Float64,
                ROWS,
            ),
        ),
    ]);
    let scores = detector.score(&tensor).unwrap();
    let with_gaps = |scores: &[f64]| -> Vec<Option<u64>> {
        let rows = scores.iter().enumerate();
        rows.map(|(i, score)| (i % 5 != 2).then_some(score.to_bits()))
            .collect()
    };
    for function in ["puad_score", "try_puad_score"] {
        let found = world.scores(&format!("{function}('m', a, b, c)")).await;
        assert_eq!(bits(&found), with_gaps(&scores), "{function}");
    }
    let found = world.scores("puad_proba('m', a, b, c)").await;
    assert_eq!(
        bits(&found),
        with_gaps(&detector.predict_proba(&tensor).unwrap())
    );
    let flags = world.call("puad_predict('m', a, b, c)").await.unwrap();
    assert_eq!(flags.null_count(), ROWS.div_ceil(5));
    assert!((0..ROWS).all(|i| flags.is_null(i) == (i % 5 == 2)));
    for all_null in ["nothing", "NULL"] {
        let found = world
            .scores(&format!("puad_score('m', a, {all_null}, c)"))
            .await;
        assert_eq!(found, vec![None; ROWS]);
    }
}

#[tokio::test]
async fn what_is_no_number_is_an_error_that_names_the_column() {
    for (value, shown) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        let named = random(&[200, 2]).into_samples().unwrap();
        let detector = fit(named.with_names(&["heat", "load"]).unwrap());
        let world = World::with(&detector);
        let (tensor, mut columns) = columns(2);
        columns[1][7] = value;
        world.table([
            ("id", ids(ROWS)),
            ("a", doubles(&columns[0])),
            ("b", doubles(&columns[1])),
        ]);
        let error = world.error("puad_score('m', a, b)").await;
        for part in ["column \"load\"", "\"m\"", shown, "row 7"] {
            assert!(error.contains(part), "{error}");
        }
        let scores = detector.score(&tensor).unwrap();
        let mut expected = all(&scores);
        expected[7] = None;
        assert_eq!(
            bits(&world.scores("try_puad_score('m', a, b)").await),
            expected
        );
    }
}

/// What stands behind a NULL is no value.
#[tokio::test]
async fn nan_behind_a_null_is_null() {
    let detector = fit(random(&[200, 1]));
    let world = World::with(&detector);
    let nulls = datafusion::arrow::buffer::NullBuffer::from(vec![true, false, true]);
    let values = vec![0.25, f64::NAN, 0.75].into();
    let column = Float64Array::new(values, Some(nulls));
    world.table([("id", ids(3)), ("a", Arc::new(column))]);
    let scores = detector.score([[0.25], [0.75]]).unwrap();
    let expected = [Some(scores[0].to_bits()), None, Some(scores[1].to_bits())];
    assert_eq!(bits(&world.scores("puad_score('m', a)").await), expected);
}

#[tokio::test]
async fn aggregates_and_groups_take_scores() {
    let detector = fit(random(&[200, 1]));
    let world = World::with(&detector);
    let (tensor, columns) = columns(1);
    world.table([("id", ids(ROWS)), ("a", doubles(&columns[0]))]);
    let scores = detector.score(&tensor).unwrap();
    let most = world
        .column("SELECT max(puad_score('m', a)) FROM t")
        .await
        .unwrap();
    let largest = scores.iter().copied().fold(f64::MIN, f64::max);
    assert_eq!(floats(&most), [Some(largest)]);
    let query = "SELECT sum(n) FROM (SELECT puad_predict('m', a) AS p, count(*)::DOUBLE AS n FROM t GROUP BY 1)";
    assert_eq!(
        floats(&world.column(query).await.unwrap()),
        [Some(ROWS as f64)]
    );
    let query = "SELECT puad_score('m', a) AS s FROM t ORDER BY s DESC LIMIT 3";
    let mut sorted = scores.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(
        bits(&floats(&world.column(query).await.unwrap())),
        all(&sorted[..3])
    );
}
