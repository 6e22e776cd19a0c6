//! Detectors without a network, for comparison.
