//! Ten classes of hand-drawn digits made by code: an image set for examples and tests that run
//! anywhere, without a download.
//!
//! A digit is one of a few ways of writing it, bent, slanted, rotated, scaled and
//! moved at random, drawn with a round pen of varying width, blurred and covered with noise.
//!
//! Numbers are made of uniform draws by `+ - * /` and square roots alone, which IEEE 754 rounds the
//! same way everywhere: no sine, logarithm or fused multiply-add, whose last bits differ between
//! platforms. An image depends on the seed, the size, its part (training or test) and its position,
//! not on how many images are made.
//!
//! Two protocols are frozen on it: the paper's, with class 0 unseen, as on MNIST
//! ([`PaperDataset::tasks`](super::tasks::PaperDataset::tasks)), and [`near_tasks`], in which the unseen kinds
//! are the normals' nearest.

mod generate;
mod near;
mod pen;
mod rng;
// A table of points reads better in rows.
#[rustfmt::skip]
mod strokes;

pub use generate::{GlyphConfig, generate};
pub use near::near_tasks;
