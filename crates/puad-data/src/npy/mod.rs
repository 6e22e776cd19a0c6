//! NumPy's `.npy` format, versions 1 to 3; needs the feature `tables`.
//!
//! A file starts with `\x93NUMPY`, two version bytes and the header's length (u16 in version 1, u32
//! after it, little endian). The header is a Python dictionary with the keys `descr`,
//! `fortran_order` and `shape`; then come the values.
//!
//! # References
//! NumPy, `numpy.lib.format`, "Format specification".

use std::path::Path;

use super::DataError;
use super::array::Array;
use super::file::{LIMIT, Source};
use crate::Result;

mod header;
mod literal;

pub use header::parse;
pub(super) use header::read as read_header;

/// Reads the array of a `.npy` file, plain or gzipped: booleans, integers of 8 to 64 bits and floats
/// of 32 or 64 bits, in both byte orders and both array orders. At most 2 GiB of values are read.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::Truncated`],
/// [`DataError::TrailingBytes`], or [`DataError::Format`] with [`FormatError::Magic`],
/// [`FormatError::Version`], [`FormatError::Malformed`], [`FormatError::ElementType`] or
/// [`FormatError::TooLarge`].
///
/// ```no_run
/// let array = puad_data::npy::read("features.npy")?;
/// println!("{:?} {:?}", array.layout().element, array.shape());
/// # Ok::<(), puad_data::DataError>(())
/// ```
///
/// [`FormatError::Magic`]: super::FormatError::Magic
/// [`FormatError::Version`]: super::FormatError::Version
/// [`FormatError::Malformed`]: super::FormatError::Malformed
/// [`FormatError::ElementType`]: super::FormatError::ElementType
/// [`FormatError::TooLarge`]: super::FormatError::TooLarge
pub fn read(path: impl AsRef<Path>) -> Result<Array> {
    Ok(from_source(Source::open(path.as_ref())?, None)?)
}

/// Reads all of `source`, whose length is checked before the values are read where it is known.
pub(super) fn from_source(mut source: Source<'_>, len: Option<u64>) -> Result<Array, DataError> {
    let layout = read_header(&mut source)?;
    let size = layout.byte_len(LIMIT);
    let size = size.map_err(|e| source.malformed(e))?;
    let end = source.offset() + size;
    let path = source.path().to_path_buf();
    match len {
        Some(actual) if actual < end => {
            let expected = end;
            return Err(DataError::Truncated {
                path,
                expected,
                actual,
            });
        }
        Some(actual) if actual > end => {
            return Err(DataError::TrailingBytes { path, offset: end });
        }
        _ => {}
    }
    let bytes = source.read_bytes(size)?;
    source.finish()?;
    Ok(Array::new(layout, bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::FormatError;
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

    fn format_error(bytes: &[u8]) -> FormatError {
        match error(bytes) {
            DataError::Format { path, source } if path.ends_with("a.npy") => source,
            error => panic!("{error}"),
        }
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
    fn headers_may_be_written_otherwise() {
        for dict in [
            "{\"shape\":(2L,3L),'fortran_order':False,'descr':\"<i2\"}",
            "  {'descr' : '<i2' , 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }   \n",
        ] {
            assert_eq!(parse(dict.as_bytes(), 10).unwrap().shape, [2, 3], "{dict}");
        }
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
                    matches!(err, DataError::Truncated { expected, actual, .. }
                        if actual == len as u64 && expected > actual),
                    "{err}"
                );
            }
        }
        let long = [good(), vec![0]].concat();
        let end = whole.len() as u64;
        let err = error(&long);
        assert!(
            matches!(err, DataError::TrailingBytes { offset, .. } if offset == end),
            "{err}"
        );
    }

    #[test]
    fn magic_version_and_length() {
        for at in 0..6 {
            let mut bytes = good();
            bytes[at] ^= 1;
            let err = format_error(&bytes);
            assert!(
                matches!(err, FormatError::Magic { format: "npy", .. }),
                "{err}"
            );
        }
        for (major, minor) in [(0, 0), (4, 0), (1, 1)] {
            let mut bytes = good();
            (bytes[6], bytes[7]) = (major, minor);
            let err = format_error(&bytes);
            assert!(matches!(err, FormatError::Version { .. }), "{err}");
        }
        let mut bytes = good();
        bytes[6] = 2;
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        let err = format_error(&bytes);
        assert!(
            matches!(err, FormatError::Malformed { offset: 12, .. }),
            "{err}"
        );
    }

    #[test]
    fn types_that_are_not_read() {
        for descr in [
            "<f2", "<c8", "|O", "<U3", "<M8[ns]", "=i4", "|i4", "<i3", "", "<",
        ] {
            let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
            let err = format_error(&encode(&dict, &[0; 16]));
            assert!(
                matches!(&err, FormatError::ElementType { found, .. } if found == descr),
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
            let err = format_error(&encode(&dict, &[0; 16]));
            assert!(
                matches!(err, FormatError::TooLarge { limit: LIMIT, .. }),
                "{err}"
            );
        }
        let dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2147483648,), }";
        let err = error(&encode(dict, &[0; 16]));
        assert!(matches!(err, DataError::Truncated { .. }), "{err}");
    }

    proptest::proptest! {
        /// No changed byte makes the reader panic or give values that are not in the file.
        #[test]
        fn any_changed_byte_is_read_or_refused(at in 0usize..82, value: u8) {
            let mut bytes = good();
            let at = at % bytes.len();
            bytes[at] = value;
            match load(&bytes) {
                Ok(array) => assert_eq!(array.as_bytes(), &bytes[bytes.len() - 12..]),
                Err(_) => {}
            }
        }
    }
}
