use std::any::TypeId;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::finite;
use crate::error::Source;
use crate::{Error, Result};

/// The settings of something that can be built from them, under a name of its own.
///
/// They are a struct that reads back from its own JSON. What JSON leaves out has its default.
///
/// ```
/// use puad::spec::{AnySpecification, Specification};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Masked {
///     share: f64,
///     hidden: usize,
/// }
///
/// impl Default for Masked {
///     fn default() -> Self {
///         Self { share: 0.1, hidden: 32 }
///     }
/// }
///
/// impl Specification for Masked {
///     const NAME: &'static str = "masked";
/// }
///
/// let masked = Masked { share: 0.5, ..Masked::default() };
/// assert_eq!(masked.settings()?, serde_json::json!({"share": 0.5, "hidden": 32}));
/// assert_eq!(masked.changes()?, serde_json::json!({"share": 0.5}));
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Specification:
    Serialize + DeserializeOwned + Default + Debug + Send + Sync + 'static
{
    /// Its name in settings and files: lower case, distinct within its family, the shipped ones
    /// included.
    const NAME: &'static str;

    /// To be raised when a default changes its value, or what a setting means: a training run that was
    /// saved before is then not taken for one of the same settings. Default: 1.
    const VERSION: u32 = 1;

    /// Whether every value lies in its range. Default: yes.
    ///
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A [`Specification`] of a type known at run time only; implemented by every one.
pub trait AnySpecification: Debug + Send + Sync + 'static {
    /// [`Specification::NAME`].
    fn name(&self) -> &'static str;

    /// [`Specification::VERSION`].
    fn version(&self) -> u32;

    /// All settings as JSON, as detector files keep them.
    ///
    /// # Errors
    /// [`Error::Settings`] for settings that JSON has no form for, such as a number that is not finite.
    fn settings(&self) -> Result<Value>;

    /// The settings that differ from the defaults, as a JSON object.
    ///
    /// # Errors
    /// As [`settings`](Self::settings).
    fn changes(&self) -> Result<Value>;

    /// [`Specification::check`], and whether the settings read back from their JSON as they are.
    ///
    /// # Errors
    /// As there, and as [`settings`](Self::settings).
    fn check_settings(&self) -> Result<()>;

    /// Which type it is.
    fn type_of(&self) -> TypeId {
        TypeId::of::<Self>()
    }
}

impl<S: Specification> AnySpecification for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn version(&self) -> u32 {
        S::VERSION
    }

    fn settings(&self) -> Result<Value> {
        to_json(self).map_err(|cause| wrong(S::NAME, cause))
    }

    fn changes(&self) -> Result<Value> {
        without_defaults(self, S::NAME)
    }

    fn check_settings(&self) -> Result<()> {
        self.check()?;
        let settings = self.settings()?;
        for json in [&settings, &self.changes()?] {
            let back = read::<S>(json).and_then(|back| to_json(&back));
            let back = back.map_err(|cause| wrong(S::NAME, cause))?;
            if back != settings {
                let cause = format!("{settings} must read back as it is, got {back}");
                return Err(wrong(S::NAME, cause.into()));
            }
        }
        Ok(())
    }
}

fn wrong(name: &str, cause: Source) -> Error {
    let (kind, name) = ("specification", name.into());
    Error::Settings { kind, name, cause }
}

fn to_json(settings: &impl Serialize) -> Result<Value, Source> {
    finite::check(settings)?;
    Ok(serde_json::to_value(settings)?)
}

/// The settings that `json` tells, the others at their defaults.
pub(crate) fn read<S: Serialize + DeserializeOwned + Default>(json: &Value) -> Result<S, Source> {
    let whole = completed(json.clone(), to_json(&S::default())?);
    // A field told by an alias stands beside its default; then `json` alone may be whole.
    S::deserialize(&whole).or_else(|cause| S::deserialize(json).map_err(|_| cause.into()))
}

/// `told`, with the fields of `default` that it leaves out.
fn completed(told: Value, default: Value) -> Value {
    match (told, default) {
        (Value::Object(told), Value::Object(mut fields)) => {
            fields.extend(told);
            Value::Object(fields)
        }
        // A unit struct.
        (Value::Object(told), default) if told.is_empty() => default,
        (told, _) => told,
    }
}

