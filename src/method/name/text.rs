//! Methods as text and as JSON.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::{Method, joined};
use crate::method::{Committee, Pair, Registry};
use crate::model::ModelSpec;
use crate::spec::Spec;
use crate::{Error, Result};

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.named(), self) {
            (Some((name, _)), _) => f.pad(name),
            (None, Self::Committee(committee)) => {
                f.pad(&joined(committee.methods().map(Self::to_string)))
            }
            (None, _) => f.pad(&self.parts()),
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for a name that is none of the shipped ones, or several with `+` between them, a committee;
    /// case does not matter.
    fn from_str(name: &str) -> Result<Self> {
        Registry::default().parse(name)
    }
}

impl Method {
    /// The method of this name, or of these parts with the settings of their name in the paper.
    fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::NAMED.iter();
        let known = |(own, method): &&(&str, Self)| {
            own.eq_ignore_ascii_case(name) || method.parts().eq_ignore_ascii_case(name)
        };
        if let Some((_, method)) = all.find(known) {
            return Some(method.clone());
        }
        if name.contains('+') {
            return together(name, |name| Self::of_name(name).ok_or(())).ok();
        }
        let (detector, objective) = name.split_once('/')?;
        let empty = || json!({});
        Some(Self::Network(Pair {
            detector: Spec::named(detector.to_lowercase(), empty()),
            objective: Spec::named(objective.to_lowercase(), empty()),
        }))
    }

    pub(in crate::method) fn parse_with(name: &str, registry: &Registry) -> Result<Self> {
        if name.contains('+') {
            let committee = together(name, |name| Self::parse_with(name, registry))?;
            return committee.check().map(|()| committee);
        }
        let rule = "a name in puad::method, detector/objective, a registered model, or several with + between them";
        let unknown = || Error::config("method", rule, name);
        let mut models = registry.models();
        let mut model = || models.find(|model| model.eq_ignore_ascii_case(name));
        let method = match Self::of_name(name) {
            Some(method) => method,
            None => Self::Model(Spec::named(model().ok_or_else(unknown)?, json!({}))),
        };
        let method = registry.resolve(&method)?;
        method.check().map_err(|error| match error {
            Error::UnknownSpecification { .. } => unknown(),
            error => error,
        })?;
        Ok(method)
    }
}

/// The committee of these names with `+` between them.
fn together<E>(names: &str, of: impl Fn(&str) -> Result<Method, E>) -> Result<Method, E> {
    let members = names.split('+').map(|name| of(name.trim()));
    Ok(Committee::of(members.collect::<Result<Vec<_>, E>>()?).into())
}

/// A model as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    model: Spec<dyn ModelSpec>,
}

/// A committee as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Together {
    committee: Committee,
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.named(), self) {
            (Some((name, method)), _) if method == *self => serializer.serialize_str(name),
            (_, Self::Network(pair)) => pair.serialize(serializer),
            (_, Self::Model(model)) => {
                let model = model.clone();
                Alone { model }.serialize(serializer)
            }
            (_, Self::Committee(committee)) => {
                let committee = committee.clone();
                Together { committee }.serialize(serializer)
            }
            (_, Self::Auto) => serializer.serialize_str("Auto"),
        }
    }
}

