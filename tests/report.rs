//! Reports on simulated scores whose truth is known.

use proptest::prelude::*;
use puad::prior::{PriorDoubt, PriorEstimate};
use puad::report::{
    AtBudget, Budget, Estimate, HeldOut, KindScores, Report, ReportConfig, ReportDoubt,
    ReportSource, Support,
};
use puad::{ClassPrior, Error, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal as NormalCdf};

fn prior(alpha: f64, low: f64, high: f64) -> PriorEstimate {
    let [alpha, low, high] = [alpha, low, high].map(|p| ClassPrior::new(p).unwrap());
    PriorEstimate {
        alpha,
        low,
        high,
        level: 0.95,
        doubts: vec![],
    }
}

fn exact(alpha: f64) -> PriorEstimate {
    prior(alpha, alpha, alpha)
}

fn held_out<'a>(unlabeled: &'a [f64], anomalies: &'a [f64]) -> HeldOut<'a> {
    HeldOut {
        source: ReportSource::Validation,
        unlabeled,
        anomalies,
        threshold: None,
    }
}

fn rates(rates: &[f64]) -> ReportConfig {
    ReportConfig {
        rates: rates.to_vec(),
        resamples: 300,
        ..ReportConfig::default()
    }
}

fn spread(n: u32, low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| low + (high - low) * (f64::from(i) + 0.5) / f64::from(n))
}

fn holds(estimate: Estimate, truth: f64) -> bool {
    (estimate.low..=estimate.high).contains(&truth)
}

#[test]
fn perfect_separation_is_told_with_the_doubt_that_few_labels_leave() -> Result<()> {
    let unlabeled: Vec<f64> = spread(900, 0., 1.).chain(spread(100, 2., 3.)).collect();
    let anomalies: Vec<f64> = spread(8, 2., 3.).collect();
    let report = Report::new(
        &held_out(&unlabeled, &anomalies),
        &exact(0.1),
        &rates(&[0.05, 0.1, 0.2]),
    )?;
    let auroc = report.auroc.unwrap();
    assert!((auroc.value - 1.).abs() < 1e-12 && auroc.low < 0.95 && auroc.high == 1.);
    assert!((report.auroc_unlabeled.value - 0.95).abs() < 1e-12);
    let [half, all, twice] = &report.budgets[..] else {
        panic!()
    };
    for (at, precision, recall, rate) in [
        (half, 1., 0.5, 0.),
        (all, 1., 1., 0.),
        (twice, 0.5, 1., 0.1 / 0.9),
    ] {
        assert!((at.precision.unwrap().value - precision).abs() < 1e-12);
        assert!((at.recall.unwrap().value - recall).abs() < 1e-12);
        assert!((at.false_positive_rate.unwrap().value - rate).abs() < 1e-12);
    }
    // Eight of eight.
    assert!((all.recall.unwrap().low - 0.025f64.powf(1. / 8.)).abs() < 1e-9);
    assert!(all.precision.unwrap().low < 0.85);
    assert!(report.average_precision.value > 0.8 && report.average_precision.high > 0.97);
    assert_eq!(report.doubts[0], ReportDoubt::FewAnomalies { anomalies: 8 });
    let mut doubtful = exact(0.1);
    doubtful.doubts = vec![PriorDoubt::FewAnomalies { anomalies: 8 }];
    let told = Report::new(&held_out(&unlabeled, &anomalies), &doubtful, &rates(&[]))?;
    assert_eq!(told.doubts, report.doubts);
    Ok(())
}

#[test]
fn no_separation_is_chance() -> Result<()> {
    let unlabeled: Vec<f64> = spread(2000, 0., 1.).collect();
    let anomalies: Vec<f64> = spread(100, 0., 1.).collect();
    let report = Report::new(
        &held_out(&unlabeled, &anomalies),
        &exact(0.03),
        &rates(&[0.05, 0.5]),
    )?;
    assert!((report.auroc.unwrap().value - 0.5).abs() < 1e-12);
    assert!((report.average_precision.value - 0.03).abs() < 1e-3);
    for (at, share) in report.budgets.iter().zip([0.05, 0.5]) {
        assert!((at.precision.unwrap().value - 0.03).abs() < 1e-12);
        assert!((at.recall.unwrap().value - share).abs() < 1e-12);
        assert!((at.false_positive_rate.unwrap().value - share).abs() < 1e-12);
    }
    assert_eq!(report.doubts, [ReportDoubt::PriorTakenAsExact]);
    Ok(())
}

