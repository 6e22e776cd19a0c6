//! Specifications: settings by name, from which detectors, objectives and models build themselves.
//!
//! A [`Specification`] is plain settings with a name; a trait of its family
//! ([`DetectorSpec`](crate::detector::DetectorSpec), [`ObjectiveSpec`](crate::objective::ObjectiveSpec),
//! [`ModelSpec`](crate::model::ModelSpec)) says what it builds. A [`Spec`] holds one of a family, and
//! reads and prints as JSON: its name where it has its defaults, else `{"name": {settings}}`. Names that
//! this crate does not ship are resolved by a [`Registry`](crate::method::Registry).

mod catalog;
mod choice;
mod finite;
mod settings;

pub use choice::Spec;
pub use settings::{AnySpecification, Specification};

pub(crate) use catalog::{Catalog, Entry, entry, is_among};
pub(crate) use choice::{Family, family};
pub(crate) use settings::{read, without_defaults};
