use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::baseline::ExtraTreesConfig;
use crate::method::Method;
use crate::prior::{Dedpul, DedpulConfig, PriorData, PriorEstimate, PriorEstimator};
use crate::{ClassPrior, Error, Result};

/// The class prior `alpha` of a fit: the share of anomalies among the unlabeled samples, given or estimated.
///
/// As JSON a number, `"estimated"`, or `{"estimated": {..}}` with the settings that are not their defaults.
///
/// ```
/// use puad::estimator::{Prior, PriorEstimation};
/// use puad::{ClassPrior, FitConfig};
///
/// assert_eq!(FitConfig::default().prior, Prior::Estimated(PriorEstimation::default()));
/// let config = FitConfig { prior: ClassPrior::new(0.02)?.into(), ..FitConfig::default() };
/// assert_eq!(serde_json::to_string(&config.prior).unwrap(), "0.02");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Prior {
    /// This one, which the method trains with, all members of [`Method::Auto`](crate::method::Method::Auto) too, and
    /// decisions follow.
    Given(ClassPrior),
    /// That of the data: decisions follow the estimate, and the method trains with it or 0.1, whichever is larger,
    /// since it learns too little from the labeled anomalies with a small one; Auto's autoencoders train with 0.1. Without labeled anomalies, where
    /// no classifier of them can be fitted, or where the interval is wider than 0.5 and holds 0.1, or nearly 1 (its lower end
    /// counts as 0 where the estimate is an upper bound), it is 0.1 with a
    /// [`Warning::PriorAssumed`](super::Warning::PriorAssumed).
    Estimated(PriorEstimation),
}

impl Default for Prior {
    fn default() -> Self {
        Self::Estimated(PriorEstimation::default())
    }
}

impl From<ClassPrior> for Prior {
    fn from(prior: ClassPrior) -> Self {
        Self::Given(prior)
    }
}

impl Prior {
    /// # Errors
    /// [`Error::Config`] for the first setting outside its range.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Given(_) => Ok(()),
            Self::Estimated(estimation) => estimation.check(),
        }
    }
}

/// How a fit estimates its class prior: each sample is scored by a classifier that was fitted without it, and the
/// share of anomalies is read off the scores.
///
/// The classifier is fitted `folds` times, which takes its part of a fit's time; for large data on [`rows`](Self::rows) unlabeled samples at most, while all are scored. Of samples that stay in a file 100,000 are drawn at random, and 20,000 held-out ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriorEstimation {
    /// Parts that the data are cut into, each scored by the classifier fitted on the others, >= 2. Fewer where
    /// there are fewer labeled anomalies. Default: 5.
    pub folds: usize,
    /// What tells labeled anomalies from unlabeled samples, on an automatic network if it is on one. Default:
    /// [`ExtraTreesConfig`], which erred half as much as a perceptron and costs less.
    pub classifier: Method,
    /// The classifier's epochs at most, >= 1, and no more than the method's. Default: 50.
    pub epochs: usize,
    /// Epochs without a better one after which it stops, >= 1. Default: 10.
    pub patience: usize,
    /// Unlabeled samples that each classifier is trained on at most, drawn at random, >= 2. Default: 20,000.
    pub rows: usize,
    /// What reads the share off the scores.
    pub estimator: DedpulConfig,
}

impl Default for PriorEstimation {
    fn default() -> Self {
        Self {
            folds: 5,
            classifier: Method::from(ExtraTreesConfig::default()),
            epochs: 50,
            patience: 10,
            rows: 20_000,
            estimator: DedpulConfig::default(),
        }
    }
}

impl PriorEstimation {
    /// # Errors
    /// [`Error::Config`] for the first setting outside its range.
    pub fn check(&self) -> Result<()> {
        let least = [
            ("folds", "at least 2", 2, self.folds),
            ("epochs", "at least 1", 1, self.epochs),
            ("patience", "at least 1", 1, self.patience),
            ("rows", "at least 2", 2, self.rows),
        ];
        for (name, rule, least, value) in least {
            if value < least {
                return Err(Error::config(name, rule, value));
            }
        }
        self.classifier.check()?;
        self.estimator.check()
    }

    /// What the scores say.
    pub(super) fn read_off(&self, scores: &PriorData, seed: u64) -> Result<PriorEstimate> {
        Dedpul::new(self.estimator)?.estimate(scores, seed)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Estimated {
    estimated: PriorEstimation,
}

impl Serialize for Prior {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Given(prior) => prior.serialize(serializer),
            Self::Estimated(settings) if *settings == PriorEstimation::default() => {
                serializer.serialize_str(ESTIMATED)
            }
            Self::Estimated(settings) => {
                let estimated = settings.clone();
                Estimated { estimated }.serialize(serializer)
            }
        }
    }
}

const ESTIMATED: &str = "estimated";

impl<'de> Deserialize<'de> for Prior {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

/// Any of the three forms.
struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Prior;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a class prior in [0, 1], {ESTIMATED:?}, or {{{ESTIMATED:?}: settings}}"
        )
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Prior, E> {
        ClassPrior::new(value).map(Prior::Given).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Prior, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Prior, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Prior, E> {
        match value {
            ESTIMATED => Ok(Prior::default()),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Prior, A::Error> {
        let Estimated { estimated } = Estimated::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Prior::Estimated(estimated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_reads_as_what_was_written() {
        let settings = PriorEstimation {
            folds: 3,
            ..PriorEstimation::default()
        };
        for (prior, text) in [
            (ClassPrior::new(0.25).unwrap().into(), json!(0.25)),
            (Prior::default(), json!("estimated")),
        ] {
            assert_eq!(json!(prior), text);
            assert_eq!(serde_json::from_value::<Prior>(text).unwrap(), prior);
        }
        let written = json!(Prior::Estimated(settings.clone()));
        let read: Prior = serde_json::from_value(written).unwrap();
        assert_eq!(read, Prior::Estimated(settings.clone()));
        let short = json!({"estimated": {"folds": 3}});
        assert_eq!(
            serde_json::from_value::<Prior>(short).unwrap(),
            Prior::Estimated(settings)
        );
        assert_eq!(
            serde_json::from_value::<Prior>(json!(1)).unwrap(),
            ClassPrior::new(1.).unwrap().into()
        );
    }

    #[test]
    fn what_is_no_prior_is_an_error_that_says_so() {
        for (wrong, part) in [
            (json!(1.5), "class prior must lie in [0, 1], got 1.5"),
            (json!(-1), "class prior must lie in [0, 1], got -1"),
            (json!("auto"), "a class prior in [0, 1], \"estimated\""),
            (json!({"estimated": {"fold": 3}}), "unknown field `fold`"),
            (json!({"guessed": {}}), "unknown field `guessed`"),
            (json!([0.1]), "a class prior in [0, 1], \"estimated\""),
        ] {
            let error = serde_json::from_value::<Prior>(wrong).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        for (name, change) in [
            ("folds", json!({"folds": 1})),
            ("epochs", json!({"epochs": 0})),
            ("patience", json!({"patience": 0})),
            ("rows", json!({"rows": 1})),
        ] {
            let prior: Prior = serde_json::from_value(json!({ "estimated": change })).unwrap();
            let error = prior.check().unwrap_err();
            assert!(
                matches!(error, Error::Config { name: n, .. } if n == name),
                "{error}"
            );
        }
    }
}
