use super::Warning;
use crate::method::Method;
use crate::prior::{PriorDoubt, PriorEstimate};
use crate::{ClassPrior, Result};

/// The width of an interval from which on it tells next to nothing, if it holds the usual class prior, or a share at
/// which nearly all samples would be anomalies: labeled anomalies that look as the unlabeled samples do.
const WIDE: f64 = 0.5;
const NEARLY_ALL: f64 = 0.95;

/// Why an estimate is not to be decided by; `None` where it is.
pub(super) fn useless(estimate: &PriorEstimate) -> Option<String> {
    let bound = |doubt: &PriorDoubt| matches!(doubt, PriorDoubt::Overlap { .. });
    // Nothing holds the lower end of an upper bound.
    let low = if estimate.doubts.iter().any(bound) {
        0.
    } else {
        estimate.low.get()
    };
    let high = estimate.high.get();
    let usual = ClassPrior::default().get();
    let wide = high - low > WIDE && ((low..=high).contains(&usual) || high > NEARLY_ALL);
    wide.then(|| format!("all that the data tell is that it lies between {low:.4} and {high:.4}"))
}

/// The class priors of a fit.
pub(super) struct Priors {
    /// What the method trains with.
    pub(super) trained: ClassPrior,
    /// What decisions follow.
    pub(super) decided: ClassPrior,
    pub(super) estimate: Option<PriorEstimate>,
    pub(super) warning: Option<Warning>,
}

impl Priors {
    pub(super) fn given(method: &Method, given: ClassPrior) -> Result<Self> {
        let least = method.least_prior()?;
        let low = given.get() < least;
        Ok(Self {
            trained: method.training_prior(given)?,
            decided: given,
            estimate: None,
            warning: low.then_some(Warning::LowPrior {
                prior: given.get(),
                trained: least,
            }),
        })
    }

    /// Of so many unlabeled samples at least half a one counts as an anomaly: with none no probability would ever be
    /// above 0.
    pub(super) fn estimated(
        method: &Method,
        found: Result<PriorEstimate>,
        unlabeled: usize,
    ) -> Result<Self> {
        let usual = ClassPrior::default();
        let assumed = |reason| Warning::PriorAssumed {
            prior: usual.get(),
            reason,
        };
        let (decided, estimate, warning) = match found {
            Err(error) => (usual, None, Some(assumed(error.to_string()))),
            Ok(estimate) => match useless(&estimate) {
                Some(reason) => (usual, Some(estimate), Some(assumed(reason))),
                None => {
                    let decided = estimate.clone().at_least_half_of(unlabeled)?.alpha;
                    let high = estimate.high.get();
                    let none = decided > estimate.alpha;
                    let warning = none.then_some(Warning::NoneLikeLabeled { high });
                    (decided, Some(estimate), warning)
                }
            },
        };
        let larger = ClassPrior::new(decided.get().max(usual.get()))?;
        Ok(Self {
            trained: method.training_prior(larger)?,
            decided,
            estimate,
            warning,
        })
    }
}