#[test]
fn without_anomalies_or_without_normals() -> Result<()> {
    let (unlabeled, anomalies): (Vec<f64>, Vec<f64>) = (
        spread(100, 0., 1.).collect(),
        spread(30, 0.5, 1.5).collect(),
    );
    let scores = held_out(&unlabeled, &anomalies);
    let none = Report::new(&scores, &exact(0.), &rates(&[0.1]))?;
    let at = &none.budgets[0];
    assert_eq!(
        at.precision,
        Some(Estimate {
            value: 0.,
            low: 0.,
            high: 0.
        })
    );
    assert_eq!(at.false_positive_rate.unwrap().value, 0.1);
    assert_eq!(none.auroc.unwrap().value, none.auroc_unlabeled.value);
    assert_eq!(none.average_precision.value, 0.);

    let all = Report::new(&scores, &exact(1.), &rates(&[0.1]))?;
    assert_eq!(
        (all.auroc, all.budgets[0].false_positive_rate),
        (None, None)
    );
    // All anomalies, and more than half of them above a threshold that a tenth of them is above.
    assert_eq!(
        (all.budgets[0].support, all.budgets[0].precision),
        (Support::Contradicted, None)
    );
    let typical: Vec<f64> = spread(50, 0., 1.).collect();
    let typical = Report::new(&held_out(&unlabeled, &typical), &exact(1.), &rates(&[0.1]))?;
    assert_eq!(
        (typical.auroc, typical.budgets[0].false_positive_rate),
        (None, None)
    );
    assert_eq!(typical.budgets[0].precision.unwrap().value, 1.);
    assert!(all.curves.points.iter().all(|point| point.normal.is_none()));
    assert!(all.to_markdown().contains("leaves no normals"));
    assert!(all.to_svg().contains("no estimate"));
    Ok(())
}

#[test]
fn what_the_rows_cannot_say_is_marked() -> Result<()> {
    let unlabeled: Vec<f64> = spread(400, 0., 1.).collect();
    let scores = HeldOut {
        threshold: Some(7.),
        ..held_out(&unlabeled, &[0.9, 2.])
    };
    let config = ReportConfig {
        daily_rows: Some(60.),
        ..rates(&[0.001, 0.01, 0.05])
    };
    let report = Report::new(&scores, &prior(0.01, 0., 0.05), &config)?;
    let support: Vec<Support> = report.budgets.iter().map(|at| at.support).collect();
    assert_eq!(
        support,
        [
            Support::Enough, // 10 of 60 a day
            Support::Enough,
            Support::EveryRow,
            Support::TooFewRows { needed: 1000 },
            Support::FewAlarms,
            Support::Enough,
            Support::NoAlarm,
        ]
    );
    for at in &report.budgets {
        let AtBudget {
            precision,
            recall,
            alarm_rate,
            threshold,
            ..
        } = at;
        assert_eq!(
            precision.is_some(),
            matches!(at.support, Support::Enough | Support::FewAlarms)
        );
        assert_eq!(recall.is_some(), at.support.is_estimate());
        assert_eq!(
            (recall.is_some(), alarm_rate.is_some()),
            (threshold.is_some(), threshold.is_some())
        );
    }
    let text = report.to_markdown();
    assert!(
        text.contains("| 0.1% |  |  |  |  |  | no estimate: needs 1000 held-out unlabeled rows"),
        "{text}"
    );
    assert!(report.to_svg().contains("0.1%: no estimate"));
    Ok(())
}

