//! Thresholds and p-values with a guarantee, from scores that a detector was not trained on.
