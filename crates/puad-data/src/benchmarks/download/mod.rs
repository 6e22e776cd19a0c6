//! Fetching of published files, once, into a folder; needs the feature `download`.
//!
//! [`Downloader::dataset`] fetches what is missing in the folder of a data set of the paper. A file streams
//! into `NAME.part`, which a later run goes on with, is checked against the
//! [`manifest`], and renamed when it is whole. `NAME.lock` keeps two processes apart.

mod cache;
mod downloader;
mod manifest;
mod transfer;
mod unpack;

pub use crate::error::DownloadError;
pub use cache::cache_dir;
pub use downloader::{Downloader, Fetched, FetchedSet, Progress};
pub use manifest::{Checksum, RemoteFile, manifest};
