//! NumPy's `.npz` archives, stored or deflated; needs the feature `tables`.
//!
//! A zip file of [`npy`](crate::npy) files, the array `X` as `X.npy`.

mod columns;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use serde::{Deserialize, Serialize};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use self::columns::ArrayColumns;
use crate::array::Array;
use crate::file::{Source, check_pointer};
use crate::npy::NpyReader;
use crate::raw::ColumnRows;
use crate::table_rows::{NumberColumns, TableOptions, TableRows};
use crate::{DataError, Result};

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
    ///
    /// let missing = Npz::open("no-such-file.npz");
    /// assert!(matches!(missing, Err(DataError::MissingFile { .. })));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        check_pointer(path)?;
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

    /// Reads the array `key`, at most 2 GiB of it.
    ///
    /// # Errors
    /// [`DataError::Missing`], [`DataError::Read`] for an entry that cannot be unpacked or whose
    /// checksum is wrong, and the errors of [`npy::read`](crate::npy::read); the path is
    /// `archive.npz/key.npy`.
    ///
    /// ```no_run
    /// let mut archive = puad_data::npz::Npz::open("thyroid.npz")?;
    /// let (features, labels) = (archive.read("X")?, archive.read("y")?);
    /// assert_eq!(features.shape()[0], labels.len());
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn read(&mut self, key: &str) -> Result<Array> {
        self.array(key)?.whole()
    }

    /// The array `key` before its values are read.
    pub(crate) fn array(&mut self, key: &str) -> Result<NpyReader> {
        let name = format!("{key}.npy");
        let Some(index) = self.archive.index_for_name(&name) else {
            return Err(self.missing(key));
        };
        let path = self.path.join(&name);
        let entry = self.entry(index);
        let entry = entry.map_err(|source| DataError::read(&path, 0, source))?;
        let bytes: Box<dyn Read> = match entry.method {
            CompressionMethod::Stored => Box::new(entry.packed),
            CompressionMethod::Deflated => Box::new(DeflateDecoder::new(entry.packed)),
            other => {
                return Err(DataError::Unsupported {
                    path,
                    rule: "arrays of an archive must be stored or deflated",
                    found: format!("{other:?}"),
                });
            }
        };
        let checked = Checked {
            bytes,
            sum: Crc::new(),
            expected: entry.crc,
        };
        NpyReader::open(Source::new(path, checked, 0))
    }

    /// The array `key`, or else the only one.
    pub(crate) fn array_or_only(&mut self, key: Option<&str>) -> Result<NpyReader> {
        match (key, self.keys.as_slice()) {
            (Some(key), _) => self.array(key),
            (None, [only]) => self.array(&only.clone()),
            (None, _) => Err(self.missing("one array, or be asked for one by its name")),
        }
    }

    fn missing(&self, name: &str) -> DataError {
        DataError::Missing {
            path: self.path.clone(),
            name: name.into(),
            present: self.keys.clone(),
        }
    }

    /// Located by the archive, read by a handle of its own: the archive's readers borrow it.
    fn entry(&mut self, index: usize) -> io::Result<Entry> {
        let entry = self.archive.by_index_raw(index).map_err(io_error)?;
        let (method, crc) = (entry.compression(), entry.crc32());
        let (start, size) = (entry.data_start(), entry.compressed_size());
        drop(entry);
        let start = start.ok_or(io::ErrorKind::InvalidData)?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(start))?;
        let packed = BufReader::new(file.take(size));
        Ok(Entry {
            method,
            crc,
            packed,
        })
    }
}

/// One array `[n, ...]` of an `.npz` archive; in Fortran order, as pandas has its tables, it is held in memory
/// as a whole, up to 2 GiB.
///
/// # Errors
/// As [`Npz::open`] and [`NpyOptions`](crate::npy::NpyOptions); [`DataError::Missing`] if there is no
/// such array or several without a name.
///
/// ```no_run
/// use puad_data::stream::{NpzOptions, TableReader};
///
/// let options = NpzOptions { array: Some("train_images".into()), channels_last: Some(true) };
/// let table = TableReader::open_with("pathmnist.npz", &options)?;
/// assert_eq!(table.sample_shape(), [3, 28, 28]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NpzOptions {
    /// Its name. `None`: the only one.
    pub array: Option<String>,
    /// As in [`NpyOptions`](crate::npy::NpyOptions).
    pub channels_last: Option<bool>,
}

