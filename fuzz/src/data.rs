//! As `src/data/mod.rs`, with samples that hold nothing.
#![allow(dead_code)]

use candle_core::Tensor;

#[path = "../../src/data/adbench.rs"]
pub mod adbench;
#[path = "../../src/data/array.rs"]
pub mod array;
#[path = "../../src/data/cifar.rs"]
pub mod cifar;
#[cfg(feature = "encoded")]
#[path = "../../src/data/cifar_parquet.rs"]
pub mod cifar_parquet;
#[path = "../../src/data/csv.rs"]
pub mod csv;
#[cfg(feature = "encoded")]
#[path = "../../src/data/encoded.rs"]
mod encoded;
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
#[path = "../../src/data/mat/mod.rs"]
pub mod mat;
#[path = "../../src/data/medmnist.rs"]
pub mod medmnist;
#[path = "../../src/data/npy/mod.rs"]
pub mod npy;
#[path = "../../src/data/npz.rs"]
pub mod npz;
#[cfg(feature = "encoded")]
#[path = "../../src/data/parquet_footer.rs"]
mod parquet_footer;
#[cfg(feature = "encoded")]
#[path = "../../src/data/parquet_pages.rs"]
mod parquet_pages;
#[path = "../../src/data/svhn.rs"]
pub mod svhn;
#[path = "../../src/data/table.rs"]
mod table;
#[cfg(feature = "encoded")]
#[path = "../../src/data/thrift.rs"]
mod thrift;

/// Of the tables read a batch at a time, those whose rows are not made of candle's tensors.
#[path = "../../src/data/stream"]
pub mod stream {
    use std::path::Path;

    use super::DataError;

    mod columns;
    mod npy;
    mod npz;

    /// All rows of a `.npy` file, read `size` at a time.
    pub fn read_npy(path: &Path, size: usize) -> Result<Vec<f64>, DataError> {
        rows(npy::NpyRows::open_file(path)?, size)
    }

    /// All rows of an array of an `.npz` archive, read `size` at a time.
    pub fn read_npz(path: &Path, name: &str, size: usize) -> Result<Vec<f64>, DataError> {
        let source = npz::open(path, Some(name))?;
        rows(npy::NpyRows::open_source(source)?, size)
    }

    fn rows(mut rows: npy::NpyRows, size: usize) -> Result<Vec<f64>, DataError> {
        let mut values = Vec::new();
        while let Some(array) = rows.next(size)? {
            assert_eq!(array.shape()[1..], *rows.sample_shape());
            values.extend(array.to_f64());
        }
        Ok(values)
    }
}

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

/// The pixels of an encoded image.
#[cfg(feature = "encoded")]
pub fn decode_image(bytes: &[u8], shape: ImageShape, resize: bool) -> Result<Vec<u8>, DataError> {
    encoded::check_shape(shape)?;
    encoded::decode(bytes, "image".as_ref(), shape, resize)
}
