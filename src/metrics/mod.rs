//! Measures of detection quality.
