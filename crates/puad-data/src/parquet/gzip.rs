//! Pages packed by gzip, which the crate `parquet` unpacks to their end, whatever their headers promise.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::malformed;
use super::thrift::Walk;
use crate::{DataError, Place, Result};

/// What the last header promised of its page's bytes, unpacked.
#[derive(Default)]
pub(super) struct Gzip(AtomicU64);

impl Gzip {
    /// Takes down what a header that has been checked promises.
    pub(super) fn promise(&self, header: &[u8], path: &Path, start: u64) -> Result<()> {
        let (mut size, mut second) = (0, false);
        let mut walk = Walk::new(header);
        let outcome = walk.structure("Page", 0, &mut |id, value| match id {
            2 => size = value,
            8 => second = true,
            _ => {}
        });
        outcome.map_err(|fault| fault.of(path, start))?;
        if second {
            // Part of such a page is not packed.
            return Err(DataError::Unsupported {
                path: path.into(),
                rule: "Parquet pages packed by gzip must be of version 1",
                found: "version 2".into(),
            });
        }
        self.0.store(size.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }

    /// Unpacks the page into nothing, as far as was promised.
    pub(super) fn check(&self, page: &[u8], path: &Path, start: u64) -> Result<()> {
        let promised = self.0.load(Ordering::Relaxed);
        let mut bytes = MultiGzDecoder::new(page).take(promised + 1);
        // What is broken the crate finds as well.
        let unpacked = io::copy(&mut bytes, &mut io::sink()).unwrap_or(0);
        if unpacked <= promised {
            return Ok(());
        }
        let rule = "Parquet pages must unpack to the bytes that their headers promise";
        let found = format!("more than {promised}");
        Err(malformed(path, Place::Byte(start), rule, found))
    }
}
