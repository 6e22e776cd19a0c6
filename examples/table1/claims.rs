//! What the paper says of its results, and what our rows say to it: each verdict is computed.

use crate::dataset::Dataset;
use crate::evidence::Evidence;
use crate::merge::Kept;
use crate::method::Contender;
use crate::summary::{Runs, Summary, alike, pairs, runs};
use crate::sweep;
use crate::view::{Kind, View};
use puad::objective::Correction;

/// Means nearer than this are equal where too few runs are there for a test.
const EQUAL: f64 = 0.01;

/// Means nearer than this are "about equal".
const ABOUT: f64 = 0.02;

/// A sentence of the paper, by which rule rows decide it, and the rule: for a data set, whether it holds, and the
/// numbers; `None` where runs are missing.
pub struct Claim {
    pub text: &'static str,
    pub rule: &'static str,
    judge: fn(&Evidence, Dataset) -> Option<(bool, String)>,
}

pub const CLAIMS: [Claim; 9] = [
    Claim {
        text: "PUSVDD is the best, or equal to the best, on every data set (5.4).",
        rule: "none of the paper's other nine has a higher mean over the runs that both have, unless they are equal: \
               by a paired t-test at 5% over at least five runs, with fewer within 0.01",
        judge: pusvdd_is_best,
    },
    Claim {
        text: "SOEL is above DeepSAD in all cases (5.4).",
        rule: "a higher mean over the runs that both have",
        judge: |e, d| above(e, d, Kind::All, "SOEL", &["DeepSAD"]),
    },
    Claim {
        text: "ABC is about equal to AE (5.4).",
        rule: "means within 0.02",
        judge: |e, d| about(e, d, "ABC", "AE"),
    },
    Claim {
        text: "DeepSAD is about equal to DeepSVDD (5.4).",
        rule: "means within 0.02",
        judge: |e, d| about(e, d, "DeepSAD", "DeepSVDD"),
    },
    Claim {
        text: "PUAE is above AE and ABC (5.4).",
        rule: "a higher mean than each",
        judge: |e, d| above(e, d, Kind::All, "PUAE", &["AE", "ABC"]),
    },
    Claim {
        text: "PU is weak on unseen anomalies (5.4, appendix C).",
        rule: "PUSVDD's mean over unseen anomalies is higher by more than 0.01",
        judge: |e, d| {
            let (pusvdd, pu) = means(&e.main, d, Kind::Unseen, "PUSVDD", "PU")?;
            Some((
                pusvdd - pu > EQUAL,
                format!("PU {pu:.3}, PUSVDD {pusvdd:.3}"),
            ))
        },
    },
    Claim {
        text: "PUSVDD is more robust to alpha than SOEL (5.5, Figure 2).",
        rule: "between the highest and the lowest mean over at least three values of alpha that both have lies less",
        judge: more_robust,
    },
    Claim {
        text: "PUSVDD is equal to or better than SOEL at every number of unlabeled anomalies (Figure 4).",
        rule: "at each of at least three numbers that both have, a mean that is higher, or within 0.01",
        judge: never_below,
    },
    Claim {
        text: "Without the absolute value the objective runs to minus infinity (3.1).",
        rule: "trained without it (`--correction none`), PUAE and PUSVDD end in every run at a training risk below 0, \
               which eq. 13 never is",
        judge: runs_away,
    },
];

/// A claim's verdict over all data sets, and its evidence.
pub fn verdict(claim: &Claim, evidence: &Evidence) -> (&'static str, Vec<String>) {
    let rows = evidence.main.iter().map(|kept| kept.row.dataset);
    let swept = [&evidence.alpha, &evidence.contamination];
    let swept = swept.into_iter().flatten().map(|kept| kept.row.dataset);
    let others = evidence.variants.iter().map(|row| row.dataset);
    let mut datasets: Vec<Dataset> = rows.chain(swept).chain(others).collect();
    datasets.sort();
    datasets.dedup();
    let (mut holds, mut texts) = (vec![], vec![]);
    for dataset in datasets {
        if let Some((is_so, text)) = (claim.judge)(evidence, dataset) {
            let sign = if is_so { "yes" } else { "no" };
            holds.push(is_so);
            texts.push(format!("{}: {sign} ({text})", dataset.title()));
        }
    }
    let yes = holds.iter().filter(|&&is_so| is_so).count();
    let verdict = match (yes, holds.len()) {
        (_, 0) => "no evidence yet",
        (yes, all) if yes == all => "agrees",
        (0, _) => "disagrees",
        _ => "agrees in part",
    };
    (verdict, texts)
}

fn of(rows: &[Kept], dataset: Dataset, kind: Kind, name: &str) -> Option<Runs> {
    Some(runs(rows, dataset, &name.parse().ok()?, kind))
}

/// Means over the runs that both have.
fn means(
    rows: &[Kept],
    dataset: Dataset,
    kind: Kind,
    left: &str,
    right: &str,
) -> Option<(f64, f64)> {
    let of = |name| of(rows, dataset, kind, name);
    let (left, right) = pairs(&of(left)?, &of(right)?);
    let mean = |values: Vec<f64>| Some(Summary::of(values.into_iter())?.mean);
    Some((mean(left)?, mean(right)?))
}

