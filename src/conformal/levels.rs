use crate::{Error, Result};

/// A score with the numbers of unlabeled and of anomalous scores that are at least as high.
pub(super) struct Level {
    pub(super) score: f64,
    pub(super) unlabeled: usize,
    pub(super) anomalies: usize,
}

/// The different scores of both groups, the highest first.
pub(super) fn levels(unlabeled: &[f64], anomalies: &[f64]) -> Vec<Level> {
    let of = |anomalous: bool| move |&score: &f64| (score, anomalous);
    let all = unlabeled.iter().map(of(false));
    let mut all: Vec<(f64, bool)> = all.chain(anomalies.iter().map(of(true))).collect();
    all.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut levels, mut counts) = (Vec::new(), [0; 2]);
    // Compared by value: 0 and -0 are one score.
    for equal in all.chunk_by(|(a, _), (b, _)| a == b) {
        for (_, anomalous) in equal {
            counts[usize::from(*anomalous)] += 1;
        }
        levels.push(Level {
            score: equal[0].0,
            unlabeled: counts[0],
            anomalies: counts[1],
        });
    }
    levels
}

/// # Errors
/// [`Error::Config`] for the first score that is NaN.
pub(super) fn check_numbers(name: &'static str, scores: &[f64]) -> Result<()> {
    match scores.iter().position(|score| score.is_nan()) {
        Some(index) => Err(Error::config(
            name,
            "numbers",
            format!("NaN at index {index}"),
        )),
        None => Ok(()),
    }
}

/// # Errors
/// [`Error::EmptyGroup`] for either group without scores, and as [`check_numbers`].
pub(super) fn check_groups(what: &'static str, unlabeled: &[f64], anomalies: &[f64]) -> Result<()> {
    for (group, name, scores) in [
        ("unlabeled", "unlabeled scores", unlabeled),
        ("anomalous", "anomaly scores", anomalies),
    ] {
        if scores.is_empty() {
            return Err(Error::EmptyGroup { what, group });
        }
        check_numbers(name, scores)?;
    }
    Ok(())
}
