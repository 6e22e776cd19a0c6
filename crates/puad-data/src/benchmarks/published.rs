//! What the readers of published sets share.

use std::path::{Path, PathBuf};

use crate::{DataError, ImageSet, Result, TrainTest};

/// `name` in `dir`, or else `name.gz`.
pub(super) fn find(dir: &Path, name: &str) -> Result<PathBuf> {
    let plain = dir.join(name);
    if plain.exists() {
        return Ok(plain);
    }
    let packed = dir.join(format!("{name}.gz"));
    if packed.exists() {
        return Ok(packed);
    }
    Err(DataError::MissingFile { path: plain })
}

/// Training and test images of one size.
pub(super) fn parts_alike(path: &Path, train: ImageSet, test: ImageSet) -> Result<TrainTest> {
    if train.shape() == test.shape() {
        return Ok(TrainTest { train, test });
    }
    let shape = test.shape();
    Err(DataError::Shape {
        path: path.into(),
        name: "a test image".into(),
        expected: format!("{} as the training images", train.shape()),
        actual: vec![shape.channels, shape.height, shape.width],
    })
}
