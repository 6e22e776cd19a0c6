//! What the examples share that do many runs: rows of finished ones in files, parts for several machines, workers,
//! progress.

pub mod merge;
pub mod output;
pub mod place;
#[cfg(test)]
pub mod processes;
pub mod progress;
pub mod record;
pub mod shard;
pub mod work;
