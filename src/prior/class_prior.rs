use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// `alpha` of eq. 6: the probability that an unlabeled sample is an anomaly, in [0, 1].
///
/// ```
/// use puad::{ClassPrior, Error};
///
/// assert_eq!(ClassPrior::new(0.1)?.get(), 0.1);
/// assert_eq!(format!("{:.2}", ClassPrior::new(0.1)?), "0.10");
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

    /// The class prior of data of which the labeled anomalies were taken out: `alpha = (pi - c) / (1 - c)`.
    ///
    /// `alpha` is the share of anomalies that is *left* in the unlabeled samples, not that of all data: `base_rate` is
    /// `pi`, the share of anomalies among all rows, and `labeled_share` is `c`, the share of all rows that are labeled
    /// anomalies. Of 20,000 rows with 294 anomalies of which 40 are labeled, `pi` is 0.0147, `c` is 0.002, and `alpha`
    /// is 254 / 19,960.
    ///
    /// # Errors
    /// [`Error::Config`], which names the value, unless `0 <= c <= pi <= 1` and `c < 1`.
    ///
    /// ```
    /// use puad::ClassPrior;
    ///
    /// let alpha = ClassPrior::from_base_rate(294. / 20_000., 40. / 20_000.)?;
    /// assert!((alpha.get() - 254. / 19_960.).abs() < 1e-12);
    /// let error = ClassPrior::from_base_rate(0.001, 0.002).unwrap_err();
    /// assert!(error.to_string().starts_with("labeled_share must be at most the base rate"));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn from_base_rate(base_rate: f64, labeled_share: f64) -> Result<Self> {
        if !(0. ..=1.).contains(&base_rate) {
            return Err(Error::config("base_rate", "in [0, 1]", base_rate));
        }
        if !(0. ..1.).contains(&labeled_share) {
            let rule = "in [0, 1), a share of all rows";
            return Err(Error::config("labeled_share", rule, labeled_share));
        }
        if labeled_share > base_rate {
            let rule = "at most the base rate: labeled anomalies are anomalies";
            let value = format!("{labeled_share}, above {base_rate}");
            return Err(Error::config("labeled_share", rule, value));
        }
        Self::new(((base_rate - labeled_share) / (1. - labeled_share)).min(1.))
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

/// As a share, with the format's precision: `{:.3}` gives `0.100`.
impl fmt::Display for ClassPrior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
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
    fn of_a_base_rate_it_is_what_labels_left() {
        let of = |pi, c| ClassPrior::from_base_rate(pi, c).map(ClassPrior::get);
        assert_eq!(of(0.3, 0.).unwrap(), 0.3);
        assert_eq!(of(0.3, 0.3).unwrap(), 0.);
        assert_eq!(of(1., 0.7).unwrap(), 1.);
        approx::assert_relative_eq!(of(0.5, 0.2).unwrap(), 0.375);
        for (pi, c, name) in [
            (1.1, 0., "base_rate"),
            (-0.1, 0., "base_rate"),
            (f64::NAN, 0., "base_rate"),
            (1., 1., "labeled_share"),
            (0.5, -0.1, "labeled_share"),
            (0.5, f64::NAN, "labeled_share"),
            (0.1, 0.2, "labeled_share"),
        ] {
            let error = of(pi, c).unwrap_err();
            assert!(
                matches!(error, Error::Config { name: n, .. } if n == name),
                "{error}"
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
