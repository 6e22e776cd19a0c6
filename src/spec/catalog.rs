use std::any::TypeId;
use std::sync::Arc;

use serde_json::Value;

use super::AnySpecification;
use super::{Family, Spec};
use crate::error::Source;
use crate::{Error, Result};

/// A specification that can be read by its name.
pub struct Entry<T: ?Sized + 'static> {
    pub(crate) name: &'static str,
    pub(crate) type_of: fn() -> TypeId,
    pub(crate) read: fn(&Value) -> Result<Arc<T>, Source>,
}

impl<T: ?Sized> Clone for Entry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Entry<T> {}

/// Whether one of these specifications has the type of this one.
pub(crate) fn is_among<T: ?Sized + AnySpecification>(
    specification: &T,
    entries: &[Entry<T>],
) -> bool {
    let mut types = entries.iter().map(|entry| (entry.type_of)());
    types.any(|type_of| type_of == specification.type_of())
}

/// The entry of a specification in its family.
macro_rules! entry {
    ($family:path, $specification:ty) => {
        $crate::spec::Entry::<dyn $family> {
            name: <$specification as $crate::spec::Specification>::NAME,
            type_of: std::any::TypeId::of::<$specification>,
            read: |settings| {
                let specification = $crate::spec::read::<$specification>(settings)?;
                Ok(std::sync::Arc::new(specification))
            },
        }
    };
}

/// The specifications of one family by name.
pub(crate) struct Catalog<T: ?Sized + 'static> {
    entries: Vec<Entry<T>>,
}

impl<T: ?Sized + Family> Catalog<T> {
    pub(crate) fn new(shipped: &[Entry<T>]) -> Self {
        let entries = shipped.to_vec();
        Self { entries }
    }

    /// With one more entry, unless it is there already.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that another type has.
    pub(crate) fn with(mut self, entry: Entry<T>) -> Result<Self> {
        if self.find(entry.name, (entry.type_of)())?.is_none() {
            self.entries.push(entry);
        }
        Ok(self)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|entry| entry.name)
    }

    /// `spec` with the specification that its name stands for. A name that nobody registered stays
    /// as it is: only using it is an error.
    ///
    /// # Errors
    /// [`Error::Settings`] for settings that are not the specification's, [`Error::Config`] for a value
    /// outside its range, or for a specification of another type than is registered under its name.
    pub(crate) fn resolve(&self, spec: &Spec<T>) -> Result<Spec<T>> {
        let Some((name, settings)) = spec.unresolved() else {
            let specification = spec.get()?;
            self.find(specification.name(), specification.type_of())?;
            specification.check_settings()?;
            return Ok(spec.clone());
        };
        let known = self.entries.iter().find(|entry| entry.name == name);
        let Some(entry) = known else {
            return Ok(spec.clone());
        };
        let specification = (entry.read)(settings).map_err(|cause| Error::Settings {
            kind: T::KIND,
            name: name.into(),
            cause,
        })?;
        specification.check_settings()?;
        Ok(Spec::own(specification))
    }

    /// The entry of a type under its name: a file knows a specification by nothing else, so another type
    /// of the same name would be taken for it.
    fn find(&self, name: &'static str, type_of: TypeId) -> Result<Option<&Entry<T>>> {
        let known = self.entries.iter().find(|entry| entry.name == name);
        match known {
            Some(entry) if (entry.type_of)() != type_of => {
                let rule = "a name that no other specification of its family has";
                Err(Error::config("Specification::NAME", rule, name))
            }
            known => Ok(known),
        }
    }
}

impl<T: ?Sized> Clone for Catalog<T> {
    fn clone(&self) -> Self {
        let entries = self.entries.clone();
        Self { entries }
    }
}

pub(crate) use entry;
