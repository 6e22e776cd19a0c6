use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::AnySpecification;
use crate::{Error, Result};

/// A specification of one family: shipped, of a user's own, or known by name and settings alone, as
/// files and JSON give it, until a [`Registry`](crate::method::Registry) resolves it.
///
/// ```
/// use puad::detector::{DenoisingSpec, DetectorSpec};
/// use puad::spec::Spec;
///
/// let denoising: Spec<dyn DetectorSpec> = DenoisingSpec { noise: 0.2 }.into();
/// let json = serde_json::to_string(&denoising).unwrap();
/// assert_eq!(json, r#"{"denoising":{"noise":0.2}}"#);
///
/// let named: Spec<dyn DetectorSpec> = serde_json::from_str(r#""autoencoder""#).unwrap();
/// assert_eq!(named.name(), "autoencoder");
/// ```
pub struct Spec<T: ?Sized + 'static>(Repr<T>);

enum Repr<T: ?Sized + 'static> {
    Shipped(&'static T),
    Own(Arc<T>),
    Named { name: String, settings: Value },
}

impl<T: ?Sized> Spec<T> {
    /// One with settings known at compile time.
    pub const fn shipped(specification: &'static T) -> Self {
        Self(Repr::Shipped(specification))
    }

    /// One of a user's own.
    pub fn own(specification: Arc<T>) -> Self {
        Self(Repr::Own(specification))
    }

    /// One that is yet to be resolved.
    pub fn named(name: impl Into<String>, settings: Value) -> Self {
        let name = name.into();
        Self(Repr::Named { name, settings })
    }

    /// Name and settings, if nothing else is known.
    pub(crate) fn unresolved(&self) -> Option<(&str, &Value)> {
        match &self.0 {
            Repr::Named { name, settings } => Some((name, settings)),
            _ => None,
        }
    }
}

impl<T: ?Sized + AnySpecification> Spec<T> {
    /// Its name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Repr::Shipped(specification) => specification.name(),
            Repr::Own(specification) => specification.name(),
            Repr::Named { name, .. } => name,
        }
    }

    /// The settings that differ from the defaults, as a JSON object.
    ///
    /// # Errors
    /// As [`AnySpecification::settings`].
    pub fn settings(&self) -> Result<Value> {
        match &self.0 {
            Repr::Shipped(specification) => specification.settings(),
            Repr::Own(specification) => specification.settings(),
            Repr::Named { settings, .. } => Ok(settings.clone()),
        }
    }

    /// The specification.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] if it is known by name alone; `kind` says there what it is of.
    pub(crate) fn get(&self, kind: &'static str) -> Result<&T> {
        match &self.0 {
            Repr::Shipped(specification) => Ok(specification),
            Repr::Own(specification) => Ok(specification),
            Repr::Named { name, .. } => {
                let name = name.clone();
                Err(Error::UnknownSpecification { kind, name })
            }
        }
    }
}

impl<T: ?Sized> Clone for Spec<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Repr::Shipped(specification) => Repr::Shipped(specification),
            Repr::Own(specification) => Repr::Own(specification.clone()),
            Repr::Named { name, settings } => Repr::Named {
                name: name.clone(),
                settings: settings.clone(),
            },
        })
    }
}

impl<T: ?Sized + AnySpecification> fmt::Debug for Spec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Shipped(specification) => specification.fmt(f),
            Repr::Own(specification) => specification.fmt(f),
            Repr::Named { name, settings } => write!(f, "{name} {settings}"),
        }
    }
}

/// Of the same name and settings.
impl<T: ?Sized + AnySpecification> PartialEq for Spec<T> {
    fn eq(&self, other: &Self) -> bool {
        let settings = |spec: &Self| spec.settings().ok();
        self.name() == other.name() && settings(self) == settings(other)
    }
}

impl<T: ?Sized + AnySpecification> Eq for Spec<T> {}

impl<T: ?Sized + AnySpecification> Serialize for Spec<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = self.settings().map_err(serde::ser::Error::custom)?;
        match settings {
            Value::Object(fields) if fields.is_empty() => serializer.serialize_str(self.name()),
            settings => Map::from_iter([(self.name().into(), settings)]).serialize(serializer),
        }
    }
}

impl<'de, T: ?Sized> Deserialize<'de> for Spec<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Name(String),
            Settings(Map<String, Value>),
        }
        match Form::deserialize(deserializer)? {
            Form::Name(name) => Ok(Self::named(name, Value::Object(Map::new()))),
            Form::Settings(fields) if fields.len() == 1 => {
                let (name, settings) = fields.into_iter().next().unwrap_or_default();
                Ok(Self::named(name, settings))
            }
            Form::Settings(fields) => {
                let names: Vec<_> = fields.keys().collect();
                let rule = "a specification must be a name, or one name with its settings";
                Err(serde::de::Error::custom(format!("{rule}, got {names:?}")))
            }
        }
    }
}

/// `Spec<dyn $family>` from every specification of the family.
macro_rules! family {
    ($family:path) => {
        impl<S: $family + 'static> From<S> for $crate::spec::Spec<dyn $family> {
            fn from(specification: S) -> Self {
                Self::own(std::sync::Arc::new(specification))
            }
        }
    };
}

pub(crate) use family;
