//! What the paper says of its results, and what our rows say to it: each verdict is computed.

use std::collections::BTreeSet;

use clap::ValueEnum;

use crate::dataset::Dataset;
use crate::evidence::Evidence;
use crate::failures;
use crate::finding::{FEWEST, Finding, Open, means, none_failed};
use crate::merge::Kept;
use crate::method::Contender;
use crate::row::Row;
use crate::summary::{alike, runs};
use crate::sweep;
use crate::view::{Kind, View};
use puad::objective::Correction;

/// Means nearer than this are equal where too few runs are there for a test.
const EQUAL: f64 = 0.01;

/// Means nearer than this are "about equal".
const ABOUT: f64 = 0.02;

/// A sentence of the paper, the rule by which rows decide it, and the rule's code for a data set.
pub struct Claim {
    pub text: &'static str,
    pub rule: &'static str,
    judge: fn(&Evidence, Dataset) -> Finding,
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
        judge: |e, d| above(e, d, "SOEL", &["DeepSAD"]),
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
        judge: |e, d| above(e, d, "PUAE", &["AE", "ABC"]),
    },
    Claim {
        text: "PU is weak on unseen anomalies (5.4, appendix C).",
        rule: "PUSVDD's mean over unseen anomalies is higher by more than 0.01",
        judge: |e, d| {
            let both = means(&e.main, d, Kind::Unseen, "PU", "PUSVDD")?;
            Ok((both.right - both.left > EQUAL, both.to_string()))
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
        rule: "trained without it (`--correction none`, whatever the epochs), PUAE and PUSVDD end in every run at a \
               training risk below 0, which eq. 13 never is",
        judge: runs_away,
    },
];

/// A claim's verdict, and a line a data set.
pub fn verdict(claim: &Claim, evidence: &Evidence) -> (String, Vec<String>) {
    let rows = evidence.main.iter().map(|kept| kept.row.dataset);
    let swept = [&evidence.alpha, &evidence.contamination];
    let swept = swept.into_iter().flatten().map(|kept| kept.row.dataset);
    let others = evidence.variants.iter().map(|row| row.dataset);
    let datasets: BTreeSet<Dataset> = rows.chain(swept).chain(others).collect();
    let (mut holds, mut texts) = (vec![], vec![]);
    for dataset in datasets {
        let (sign, text) = match (claim.judge)(evidence, dataset) {
            Ok((is_so, text)) => {
                holds.push(is_so);
                (if is_so { "yes" } else { "no" }, text)
            }
            Err(Open::Because(text)) => ("open", text),
            Err(Open::NoRuns) => continue,
        };
        texts.push(format!("{}: {sign} ({text})", dataset.title()));
    }
    (summed_up(&holds), texts)
}

/// No more is said than the data sets that decided it allow.
fn summed_up(holds: &[bool]) -> String {
    let sets = Dataset::value_variants().iter();
    let of = sets.filter(|set| set.published().is_some()).count();
    let yes = holds.iter().filter(|&&is_so| is_so).count();
    let verdict = match (yes, holds.len()) {
        (_, 0) => return "**no evidence yet**".into(),
        (yes, all) if yes == all && all < of => "agrees so far",
        (yes, all) if yes == all => "agrees",
        (0, _) => "disagrees",
        _ => "agrees in part",
    };
    format!(
        "**{verdict}** ({} of the paper's {of} data sets)",
        holds.len()
    )
}

fn above(evidence: &Evidence, dataset: Dataset, name: &str, others: &[&str]) -> Finding {
    let (mut holds, mut texts) = (true, vec![]);
    for other in others {
        let both = means(&evidence.main, dataset, Kind::All, name, other)?;
        holds &= both.left > both.right;
        texts.push(both.to_string());
    }
    Ok((holds, texts.join("; ")))
}

fn about(evidence: &Evidence, dataset: Dataset, left: &str, right: &str) -> Finding {
    let both = means(&evidence.main, dataset, Kind::All, left, right)?;
    Ok(((both.left - both.right).abs() <= ABOUT, both.to_string()))
}

fn pusvdd_is_best(evidence: &Evidence, dataset: Dataset) -> Finding {
    let (name, rows) = ("PUSVDD", &evidence.main);
    let (mut holds, mut next) = (true, (f64::NEG_INFINITY, String::new()));
    for contender in Contender::paper() {
        let other = contender.to_string();
        if other == name {
            continue;
        }
        let both = means(rows, dataset, Kind::All, name, &other)?;
        let ours = name.parse().map_err(|_| Open::NoRuns)?;
        let [ours, theirs] = [&ours, &contender].map(|c| runs(rows, dataset, c, Kind::All));
        let equal = alike(&ours, &theirs).unwrap_or(both.right - both.left <= EQUAL);
        holds &= both.right <= both.left || equal;
        if both.right > next.0 {
            let text = format!(
                "PUSVDD {:.3}, best other {other} {:.3}, {} runs",
                both.left, both.right, both.runs
            );
            next = (both.right, text);
        }
    }
    Ok((holds, next.1))
}

