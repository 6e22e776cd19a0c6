use candle_core::{Device, Tensor};
use proptest::prelude::*;

use super::*;
use crate::conformal::{Costs, Review};
use crate::estimator::{Calibration, CalibrationMethod};
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// On a validation part of the scores 0 to 10; rows of one number are their own scores.
fn resolve(threshold: Threshold, alpha: f64, normals: Vec<f64>) -> Result<(f64, ThresholdRule)> {
    let unlabeled: Vec<f64> = (0..=10).map(f64::from).collect();
    let known = Known {
        unlabeled: &unlabeled,
        anomalies: &[],
        prior: ClassPrior::new(alpha)?,
        calibration: None,
    };
    threshold.resolve(known, &|_, _| Ok(normals.clone()))
}

fn rate(rate: f64) -> Threshold {
    let normals = Tensor::zeros((1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    Threshold::FalsePositiveRate {
        rate,
        normals: crate::data::Samples::from(normals).into(),
    }
}

#[test]
fn quantiles_are_numpy_s() {
    // np.quantile(np.arange(11), [0, .25, .9, .97, 1]) -> 0, 2.5, 9, 9.7, 10
    for (q, expected) in [(0., 0.), (0.25, 2.5), (0.9, 9.), (0.97, 9.7), (1., 10.)] {
        let (value, rule) = resolve(Threshold::Quantile(q), 0.1, vec![]).unwrap();
        assert!((value - expected).abs() < 1e-12, "{q}: {value}");
        assert_eq!(rule, ThresholdRule::Quantile { quantile: q });
    }
    for (alpha, expected) in [(0., 10.), (0.1, 9.), (1., 0.)] {
        let (value, _) = resolve(Threshold::Contamination, alpha, vec![]).unwrap();
        assert!((value - expected).abs() < 1e-12);
    }
}

#[test]
fn equal_scores_are_not_flagged_where_they_exceed_the_rate() {
    let normals = [vec![0.; 90], vec![1.; 10]].concat();
    let (value, _) = resolve(rate(0.05), 0.1, normals).unwrap();
    assert_eq!(value, 1.);
}

#[test]
fn false_positive_rates_need_enough_normals() {
    let normals = |n: usize| (0..n).rev().map(|i| i as f64).collect();
    // n = 19: rank ceil(20 * 0.95) = 19, the largest.
    let (value, rule) = resolve(rate(0.05), 0.1, normals(19)).unwrap();
    assert_eq!(value, 18.);
    assert_eq!(
        rule,
        ThresholdRule::FalsePositiveRate {
            rate: 0.05,
            normals: 19
        }
    );
    // n = 9 at 10%: rank 9 of 9.
    assert_eq!(resolve(rate(0.1), 0.1, normals(9)).unwrap().0, 8.);
    for (r, n) in [(0.05, 18), (0.1, 8), (0.5, 0)] {
        let err = resolve(rate(r), 0.1, normals(n)).unwrap_err();
        assert!(
            matches!(
                err,
                Error::Config {
                    name: "normals",
                    ..
                }
            ),
            "{err}"
        );
    }
}

#[test]
fn numbers_outside_their_range_are_errors() {
    for (threshold, expected) in [
        (Threshold::Quantile(-0.1), "quantile"),
        (Threshold::Quantile(f64::NAN), "quantile"),
        (rate(0.), "rate"),
        (rate(1.), "rate"),
        (rate(f64::NAN), "rate"),
        (Threshold::Value(f64::NAN), "threshold"),
    ] {
        let err = resolve(threshold, 0.1, vec![1.; 50]).unwrap_err();
        assert!(
            matches!(err, Error::Config { name, .. } if name == expected),
            "{err}"
        );
    }
    let (value, rule) = resolve(Threshold::Value(f64::INFINITY), 0.1, vec![]).unwrap();
    assert_eq!((value, rule), (f64::INFINITY, ThresholdRule::Value));
}

/// Rows of one number, which is their score.
fn rows(scores: &[f64]) -> Input {
    let tensor = Tensor::from_slice(scores, (scores.len(), 1), &Device::Cpu).unwrap();
    crate::data::Samples::from(tensor).into()
}

fn score(input: Input) -> Result<Vec<f64>> {
    let Input::Samples(samples) = input else {
        panic!("rows of numbers");
    };
    Ok(samples.to_tensor()?.flatten_all()?.to_vec1()?)
}

/// On 1,000 scores N(0, 1), 50 of which are N(3, 1), of a validation part with as many and 100 anomalies.
fn on_mixture(threshold: Threshold) -> Result<(f64, ThresholdRule)> {
    let (unlabeled, anomalies) = mixture(0);
    let prior = ClassPrior::new(0.05)?;
    let calibration = Calibration::fit(CalibrationMethod::Auto, &unlabeled, &anomalies, prior)?;
    let known = Known {
        unlabeled: &unlabeled,
        anomalies: &anomalies,
        prior,
        calibration: Some(&calibration),
    };
    threshold.resolve(known, &|rows, _| score(rows))
}

fn mixture(seed: u64) -> (Vec<f64>, Vec<f64>) {
    use rand_distr::{Distribution, StandardNormal};
    let mut rng = substream(seed, Purpose::Conformal, 0);
    let mut draw = |shift: f64, n: usize| -> Vec<f64> {
        (0..n)
            .map(|_| {
                let x: f64 = StandardNormal.sample(&mut rng);
                shift + x
            })
            .collect()
    };
    ([draw(0., 950), draw(3., 50)].concat(), draw(3., 100))
}

#[test]
fn rates_from_unlabeled_rows_are_told_apart_by_their_rule() {
    let (unlabeled, anomalies) = mixture(1);
    let resolved = |threshold| on_mixture(threshold).unwrap();
    let rate = 0.01;
    let given = || rows(&unlabeled);
    let (plain, rule) = resolved(Threshold::UnlabeledRate {
        rate,
        unlabeled: given(),
    });
    assert_eq!(rule, ThresholdRule::UnlabeledRate { rate, rows: 1000 });
    let corrected = |anomalies, prior, confidence| {
        let unlabeled = given();
        resolved(Threshold::CorrectedRate {
            rate,
            unlabeled,
            anomalies,
            prior,
            confidence,
        })
    };
    let (average, rule) = corrected(None, None, None);
    let prior = ClassPrior::new(0.05).unwrap();
    let expected = |prior, anomalies, confidence| ThresholdRule::CorrectedRate {
        rate,
        rows: 1000,
        anomalies,
        prior,
        confidence,
    };
    assert_eq!(rule, expected(prior, 100, None));
    let (sure, rule) = corrected(Some(rows(&anomalies[..50])), None, Some(0.9));
    assert_eq!(rule, expected(prior, 50, Some(0.9)));
    // The 1% of normals that score highest are above 2.33, of all rows above 3.7 or so.
    assert!(
        (average - 2.33).abs() < 0.4 && plain > 3.2,
        "{average} {plain}"
    );
    assert!(sure > average && sure < plain, "{average} {sure} {plain}");
    // Nothing is taken out of no anomalies.
    let none = ClassPrior::new(0.).unwrap();
    assert_eq!(corrected(None, Some(none), None).0, plain);

    let review = Review::of(&unlabeled, 80).unwrap();
    // The last fifty are the anomalies.
    let found: Vec<usize> = review
        .rows()
        .iter()
        .copied()
        .filter(|&row| row >= 950)
        .collect();
    let reviewed = review.confirm(&found).unwrap();
    let (threshold, rule) = resolved(Threshold::ReviewedRate { rate, reviewed });
    assert!((threshold - 2.33).abs() < 0.4, "{threshold}");
    let (kept, confirmed) = (1000 - found.len(), found.len());
    let expected = ThresholdRule::ReviewedRate {
        rate,
        rows: kept,
        reviewed: 80,
        confirmed,
        more: 0,
    };
    assert_eq!(rule, expected);
}

#[test]
fn a_budget_and_a_cost_are_recorded_with_what_they_come_to() {
    let (unlabeled, anomalies) = mixture(1);
    let budget = |asked| {
        let unlabeled = rows(&unlabeled);
        on_mixture(Threshold::Budget {
            alarms: 50,
            volume: 2000,
            chance: asked,
            unlabeled,
        })
        .unwrap()
    };
    let (average, rule) = budget(None);
    let ThresholdRule::Budget {
        alarms: 50,
        volume: 2000,
        asked: None,
        rows: 1000,
        rate,
        chance,
    } = rule
    else {
        panic!("{rule:?}");
    };
    assert!(
        rate <= 0.025 && rate > 0.0235 && (0.3..0.5).contains(&chance),
        "{rule:?}"
    );
    let above = unlabeled.iter().filter(|s| **s > average).count();
    assert_eq!((above + 1) as f64 / 1001., rate);
    let (rarely, rule) = budget(Some(0.05));
    assert!(
        rarely > average && matches!(rule, ThresholdRule::Budget { chance, .. } if chance <= 0.05)
    );

    let cost = |unlabeled, anomalies| {
        on_mixture(Threshold::Cost {
            false_alarm: 1.,
            missed: 50.,
            unlabeled,
            anomalies,
        })
        .unwrap()
    };
    // The truth: 3 s - 4.5 + ln(.05 / .95) = ln(1 / 50) at s = 1.18, where a row costs .2.
    for (given, few) in [
        (None, None),
        (Some(rows(&unlabeled)), Some(rows(&anomalies))),
    ]
    .map(|(u, a)| cost(u, a))
    {
        assert!((given - 1.18).abs() < 0.3, "{given}");
        let ThresholdRule::Cost {
            cost,
            rows: 1000,
            anomalies: 100,
            ..
        } = few
        else {
            panic!("{few:?}");
        };
        assert!((0.1..0.25).contains(&cost), "{cost}");
    }
}

#[test]
fn rules_say_what_is_missing() {
    let told = |threshold| on_mixture(threshold).unwrap_err().to_string();
    let (few, none) = (rows(&[1.; 98]), rows(&[]));
    let rate = Threshold::UnlabeledRate {
        rate: 0.01,
        unlabeled: few.clone(),
    };
    let rule = "unlabeled must be enough rows for the rate, about 1 / rate, got";
    assert_eq!(
        told(rate),
        format!("{rule} 98 at a rate of 0.01, which needs 99")
    );
    let corrected = |prior, confidence, anomalies| Threshold::CorrectedRate {
        rate: 0.01,
        unlabeled: few.clone(),
        anomalies,
        prior,
        confidence,
    };
    assert_eq!(
        told(corrected(None, None, None)),
        format!("{rule} 98 at a rate of 0.01, which needs 105")
    );
    assert_eq!(
        told(corrected(None, Some(0.9), None)),
        format!("{rule} 98 at a rate of 0.01, which needs 314")
    );
    assert!(
        told(corrected(None, Some(1.), None))
            .starts_with("confidence must be strictly between 0 and 1")
    );
    assert!(
        told(corrected(None, None, Some(none.clone()))).contains("at least one anomalous sample")
    );
    let all = ClassPrior::new(1.).unwrap();
    assert_eq!(
        told(corrected(Some(all), None, None)),
        "prior must be below 1, got 1"
    );
    let budget = Threshold::Budget {
        alarms: 5,
        volume: 2000,
        chance: None,
        unlabeled: few.clone(),
    };
    assert_eq!(
        told(budget),
        format!("{rule} 98 at a rate of 0.0025, which needs 399")
    );
    let budget = Threshold::Budget {
        alarms: 5,
        volume: 5,
        chance: None,
        unlabeled: few.clone(),
    };
    assert_eq!(
        told(budget),
        "alarms must be at least 1 and fewer than the rows of a day, got 5 of 5"
    );
    let cost = |false_alarm, unlabeled| Threshold::Cost {
        false_alarm,
        missed: 1.,
        unlabeled,
        anomalies: None,
    };
    assert_eq!(
        told(cost(-1., None)),
        "false_alarm must be positive and finite, got -1"
    );
    assert!(told(cost(1., Some(none.clone()))).contains("at least one unlabeled sample"));
    // A validation part without anomalies.
    let told = |threshold| resolve(threshold, 0.1, vec![1.; 500]).unwrap_err();
    assert!(matches!(told(cost(1., None)), Error::NotCalibrated));
    let err = told(corrected(None, None, None)).to_string();
    assert_eq!(
        err,
        "a threshold by the class prior and anomalies needs at least one anomalous validation sample, got none"
    );
}

#[test]
fn rules_are_kept_in_files_and_told_in_words() {
    let prior = ClassPrior::new(0.05).unwrap();
    let (rate, rows) = (0.01, 1000);
    for (rule, words) in [
        (
            ThresholdRule::Quantile { quantile: 0.9 },
            "the 10.00% of unlabeled validation rows that score highest",
        ),
        (
            ThresholdRule::UnlabeledRate { rate, rows },
            "at most 1% false alarms on average, by 1000 unlabeled rows, if anomalies score higher than normals",
        ),
        (
            ThresholdRule::CorrectedRate {
                rate,
                rows,
                anomalies: 40,
                prior,
                confidence: None,
            },
            "at most 1% false alarms on average, about, by 1000 unlabeled rows, of which 5% are anomalies like 40 \
             labeled ones",
        ),
        (
            ThresholdRule::CorrectedRate {
                rate,
                rows,
                anomalies: 40,
                prior,
                confidence: Some(0.95),
            },
            "at most 1% false alarms with a probability of 95%, by 1000 unlabeled rows, of which 5% are anomalies like \
             40 labeled ones",
        ),
        (
            ThresholdRule::ReviewedRate {
                rate,
                rows: 990,
                reviewed: 12,
                confirmed: 10,
                more: 7,
            },
            "at most 1% false alarms on average, by 990 unlabeled rows without the 10 anomalies among 12 that were \
             reviewed; it lies below these: review at least 7 more",
        ),
        (
            ThresholdRule::Budget {
                alarms: 50,
                volume: 20000,
                asked: Some(0.05),
                rows,
                rate: 0.002,
                chance: 0.043,
            },
            "at most 50 alarms among 20000 rows (on average 40.0), by 1000 unlabeled rows; more with a chance of 4.3%",
        ),
        (
            ThresholdRule::Cost {
                false_alarm: 1.,
                missed: 50.,
                rows,
                anomalies: 40,
                prior,
                cost: 0.125,
            },
            "the least cost at 1 a false alarm and 50 a missed anomaly, about 0.125 a row, by 1000 unlabeled rows, of \
             which 5% are anomalies like 40 labeled ones",
        ),
        (ThresholdRule::Value, "a given score"),
    ] {
        assert_eq!(rule.to_string(), words);
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<ThresholdRule>(&text).unwrap(), rule);
    }
    // As files of before have it.
    let old = r#"{"false_positive_rate":{"rate":0.05,"normals":19}}"#;
    let rule = ThresholdRule::FalsePositiveRate {
        rate: 0.05,
        normals: 19,
    };
    assert_eq!(serde_json::from_str::<ThresholdRule>(old).unwrap(), rule);
}

proptest! {
    /// From 200 anomalies on the cut of the calibrated probability is the threshold of the least cost.
    #[test]
    fn a_cut_of_the_isotonic_probability_costs_least(
        unlabeled in proptest::collection::vec(-30i32..30, 1..200),
        anomalies in proptest::collection::vec(-20i32..40, 1..60),
        alpha in 0.001..0.6f64, missed in 0.1..90.0f64,
    ) {
        let scores = |v: Vec<i32>| v.into_iter().map(f64::from).collect::<Vec<_>>();
        let (u, a) = (scores(unlabeled), scores(anomalies));
        let prior = ClassPrior::new(alpha).unwrap();
        let costs = Costs { false_alarm: 1., missed };
        let cut = costs.probability().unwrap();
        let isotonic = Calibration::fit(CalibrationMethod::Isotonic, &u, &a, prior).unwrap();
        let (least, _) = costs.least(&u, &a, prior).unwrap();
        let at = isotonic.score_at(cut);
        // Without the bound at no false alarms, which hides what is less than that.
        let plain = |t: f64| {
            let above = |s: &[f64]| s.iter().filter(|s| **s > t).count() as f64 / s.len() as f64;
            above(&u) - (1. + missed) * alpha * above(&a)
        };
        prop_assert!((plain(at) - plain(least)).abs() < 1e-9, "{} {}: {} {}", at, least, plain(at), plain(least));
    }
}
