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
/// let detector = DenoisingSpec { noise: 0.2, ..DenoisingSpec::default() };
/// let denoising: Spec<dyn DetectorSpec> = detector.into();
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
        self.known().err()
    }

    /// The specification, or its name and settings.
    fn known(&self) -> Result<&T, (&str, &Value)> {
        match &self.0 {
            Repr::Shipped(specification) => Ok(specification),
            Repr::Own(specification) => Ok(specification),
            Repr::Named { name, settings } => Err((name, settings)),
        }
    }
}

impl<T: ?Sized + AnySpecification> Spec<T> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self.known() {
            Ok(specification) => specification.name(),
            Err((name, _)) => name,
        }
    }

    /// The settings as far as they are told: those that differ from the defaults, as a JSON object.
    ///
    /// # Errors
    /// As [`AnySpecification::changes`].
    pub fn changes(&self) -> Result<Value> {
        match self.known() {
            Ok(specification) => specification.changes(),
            Err((_, settings)) => Ok(settings.clone()),
        }
    }

    /// All settings with their name, which read as this whatever the defaults are by then.
    ///
    /// # Errors
    /// As [`AnySpecification::settings`].
    pub(crate) fn whole(&self) -> Result<Value> {
        let settings = match self.known() {
            Ok(specification) => specification.settings()?,
            Err((_, settings)) => settings.clone(),
        };
        Ok(Map::from_iter([(self.name().into(), settings)]).into())
    }

    /// [`AnySpecification::version`]; 0 of one that is yet to be resolved.
    pub(crate) fn version(&self) -> u32 {
        self.known().map_or(0, AnySpecification::version)
    }

    /// The specification.
    ///
    /// # Errors
    /// [`Error::UnknownSpecification`] if it is known by name alone.
    pub(crate) fn get(&self) -> Result<&T>
    where
        T: Family,
    {
        self.known().map_err(|(name, _)| {
            let (kind, name) = (T::KIND, name.into());
            Error::UnknownSpecification { kind, name }
        })
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
        match self.known() {
            Ok(specification) => specification.fmt(f),
            Err((name, settings)) => write!(f, "{name} {settings}"),
        }
    }
}

/// Of the same type, if both are resolved, and of the same name and settings; one that is resolved is no
/// name alone.
impl<T: ?Sized + AnySpecification> PartialEq for Spec<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self.known(), other.known()) {
            (Ok(a), Ok(b)) => {
                let of_one_type = a.type_of() == b.type_of() && a.name() == b.name();
                of_one_type && a.settings().ok() == b.settings().ok()
            }
            (Err(a), Err(b)) => a == b,
            _ => false,
        }
    }
}

impl<T: ?Sized + AnySpecification> Eq for Spec<T> {}

impl<T: ?Sized + AnySpecification> Serialize for Spec<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = self.changes().map_err(serde::ser::Error::custom)?;
        match changes {
            Value::Object(fields) if fields.is_empty() => serializer.serialize_str(self.name()),
            changes => Map::from_iter([(self.name().into(), changes)]).serialize(serializer),
        }
    }
}

impl<'de, T: ?Sized> Deserialize<'de> for Spec<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, settings) = match Value::deserialize(deserializer)? {
            Value::String(name) => (name, Map::new().into()),
            Value::Object(fields) if fields.len() == 1 => {
                fields.into_iter().next().unwrap_or_default()
            }
            other => {
                let rule = "a specification must be a name, or one name with its settings";
                return Err(serde::de::Error::custom(format!("{rule}, got {other}")));
            }
        };
        Ok(Self::named(name, settings))
    }
}

/// What errors call the specifications of a family.
pub(crate) trait Family: AnySpecification {
    const KIND: &'static str;
}

/// A trait of specifications as a family: `Spec<dyn $family>` from every one of them.
macro_rules! family {
    ($family:path, $kind:literal) => {
        impl $crate::spec::Family for dyn $family {
            const KIND: &'static str = $kind;
        }

        impl<S: $family + 'static> From<S> for $crate::spec::Spec<dyn $family> {
            fn from(specification: S) -> Self {
                Self::own(std::sync::Arc::new(specification))
            }
        }
    };
}

pub(crate) use family;
