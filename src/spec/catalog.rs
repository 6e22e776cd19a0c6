use std::sync::Arc;

use serde_json::Value;

use super::{AnySpecification, Spec};
use crate::{Error, Result};

/// A specification that can be read by its name.
pub struct Entry<T: ?Sized + 'static> {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&Value) -> serde_json::Result<Arc<T>>,
}

impl<T: ?Sized> Clone for Entry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Entry<T> {}

/// The entry of a specification in its family.
macro_rules! entry {
    ($family:path, $specification:ty) => {
        $crate::spec::Entry::<dyn $family> {
            name: <$specification as $crate::spec::Specification>::NAME,
            read: |settings| {
                let specification = <$specification as serde::Deserialize>::deserialize(settings)?;
                Ok(std::sync::Arc::new(specification))
            },
        }
    };
}

/// The specifications of one family by name.
pub(crate) struct Catalog<T: ?Sized + 'static> {
    kind: &'static str,
    entries: Vec<Entry<T>>,
}

impl<T: ?Sized + AnySpecification> Catalog<T> {
    pub(crate) fn new(kind: &'static str, shipped: &[Entry<T>]) -> Self {
        let entries = shipped.to_vec();
        Self { kind, entries }
    }

    /// A later entry of the same name takes the earlier one's place.
    pub(crate) fn add(&mut self, entry: Entry<T>) {
        self.entries.retain(|known| known.name != entry.name);
        self.entries.push(entry);
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().map(|entry| entry.name)
    }

    /// `spec` with the specification that its name stands for. A name that nobody registered stays
    /// as it is: only using it is an error.
    ///
    /// # Errors
    /// [`Error::Settings`] for settings that are not the specification's,
    /// [`Error::Config`] for a value outside its range.
    pub(crate) fn resolve(&self, spec: &Spec<T>) -> Result<Spec<T>> {
        let Some((name, settings)) = spec.unresolved() else {
            spec.get(self.kind)?.check_settings()?;
            return Ok(spec.clone());
        };
        let known = self.entries.iter().find(|entry| entry.name == name);
        let Some(entry) = known else {
            return Ok(spec.clone());
        };
        let specification = (entry.read)(settings).map_err(|cause| Error::Settings {
            kind: self.kind,
            name: name.into(),
            cause: cause.into(),
        })?;
        specification.check_settings()?;
        Ok(Spec::own(specification))
    }
}

impl<T: ?Sized> Clone for Catalog<T> {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind,
            entries: self.entries.clone(),
        }
    }
}

pub(crate) use entry;