/// What of `settings` differs from the default, as a JSON object; `name` stands in errors. A field is
/// there whole or not at all, because a map that lost an entry could not be told from the default's.
pub(crate) fn without_defaults<S: Serialize + Default>(settings: &S, name: &str) -> Result<Value> {
    let json = |settings: &S| to_json(settings).map_err(|cause| wrong(name, cause));
    let (all, default) = (json(settings)?, json(&S::default())?);
    Ok(match (all, default) {
        (all, default) if all == default => Value::Object(Map::new()),
        (Value::Object(mut fields), Value::Object(defaults)) => {
            fields.retain(|name, field| defaults.get(name) != Some(field));
            Value::Object(fields)
        }
        (all, _) => all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TrainConfig;
    use serde::Deserialize;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// The settings of a test.
    macro_rules! specification {
        ($name:ident) => {
            impl Specification for $name {
                const NAME: &'static str = "tested";
            }
        };
    }

    /// Both forms read as the settings, without serde's own defaults.
    fn reads_back<S: Specification + PartialEq>(settings: S) {
        settings.check_settings().unwrap();
        for json in [settings.settings().unwrap(), settings.changes().unwrap()] {
            assert_eq!(read::<S>(&json).unwrap(), settings, "{json}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nested {
        weights: BTreeMap<String, f64>,
        #[serde(alias = "ratio")]
        share: Option<f64>,
    }

    impl Default for Nested {
        fn default() -> Self {
            let weights = [("a".to_string(), 1.), ("b".into(), 2.)].into();
            let share = Some(0.5);
            Self { weights, share }
        }
    }

    specification!(Nested);

    #[test]
    fn maps_and_options_are_kept_whole() {
        reads_back(Nested::default());
        let weights: BTreeMap<_, _> = [("b".to_string(), 2.)].into();
        let fewer = Nested {
            weights,
            ..Nested::default()
        };
        assert_eq!(fewer.changes().unwrap(), json!({"weights": {"b": 2.}}));
        reads_back(fewer);
        reads_back(Nested {
            share: None,
            ..Nested::default()
        });
        let renamed = json!({"weights": {}, "ratio": 0.25});
        assert_eq!(read::<Nested>(&renamed).unwrap().share, Some(0.25));
        let unknown = read::<Nested>(&json!({"shares": 1.})).unwrap_err();
        assert!(unknown.to_string().contains("shares"), "{unknown}");
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Unit;
    specification!(Unit);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Newtype(f64);
    specification!(Newtype);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Soft { share: f64 },
        Hard { share: f64 },
        Unit,
    }

    impl Default for Kind {
        fn default() -> Self {
            Self::Soft { share: 0. }
        }
    }

    specification!(Kind);

    #[test]
    fn other_types_than_structs_read_back_or_are_errors() {
        reads_back(Unit);
        reads_back(Newtype(0.));
        reads_back(Newtype(2.));
        reads_back(Kind::default());
        reads_back(Kind::Unit);
        reads_back(Kind::Hard { share: 0. });
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    struct Lossy {
        #[serde(serialize_with = "one_more")]
        share: f64,
    }

    fn one_more<S: serde::Serializer>(share: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(share + 1.)
    }

    specification!(Lossy);

    #[test]
    fn what_json_would_lose_is_an_error() {
        let lossy = Lossy::default().check_settings().unwrap_err();
        let told = lossy.to_string();
        assert!(
            told.contains("tested") && told.contains("read back"),
            "{told}"
        );
        let rate = Some(f64::NAN);
        let not_finite = Nested {
            share: rate,
            ..Nested::default()
        };
        for err in [not_finite.settings(), not_finite.changes()] {
            let err = err.unwrap_err().to_string();
            assert!(err.contains("share: must be finite, got NaN"), "{err}");
        }
    }

    #[test]
    fn changes_of_a_configuration_read_as_the_whole() {
        let mut config = TrainConfig::default();
        assert_eq!(without_defaults(&config, "").unwrap(), json!({}));
        config.epochs = 7;
        config.adam.beta1 = 0.5;
        let changes = without_defaults(&config, "").unwrap();
        assert_eq!(changes["epochs"], 7);
        assert_eq!(changes["adam"]["beta1"], 0.5);
        assert_eq!(changes.as_object().unwrap().len(), 2);
        assert_eq!(read::<TrainConfig>(&changes).unwrap(), config);
    }
}
