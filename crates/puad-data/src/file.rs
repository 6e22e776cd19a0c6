//! The bytes of a published file, plain or gzipped, read no further than promised.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::array::Layout;
use crate::{DataError, Place, magic};

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The most bytes of one array: SVHN's training images have 225 million, ADBench's widest set 1.2
/// billion.
pub(super) const LIMIT: u64 = 1 << 31;

/// A file, or a member of one, and how many of its (unpacked) bytes have been read.
pub(super) struct Source<'a> {
    path: PathBuf,
    reader: Box<dyn Read + 'a>,
    offset: u64,
}

impl Source<'static> {
    /// Opens `path`; gzip is told by its first two bytes, not by the name.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let fail = |source: io::Error| DataError::read(path, 0, source);
        let mut file = BufReader::new(File::open(path).map_err(fail)?);
        let start = file.fill_buf().map_err(fail)?;
        if magic::is_pointer(start) {
            return Err(pointer(path));
        }
        let gzipped = start.starts_with(&GZIP);
        let reader: Box<dyn Read> = if gzipped {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        Ok(Self::new(path.into(), reader, 0))
    }
}

/// An error if only a pointer to the file is there.
pub(super) fn check_pointer(path: &Path) -> Result<(), DataError> {
    let read = || {
        let mut start = Vec::new();
        // A second look into a pipe would wait for a second writer.
        if std::fs::metadata(path)?.is_file() {
            let file = File::open(path)?;
            file.take(magic::ENOUGH as u64).read_to_end(&mut start)?;
        }
        Ok(start)
    };
    let start = read().map_err(|source| DataError::read(path, 0, source))?;
    if magic::is_pointer(&start) {
        return Err(pointer(path));
    }
    Ok(())
}

fn pointer(path: &Path) -> DataError {
    DataError::Unsupported {
        path: path.into(),
        rule: "the file must be there itself",
        found: magic::POINTER.into(),
    }
}

/// A plain file on disk, to be read at any place; `None` for a gzipped one, a pipe or a device.
pub(super) fn open_plain(path: &Path) -> Result<Option<File>, DataError> {
    let open = || {
        // A second look into a pipe would wait for a second writer.
        if !std::fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start)?;
        Ok((start != GZIP).then_some(file))
    };
    open().map_err(|source| DataError::read(path, 0, source))
}

impl<'a> Source<'a> {
    /// What `reader` gives, where `path` names it and `offset` is that of its first byte.
    pub(super) fn new(path: PathBuf, reader: impl Read + 'a, offset: u64) -> Self {
        let reader = Box::new(reader);
        Self {
            path,
            reader,
            offset,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of bytes read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next `n` bytes as a stream of its own; what is read there counts here.
    pub(super) fn part(&mut self, n: u64) -> impl Read + '_ {
        self.by_ref().take(n)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let bytes = self.read_bytes(N as u64)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }

    /// The next `n` bytes. Memory grows with what the file holds, not with what is asked for.
    pub(super) fn read_bytes(&mut self, n: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let start = self.offset;
        let outcome = self.part(n).read_to_end(&mut bytes);
        match outcome {
            // What a gzip stream says that ends early.
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => Err(self.fail(source)),
            _ if (bytes.len() as u64) < n => Err(self.truncated(start + n)),
            _ => Ok(bytes),
        }
    }

    pub(super) fn truncated(&self, expected: u64) -> DataError {
        DataError::FileSize {
            path: self.path.clone(),
            expected,
            actual: Some(self.offset),
        }
    }

    /// The bytes at `offset` break `rule`.
    pub(super) fn malformed(
        &self,
        offset: u64,
        rule: &'static str,
        found: impl Into<String>,
    ) -> DataError {
        DataError::Malformed {
            path: self.path.clone(),
            place: Place::Byte(offset),
            rule,
            found: found.into(),
        }
    }

    /// What is there may be whole, but is not read.
    pub(super) fn unsupported(&self, rule: &'static str, found: impl Into<String>) -> DataError {
        DataError::Unsupported {
            path: self.path.clone(),
            rule,
            found: found.into(),
        }
    }

    /// An array beyond [`LIMIT`].
    pub(super) fn too_large(&self, layout: &Layout) -> DataError {
        let bytes = layout.element.size();
        DataError::too_large(&self.path, layout.shape.clone(), bytes, LIMIT)
    }

    /// The file must end here. Checks a gzip stream's own checksum, too.
    pub(super) fn finish(mut self) -> Result<(), DataError> {
        match self.reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(DataError::FileSize {
                path: self.path,
                expected: self.offset,
                actual: None,
            }),
            Err(source) => Err(self.fail(source)),
        }
    }

