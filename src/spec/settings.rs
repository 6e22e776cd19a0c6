use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Result;

/// The settings of something that can be built from them, under a name of its own.
///
/// ```
/// use puad::spec::{AnySpecification, Specification};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Masked {
///     share: f64,
/// }
///
/// impl Specification for Masked {
///     const NAME: &'static str = "masked";
/// }
///
/// let masked = Masked { share: 0.5 };
/// assert_eq!((masked.name(), masked.settings()?), ("masked", serde_json::json!({"share": 0.5})));
/// // Defaults are left out.
/// assert_eq!(Masked::default().settings()?, serde_json::json!({}));
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Specification:
    Serialize + DeserializeOwned + Default + Debug + Send + Sync + 'static
{
    /// Its name in settings and files: lower case, distinct within its family.
    const NAME: &'static str;

    /// Whether every value lies in its range. Default: yes.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for the first value outside its range.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A [`Specification`] of a type known at run time only; implemented by every one.
pub trait AnySpecification: Debug + Send + Sync {
    /// [`Specification::NAME`].
    fn name(&self) -> &'static str;

    /// The settings that differ from the defaults, as a JSON object.
    ///
    /// # Errors
    /// [`Error::Settings`](crate::Error::Settings) for settings that JSON has no form for.
    fn settings(&self) -> Result<Value>;

    /// [`Specification::check`].
    ///
    /// # Errors
    /// As there.
    fn check_settings(&self) -> Result<()>;
}

impl<S: Specification> AnySpecification for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn settings(&self) -> Result<Value> {
        without_defaults(self, S::NAME)
    }

    fn check_settings(&self) -> Result<()> {
        self.check()
    }
}

/// What of `settings` differs from the default, as JSON; `name` stands in errors. Objects keep the
/// fields that differ, at every depth.
pub(crate) fn without_defaults<S: Serialize + Default>(settings: &S, name: &str) -> Result<Value> {
    let json = |settings: &S| {
        serde_json::to_value(settings).map_err(|e| crate::Error::Settings {
            kind: "specification",
            name: name.into(),
            cause: e.into(),
        })
    };
    let (mut all, default) = (json(settings)?, json(&S::default())?);
    remove_defaults(&mut all, &default);
    Ok(match all {
        // A unit struct.
        Value::Null => Value::Object(Default::default()),
        all => all,
    })
}

fn remove_defaults(value: &mut Value, default: &Value) {
    let (Value::Object(fields), Value::Object(defaults)) = (value, default) else {
        return;
    };
    fields.retain(|name, field| match defaults.get(name) {
        Some(default) if field == default => false,
        Some(default) => {
            remove_defaults(field, default);
            true
        }
        None => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TrainConfig;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_kept_at_every_depth() {
        let mut config = TrainConfig::default();
        assert_eq!(without_defaults(&config, "").unwrap(), json!({}));
        config.epochs = 7;
        config.adam.beta1 = 0.5;
        let expected = json!({"epochs": 7, "adam": {"beta1": 0.5}});
        assert_eq!(without_defaults(&config, "").unwrap(), expected);
        // What is left still reads as the whole.
        assert_eq!(
            serde_json::from_value::<TrainConfig>(expected).unwrap(),
            config
        );
    }
}