#[test]
fn equal_scores_and_one_anomaly() -> Result<()> {
    let report = Report::new(
        &held_out(&[1.; 500], &[1.]),
        &prior(0.1, 0.05, 0.2),
        &rates(&[0.05]),
    )?;
    assert_eq!(report.budgets[0].support, Support::Ties { tied: 500 });
    assert_eq!(report.auroc.unwrap().value, 0.5);
    report.to_svg();
    // Half of the scores are equal, at the top: a budget of a tenth is none.
    let unlabeled: Vec<f64> = (0..500).map(|i| f64::from(i.min(250))).collect();
    let report = Report::new(
        &held_out(&unlabeled, &[250.]),
        &prior(0.1, 0.05, 0.2),
        &rates(&[0.1, 0.6]),
    )?;
    assert_eq!(report.budgets[0].support, Support::Ties { tied: 250 });
    // 300 are allowed, 300 flagged.
    let at = &report.budgets[1];
    assert_eq!((at.alarms, at.recall.unwrap().value), (300, 1.));
    assert!(at.recall.unwrap().low < 0.03);
    let auroc = report.auroc.unwrap();
    assert!(auroc.high - auroc.low > 0.4, "{auroc}");
    Ok(())
}

#[test]
fn a_prior_that_the_scores_leave_no_room_for_is_told() -> Result<()> {
    // 1% of the rows score as the anomalies do.
    let unlabeled: Vec<f64> = spread(1980, 0., 1.).chain(spread(20, 2., 3.)).collect();
    let anomalies: Vec<f64> = spread(40, 2., 3.).collect();
    let report = Report::new(
        &held_out(&unlabeled, &anomalies),
        &prior(0.1, 0.09, 0.11),
        &rates(&[0.01, 0.05]),
    )?;
    let [ReportDoubt::PriorTooLarge { alpha, largest }] = report.doubts[..] else {
        panic!("{:?}", report.doubts);
    };
    assert!(
        alpha == 0.1 && (0.005..0.06).contains(&largest),
        "{largest}"
    );
    assert_eq!(report.auroc, None);
    for at in &report.budgets {
        assert_eq!(
            (at.support, at.precision, at.false_positive_rate),
            (Support::Contradicted, None, None)
        );
        assert!(at.recall.is_some() && at.alarm_rate.is_some());
    }
    assert!(
        report
            .to_markdown()
            .contains("no precision: the class prior contradicts the scores")
    );
    let fine = Report::new(
        &held_out(&unlabeled, &anomalies),
        &prior(0.01, 0.006, 0.015),
        &rates(&[0.01, 0.05]),
    )?;
    assert_eq!(fine.doubts, []);
    let mut doubtful = prior(0.01, 0.006, 0.015);
    doubtful.doubts = vec![PriorDoubt::Overlap {
        false_positives: 0.6,
    }];
    let doubtful = Report::new(
        &held_out(&unlabeled, &anomalies),
        &doubtful,
        &rates(&[0.01]),
    )?;
    assert!(
        doubtful
            .to_markdown()
            .contains("upper bound, and precision as well")
    );
    Ok(())
}

#[test]
fn wrong_input_is_named() {
    let good = [0.1, 0.2, 0.3];
    let config = rates(&[0.5]);
    let new = |unlabeled: &[f64], anomalies: &[f64], prior: PriorEstimate, threshold| {
        let scores = HeldOut {
            threshold,
            ..held_out(unlabeled, anomalies)
        };
        Report::new(&scores, &prior, &config).unwrap_err()
    };
    let error = new(&[], &good, exact(0.1), None);
    assert!(matches!(
        error,
        Error::EmptyGroup {
            group: "unlabeled",
            ..
        }
    ));
    let error = new(&good, &[], exact(0.1), None);
    assert!(matches!(
        error,
        Error::EmptyGroup {
            group: "anomalous",
            ..
        }
    ));
    let error = new(&good, &[1., f64::NAN], exact(0.1), None);
    assert!(matches!(
        error,
        Error::NonFiniteValue {
            what: "anomaly scores",
            index: 1,
            ..
        }
    ));
    let error = new(&[f64::INFINITY], &good, exact(0.1), None);
    assert!(matches!(
        error,
        Error::NonFiniteValue {
            what: "unlabeled scores",
            index: 0,
            ..
        }
    ));
    let error = new(&good, &good, exact(0.1), Some(f64::NAN));
    assert!(matches!(
        error,
        Error::Config {
            name: "threshold",
            ..
        }
    ));
    let error = new(&good, &good, prior(0.1, 0.2, 0.1), None).to_string();
    assert!(error.contains("0.2 to 0.1"), "{error}");
    let level = PriorEstimate {
        level: 95.,
        ..exact(0.1)
    };
    let error = new(&good, &good, level, None).to_string();
    assert!(
        error.contains("level of the class prior's interval"),
        "{error}"
    );
}