    /// An error of the system or of an unpacker.
    pub(super) fn fail(&self, source: io::Error) -> DataError {
        DataError::read(&self.path, self.offset, source)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.offset += n as u64;
        Ok(n)
    }
}

/// For elements that are passed over.
#[cfg(feature = "benchmarks")]
impl Source<'_> {
    /// The next `N` bytes, or `None` at the end.
    pub(crate) fn next<const N: usize>(&mut self) -> Result<Option<[u8; N]>, DataError> {
        let start = self.offset();
        match self.read_bytes(N as u64) {
            Ok(bytes) => Ok(bytes.try_into().ok()),
            Err(DataError::FileSize { actual, .. }) if actual == Some(start) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads over `n` bytes.
    pub(crate) fn skip(&mut self, n: u64) -> Result<(), DataError> {
        let start = self.offset();
        let outcome = io::copy(&mut self.part(n), &mut io::sink());
        match outcome {
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => Err(self.fail(source)),
            _ if self.offset() < start + n => Err(self.truncated(start + n)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8], n: u64) -> Result<Vec<u8>, DataError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let mut source = Source::open(&path)?;
        let bytes = source.read_bytes(n)?;
        source.finish()?;
        Ok(bytes)
    }

    #[test]
    fn plain_and_gzipped_files_read_alike() {
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        assert_eq!(read(&bytes, 100_000).unwrap(), bytes);
        assert_eq!(read(&gzip(&bytes), 100_000).unwrap(), bytes);
        assert!(read(&[], 0).unwrap().is_empty());
        assert_eq!(read(&[0x1f], 1).unwrap(), [0x1f]);
    }

    #[test]
    fn sizes_must_agree() {
        for file in [vec![7; 10], gzip(&[7; 10])] {
            for n in [11, u64::MAX] {
                match read(&file, n).unwrap_err() {
                    DataError::FileSize {
                        expected, actual, ..
                    } => {
                        assert_eq!((expected, actual), (n, Some(10)));
                    }
                    err => panic!("{err}"),
                }
            }
            let err = read(&file, 9).unwrap_err();
            assert!(
                matches!(
                    err,
                    DataError::FileSize {
                        expected: 9,
                        actual: None,
                        ..
                    }
                ),
                "{err}"
            );
        }
    }

    /// 200 MB that take 200 kB: given up after the byte that was not promised.
    #[test]
    fn a_gzip_bomb_is_read_no_further_than_promised() {
        let bomb = gzip(&vec![0; 200_000_000]);
        let err = read(&bomb, 16).unwrap_err();
        assert!(
            matches!(
                err,
                DataError::FileSize {
                    expected: 16,
                    actual: None,
                    ..
                }
            ),
            "{err}"
        );
    }

    #[test]
    fn broken_gzip_streams_are_errors() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        let whole = gzip(&bytes);
        let cut = read(&whole[..whole.len() / 2], 5000).unwrap_err();
        assert!(
            matches!(
                cut,
                DataError::FileSize {
                    expected: 5000,
                    actual: Some(_),
                    ..
                }
            ),
            "{cut}"
        );
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        let err = read(&wrong, 5000).unwrap_err();
        assert!(matches!(err, DataError::Read { .. }), "{err}");
        let trailing = [whole.as_slice(), b"rubbish behind the stream"].concat();
        let err = read(&trailing, 5000).unwrap_err();
        assert!(matches!(err, DataError::Read { offset: 5000, .. }), "{err}");
        let err = read(&whole[..whole.len() - 4], 5000).unwrap_err();
        assert!(
            matches!(err, DataError::Read { .. } | DataError::FileSize { .. }),
            "{err}"
        );
    }

    #[test]
    fn missing_files_and_folders_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent");
        let err = Source::open(&path).err().unwrap();
        assert!(
            matches!(&err, DataError::MissingFile { path: p } if *p == path),
            "{err}"
        );
        let err = Source::open(dir.path()).err().unwrap();
        assert!(matches!(err, DataError::Read { .. }), "{err}");
    }
}
