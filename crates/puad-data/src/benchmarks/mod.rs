//! What only serves the tables of the paper: its published sets and their tasks, the formats that
//! nothing else needs, and glyphs drawn by code; needs the feature `benchmarks`.

pub mod adbench;
pub mod cifar;
#[cfg(all(feature = "images", feature = "parquet"))]
pub mod cifar_parquet;
#[cfg(feature = "download")]
pub mod download;
pub mod glyphs;
pub mod idx;
mod labels;
pub mod mat;
pub mod medmnist;
pub mod mnist;
mod published;
pub mod svhn;
pub mod tasks;

pub use tasks::FileLayout;
