//! Every operation against central differences in f64, and its two paths against each other.