fn above(
    evidence: &Evidence,
    dataset: Dataset,
    kind: Kind,
    name: &str,
    others: &[&str],
) -> Option<(bool, String)> {
    let (mut holds, mut texts) = (true, vec![]);
    for other in others {
        let (mean, than) = means(&evidence.main, dataset, kind, name, other)?;
        holds &= mean > than;
        texts.push(format!("{name} {mean:.3}, {other} {than:.3}"));
    }
    Some((holds, texts.join("; ")))
}

fn about(evidence: &Evidence, dataset: Dataset, left: &str, right: &str) -> Option<(bool, String)> {
    let (a, b) = means(&evidence.main, dataset, Kind::All, left, right)?;
    Some((
        (a - b).abs() <= ABOUT,
        format!("{left} {a:.3}, {right} {b:.3}"),
    ))
}

fn pusvdd_is_best(evidence: &Evidence, dataset: Dataset) -> Option<(bool, String)> {
    let name = "PUSVDD";
    let ours = of(&evidence.main, dataset, Kind::All, name)?;
    let (mut holds, mut next) = (true, (f64::NEG_INFINITY, String::new()));
    for contender in Contender::paper() {
        let other = contender.to_string();
        if other == name {
            continue;
        }
        let (mean, than) = means(&evidence.main, dataset, Kind::All, name, &other)?;
        let theirs = runs(&evidence.main, dataset, &contender, Kind::All);
        let equal = alike(&ours, &theirs).unwrap_or(than - mean <= EQUAL);
        holds &= than <= mean || equal;
        if than > next.0 {
            next = (
                than,
                format!("PUSVDD {mean:.3}, best other {other} {than:.3}"),
            );
        }
    }
    Some((holds, next.1))
}

/// Means of both at the points that both have.
fn curve(view: View, rows: &[Kept], dataset: Dataset) -> Vec<(f64, f64, f64)> {
    let mut curve = vec![];
    for point in sweep::points(view, rows, dataset) {
        let mean = |name: &str| {
            let contender = name.parse().ok()?;
            Some(sweep::at(view, rows, dataset, &contender, point)?.mean)
        };
        if let (Some(pusvdd), Some(soel)) = (mean("PUSVDD"), mean("SOEL")) {
            curve.push((point.0, pusvdd, soel));
        }
    }
    curve
}

fn more_robust(evidence: &Evidence, dataset: Dataset) -> Option<(bool, String)> {
    let curve = curve(View::Alpha, &evidence.alpha, dataset);
    if curve.len() < 3 {
        return None;
    }
    let spread = |value: fn(&(f64, f64, f64)) -> f64| {
        let values = curve.iter().map(value);
        let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
        highest - values.fold(f64::INFINITY, f64::min)
    };
    let (pusvdd, soel) = (spread(|point| point.1), spread(|point| point.2));
    let text = format!("PUSVDD's means lie within {pusvdd:.3}, SOEL's within {soel:.3}");
    Some((pusvdd < soel, text))
}

fn never_below(evidence: &Evidence, dataset: Dataset) -> Option<(bool, String)> {
    let curve = curve(View::Contamination, &evidence.contamination, dataset);
    let worst = curve
        .iter()
        .min_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))?;
    let (number, pusvdd, soel) = worst;
    let text = format!("worst at {number}: PUSVDD {pusvdd:.3}, SOEL {soel:.3}");
    (curve.len() >= 3).then_some((pusvdd - soel >= -EQUAL, text))
}

fn runs_away(evidence: &Evidence, dataset: Dataset) -> Option<(bool, String)> {
    let risks = evidence.variants.iter().filter_map(|row| {
        let mut config = row.config.clone();
        let is_without = config.correction == Correction::None;
        config.correction = evidence.config.correction;
        let name = row.method.to_string();
        let is_asked = is_without && config == evidence.config && row.dataset == dataset;
        (is_asked && ["PUAE", "PUSVDD"].contains(&name.as_str())).then_some((
            name,
            row.normal,
            row.last_risk?,
        ))
    });
    let risks: Vec<_> = risks.collect();
    let highest = risks.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let lowest = risks.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
    let text =
        |(name, normal, risk): &(String, u8, f64)| format!("{name}, class {normal}: {risk:.3e}");
    let texts = format!("highest {}; lowest {}", text(highest), text(lowest));
    Some((highest.2 < 0., texts))
}

/// The claims as a list.
pub fn render(evidence: &Evidence) -> String {
    let mut out = String::new();
    for claim in &CLAIMS {
        let (verdict, texts) = verdict(claim, evidence);
        out += &format!("- {} **{verdict}**\n", claim.text);
        out += &format!("  - Rule: {}.\n", claim.rule);
        for text in texts {
            out += &format!("  - {text}\n");
        }
    }
    out
}