/// Means of both at the points that both have, of a data set that has enough of them.
fn curve(view: View, rows: &[Kept], dataset: Dataset) -> Result<Vec<(f64, f64, f64)>, Open> {
    let names = ["PUSVDD", "SOEL"];
    let mut both = vec![];
    for name in names {
        let contender: Contender = name.parse().map_err(|_| Open::NoRuns)?;
        none_failed(name, failures::count(rows, dataset, &contender))?;
        both.push(contender);
    }
    let mut curve = vec![];
    for point in sweep::points(view, rows, dataset) {
        let mean = |contender| Some(sweep::at(view, rows, dataset, contender, point)?.mean);
        if let (Some(pusvdd), Some(soel)) = (mean(&both[0]), mean(&both[1])) {
            curve.push((point.0, pusvdd, soel));
        }
    }
    match curve.len() {
        // The tables' own protocol is no sweep.
        0 | 1 => Err(Open::NoRuns),
        2 => Err(Open::Because(format!(
            "2 points of the axis so far, {FEWEST} are needed"
        ))),
        _ => Ok(curve),
    }
}

fn more_robust(evidence: &Evidence, dataset: Dataset) -> Finding {
    let curve = curve(View::Alpha, &evidence.alpha, dataset)?;
    let spread = |value: fn(&(f64, f64, f64)) -> f64| {
        let values = curve.iter().map(value);
        let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
        highest - values.fold(f64::INFINITY, f64::min)
    };
    let (pusvdd, soel) = (spread(|point| point.1), spread(|point| point.2));
    let values: Vec<String> = curve.iter().map(|point| point.0.to_string()).collect();
    let text = format!(
        "alpha {}: PUSVDD's means lie within {pusvdd:.3}, SOEL's within {soel:.3}",
        values.join(", ")
    );
    Ok((pusvdd < soel, text))
}

fn never_below(evidence: &Evidence, dataset: Dataset) -> Finding {
    let curve = curve(View::Contamination, &evidence.contamination, dataset)?;
    let worst = curve
        .iter()
        .min_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)));
    let (number, pusvdd, soel) = worst.ok_or(Open::NoRuns)?;
    let text = format!(
        "{} numbers, worst at {number}: PUSVDD {pusvdd:.3}, SOEL {soel:.3}",
        curve.len()
    );
    Ok((pusvdd - soel >= -EQUAL, text))
}

fn runs_away(evidence: &Evidence, dataset: Dataset) -> Finding {
    let is_of_protocol = |row: &&Row| {
        let mut config = row.config.clone();
        config.correction = evidence.config.correction;
        config == evidence.config
    };
    // The table of corrections has such runs, too, of other epochs.
    let compared = evidence.comparisons.iter().flat_map(|(_, rows)| rows);
    let compared = compared.map(|kept| &kept.row);
    let rows = evidence.variants.iter().filter(is_of_protocol);
    let rows = rows.chain(compared);
    let is_asked = |row: &&Row| row.config.correction == Correction::None && row.dataset == dataset;
    let here: Vec<&Row> = rows.filter(is_asked).collect();
    let (mut risks, mut counts) = (vec![], vec![]);
    for name in ["PUAE", "PUSVDD"] {
        let own = here.iter().filter(|row| row.method.to_string() == name);
        none_failed(name, own.clone().filter(|row| row.failed.is_some()).count())?;
        let own: Vec<(f64, String)> = own
            .filter_map(|row| Some((row.last_risk?, format!("{name}, class {}", row.normal))))
            .collect();
        counts.push(format!("{name} has {}", own.len()));
        risks.push(own);
    }
    if risks.iter().all(Vec::is_empty) {
        return Err(Open::NoRuns);
    }
    if risks.iter().any(|own| own.len() < FEWEST) {
        let counts = counts.join(", ");
        return Err(Open::Because(format!("of {FEWEST} runs each {counts}")));
    }
    let mut risks: Vec<(f64, String)> = risks.concat();
    risks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (lowest, highest) = (&risks[0], &risks[risks.len() - 1]);
    let text = |(risk, run): &(f64, String)| format!("{run}: {risk:.3e}");
    let texts = format!(
        "{} runs, highest {}; lowest {}",
        risks.len(),
        text(highest),
        text(lowest)
    );
    Ok((highest.0 < 0., texts))
}

/// The claims as a list.
pub fn render(evidence: &Evidence) -> String {
    let mut out = String::new();
    for claim in &CLAIMS {
        let (verdict, texts) = verdict(claim, evidence);
        out += &format!("- {} {verdict}\n", claim.text);
        out += &format!("  - Rule: {}.\n", claim.rule);
        for text in texts {
            out += &format!("  - {text}\n");
        }
    }
    out
}
