//! A conformance check for detectors.

/// The rule a detector breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {}
