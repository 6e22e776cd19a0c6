//! The paper's contaminated split of a labeled set (section 5.1).
//!
//! Works on class labels alone, so that features, tables and images are split alike:
//! [`ContaminatedSplit::indices`] names the samples, [`SplitIndices::apply`] takes them from any
//! [`Samples`](crate::data::Samples), and [`ContaminatedSplit::split`] does both for images.

mod contaminated;
mod parts;

pub use contaminated::ContaminatedSplit;
pub use parts::{GroupIndices, PuSplit, SplitIndices, TestKind, TestSet};