impl TableOptions for NpzOptions {
    const ENDINGS: &'static [&'static str] = &[".npz"];

    fn rows(&self, path: &Path) -> Result<Box<dyn TableRows>> {
        let array = Npz::open(path)?.array_or_only(self.array.as_deref())?;
        Ok(Box::new(array.rows(self.channels_last, || Ok(None))?))
    }

    /// Without the name of an array all of them are columns of one table.
    fn columns(&self, path: &Path) -> Result<Box<dyn ColumnRows>> {
        match &self.array {
            None => Ok(Box::new(ArrayColumns::open(path)?)),
            Some(_) => Ok(Box::new(NumberColumns::new(self.rows(path)?))),
        }
    }
}

/// A member of the archive.
struct Entry {
    method: CompressionMethod,
    crc: u32,
    packed: BufReader<io::Take<File>>,
}

/// Compares the archive's checksum at the end.
struct Checked {
    bytes: Box<dyn Read>,
    sum: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.sum.update(&buffer[..n]);
        if n == 0 && !buffer.is_empty() && self.sum.sum() != self.expected {
            let message = "the checksum in the archive does not match";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(n)
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

        Npz::open(&path).and_then(|mut archive| archive.read(key))
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
                DataError::Missing {
                    path,
                    name,
                    present,
                } => {
                    assert!(path.ends_with("a.npz"));
                    assert_eq!(
                        (name.as_str(), present),
                        ("z", vec!["X".to_string(), "y".into()])
                    );
                }
                error => panic!("{error}"),
            }
        }
    }

    #[test]
    fn arrays_of_as_many_rows_are_one_table() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let (x, y) = (npy("(2, 3)", &[1, 2, 3, 4, 5, 6]), npy("(2,)", &[0, 1]));
        let bytes = archive(&[("X.npy", &x), ("y.npy", &y)], METHODS[1]);
        std::fs::write(&path, bytes).unwrap();
        let file = crate::table::TableFile::open(&path).unwrap();
        let schema = file.schema().unwrap();
        // Whether 0 is normal or unlabeled is to be said.
        assert_eq!(schema.columns[3].kind, crate::table::Kind::Undecided);
        let labels = crate::table::Labels::anomalous(["1"]).unlabeled(["0"]);
        let table = file.read(&schema.with_label("y", labels).unwrap()).unwrap();
        assert_eq!(table.names(), ["X0", "X1", "X2"]);
        assert_eq!(table.column("X1"), Some(&vec![2., 5.].into()));
        assert_eq!(table.rows_of(crate::table::Group::Anomalous), [1]);

        let z = npy("(3,)", &[0, 1, 2]);
        std::fs::write(&path, archive(&[("X.npy", &x), ("z.npy", &z)], METHODS[1])).unwrap();
        let err = file.schema().unwrap_err();
        assert!(
            matches!(err, DataError::Shape { ref name, .. } if name == "z"),
            "{err}"
        );
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

    /// 100 MB in 100 kB are unpacked no further than the array's own header promises, whatever the
    /// archive says of their size.
    #[test]
    fn bombs_are_unpacked_no_further_than_promised() {
        let bomb = npy("(6,)", &vec![0; 100_000_000]);
        let bytes = archive(&[("X.npy", &bomb)], CompressionMethod::Deflated);
        assert!(bytes.len() < 200_000);
        let end = (bomb.len() - 100_000_000 + 6) as u64;
        let mut lie = bytes.clone();
        let size = (bomb.len() as u32).to_le_bytes();
        let places: Vec<usize> = (0..lie.len() - 4)
            .filter(|&i| lie[i..i + 4] == size)
            .collect();
        assert_eq!(places.len(), 2);
        for at in places {
            lie[at..at + 4].copy_from_slice(&(end as u32).to_le_bytes());
        }
        for bytes in [bytes, lie] {
            match load(&bytes, "X").unwrap_err() {
                DataError::FileSize {
                    path,
                    expected,
                    actual: None,
                } => {
                    assert!(path.ends_with("a.npz/X.npy"));
                    assert_eq!(expected, end);
                }
                error => panic!("{error}"),
            }
        }
    }

    #[test]
    fn headers_that_promise_more_than_the_member_holds() {
        for method in METHODS {
            for shape in ["(7,)", "(2147483648,)"] {
                let bytes = archive(&[("X.npy", &npy(shape, &[0; 6]))], method);
                let err = load(&bytes, "X").unwrap_err();
                assert!(
                    matches!(
                        err,
                        DataError::FileSize {
                            actual: Some(_),
                            ..
                        }
                    ),
                    "{err}"
                );
            }
            let bytes = archive(
                &[("X.npy", &npy("(4294967296, 4294967296)", &[0; 6]))],
                method,
            );
            match load(&bytes, "X").unwrap_err() {
                DataError::Shape { path, .. } => assert!(path.ends_with("a.npz/X.npy")),
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
