//! The library's readers of files, compiled from its sources without the rest of it, for fuzzing.

use std::alloc::System;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use cap::Cap;

pub mod data;

pub use data::DataError as Error;
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A reader that asks for more at a time than a small input can justify is stopped.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 256 << 20);

/// For decoders that take what an image's or a page's header promises, within their own limits: `gib`
/// times 2^30 bytes.
pub fn raise_memory_limit(gib: usize) {
    ALLOCATOR.set_limit(gib << 30).unwrap();
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
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
