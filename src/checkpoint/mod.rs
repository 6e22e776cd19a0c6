//! Files: a fitted detector, and a training run to resume. One safetensors file each.
//!
//! The metadata entry `puad` is JSON: `format` (`puad detector` or `puad training`),
//! `format_version`, `puad_version`, and `content` (settings, history, decisions). The tensors are
//! what the content speaks of, and `checksum`, an FNV-1a over the metadata and all others. A file is
//! written beside its place, synchronised and moved there, so a crash leaves the file before it.

mod atomic;
mod container;
mod detector;
mod error;
mod sealed;
mod training;

pub use error::CheckpointError;

#[cfg(test)]
pub(crate) use atomic::tests::fail_next_write_at;
pub(crate) use container::{HASH_START, hash};
pub(crate) use training::{TrainingContent, TrainingFile};
