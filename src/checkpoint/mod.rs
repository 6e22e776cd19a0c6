//! The store below files of detectors ([`FittedDetector::save`](crate::FittedDetector::save)) and of
//! training runs to resume ([`Checkpoints`](crate::train::Checkpoints)). One safetensors file each.
//!
//! The metadata entry `puad` is JSON: `format` (`puad detector` or `puad training`),
//! `format_version`, `puad_version`, and `content` (settings, history, decisions). The tensors are
//! what the content speaks of, and `checksum`, an FNV-1a over the metadata and all others. A file is
//! written beside its place, synchronised and moved there, so a crash leaves the file before it. Symbolic links
//! are followed and a file's mode is kept; what is no regular file, and what is read-only, is refused.
//!
//! ```
//! use puad::candle_core::Device;
//! use puad::data::toy::{self, ToyConfig};
//! use puad::{Estimator, FitConfig, FittedDetector};
//!
//! let dir = std::env::temp_dir().join(format!("puad-files-{}", std::process::id()));
//! std::fs::create_dir_all(&dir)?;
//! let toy = toy::generate(&ToyConfig::default(), 0)?;
//! let mut config = FitConfig::default();
//! config.train.epochs = 4;
//! let fit = || {
//!     let estimator = Estimator::new(config.clone()).with_checkpoints(dir.join("run.safetensors"), 2);
//!     estimator.fit(&toy.normals, &toy.labeled_anomalies)
//! };
//! let detector = fit()?;
//! // Started again, the run goes on from its file: here, where it had ended.
//! assert_eq!(fit()?.score(&toy.unseen)?, detector.score(&toy.unseen)?);
//!
//! detector.save(dir.join("detector.safetensors"))?;
//! let loaded = FittedDetector::load(dir.join("detector.safetensors"), &Device::Cpu)?;
//! assert_eq!(loaded.score(&toy.unseen)?, detector.score(&toy.unseen)?);
//! std::fs::remove_dir_all(dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod container;
mod error;
mod target;

pub use error::CheckpointError;

#[cfg(test)]
pub(crate) use atomic::tests::fail_next_write_at;
#[cfg(test)]
pub(crate) use container::tests::rewrite;
pub(crate) use container::{
    Contents, Format, HASH_START, Stored, hash, of_bytes, read, to_bytes, write,
};
