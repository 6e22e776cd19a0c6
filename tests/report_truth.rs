//! What a report estimates against what is true, by a fresh test set with labels: median error and coverage.
//!
//! Scores are simulated here, of normals and of two kinds of anomalies; `compared` takes any scores.

use puad::prior::PriorEstimate;
use puad::report::{Estimate, HeldOut, Report, ReportConfig, ReportSource};
use puad::{ClassPrior, metrics};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, StandardNormal};

/// A measure's estimate and its truth.
struct Compared {
    measure: String,
    estimate: Estimate,
    truth: f64,
}

/// The report against scores of a fresh test set, anomalies marked, with as many anomalies as the unlabeled data.
fn compared(report: &Report, scores: &[f64], anomalous: &[bool]) -> Vec<Compared> {
    let count = |of: &dyn Fn(f64, bool) -> bool| {
        let hits = scores
            .iter()
            .zip(anomalous)
            .filter(|(score, anomalous)| of(**score, **anomalous));
        hits.count() as f64
    };
    let mut all = vec![];
    let mut add = |measure: String, estimate: Option<Estimate>, truth: f64| {
        let found = estimate.map(|estimate| Compared {
            measure,
            estimate,
            truth,
        });
        all.extend(found.filter(|found| found.truth.is_finite()));
    };
    for at in &report.budgets {
        let Some(t) = at.threshold else { continue };
        let (alarms, found) = (
            count(&|s, _| s > t),
            count(&|s, anomalous| s > t && anomalous),
        );
        let (anomalies, normals) = (
            count(&|_, anomalous| anomalous),
            count(&|_, anomalous| !anomalous),
        );
        let named = |measure: &str| format!("{measure} at {}", at.budget);
        add(
            named("alarm rate"),
            at.alarm_rate,
            alarms / scores.len() as f64,
        );
        add(named("precision"), at.precision, found / alarms);
        add(named("recall"), at.recall, found / anomalies);
        add(
            named("false-positive rate"),
            at.false_positive_rate,
            (alarms - found) / normals,
        );
    }
    add(
        "AUROC".into(),
        report.auroc,
        metrics::auroc(scores, anomalous).unwrap(),
    );
    let average_precision = metrics::average_precision(scores, anomalous).unwrap();
    add(
        "average precision".into(),
        Some(report.average_precision),
        average_precision,
    );
    all
}

/// Heavy-tailed scores: of normals around 1, of an easy kind around 8, and of a hard one around 3.
struct World {
    rng: ChaCha8Rng,
    alpha: f64,
    /// The share of the easy kind among anomalies, and among labeled ones.
    easy: [f64; 2],
}

impl World {
    fn anomaly(&mut self, easy: f64) -> f64 {
        let median: f64 = if self.rng.random_bool(easy) { 8. } else { 3. };
        LogNormal::new(median.ln(), 0.5)
            .unwrap()
            .sample(&mut self.rng)
    }

    fn samples(&mut self, n: usize) -> (Vec<f64>, Vec<bool>) {
        let normal = LogNormal::new(0., 0.5).unwrap();
        let mut sample = |_| {
            let anomalous = self.rng.random_bool(self.alpha);
            let score = if anomalous {
                self.anomaly(self.easy[0])
            } else {
                normal.sample(&mut self.rng)
            };
            (score, anomalous)
        };
        (0..n).map(&mut sample).unzip()
    }

    fn report(&mut self, unlabeled: usize, labeled: usize) -> Report {
        let unlabeled = self.samples(unlabeled).0;
        let anomalies: Vec<f64> = (0..labeled).map(|_| self.anomaly(self.easy[1])).collect();
        // An estimate that is off by a fifth, as its interval says.
        let error = 0.2 * self.alpha;
        let z: f64 = StandardNormal.sample(&mut self.rng);
        let alpha = (self.alpha + error * z).clamp(0., 1.);
        let prior = |alpha: f64| ClassPrior::new(alpha.clamp(0., 1.)).unwrap();
        let prior = PriorEstimate {
            alpha: prior(alpha),
            low: prior(alpha - 1.96 * error),
            high: prior(alpha + 1.96 * error),
            level: 0.95,
            doubts: vec![],
        };
        let scores = HeldOut {
            source: ReportSource::OutOfFold { folds: 5 },
            unlabeled: &unlabeled,
            anomalies: &anomalies,
            threshold: None,
        };
        let config = ReportConfig {
            resamples: 300,
            ..ReportConfig::default()
        };
        Report::new(&scores, &prior, &config).unwrap()
    }
}

/// By measure: its name, median error (estimate less truth), median of its size, and coverage, over seeds.
fn summary(easy: [f64; 2], labeled: usize, seeds: u64) -> Vec<(String, f64, f64, f64)> {
    let mut all: Vec<(String, Vec<(f64, bool)>)> = vec![];
    for seed in 0..seeds {
        let mut world = World {
            rng: ChaCha8Rng::seed_from_u64(seed),
            alpha: 0.03,
            easy,
        };
        let report = world.report(2000, labeled);
        let (scores, anomalous) = world.samples(50_000);
        for Compared {
            measure,
            estimate,
            truth,
        } in compared(&report, &scores, &anomalous)
        {
            let inside = (estimate.low..=estimate.high).contains(&truth);
            let found = (estimate.value - truth, inside);
            match all.iter_mut().find(|(name, _)| *name == measure) {
                Some((_, list)) => list.push(found),
                None => all.push((measure, vec![found])),
            }
        }
    }
    let line = |(name, list): (String, Vec<(f64, bool)>)| {
        let error = median(list.iter().map(|(error, _)| *error).collect());
        let size = median(list.iter().map(|(error, _)| error.abs()).collect());
        let inside = list.iter().filter(|(_, inside)| *inside).count();
        (name, error, size, inside as f64 / list.len() as f64)
    };
    all.into_iter().map(line).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(title: &str, lines: &[(String, f64, f64, f64)]) {
    println!(
        "{title}\n| measure | median error | median absolute error | coverage |\n|---|---|---|---|"
    );
    for (name, error, size, coverage) in lines {
        println!("| {name} | {error:+.4} | {size:.4} | {coverage:.3} |");
    }
}

#[test]
fn estimates_are_near_the_truth_on_fresh_data() {
    let lines = summary([0.5, 0.5], 100, 20);
    print(
        "half of the labels of the easy kind, as half of the anomalies",
        &lines,
    );
    for (name, _, size, coverage) in &lines {
        assert!(*size < 0.15, "{name}: {size}");
        // Of twenty, where 0.92 hold it.
        assert!(*coverage >= 0.7, "{name}: {coverage}");
    }
}

/// `cargo test --release --test report_truth -- --ignored --nocapture`
#[test]
#[ignore = "a table to read"]
fn tables() {
    for labeled in [20, 100] {
        for (title, easy) in [
            ("typical labels", [0.5, 0.5]),
            ("labels of the easy kind alone", [0.5, 1.]),
        ] {
            print(
                &format!("{title}, {labeled} of them"),
                &summary(easy, labeled, 200),
            );
        }
    }
}