#[test]
fn kinds_are_named_in_text_that_they_cannot_break() -> Result<()> {
    let unlabeled: Vec<f64> = spread(200, 0., 1.).collect();
    let kind = |kind| KindScores {
        kind,
        unlabeled: &unlabeled,
        anomalies: &[0.2, 5.],
    };
    let scores = HeldOut {
        threshold: Some(0.9),
        ..held_out(&unlabeled, &[2., 3.])
    };
    let report = Report::new(&scores, &exact(0.05), &rates(&[0.001, 0.1]))?;
    let report = report.with_kinds(&[kind("a|b\n<i>"), kind("c")])?;
    assert_eq!(report.kinds[0].at.len(), 2);
    let text = report.to_markdown();
    assert!(
        text.contains("| a\\|b &lt;i> | 2 | no estimate: needs 1000"),
        "{text}"
    );
    assert!(text.contains("| 50% (1.26 to 98.7) |"), "{text}");
    Ok(())
}

/// Scores of normals around 0 and of anomalies around `shift`, both of deviation 1.
struct Gaussian {
    rng: ChaCha8Rng,
    alpha: f64,
    shift: f64,
}

impl Gaussian {
    fn draw(&mut self, unlabeled: usize, anomalies: usize) -> (Vec<f64>, Vec<f64>) {
        let (alpha, shift) = (self.alpha, self.shift);
        let anomaly = Normal::new(shift, 1.).unwrap();
        let mut one = |_| {
            let is_anomaly = rand::Rng::random_bool(&mut self.rng, alpha);
            let score: f64 = StandardNormal.sample(&mut self.rng);
            score + if is_anomaly { shift } else { 0. }
        };
        let unlabeled = (0..unlabeled).map(&mut one).collect();
        (
            unlabeled,
            anomaly.sample_iter(&mut self.rng).take(anomalies).collect(),
        )
    }

    /// `P_A` and `P_N`.
    fn above(&self, threshold: f64) -> (f64, f64) {
        let normal = NormalCdf::new(0., 1.).unwrap();
        (normal.sf(threshold - self.shift), normal.sf(threshold))
    }

    fn precision(&self, threshold: f64) -> f64 {
        let (found, false_alarms) = self.above(threshold);
        let found = self.alpha * found;
        found / (found + (1. - self.alpha) * false_alarms)
    }

    fn auroc(&self) -> f64 {
        NormalCdf::new(0., 1.)
            .unwrap()
            .cdf(self.shift / 2f64.sqrt())
    }

    fn average_precision(&self) -> f64 {
        let normal = NormalCdf::new(self.shift, 1.).unwrap();
        let precisions = spread(4000, 0., 1.).map(|q| self.precision(normal.inverse_cdf(q)));
        precisions.sum::<f64>() / 4000.
    }

    /// As an estimator would give it, `relative` its standard error by `alpha`.
    fn prior(&mut self, relative: f64) -> PriorEstimate {
        let error = relative * self.alpha;
        let z: f64 = StandardNormal.sample(&mut self.rng);
        let alpha = (self.alpha + error * z).clamp(0., 1.);
        prior(
            alpha,
            (alpha - 1.96 * error).max(0.),
            (alpha + 1.96 * error).min(1.),
        )
    }
}

/// How often the truth lay inside, and how far the estimate was off, by measure.
#[derive(Default)]
struct Tally {
    inside: usize,
    of: usize,
    errors: Vec<f64>,
}

