use crate::prior::PriorEstimate;
use crate::{ClassPrior, Error, Result};

/// The class prior of what is left of `unlabeled` samples, whose prior is `estimate`, behind a review that took
/// `confirmed` anomalies and `dismissed` normals out of them:
///
/// ```text
/// alpha' = (alpha n - confirmed) / (n - confirmed - dismissed)
/// ```
///
/// in [0, 1], and the ends of the interval likewise. A count of what is known needs no sampling assumption, and holds
/// however the rows were picked. Estimators of a class prior do assume one: that the labeled anomalies are a random
/// sample of all. Rows that a person was shown because they score high are none, and an estimate from what is left and
/// from them comes out too low (the anomalies that are left score lower than those that were found) or stays where it
/// was (the reviewed rows counted twice). So the estimate is made once, before the review, and counted down.
///
/// 0 where as many were confirmed as the estimate claimed: it was too low then.
///
/// ```
/// use puad::ClassPrior;
/// use puad::drift::left_after_review;
/// use puad::prior::PriorEstimate;
///
/// let prior = ClassPrior::new;
/// let before = PriorEstimate { alpha: prior(0.05)?, low: prior(0.02)?, high: prior(0.08)?, level: 0.95, doubts: vec![] };
/// // Fifty anomalies among a thousand, of which thirty are found among forty rows.
/// let after = left_after_review(&before, 1000, 30, 10)?;
/// assert_eq!(after.to_string(), "0.0208 (95% interval 0.0000 to 0.0521)");
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] unless a sample is left.
pub fn left_after_review(
    estimate: &PriorEstimate,
    unlabeled: usize,
    confirmed: usize,
    dismissed: usize,
) -> Result<PriorEstimate> {
    let reviewed = confirmed.saturating_add(dismissed);
    if reviewed >= unlabeled {
        let rule = "fewer than the unlabeled samples";
        let found = format!("{reviewed} of {unlabeled}");
        return Err(Error::config("reviewed rows", rule, found));
    }
    let left = |prior: ClassPrior| {
        let anomalies = prior.get() * unlabeled as f64 - confirmed as f64;
        ClassPrior::new((anomalies / (unlabeled - reviewed) as f64).clamp(0., 1.))
    };
    Ok(PriorEstimate {
        alpha: left(estimate.alpha)?,
        low: left(estimate.low)?,
        high: left(estimate.high)?,
        ..estimate.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alpha(alpha: f64, n: usize, confirmed: usize, dismissed: usize) -> f64 {
        let prior = ClassPrior::new(alpha).unwrap();
        let estimate = PriorEstimate {
            alpha: prior,
            low: prior,
            high: prior,
            level: 0.95,
            doubts: vec![],
        };
        let left = left_after_review(&estimate, n, confirmed, dismissed);
        left.unwrap().alpha.get()
    }

    #[test]
    fn counts_are_taken_off() {
        assert_eq!(alpha(0.1, 100, 0, 0), 0.1);
        assert!((alpha(0.1, 100, 4, 6) - 6. / 90.).abs() < 1e-15);
        // More than were claimed; and all normals dismissed.
        assert_eq!(alpha(0.1, 100, 11, 0), 0.);
        assert_eq!(alpha(0.1, 100, 0, 95), 1.);
        let full = PriorEstimate {
            alpha: ClassPrior::default(),
            low: ClassPrior::default(),
            high: ClassPrior::default(),
            level: 0.95,
            doubts: vec![],
        };
        assert!(left_after_review(&full, 10, 4, 6).is_err());
    }
}
