//! As `src/data/mod.rs`, with samples that hold nothing.
#![allow(dead_code)]

use candle_core::Tensor;

#[path = "../../src/data/adbench.rs"]
pub mod adbench;
#[path = "../../src/data/array.rs"]
pub mod array;
#[path = "../../src/data/cifar.rs"]
pub mod cifar;
#[path = "../../src/data/csv.rs"]
pub mod csv;
#[path = "../../src/data/error.rs"]
mod error;
#[path = "../../src/data/file.rs"]
mod file;
#[path = "../../src/data/format_error.rs"]
mod format_error;
#[path = "../../src/data/idx.rs"]
pub mod idx;
#[path = "../../src/data/images.rs"]
mod images;
#[path = "../../src/data/labels.rs"]
mod labels;
#[path = "../../src/data/mat.rs"]
pub mod mat;
#[path = "../../src/data/medmnist.rs"]
pub mod medmnist;
#[path = "../../src/data/npy.rs"]
pub mod npy;
#[path = "../../src/data/npz.rs"]
pub mod npz;
#[path = "../../src/data/svhn.rs"]
pub mod svhn;
#[path = "../../src/data/table.rs"]
mod table;

pub use error::DataError;
pub use format_error::FormatError;
pub use images::{ImageSet, ImageShape, TrainTest};
pub use table::Table;

/// Samples that hold nothing.
pub struct Samples;

impl Samples {
    pub fn images(_: &ImageSet, _: ImageShape) -> Result<Self, DataError> {
        Ok(Self)
    }
}

impl From<Tensor> for Samples {
    fn from(_: Tensor) -> Self {
        Self
    }
}

/// CIFAR-10 and CIFAR-100 of files with one record each: the published ones have 10,000 and more.
pub fn cifar_of_one_record(dir: &std::path::Path) -> [Result<TrainTest, DataError>; 2] {
    [cifar::ten(dir, 1), cifar::hundred(dir, [1, 1])]
}