impl Tally {
    fn add(&mut self, estimate: Option<Estimate>, truth: f64) {
        // A class prior that happens to contradict the scores leaves none.
        let Some(estimate) = estimate else { return };
        self.inside += usize::from(holds(estimate, truth));
        self.of += 1;
        self.errors.push(estimate.value - truth);
    }

    fn coverage(&self) -> f64 {
        self.inside as f64 / self.of as f64
    }

    fn bias(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.of as f64
    }
}

const MEASURES: [&str; 6] = [
    "alarm rate",
    "precision",
    "recall",
    "false-positive rate",
    "AUROC",
    "average precision",
];

fn tallies(
    mut world: Gaussian,
    (unlabeled, anomalies): (usize, usize),
    relative: f64,
    repetitions: u32,
) -> [Tally; 6] {
    let mut tallies: [Tally; 6] = Default::default();
    let (auroc, average_precision) = (world.auroc(), world.average_precision());
    for seed in 0..repetitions {
        let (u, a) = world.draw(unlabeled, anomalies);
        let prior = world.prior(relative);
        let config = ReportConfig {
            seed: seed.into(),
            ..rates(&[0.05])
        };
        let report = Report::new(&held_out(&u, &a), &prior, &config).unwrap();
        let at = &report.budgets[0];
        let threshold = at.threshold.unwrap();
        let (recall, false_alarms) = world.above(threshold);
        let rate = world.alpha * recall + (1. - world.alpha) * false_alarms;
        tallies[0].add(at.alarm_rate, rate);
        tallies[1].add(at.precision, world.precision(threshold));
        tallies[2].add(at.recall, recall);
        tallies[3].add(at.false_positive_rate, false_alarms);
        tallies[4].add(report.auroc, auroc);
        tallies[5].add(Some(report.average_precision), average_precision);
    }
    tallies
}

/// Of 95% intervals that many hold the truth; exact ones at least.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let repetitions = 200;
    let mut pooled = [(0usize, 0usize); 6];
    for (alpha, shift, unlabeled, anomalies) in [
        (0.01, 3., 2000, 20),
        (0.05, 1., 1000, 8),
        (0.05, 2., 1000, 20),
        (0.05, 3., 400, 100),
        (0.25, 2., 1000, 20),
        (0.25, 3., 2000, 50),
    ] {
        let world = Gaussian {
            rng: ChaCha8Rng::seed_from_u64(1),
            alpha,
            shift,
        };
        let tallies = tallies(world, (unlabeled, anomalies), 0.25, repetitions);
        println!("alpha {alpha}, shift {shift}, {unlabeled} unlabeled, {anomalies} labeled");
        for ((tally, measure), pooled) in tallies.iter().zip(MEASURES).zip(&mut pooled) {
            println!(
                "  {measure}: coverage {:.3}, bias {:+.4}",
                tally.coverage(),
                tally.bias()
            );
            // Four deviations of a coverage of 0.9 below it.
            let least = 0.9 - 4. * (0.9f64 * 0.1 / f64::from(repetitions)).sqrt();
            assert!(
                // Without a labeled anomaly above the threshold there is no precision.
                tally.of as f64 >= 0.85 * f64::from(repetitions),
                "{measure}: {}",
                tally.of
            );
            assert!(tally.coverage() >= least, "{measure}: {}", tally.coverage());
            *pooled = (pooled.0 + tally.inside, pooled.1 + tally.of);
        }
    }
    for ((inside, of), measure) in pooled.into_iter().zip(MEASURES) {
        let coverage = inside as f64 / of as f64;
        println!("all, {measure}: {coverage:.3}");
        // 0.92, less three deviations.
        assert!((0.896..=0.995).contains(&coverage), "{measure}: {coverage}");
    }
}

