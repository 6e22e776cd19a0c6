//! numpy's `.npz`: a zip archive of `.npy` files.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::DataError;
use crate::file::Source;

/// The bytes of the array `name` (without `.npy`), or of the only array.
pub(super) fn open(path: &Path, name: Option<&str>) -> Result<Source<'static>, DataError> {
    let read = |source: io::Error| DataError::read(path, 0, source);
    let broken = |e: zip::result::ZipError| DataError::Zip {
        path: path.into(),
        cause: e.into(),
    };
    let file = BufReader::new(File::open(path).map_err(read)?);
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let names = archive
        .file_names()
        .map(|name| name.map(|n| n.into_owned()));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(broken)?;
    let index = find(path, &names, name)?;

    // Located by the archive, read by ourselves: its own readers borrow it.
    let entry = archive.by_index_raw(index).map_err(broken)?;
    let (method, crc) = (entry.compression(), entry.crc32());
    let (start, packed) = (entry.data_start(), entry.compressed_size());
    drop(entry);
    let start = start.ok_or_else(|| read(io::ErrorKind::InvalidData.into()))?;
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(read)?;
    let bytes = BufReader::new(file.take(packed));
    let inner: Box<dyn Read> = match method {
        CompressionMethod::Stored => Box::new(bytes),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(bytes)),
        other => {
            let cause = format!("compressed by {other:?}, not stored or deflated").into();
            return Err(DataError::Zip {
                path: path.into(),
                cause,
            });
        }
    };
    let checked = Checked {
        inner,
        sum: Crc::new(),
        expected: crc,
    };
    Ok(Source::new(path.into(), checked, 0))
}

fn find(path: &Path, names: &[String], name: Option<&str>) -> Result<usize, DataError> {
    let stem = |n: &String| n.strip_suffix(".npy").unwrap_or(n).to_string();
    let matching = |n: &String| name.is_none_or(|wanted| stem(n) == wanted);
    let mut found = names.iter().enumerate().filter(|(_, n)| matching(n));
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        _ => Err(DataError::NpzArray {
            path: path.into(),
            name: name.map(Into::into),
            arrays: names.iter().map(stem).collect(),
        }),
    }
}

/// Compares the archive's checksum at the end.
struct Checked {
    inner: Box<dyn Read>,
    sum: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.sum.update(&buffer[..n]);
        if n == 0 && !buffer.is_empty() && self.sum.sum() != self.expected {
            let message = "the checksum in the archive does not match";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(n)
    }
}
