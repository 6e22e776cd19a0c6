//! What the fuzz targets of the readers share.

use std::alloc::System;
use std::path::{Path, PathBuf};

use cap::Cap;
use puad_data::DataError;
use puad_data::stream::{TableReader, Values};

/// A reader that asks for more at a time than a small input can justify is stopped.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 256 << 20);

/// For decoders that take what an image's or a page's header promises, within their own limits: `gib`
/// times 2^30 bytes.
pub fn raise_memory_limit(gib: usize) {
    ALLOCATOR.set_limit(gib << 30).unwrap();
}

/// A folder of this process; set `TMPDIR` to one in memory.
pub fn folder() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("puad-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Writes `bytes` to the file `name` of `dir`.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All values of a table, read `size` rows at a time.
pub fn rows(table: TableReader, size: usize) -> Result<Vec<f64>, DataError> {
    let mut values = Vec::new();
    let width: usize = table.sample_shape().iter().product();
    for batch in table.batches(size)? {
        let batch = batch?;
        let start = values.len();
        match batch.values {
            Values::U8(some) => values.extend(some.into_iter().map(f64::from)),
            Values::F32(some) => values.extend(some.into_iter().map(f64::from)),
            Values::F64(some) => values.extend(some),
        }
        assert_eq!(values.len() - start, batch.shape[0] * width);
    }
    Ok(values)
}