/// The value of `sorted` at the share of `own` that lies below `score`, both counted at the middle of each sample.
fn placed(score: f64, own: &[f64], sorted: &[f64]) -> f64 {
    let below = own.partition_point(|s| *s < score) as f64;
    let place = below / own.len() as f64 * sorted.len() as f64 - 0.5;
    let place = place.clamp(0., sorted.len() as f64 - 1.);
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

/// Forty anomalies, scored by five detectors, are known by their places among 200 scores: at 1% to 5% alarms those are
/// two to ten. Counted as if the scores were known, intervals hold the recall in far fewer runs than they say.
#[test]
fn placed_scores_leave_more_doubt_of_recall() {
    let mut world = Gaussian {
        rng: ChaCha8Rng::seed_from_u64(4),
        alpha: 0.05,
        shift: 2.5,
    };
    let mut tallies: [Tally; 2] = Default::default();
    for seed in 0..200 {
        let mut sorted = world.draw(200, 0).0;
        sorted.sort_by(f64::total_cmp);
        let mut anomalies = vec![];
        for _ in 0..5 {
            let (mut own, found) = world.draw(400, 8);
            own.sort_by(f64::total_cmp);
            anomalies.extend(found.into_iter().map(|score| placed(score, &own, &sorted)));
        }
        let prior = exact(world.alpha);
        let config = ReportConfig {
            seed,
            ..rates(&[0.01, 0.02, 0.05])
        };
        let sources = [
            ReportSource::Validation,
            ReportSource::OutOfFold { folds: 5 },
        ];
        for (source, tally) in sources.into_iter().zip(&mut tallies) {
            let scores = HeldOut {
                source,
                ..held_out(&sorted, &anomalies)
            };
            let report = Report::new(&scores, &prior, &config).unwrap();
            for at in &report.budgets {
                let (recall, _) = world.above(at.threshold.unwrap());
                tally.add(at.recall, recall);
            }
        }
    }
    let [counted, placed] = tallies.map(|tally| tally.coverage());
    println!("counted {counted:.3}, placed {placed:.3}");
    assert!(counted < 0.8, "{counted}");
    assert!(placed >= 0.9, "{placed}");
}

/// A tenth of the unlabeled samples, and all anomalies, have one score, or lie apart from all others.
#[test]
fn equal_scores_that_were_placed_stay_together() -> Result<()> {
    let tied: Vec<f64> = [vec![0.; 900], vec![1.; 100]].concat();
    let out_of_fold = |unlabeled, anomalies, threshold, alpha| {
        let scores = HeldOut {
            source: ReportSource::OutOfFold { folds: 5 },
            threshold: Some(threshold),
            ..held_out(unlabeled, anomalies)
        };
        Report::new(&scores, &exact(alpha), &rates(&[]))
    };
    let report = out_of_fold(&tied, &[1.; 20], 0.5, 0.08)?;
    let at = &report.budgets[0];
    let (recall, precision) = (at.recall.unwrap(), at.precision.unwrap());
    assert_eq!(recall.value, 1.);
    assert!(recall.low > 0.8, "{recall}");
    assert!(
        (precision.value - 0.8).abs() < 1e-12 && precision.low > 0.6,
        "{precision}"
    );
    // As many anomalies as are claimed are not there.
    let report = out_of_fold(&tied, &[1.; 20], 0.5, 0.5)?;
    assert_eq!(report.budgets[0].support, Support::Contradicted);
    // Beyond all unlabeled scores there is no place: anomalies there are compared by their scores.
    let spread: Vec<f64> = spread(200, 0., 1.).collect();
    let found = |threshold| {
        let report = out_of_fold(&spread, &[2., 2., 2., 0.5], threshold, 0.05)?;
        Ok::<_, puad::Error>(report.budgets[0].recall.unwrap())
    };
    let none = found(3.)?;
    assert_eq!((none.value, none.low), (0., 0.));
    assert!(none.high < 0.61, "{none}");
    assert_eq!(found(1.5)?.value, 0.75);
    Ok(())
}

/// With the class prior known and samples enough there is no bias to speak of.
#[test]
fn estimates_are_right_on_average() {
    let world = Gaussian {
        rng: ChaCha8Rng::seed_from_u64(2),
        alpha: 0.05,
        shift: 2.,
    };
    let tallies = tallies(world, (4000, 200), 0., 100);
    for (tally, measure) in tallies.iter().zip(MEASURES) {
        println!("{measure}: bias {:+.4}", tally.bias());
        let spread = tally
            .errors
            .iter()
            .map(|e| (e - tally.bias()).powi(2))
            .sum::<f64>()
            .sqrt()
            / 100.;
        // A ratio of counts keeps a little.
        assert!(
            tally.bias().abs() < 4. * spread + 0.01,
            "{measure}: {}",
            tally.bias()
        );
    }
}

/// Half of the anomalies are of a kind that scores 4 and was labeled, half of one that scores 1 and was not.
#[test]
fn labels_of_the_easy_kind_alone_bias_as_the_documentation_says() -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut around = |mean: f64, n: usize| -> Vec<f64> {
        Normal::new(mean, 1.)
            .unwrap()
            .sample_iter(&mut rng)
            .take(n)
            .collect()
    };
    let (normals, easy, hard) = (around(0., 36_000), around(4., 2000), around(1., 2000));
    let unlabeled = [normals.clone(), easy.clone(), hard.clone()].concat();
    let labeled = around(4., 400);
    let above = |scores: &[f64], t: f64| scores.iter().filter(|s| **s > t).count() as f64;
    let report = |alpha: f64| {
        Report::new(
            &held_out(&unlabeled, &labeled),
            &exact(alpha),
            &rates(&[0.12]),
        )
    };
    let report_of_labeled = report(0.05)?;
    let labeled_kinds = &report_of_labeled.budgets[0];
    let threshold = labeled_kinds.threshold.unwrap();
    let found = above(&easy, threshold) + above(&hard, threshold);
    let (precision, recall) = (found / above(&unlabeled, threshold), found / 4000.);

    // Recall and AUROC are those of the easy kind.
    let estimated = labeled_kinds.recall.unwrap();
    assert!(estimated.low > recall + 0.1, "{estimated} {recall}");
    let scores = [normals, easy, hard].concat();
    let positives: Vec<bool> = (0..40_000).map(|i| i >= 36_000).collect();
    let auroc = report_of_labeled.auroc.unwrap().value;
    assert!(auroc > puad::metrics::auroc(&scores, &positives)? + 0.05);
    // With the share of the labeled kind alarms of the other count as false.
    let estimated = labeled_kinds.precision.unwrap();
    assert!(estimated.high < precision - 0.01, "{estimated} {precision}");
    // With that of both kinds they count as if as many were found as of the easy one.
    let all_kinds = report(0.1)?;
    let estimated = all_kinds.budgets[0].precision.unwrap();
    assert!(estimated.low > precision + 0.01, "{estimated} {precision}");
    // Which the ranks of the easy kind contradict: they are too good for so many to be among the unlabeled.
    assert_eq!(all_kinds.auroc, None);
    assert!(
        all_kinds
            .doubts
            .iter()
            .any(|doubt| matches!(doubt, ReportDoubt::PriorTooLarge { .. }))
    );
    // The easy kind apart, both are right.
    let easy = above(&scores[36_000..38_000], threshold);
    assert!(holds(labeled_kinds.recall.unwrap(), easy / 2000.));
    assert!(
        (labeled_kinds.precision.unwrap().value - easy / above(&scores, threshold)).abs() < 0.03
    );
    Ok(())
}

