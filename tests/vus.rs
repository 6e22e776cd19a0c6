//! Range-AUC and VUS: the reference implementation's numbers, the definition, closed forms.

use proptest::prelude::*;
use puad::metrics::{RangeAuc, Thresholds, auroc, average_precision, range_auc, vus};
use puad::{Error, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    scores: Vec<f64>,
    events: Vec<(usize, usize)>,
    buffer: usize,
    roc: f64,
    pr: f64,
}

fn labels(points: usize, events: &[(usize, usize)]) -> Vec<bool> {
    let within = |point: usize| events.iter().any(|e| (e.0..=e.1).contains(&point));
    (0..points).map(within).collect()
}

#[track_caller]
fn assert_close(found: RangeAuc, [roc, pr]: [f64; 2]) {
    assert!((found.roc - roc).abs() < 1e-12, "{found:?} {roc}");
    assert!((found.pr - pr).abs() < 1e-12, "{found:?} {pr}");
}

/// `python tests/fixtures/vus.py`
#[test]
fn the_reference_implementation_s_numbers() -> Result<()> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/vus.json")).unwrap();
    assert_eq!(cases.len(), 20);
    for case in cases {
        let anomalous = labels(case.scores.len(), &case.events);
        let found = vus(&case.scores, &anomalous, case.buffer, Thresholds::default())?;
        assert_close(found, [case.roc, case.pr]);
    }
    Ok(())
}

/// The formulas of the documentation, point by point.
fn by_definition(scores: &[f64], anomalous: &[bool], buffer: usize) -> [f64; 2] {
    let n = scores.len();
    let reach = buffer / 2;
    let mut events: Vec<(usize, usize)> = vec![];
    for t in (0..n).filter(|&t| anomalous[t]) {
        match events.last_mut() {
            Some(event) if event.1 + 1 == t => event.1 = t,
            _ => events.push((t, t)),
        }
    }
    let part = |t: usize| -> f64 {
        let of = |&(s, e): &(usize, usize)| {
            let distance = if t < s { s - t } else { t.saturating_sub(e) };
            match distance {
                0 => 1.,
                d if d <= reach => (1. - d as f64 / buffer as f64).sqrt(),
                _ => 0.,
            }
        };
        events.iter().map(of).sum::<f64>().min(1.)
    };
    let near = |t: usize, s: usize, e: usize| t + reach >= s && t <= e + reach;
    let mut merged: Vec<(usize, usize)> = vec![];
    for &(s, e) in &events {
        match merged.last_mut() {
            Some(last) if last.1 + reach + reach >= s => last.1 = e,
            _ => merged.push((s, e)),
        }
    }
    let mut levels = scores.to_vec();
    levels.sort_by(|a, b| b.total_cmp(a));
    levels.dedup();
    let points = anomalous.iter().filter(|a| **a).count() as f64;
    let (mut curve, mut pr) = (vec![(0., 0.)], 0.);
    for level in levels {
        let alarm = |t: &usize| scores[*t] >= level;
        let alarms = (0..n).filter(alarm).count() as f64;
        let hit: f64 = (0..n).filter(alarm).map(part).sum();
        let outside: f64 = (0..n)
            .filter(|t| !anomalous[*t] && alarm(t))
            .map(part)
            .sum();
        let positives = (2. * points + outside) / 2.;
        let found = merged
            .iter()
            .filter(|(s, e)| (0..n).any(|t| alarm(&t) && near(t, *s, *e)));
        let tpr = (hit / positives).min(1.) * found.count() as f64 / merged.len() as f64;
        pr += (tpr - curve[curve.len() - 1].1) * hit / alarms;
        curve.push(((alarms - hit) / (n as f64 - positives), tpr));
    }
    curve.push((1., 1.));
    let step = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.;
    [curve.windows(2).map(step).sum(), pr]
}

fn series() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    let point = (-6i32..6, prop::bool::weighted(0.2));
    let both = |points: &Vec<(i32, bool)>| {
        let anomalous = points.iter().filter(|point| point.1).count();
        0 < anomalous && anomalous < points.len()
    };
    let points = prop::collection::vec(point, 2..60).prop_filter("both classes", both);
    points.prop_map(|points| {
        points
            .into_iter()
            .map(|(score, label)| (f64::from(score) / 2., label))
            .unzip()
    })
}

