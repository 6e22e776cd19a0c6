//! The class prior of a run.

use std::fmt;
use std::str::FromStr;

use puad::data::protocol::{GroupIndices, SplitIndices};
use puad::data::{PuDataset, Samples};
use puad::prior::PriorEstimate;
use puad::{ClassPrior, Estimator, FitConfig};
use serde::{Deserialize, Serialize};

/// What it trains with, as a number in rows and on the command line, or `auto`. A fit of the library trains with the
/// larger of an estimate and 0.1, by which in a split of the paper, of which 5% are anomalies, all runs would be the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alpha {
    /// The estimate of each cell, from its unlabeled samples and labeled anomalies.
    Auto,
    #[serde(untagged)]
    Given(ClassPrior),
}

impl Alpha {
    pub fn given(alpha: f64) -> puad::Result<Self> {
        ClassPrior::new(alpha).map(Self::Given)
    }

    /// `None` where it is estimated.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Given(alpha) => Some(alpha.get()),
        }
    }
}

impl Default for Alpha {
    fn default() -> Self {
        Self::Given(ClassPrior::default())
    }
}

impl fmt::Display for Alpha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Given(alpha) => alpha.get().fmt(f),
        }
    }
}

impl FromStr for Alpha {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let number = text.parse().map_err(|_| "a number or auto is wanted")?;
        Self::given(number).map_err(|error| error.to_string())
    }
}

/// What a cell with [`Alpha::Auto`] trained with, and the interval of the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatedAlpha {
    pub alpha: f64,
    pub low: f64,
    pub high: f64,
}

impl EstimatedAlpha {
    /// By the estimator that a fit has by default. Of none at all half a sample is left, as of a fit.
    pub fn of(indices: &SplitIndices, train: &Samples, seed: u64) -> puad::Result<Self> {
        let data = together(indices, train)?;
        let mut config = FitConfig::default();
        config.train.seed = seed;
        let found = Estimator::new(config).estimate_prior(&data)?;
        let PriorEstimate {
            alpha, low, high, ..
        } = found;
        let [alpha, low, high] = [alpha, low, high].map(ClassPrior::get);
        let least = 0.5 / data.unlabeled().len() as f64;
        Ok(Self {
            alpha: alpha.max(least),
            low,
            high: high.max(least),
        })
    }

    pub fn prior(self) -> puad::Result<ClassPrior> {
        ClassPrior::new(self.alpha)
    }
}

/// The unlabeled samples and the labeled anomalies of both parts.
fn together(indices: &SplitIndices, train: &Samples) -> puad::Result<PuDataset> {
    let both = |group: fn(&GroupIndices) -> &[u32]| {
        let positions = [&indices.train, &indices.validation].map(group).concat();
        train.select(&positions)
    };
    let (unlabeled, anomalies) = (both(|part| &part.unlabeled)?, both(|part| &part.anomalies)?);
    PuDataset::new(unlabeled)?.with_anomalies(anomalies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_or_auto_everywhere() {
        for (text, json) in [("auto", "\"auto\""), ("0.25", "0.25")] {
            let alpha: Alpha = text.parse().unwrap();
            assert_eq!(alpha.to_string(), text);
            assert_eq!(serde_json::to_string(&alpha).unwrap(), json);
            assert_eq!(serde_json::from_str::<Alpha>(json).unwrap(), alpha);
        }
        assert_eq!("AUTO".parse(), Ok(Alpha::Auto));
        let error = |text: &str| text.parse::<Alpha>().unwrap_err();
        assert!(error("1.5").contains("1.5"));
        assert!(error("much").contains("a number or auto"));
        assert!(serde_json::from_str::<Alpha>("\"much\"").is_err());
        assert!(serde_json::from_str::<Alpha>("1.5").is_err());
    }
}