fn assert_in_range(report: &Report) {
    let unit = |estimate: &Estimate| {
        let Estimate { value, low, high } = *estimate;
        assert!(
            0. <= low && low <= value && value <= high && high <= 1.,
            "{estimate:?}"
        );
    };
    unit(&report.auroc_unlabeled);
    unit(&report.average_precision);
    report.auroc.iter().for_each(unit);
    for at in &report.budgets {
        let estimates = [
            at.alarm_rate,
            at.precision,
            at.recall,
            at.false_positive_rate,
        ];
        estimates.iter().flatten().for_each(unit);
        if let (Some(rate), Some(budget)) = (at.alarm_rate, at.budget.rate()) {
            assert!(rate.value <= budget + 1e-9);
        }
    }
    let recalls: Vec<Estimate> = report.budgets.iter().filter_map(|at| at.recall).collect();
    for pair in recalls.windows(2) {
        assert!(
            pair[0].value <= pair[1].value
                && pair[0].low <= pair[1].low
                && pair[0].high <= pair[1].high
        );
    }
}

fn scores(ties: bool) -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let score = (-3f64..3.).prop_map(move |s| if ties { s.round() } else { s });
    (
        prop::collection::vec(score.clone(), 1..80),
        prop::collection::vec(score.prop_map(|s| s + 1.), 1..12),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn everything_lies_in_its_range(
        (unlabeled, anomalies) in any::<bool>().prop_flat_map(scores),
        shares in prop::array::uniform3(0f64..=1.),
        exponent in -900i32..900, reversed in any::<bool>(),
    ) {
        let mut shares = shares;
        shares.sort_by(f64::total_cmp);
        let prior = prior(shares[1], shares[0], shares[2]);
        // A power of two: another one rounds, and an anomaly as high as the threshold rises above it.
        let scale = 2f64.powi(exponent);
        let scaled = |scores: &[f64]| -> Vec<f64> {
            let mut scores: Vec<f64> = scores.iter().map(|s| s * scale).collect();
            if reversed { scores.reverse() }
            scores
        };
        let config = ReportConfig { resamples: 100, ..rates(&[0.01, 0.05, 0.2, 0.6]) };
        let report = Report::new(&held_out(&unlabeled, &anomalies), &prior, &config).unwrap();
        assert_in_range(&report);
        let rates = report.budgets.iter().filter_map(|at| at.false_positive_rate);
        prop_assert!(rates.map(|rate| rate.value).is_sorted());
        report.to_svg();
        report.to_markdown();
        prop_assert_eq!(&serde_json::from_str::<Report>(&report.to_json()).unwrap(), &report);
        // Another scale and another order change thresholds alone.
        let same = Report::new(&held_out(&scaled(&unlabeled), &scaled(&anomalies)), &prior, &config).unwrap();
        prop_assert_eq!(same.auroc, report.auroc);
        prop_assert_eq!(same.average_precision, report.average_precision);
        for (same, at) in same.budgets.iter().zip(&report.budgets) {
            prop_assert_eq!((same.precision, same.recall), (at.precision, at.recall));
            prop_assert_eq!(same.false_positive_rate, at.false_positive_rate);
        }
        same.to_svg();
    }
}

