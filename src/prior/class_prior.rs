use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// `alpha` of eq. 6: the probability that an unlabeled sample is an anomaly, in [0, 1].
///
/// ```
/// use puad::{ClassPrior, Error};
///
/// assert_eq!(ClassPrior::new(0.1)?.get(), 0.1);
/// assert!(matches!(ClassPrior::new(1.3), Err(Error::ClassPrior { value }) if value == 1.3));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ClassPrior(f64);

impl ClassPrior {
    /// The class prior `alpha`.
    ///
    /// # Errors
    /// [`Error::ClassPrior`] if `alpha` is NaN or lies outside [0, 1].
    pub fn new(alpha: f64) -> Result<Self> {
        if (0. ..=1.).contains(&alpha) {
            Ok(Self(alpha))
        } else {
            Err(Error::ClassPrior { value: alpha })
        }
    }

    /// The probability.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// 0.1, the value of every experiment in the paper (section 5.3).
impl Default for ClassPrior {
    fn default() -> Self {
        Self(0.1)
    }
}

impl TryFrom<f64> for ClassPrior {
    type Error = Error;

    fn try_from(alpha: f64) -> Result<Self> {
        Self::new(alpha)
    }
}

impl From<ClassPrior> for f64 {
    fn from(prior: ClassPrior) -> Self {
        prior.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_closed_interval_only() {
        for alpha in [0., 1e-300, 0.5, 1.] {
            assert_eq!(ClassPrior::new(alpha).unwrap().get(), alpha);
        }
        for alpha in [
            -1e-300,
            1. + f64::EPSILON,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            let err = ClassPrior::new(alpha).unwrap_err();
            assert!(
                matches!(err, Error::ClassPrior { value } if value.to_bits() == alpha.to_bits())
            );
        }
    }

    #[test]
    fn deserialising_checks_the_range() {
        assert_eq!(
            serde_json::from_str::<ClassPrior>("0.25").unwrap().get(),
            0.25
        );
        let err = serde_json::from_str::<ClassPrior>("1.3")
            .unwrap_err()
            .to_string();
        assert!(
            err.contains("class prior must lie in [0, 1], got 1.3"),
            "{err}"
        );
    }
}
