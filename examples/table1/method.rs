//! The rows of the tables.

use std::fmt;
use std::str::FromStr;

use puad::detector::{ClassifierSpec, DeepSvddSpec, DenoisingSpec};
use puad::method::{Method, Pair};
use puad::objective::{Correction, LoeSpec, PuSpec, SemiSupervisedSpec, SoelSpec};
use puad::spec::Specification;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::oracle::Oracle;
use crate::protocol::RunConfig;

/// The ten rows of Table 1, in its order.
pub const PAPER: [Method; 10] = [
    Method::ISOLATION_FOREST,
    Method::AE,
    Method::DEEP_SVDD,
    Method::LOE,
    Method::ABC,
    Method::DEEP_SAD,
    Method::SOEL,
    Method::PU,
    Method::PUAE,
    Method::PUSVDD,
];

/// Rows that no table of the paper has, before the oracles.
const EXTRA: [&str; 4] = ["DAE", "PUDAE", "rotation/unsupervised", "rotation/pu"];

/// One row: a method on the contaminated data, or an oracle that knows the normals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Contender {
    Method(Method),
    Oracle(Oracle),
}

impl Contender {
    pub fn paper() -> Vec<Self> {
        PAPER.map(Self::Method).into()
    }

    pub fn extra() -> Vec<Self> {
        let named = EXTRA.iter().filter_map(|name| name.parse().ok());
        named.chain(Oracle::ALL.map(Self::Oracle)).collect()
    }

    /// One, or those of a group: `paper`, `extra`.
    pub fn named(name: &str) -> puad::Result<Vec<Self>> {
        match name {
            "paper" => Ok(Self::paper()),
            "extra" => Ok(Self::extra()),
            name => Ok(vec![name.parse()?]),
        }
    }

    pub fn method(&self) -> Method {
        match self {
            Self::Method(method) => method.clone(),
            Self::Oracle(oracle) => oracle.method(),
        }
    }

    pub fn is_oracle(&self) -> bool {
        matches!(self, Self::Oracle(_))
    }

    pub fn is_network(&self) -> bool {
        self.method().pair().is_some()
    }

    /// Whether it is a DeepSVDD's, which start from one encoder pre-trained as an autoencoder.
    pub fn is_svdd(&self) -> bool {
        let method = self.method();
        let pair = method.pair();
        pair.is_some_and(|pair| pair.detector.name() == DeepSvddSpec::NAME)
    }

    /// In the paper's order, then the extra rows, then others by name.
    pub fn order(&self) -> (usize, String) {
        let mut all = Self::paper().into_iter().chain(Self::extra());
        let rank = all.position(|other| other == *self);
        (rank.unwrap_or(usize::MAX), self.to_string())
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => method.fmt(f),
            Self::Oracle(oracle) => f.pad(oracle.name()),
        }
    }
}

impl FromStr for Contender {
    type Err = puad::Error;

    fn from_str(name: &str) -> puad::Result<Self> {
        let mut oracles = Oracle::ALL.into_iter();
        match oracles.find(|oracle| oracle.name().eq_ignore_ascii_case(name)) {
            Some(oracle) => Ok(Self::Oracle(oracle)),
            None => Ok(Self::Method(name.parse()?)),
        }
    }
}

/// By name: settings are the protocol's.
impl Serialize for Contender {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Contender {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// `pair` with the settings of a run: those of the published experiments where nothing else was asked
/// for.
pub fn with_settings(pair: &Pair, config: &RunConfig) -> Pair {
    let mut pair = pair.clone();
    let noise = config.noise;
    let loss = config.classifier_loss;
    let labels = config.loe_labels;
    let is_classifier = pair.detector.name() == ClassifierSpec::NAME;
    match pair.detector.name() {
        DenoisingSpec::NAME => {
            let detector = DenoisingSpec {
                noise,
                ..DenoisingSpec::default()
            };
            pair.detector = detector.into();
        }
        ClassifierSpec::NAME => pair.detector = ClassifierSpec { loss }.into(),
        _ => {}
    }
    match pair.objective.name() {
        SemiSupervisedSpec::NAME => {
            let weighting = config.weighting;
            pair.objective = SemiSupervisedSpec { weighting }.into();
        }
        LoeSpec::NAME => pair.objective = LoeSpec { labels }.into(),
        SoelSpec::NAME => pair.objective = SoelSpec { labels }.into(),
        PuSpec::NAME => {
            // The classifier keeps Kiryo et al.'s.
            let correction = if is_classifier {
                Correction::NON_NEGATIVE
            } else {
                config.correction
            };
            pair.objective = PuSpec {
                correction,
                pnu_weight: config.pnu_weight,
                loe: config.loe_in_pu.then_some(labels),
            }
            .into();
        }
        _ => {}
    }
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_as_they_print_and_stand_in_one_order() {
        let mut all = [Contender::paper(), Contender::extra()].concat();
        assert_eq!(all.len(), 16);
        for contender in &all {
            let json = serde_json::to_string(contender).unwrap();
            assert_eq!(json, format!("\"{contender}\""));
            let read: Contender = serde_json::from_str(&json).unwrap();
            assert_eq!(read, *contender);
        }
        let order = all.clone();
        all.reverse();
        all.sort_by_key(Contender::order);
        assert_eq!(all, order);
        assert!("PNPN".parse::<Contender>().is_err());
    }
}