/// Shares of so many anomalies add up to a rounding more than 1.
#[test]
fn perfect_separation_is_no_more_than_perfect() -> Result<()> {
    for anomalies in 1..60 {
        let scores: Vec<f64> = (0..anomalies).map(|i| 1. + f64::from(i % 7)).collect();
        let report = Report::new(
            &held_out(&[0.; 3], &scores),
            &prior(0., 0., 0.),
            &rates(&[0.2]),
        )?;
        assert_in_range(&report);
        assert_eq!(report.auroc_unlabeled.value.min(1. - 1e-12), 1. - 1e-12);
    }
    Ok(())
}

#[test]
fn extreme_scores_have_a_report() -> Result<()> {
    let mut unlabeled: Vec<f64> = spread(500, -1e-3, 1e-3).collect();
    unlabeled.extend([f64::from(f32::MAX), f64::MAX, -f64::MAX, 1e30]);
    let scores = HeldOut {
        threshold: Some(1e300),
        ..held_out(&unlabeled, &[f64::MAX, 2e-3, 0.])
    };
    let report = Report::new(&scores, &prior(0.01, 0., 1.), &rates(&[0.004, 0.05]))?;
    assert_in_range(&Report {
        budgets: report.budgets[..2].to_vec(),
        ..report.clone()
    });
    let svg = report.to_svg();
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    assert_eq!(
        serde_json::from_str::<Report>(&report.to_json()).unwrap(),
        report
    );
    assert_eq!(report.budgets[2].budget, Budget::Threshold { score: 1e300 });
    Ok(())
}
