//! NumPy's `.npy` format, versions 1 to 3; needs the feature `tables`.
//!
//! A file starts with `\x93NUMPY`, two version bytes and the header's length (u16 in version 1, u32
//! after it, little endian). The header is a Python dictionary with the keys `descr`,
//! `fortran_order` and `shape`; then come the values.
//!
//! # References
//! NumPy, `numpy.lib.format`, "Format specification".

use std::path::Path;

use crate::array::Array;
use crate::file::Source;
use crate::{DataError, Result};

mod columns;
mod header;
mod literal;
mod reader;
mod sample_layout;
mod stored;
mod table;

pub(crate) use reader::NpyReader;
pub use table::NpyOptions;

/// Reads the array of a `.npy` file, plain or gzipped: booleans, integers of 8 to 64 bits and floats
/// of 32 or 64 bits, in both byte orders and both array orders. At most 2 GiB of values are read.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::FileSize`], [`DataError::Malformed`] for a
/// broken header, [`DataError::Unsupported`] for a version or a type that is not read, [`DataError::Shape`]
/// for more.
///
/// ```no_run
/// let array = puad_data::npy::read("features.npy")?;
/// println!("{:?} {:?}", array.layout().element, array.shape());
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Array, DataError> {
    NpyReader::open(Source::open(path.as_ref())?)?.whole()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Place;
    use crate::file::LIMIT;
    use crate::file::tests::gzip;

    pub(crate) fn encode(dict: &str, values: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((dict.len() as u16).to_le_bytes());
        bytes.extend(dict.as_bytes());
        bytes.extend(values);
        bytes
    }

    fn load(bytes: &[u8]) -> Result<Array> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        read(path)
    }

    fn error(bytes: &[u8]) -> DataError {
        load(bytes).unwrap_err()
    }

    const DICT: &str = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n";

    fn good() -> Vec<u8> {
        encode(DICT, &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1])
    }

    #[test]
    fn plain_and_gzipped_in_every_version() {
        let expected = [1., 2., 3., 4., 5., 262.];
        for bytes in [good(), gzip(&good())] {
            let array = load(&bytes).unwrap();
            assert_eq!(
                (array.shape(), array.to_f64()),
                (&[2, 3][..], expected.to_vec())
            );
        }
        for version in [2, 3] {
            let mut bytes = good();
            bytes[6] = version;
            bytes.splice(10..10, [0, 0]);
            assert_eq!(load(&bytes).unwrap().to_f64(), expected);
        }
    }

    #[test]
    fn scalars_and_empty_arrays() {
        let scalar = "{'descr': '|b1', 'fortran_order': True, 'shape': ()}";
        assert_eq!(load(&encode(scalar, &[7])).unwrap().to_f64(), [1.]);
        let empty = "{'descr': '>f8', 'fortran_order': True, 'shape': (0, 9)}";
        assert!(load(&encode(empty, &[])).unwrap().is_empty());
    }

    #[test]
    fn truncated_at_every_byte() {
        let whole = good();
        for len in 0..whole.len() {
            for bytes in [whole[..len].to_vec(), gzip(&whole[..len])] {
                let err = error(&bytes);
                assert!(
                    matches!(err, DataError::FileSize { expected, actual, .. }
                        if actual == Some(len as u64) && expected > len as u64),
                    "{err}"
                );
            }
        }
        let long = [good(), vec![0]].concat();
        let end = whole.len() as u64;
        let err = error(&long);
        assert!(
            matches!(err, DataError::FileSize { expected, actual: None, .. } if expected == end),
            "{err}"
        );
    }

    #[test]
    fn magic_version_and_length() {
        for at in 0..6 {
            let mut bytes = good();
            bytes[at] ^= 1;
            let err = error(&bytes);
            assert!(
                matches!(&err, DataError::Malformed { path, place: Place::Byte(0), .. }
                    if path.ends_with("a.npy")),
                "{err}"
            );
        }
        for (major, minor) in [(0, 0), (4, 0), (1, 1)] {
            let mut bytes = good();
            (bytes[6], bytes[7]) = (major, minor);
            let err = error(&bytes);
            assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
        }
        let mut bytes = good();
        bytes[6] = 2;
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        let err = error(&bytes);
        assert!(
            matches!(
                &err,
                DataError::Malformed {
                    place: Place::Byte(12),
                    ..
                }
            ),
            "{err}"
        );
    }

    #[test]
    fn types_that_are_not_read() {
        for descr in [
            "<f2", "<c8", "|O", "<U3", "<M8[ns]", "=i4", "|i4", "<i3", "", "<",
        ] {
            let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
            let err = error(&encode(&dict, &[0; 16]));
            assert!(
                matches!(&err, DataError::Unsupported { found, .. } if found == descr),
                "{err}"
            );
        }
    }

    /// The size is checked before memory is asked for, and never by a product that wraps.
    #[test]
    fn absurd_dimensions() {
        for shape in [
            "(18446744073709551615,)",
            "(4294967296, 4294967296)",
            "(2147483649,)",
            "(1073741825, 2)",
        ] {
            let dict = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
            let err = error(&encode(&dict, &[0; 16]));
            assert!(
                matches!(&err, DataError::Shape { expected, .. } if expected.contains(&LIMIT.to_string())),
                "{err}"
            );
        }
        let dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2147483648,), }";
        let err = error(&encode(dict, &[0; 16]));
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

    proptest::proptest! {
        /// No changed byte makes the reader panic or give values that are not in the file.
        #[test]
        fn any_changed_byte_is_read_or_refused(at in 0usize..82, value: u8) {
            let mut bytes = good();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(array) = load(&bytes) { assert_eq!(array.as_bytes(), &bytes[bytes.len() - 12..]) }
        }
    }
}