/// Names that this crate ships are resolved, others wait for a [`Registry`].
impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let method = match Value::deserialize(deserializer)? {
            Value::String(name) => Self::of_name(&name).ok_or_else(|| {
                let rule = "a method must be a name in puad::method or detector/objective";
                D::Error::custom(format!("{rule}, got {name:?}"))
            })?,
            Value::Object(fields) if fields.contains_key("model") => {
                let alone = Alone::deserialize(Value::Object(fields));
                Self::Model(alone.map_err(D::Error::custom)?.model)
            }
            Value::Object(fields) if fields.contains_key("committee") => {
                let together = Together::deserialize(Value::Object(fields));
                Self::Committee(together.map_err(D::Error::custom)?.committee)
            }
            other => Self::Network(Pair::deserialize(other).map_err(D::Error::custom)?),
        };
        let resolved = Registry::default().resolve(&method);
        resolved.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_reads_as_it_prints() {
        let registry = Registry::default();
        // Isolation forest, PUForest and Auto are of no pair.
        let mut named = 3;
        for detector in registry.detectors() {
            for objective in registry.objectives() {
                let text = format!("{detector}/{objective}");
                let Ok(method) = text.parse::<Method>() else {
                    assert!(
                        detector == "classifier" && ["unsupervised", "loe"].contains(&objective)
                    );
                    continue;
                };
                let printed = method.to_string();
                named += usize::from(!printed.contains('/'));
                for text in [printed.clone(), printed.to_lowercase()] {
                    assert_eq!(text.parse::<Method>().unwrap(), method, "{text}");
                }
                let json = serde_json::to_string(&method).unwrap();
                assert_eq!(
                    serde_json::from_str::<Method>(&json).unwrap(),
                    method,
                    "{json}"
                );
                assert_eq!(json == format!("{printed:?}"), !printed.contains('/'));
            }
        }
        assert_eq!(named, Method::NAMED.len());
        assert_eq!("if".parse::<Method>().unwrap(), Method::ISOLATION_FOREST);
    }

    /// The classifier's correction is that of its name, however it is written.
    #[test]
    fn parts_have_the_settings_of_their_name() {
        for text in ["PU", "classifier/pu"] {
            let method: Method = text.parse().unwrap();
            assert_eq!(method, Method::PU);
            assert_eq!(
                serde_json::from_value::<Method>(json!(text)).unwrap(),
                method
            );
        }
        let forest = json!({"model": {"isolation-forest": {"trees": 7}}});
        let method: Method = serde_json::from_value(forest.clone()).unwrap();
        assert_eq!(method.to_string(), "IF");
        assert_eq!(serde_json::to_value(&method).unwrap(), forest);
    }

    #[test]
    fn other_names_are_errors() {
        for name in ["", "PUSVD", "pu/pu", "autoencoder/", "classifier/loe"] {
            let err = name.parse::<Method>().unwrap_err();
            assert!(matches!(err, Error::Config { name: "method", value, .. } if value == name));
        }
        // A stranger's name may be registered yet; using it before is an error that names it.
        let json = json!({"detector": "masked", "objective": "pu"});
        let method: Method = serde_json::from_value(json).unwrap();
        let err = method.check().unwrap_err();
        assert!(
            matches!(&err, Error::UnknownSpecification { kind: "detector", name } if name == "masked"),
            "{err}"
        );
        for wrong in [
            json!("masked"),
            json!({"detector": {"denoising": {"noise": -1.}}, "objective": "pu"}),
            json!({"detector": {"denoising": {"loudness": 1.}}, "objective": "pu"}),
            json!({"detector": {"a": {}, "b": {}}, "objective": "pu"}),
        ] {
            assert!(
                serde_json::from_value::<Method>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn errors_of_json_name_what_is_wrong() {
        for (wrong, told) in [
            (json!("masked"), "got \"masked\""),
            (
                json!({"detector": "autoencoder"}),
                "missing field `objective`",
            ),
            (
                json!({"detector": "autoencoder", "objective": "pu", "epochs": 3}),
                "unknown field `epochs`",
            ),
            (
                json!({"model": "isolation-forest", "epochs": 3}),
                "unknown field `epochs`",
            ),
            (
                json!({"detector": {"denoising": {"loudness": 1.}}, "objective": "pu"}),
                "unknown field `loudness`",
            ),
            (
                json!({"model": {"isolation-forest": {"trees": 0}}}),
                "trees",
            ),
            (
                json!({"model": ["isolation-forest"]}),
                "one name with its settings",
            ),
            (json!(3), "3"),
        ] {
            let err = serde_json::from_value::<Method>(wrong.clone()).unwrap_err();
            assert!(err.to_string().contains(told), "{wrong}: {err}");
        }
    }

    /// Settings that a file must have, whatever the defaults are when it is read.
    #[test]
    fn all_settings_read_as_the_method() {
        for (name, method) in Method::NAMED {
            let whole = method.whole().unwrap();
            assert_eq!(whole.is_object(), *name != "Auto", "{name}: {whole}");
            assert_eq!(serde_json::from_value::<Method>(whole).unwrap(), *method);
        }
        let expected =
            json!({"detector": {"denoising": {"noise": 0.1}}, "objective": {"unsupervised": {}}});
        assert_eq!(Method::DAE.whole().unwrap(), expected);
    }
}