proptest! {
    #[test]
    fn the_definition_holds((scores, anomalous) in series(), share in 0f64..=1.) {
        let buffer = (share * scores.len() as f64) as usize;
        let found = range_auc(&scores, &anomalous, buffer, Thresholds::All).unwrap();
        let [roc, pr] = by_definition(&scores, &anomalous, buffer);
        prop_assert!((found.roc - roc).abs() < 1e-12, "{} {roc}", found.roc);
        prop_assert!((found.pr - pr).abs() < 1e-12, "{} {pr}", found.pr);
    }

    /// The volume is the mean of the areas, of any increasing function of the scores, and does not ask for the direction of time.
    #[test]
    fn volumes_are_means((scores, anomalous) in series(), share in 0f64..=1., ranks in 2usize..80) {
        let buffer = (share * scores.len() as f64) as usize;
        for thresholds in [Thresholds::All, Thresholds::Ranks(ranks)] {
            let of = |scores: &[f64], anomalous: &[bool]| vus(scores, anomalous, buffer, thresholds).unwrap();
            let found = of(&scores, &anomalous);
            let areas = (0..=buffer).map(|b| range_auc(&scores, &anomalous, b, thresholds).unwrap());
            let (roc, pr) = areas.fold((0., 0.), |sum, area| (sum.0 + area.roc, sum.1 + area.pr));
            let n = buffer as f64 + 1.;
            prop_assert!((found.roc - roc / n).abs() < 1e-12 && (found.pr - pr / n).abs() < 1e-12);
            let cubed: Vec<f64> = scores.iter().map(|s| s.powi(3)).collect();
            prop_assert_eq!(of(&cubed, &anomalous), found);
            let back = |of: &[f64]| of.iter().rev().copied().collect::<Vec<_>>();
            let labels: Vec<bool> = anomalous.iter().rev().copied().collect();
            let turned = of(&back(&scores), &labels);
            prop_assert!((turned.roc - found.roc).abs() < 1e-12 && (turned.pr - found.pr).abs() < 1e-12);
            prop_assert!(found.pr >= 0. && found.pr <= 1. + 1e-12);
        }
    }
}

/// One event without a buffer is as many points.
#[test]
fn one_event_without_a_buffer_is_its_points() -> Result<()> {
    let scores = [0.3, 0.1, 0.9, 0.9, 0.2, 0.5, 0.4, f64::INFINITY, -0.];
    let anomalous = labels(scores.len(), &[(2, 4)]);
    let found = range_auc(&scores, &anomalous, 0, Thresholds::All)?;
    let expected = [
        auroc(&scores, &anomalous)?,
        average_precision(&scores, &anomalous)?,
    ];
    assert_close(found, expected);
    Ok(())
}

/// Two events of which one is found have half the true-positive rate of their points.
#[test]
fn an_event_that_is_missed_costs_the_others_too() -> Result<()> {
    let anomalous = labels(6, &[(0, 0), (4, 4)]);
    let scores = [3., 0., 0., 0., 2., 0.];
    let found = range_auc(&scores, &anomalous, 0, Thresholds::All)?;
    // Thresholds 3: 1 of 2 points, 1 of 2 events; 2: all; 0: all, 4 false alarms.
    assert_close(found, [1., 1.]);
    let scores = [3., 0., 0., 0., -1., 0.];
    let found = range_auc(&scores, &anomalous, 0, Thresholds::All)?;
    // 3: (0, 1/4), precision 1; 0: (1, 1/4), precision 1/5; -1: (1, 1), precision 1/3.
    assert_close(found, [0.25, 0.25 + 0.75 / 3.]);
    Ok(())
}

#[test]
fn wrong_input_is_named() {
    let scores = [1., 2., 3.];
    let of = |scores: &[f64], labels: &[bool]| vus(scores, labels, 2, Thresholds::default());
    let some = [false, true, false];
    assert!(matches!(of(&scores[..2], &some), Err(Error::Length { .. })));
    assert!(matches!(
        of(&[1., f64::NAN, 2.], &some),
        Err(Error::NanScore { index: 1 })
    ));
    for (labels, positives) in [([false; 3], 0), ([true; 3], 3)] {
        let error = of(&scores, &labels);
        let total = 3;
        assert!(
            matches!(error, Err(Error::OneClass { metric: "VUS", positives: p, total: t }) if (p, t) == (positives, total))
        );
    }
    let error = range_auc(&scores, &some, 2, Thresholds::Ranks(1));
    assert!(matches!(
        error,
        Err(Error::Config {
            name: "thresholds",
            ..
        })
    ));
    let of = |buffer| vus(&scores, &some, buffer, Thresholds::All);
    assert!(of(3).is_ok());
    for buffer in [4, usize::MAX] {
        assert!(matches!(
            of(buffer),
            Err(Error::Config { name: "buffer", .. })
        ));
    }
}
