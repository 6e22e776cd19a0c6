//! The class prior `alpha`: the share of anomalies among the unlabeled data.

mod class_prior;

pub use class_prior::ClassPrior;
