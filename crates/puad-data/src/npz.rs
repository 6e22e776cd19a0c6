//! NumPy's `.npz` archives, stored or deflated; needs the feature `tables`.
//!
//! A zip file of [`npy`] files, the array `X` as `X.npy`.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::array::Array;
use super::file::Source;
use super::{DataError, FormatError, npy};
use crate::Result;

/// An open archive.
///
/// ```no_run
/// use puad_data::npz::Npz;
///
/// let mut archive = Npz::open("pathmnist.npz")?;
/// println!("{:?}", archive.keys());
/// let labels = archive.read("test_labels")?;
/// assert_eq!(labels.shape(), [7180, 1]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    keys: Vec<String>,
}

impl Npz {
    /// Opens an archive and reads its list of arrays.
    ///
    /// # Errors
    /// [`DataError::MissingFile`], or [`DataError::Read`] for what is no zip archive.
    ///
    /// ```
    /// use puad_data::{DataError, npz::Npz};
    /// use puad_data::DataError;
    ///
    /// let missing = Npz::open("no-such-file.npz");
    /// assert!(matches!(missing, Err(DataError::MissingFile { .. })));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::open_file(path.as_ref())?)
    }

    pub(super) fn open_file(path: &Path) -> Result<Self, DataError> {
        let fail = |source: io::Error| DataError::read(path, 0, source);
        let file = BufReader::new(File::open(path).map_err(fail)?);
        let archive = ZipArchive::new(file).map_err(|e| fail(io_error(e)))?;
        let names = archive.file_names_raw();
        let names = names.map(|name| String::from_utf8_lossy(name).into_owned());
        let keys = names
            .map(|name| match name.strip_suffix(".npy") {
                Some(key) => key.to_string(),
                None => name,
            })
            .collect();
        Ok(Self {
            path: path.into(),
            archive,
            keys,
        })
    }

    /// Names of the arrays, in the archive's order.
    ///
    /// ```no_run
    /// let archive = puad_data::npz::Npz::open("octmnist.npz")?;
    /// assert!(archive.keys().iter().any(|key| key == "val_images"));
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Reads the array `key`. What the archive says of its size must be what the array's own header
    /// says, which is checked before values are read, as is the limit of 2 GiB.
    ///
    /// # Errors
    /// [`FormatError::MissingKey`] in [`DataError::Format`], [`DataError::Read`] for an entry that
    /// cannot be unpacked or whose checksum is wrong, and the errors of [`npy::read`]; the path is
    /// `archive.npz/key.npy`.
    ///
    /// ```no_run
    /// let mut archive = puad_data::npz::Npz::open("thyroid.npz")?;
    /// let (features, labels) = (archive.read("X")?, archive.read("y")?);
    /// assert_eq!(features.shape()[0], labels.len());
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn read(&mut self, key: &str) -> Result<Array> {
        Ok(self.array(key)?)
    }

    pub(super) fn array(&mut self, key: &str) -> Result<Array, DataError> {
        let name = format!("{key}.npy");
        let path = self.path.join(&name);
        let entry = match self.archive.by_name(&name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => {
                let missing = FormatError::MissingKey {
                    key: key.into(),
                    present: self.keys.clone(),
                };
                return Err(missing.at(&self.path));
            }
            Err(error) => {
                return Err(DataError::Read {
                    path,
                    offset: 0,
                    source: io_error(error),
                });
            }
        };
        let len = entry.size();
        npy::from_source(Source::new(path, entry, 0), Some(len))
    }
}

