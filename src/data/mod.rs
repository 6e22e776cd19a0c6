//! Data sets, their readers, and the contaminated split.

/// A data set that could not be read, generated or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {}
