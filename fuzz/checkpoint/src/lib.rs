//! Changing checkpoints so that the change is behind their checksum.
//!
//! A mutation of random bytes mostly breaks the JSON or the checksum and says nothing of what is
//! behind them. Here a file is taken apart, changed in its parts and put together again
//! ([`mutate`]), and the checksum is made to agree ([`seal`]).

use std::alloc::System;
use std::path::PathBuf;

use cap::Cap;

mod file;
mod mutate;
mod random;

pub use mutate::mutate;

/// A loader that asks for more at a time than a small input can justify is stopped.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 256 << 20);

/// The file with the checksum that its content asks for, where it is whole enough to have one.
pub fn seal(bytes: &[u8]) -> Vec<u8> {
    file::File::parse(bytes).map_or_else(|| bytes.to_vec(), |file| file.encode())
}

/// A folder of this process; set `TMPDIR` to one in memory.
pub fn folder() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("puad-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The folder for a target's first inputs, if they are asked for by `PUAD_FUZZ_SEEDS`.
pub fn seeds() -> Option<PathBuf> {
    let dir = PathBuf::from(std::env::var_os("PUAD_FUZZ_SEEDS")?);
    std::fs::create_dir_all(&dir).unwrap();
    Some(dir)
}