fn io_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::tests::encode;
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, bytes) in members {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn load(bytes: &[u8], key: &str) -> Result<Array, DataError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        std::fs::write(&path, bytes).unwrap();
        let open = Npz::open(&path).and_then(|mut archive| archive.read(key));
        open
    }

    fn npy(shape: &str, values: &[u8]) -> Vec<u8> {
        let dict = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        encode(&dict, values)
    }

    const METHODS: [CompressionMethod; 2] =
        [CompressionMethod::Stored, CompressionMethod::Deflated];

    #[test]
    fn stored_and_deflated() {
        let (x, y) = (npy("(2, 3)", &[1, 2, 3, 4, 5, 6]), npy("(1,)", &[9]));
        for method in METHODS {
            let bytes = archive(&[("X.npy", &x), ("y.npy", &y)], method);
            assert_eq!(load(&bytes, "X").unwrap().as_bytes(), [1, 2, 3, 4, 5, 6]);
            assert_eq!(load(&bytes, "y").unwrap().as_bytes(), [9]);
            match load(&bytes, "z").unwrap_err() {
                DataError::Format {
                    path,
                    source: FormatError::MissingKey { key, present },
                } => {
                    assert!(path.ends_with("a.npz"));
                    assert_eq!(
                        (key.as_str(), present),
                        ("z", vec!["X".to_string(), "y".into()])
                    );
                }
                error => panic!("{error}"),
            }
        }
    }

    #[test]
    fn what_is_no_archive() {
        for bytes in [&b""[..], b"PK", b"PK\x03\x04", &npy("(1,)", &[9])] {
            let err = load(bytes, "X").unwrap_err();
            assert!(matches!(err, DataError::Read { offset: 0, .. }), "{err}");
        }
        let err = Npz::open("absent.npz").err().unwrap();
        assert!(matches!(err, DataError::MissingFile { .. }), "{err}");
    }

    /// Both sizes are known before the values are read: 100 MB in 100 kB are not unpacked.
    #[test]
    fn bombs_are_refused_by_their_sizes() {
        let bomb = npy("(6,)", &vec![0; 100_000_000]);
        let bytes = archive(&[("X.npy", &bomb)], CompressionMethod::Deflated);
        assert!(bytes.len() < 200_000);
        let end = (bomb.len() - 100_000_000 + 6) as u64;
        match load(&bytes, "X").unwrap_err() {
            DataError::TrailingBytes { path, offset } => {
                assert!(path.ends_with("a.npz/X.npy"));
                assert_eq!(offset, end);
            }
            error => panic!("{error}"),
        }
        // The same, and the archive lies about the size.
        let mut lie = bytes.clone();
        let size = (bomb.len() as u32).to_le_bytes();
        let places: Vec<usize> = (0..lie.len() - 4)
            .filter(|&i| lie[i..i + 4] == size)
            .collect();
        assert_eq!(places.len(), 2);
        for at in places {
            lie[at..at + 4].copy_from_slice(&(end as u32).to_le_bytes());
        }
        match load(&lie, "X").unwrap_err() {
            // The zip crate notices before it gives a byte that was not promised.
            DataError::Read { offset, source, .. } => {
                assert!(offset <= end, "{offset} {source}");
            }
            DataError::TrailingBytes { offset, .. } => assert_eq!(offset, end),
            error => panic!("{error}"),
        }
    }

    #[test]
    fn headers_that_promise_more_than_the_member_holds() {
        for method in METHODS {
            for shape in ["(7,)", "(2147483648,)"] {
                let bytes = archive(&[("X.npy", &npy(shape, &[0; 6]))], method);
                let err = load(&bytes, "X").unwrap_err();
                assert!(matches!(err, DataError::Truncated { .. }), "{err}");
            }
            let bytes = archive(
                &[("X.npy", &npy("(4294967296, 4294967296)", &[0; 6]))],
                method,
            );
            match load(&bytes, "X").unwrap_err() {
                DataError::Format {
                    path,
                    source: FormatError::TooLarge { .. },
                } => assert!(path.ends_with("a.npz/X.npy")),
                error => panic!("{error}"),
            }
        }
    }

    #[test]
    fn wrong_checksums_are_errors() {
        let x = npy("(6,)", &[77; 6]);
        let mut bytes = archive(&[("X.npy", &x)], CompressionMethod::Stored);
        let at = bytes.windows(6).position(|w| w == [77; 6]).unwrap();
        bytes[at] = 78;
        let err = load(&bytes, "X").unwrap_err();
        assert!(matches!(err, DataError::Read { .. }), "{err}");
    }
}
