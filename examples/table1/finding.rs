//! Two methods compared over the runs that both have, or why they are not.

use std::fmt;

use crate::dataset::Dataset;
use crate::failures;
use crate::merge::Kept;
use crate::method::Contender;
use crate::summary::{Summary, pairs, runs};
use crate::view::Kind;

/// With fewer runs in common two methods are not compared.
pub const FEWEST: usize = 3;

/// Why a data set decides nothing.
pub enum Open {
    /// It has no run of the claim's.
    NoRuns,
    Because(String),
}

/// Whether the claim holds, and the numbers.
pub type Finding = Result<(bool, String), Open>;

/// Two methods over the runs that both have.
pub struct Both {
    names: [String; 2],
    pub left: f64,
    pub right: f64,
    pub runs: usize,
}

impl fmt::Display for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [left, right] = &self.names;
        write!(
            f,
            "{left} {:.3}, {right} {:.3}, {} runs",
            self.left, self.right, self.runs
        )
    }
}

/// Means over the runs that both have, where none failed: a mean without its failed runs is no method's.
pub fn means(
    rows: &[Kept],
    dataset: Dataset,
    kind: Kind,
    left: &str,
    right: &str,
) -> Result<Both, Open> {
    let mut all = vec![];
    for name in [left, right] {
        let contender: Contender = name.parse().map_err(|_| Open::NoRuns)?;
        none_failed(name, failures::count(rows, dataset, &contender))?;
        all.push(runs(rows, dataset, &contender, kind));
    }
    let (lefts, rights) = pairs(&all[0], &all[1]);
    let runs = lefts.len();
    let mean = |values: Vec<f64>| Summary::of(values.into_iter()).map(|s| s.mean);
    let (Some(l), Some(r)) = (mean(lefts), mean(rights)) else {
        return Err(Open::NoRuns);
    };
    if runs < FEWEST {
        let plural = if runs == 1 { "" } else { "s" };
        return Err(Open::Because(format!(
            "{left} and {right} have {runs} run{plural} in common, {FEWEST} are needed"
        )));
    }
    Ok(Both {
        names: [left, right].map(String::from),
        left: l,
        right: r,
        runs,
    })
}

/// A failed run of a method leaves its data set undecided.
pub fn none_failed(name: &str, failed: usize) -> Result<(), Open> {
    match failed {
        0 => Ok(()),
        1 => Err(Open::Because(format!("1 run of {name} failed"))),
        _ => Err(Open::Because(format!("{failed} runs of {name} failed"))),
    }
}
