//! The paper's contaminated split of a labeled set (section 5.1).
//!
//! Works on class labels alone, so that features, tables and images are split alike:
//! [`ContaminatedSplit::indices`] names the samples, [`SplitIndices::apply`] takes them from any
//! [`Samples`](crate::data::Samples), and [`ContaminatedSplit::split`] does both for images.
//!
//! ```
//! use puad::data::ImageShape;
//! use puad::data::glyphs::{self, GlyphConfig};
//! use puad::data::protocol::{ContaminatedSplit, TestKind};
//!
//! let config = GlyphConfig { train_per_class: 60, test_per_class: 5, ..Default::default() };
//! let images = glyphs::generate(&config, 0)?;
//! // Threes are normal, zeros unseen, all others seen anomalies.
//! let split = ContaminatedSplit {
//!     unlabeled_normals: 50,
//!     unlabeled_anomalies: 10,
//!     labeled_anomalies: 10,
//!     ..ContaminatedSplit::new(3)
//! };
//! let shape = ImageShape { channels: 1, height: 16, width: 16 };
//! let parts = split.split(&images, shape, 0)?;
//! let unseen = parts.test.kinds.iter().filter(|kind| **kind == TestKind::Unseen);
//! assert_eq!(unseen.count(), 5);
//! # Ok::<(), puad::Error>(())
//! ```

mod contaminated;
mod parts;

pub use contaminated::ContaminatedSplit;
pub use parts::{GroupIndices, PuSplit, SplitIndices, TestKind, TestSet};
