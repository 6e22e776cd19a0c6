//! NumPy's `.npy` format, versions 1 to 3; needs the feature `datasets`.
//!
//! A file starts with `\x93NUMPY`, two version bytes and the header's length (u16 in version 1, u32
//! after it, little endian). The header is a Python dictionary with the keys `descr`,
//! `fortran_order` and `shape`; then come the values.
//!
//! # References
//! NumPy, `numpy.lib.format`, "Format specification".

use std::path::Path;

use super::array::{Array, ElementType, Layout};
use super::file::{LIMIT, Source};
use super::{DataError, FormatError};
use crate::Result;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// NumPy's own readers refuse longer headers, too.
const LONGEST_HEADER: u32 = 10_000;

/// NumPy's own limit, since version 2.
const HIGHEST_RANK: usize = 64;

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
/// let array = puad::data::npy::read("features.npy")?;
/// println!("{:?} {:?}", array.layout().element, array.shape());
/// # Ok::<(), puad::Error>(())
/// ```
pub fn read(path: impl AsRef<Path>) -> Result<Array> {
    Ok(from_source(Source::open(path.as_ref())?, None)?)
}

/// Reads all of `source`, whose length is checked before the values are read where it is known.
pub(super) fn from_source(mut source: Source<'_>, len: Option<u64>) -> Result<Array, DataError> {
    let layout = header(&mut source)?;
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

/// Reads the header and leaves `source` at the first value.
pub(super) fn header(source: &mut Source<'_>) -> Result<Layout, DataError> {
    let magic = source.array::<6>()?;
    if magic != *MAGIC {
        return Err(source.malformed(FormatError::Magic {
            format: "npy",
            expected: MAGIC.to_vec(),
            actual: magic.to_vec(),
        }));
    }
    let [major, minor] = source.array()?;
    let len = match (major, minor) {
        (1, 0) => u16::from_le_bytes(source.array()?).into(),
        (2 | 3, 0) => u32::from_le_bytes(source.array()?),
        _ => {
            return Err(source.malformed(FormatError::Version {
                format: "npy",
                expected: "1.0, 2.0 or 3.0",
                actual: format!("{major}.{minor}"),
            }));
        }
    };
    let offset = source.offset();
    if len > LONGEST_HEADER {
        return Err(source.malformed(FormatError::Malformed {
            offset,
            rule: "npy headers must have at most 10000 bytes",
            found: len.to_string(),
        }));
    }
    let text = source.read_bytes(len.into())?;
    parse(&text, offset).map_err(|e| source.malformed(e))
}

/// Parses the dictionary of a header, `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`,
/// whose first byte stands at `offset` of the file. The keys may come in any order, each once.
///
/// # Errors
/// [`FormatError::Malformed`] with the position of what is wrong, or [`FormatError::ElementType`].
///
/// ```
/// use puad::data::array::ElementType;
/// use puad::data::npy;
///
/// let header = b"{'descr': '>f4', 'fortran_order': False, 'shape': (3,), }  \n";
/// let layout = npy::parse(header, 10)?;
/// assert_eq!((layout.element, layout.shape), (ElementType::F32, vec![3]));
/// assert!(layout.big_endian);
/// # Ok::<(), puad::data::FormatError>(())
/// ```
pub fn parse(header: &[u8], offset: u64) -> Result<Layout, FormatError> {
    let mut parser = Parser {
        text: header,
        at: 0,
        offset,
    };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    parser.expect(b'{')?;
    while !parser.accept(b'}') {
        let at = parser.skip_spaces();
        let key = parser.string()?;
        parser.expect(b':')?;
        let fresh = match key {
            b"descr" => descr.replace(parser.string()?).is_none(),
            b"fortran_order" => fortran_order.replace(parser.boolean()?).is_none(),
            b"shape" => shape.replace(parser.tuple()?).is_none(),
            _ => false,
        };
        if !fresh {
            let rule = "npy headers must have the keys descr, fortran_order and shape, each once";
            return Err(parser.error(at, rule));
        }
        if !parser.accept(b',') {
            parser.expect(b'}')?;
            break;
        }
    }
    let end = parser.skip_spaces();
    if end < header.len() {
        return Err(parser.error(end, "npy headers must end after the dictionary"));
    }
    let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
        let rule = "npy headers must have the keys descr, fortran_order and shape, each once";
        return Err(parser.error(0, rule));
    };
    let (element, big_endian) = element(descr)?;
    Ok(Layout {
        element,
        big_endian,
        fortran_order,
        shape,
    })
}

/// The type that `descr` names, and whether it is big endian.
fn element(descr: &[u8]) -> Result<(ElementType, bool), FormatError> {
    let unknown = || FormatError::ElementType {
        expected: "bool, integers or floats of 32 or 64 bits",
        found: String::from_utf8_lossy(descr).into_owned(),
    };
    let (&order, kind) = descr.split_first().ok_or_else(unknown)?;
    let element = match kind {
        b"b1" => ElementType::Bool,
        b"i1" => ElementType::I8,
        b"u1" => ElementType::U8,
        b"i2" => ElementType::I16,
        b"u2" => ElementType::U16,
        b"i4" => ElementType::I32,
        b"u4" => ElementType::U32,
        b"i8" => ElementType::I64,
        b"u8" => ElementType::U64,
        b"f4" => ElementType::F32,
        b"f8" => ElementType::F64,
        _ => return Err(unknown()),
    };
    match order {
        b'<' => Ok((element, false)),
        b'>' => Ok((element, true)),
        b'|' if element.size() == 1 => Ok((element, false)),
        _ => Err(unknown()),
    }
}

/// The few Python literals that a header is made of.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    offset: u64,
}

impl<'a> Parser<'a> {
    fn error(&self, at: usize, rule: &'static str) -> FormatError {
        let rest = &self.text[at.min(self.text.len())..];
        let found = match rest {
            [] => "the end of the header".to_string(),
            rest => format!("{:?}", String::from_utf8_lossy(&rest[..rest.len().min(24)])),
        };
        FormatError::Malformed {
            offset: self.offset + at as u64,
            rule,
            found,
        }
    }

    fn skip_spaces(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let spaces = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.at += spaces;
        self.at
    }

    fn accept(&mut self, byte: u8) -> bool {
        let at = self.skip_spaces();
        let found = self.text.get(at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), FormatError> {
        if self.accept(byte) {
            return Ok(());
        }
        Err(self.error(
            self.at,
            match byte {
                b'{' => "npy headers must start with '{'",
                b':' => "npy header keys must be followed by ':'",
                b'(' => "npy shapes must start with '('",
                b')' => "npy shapes must be integers with ',' between, up to ')'",
                _ => "npy header entries must end with ',' or '}'",
            },
        ))
    }

    /// A string in single or double quotes, without escapes.
    fn string(&mut self) -> Result<&'a [u8], FormatError> {
        let start = self.skip_spaces();
        let rule = "npy header keys and types must be quoted strings";
        let quote = match self.text.get(start) {
            Some(&quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.error(start, rule)),
        };
        let content = &self.text[start + 1..];
        let end = content.iter().position(|&b| b == quote || b == b'\\');
        match end {
            Some(end) if content[end] == quote => {
                self.at = start + end + 2;
                Ok(&content[..end])
            }
            _ => Err(self.error(start, rule)),
        }
    }

    fn boolean(&mut self) -> Result<bool, FormatError> {
        let at = self.skip_spaces();
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if self.text[at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.error(at, "npy fortran_order must be True or False"))
    }

    /// `()`, `(3,)`, `(3, 2)`; Python 2 wrote `(3L, 2L)`.
    fn tuple(&mut self) -> Result<Vec<usize>, FormatError> {
        self.expect(b'(')?;
        let mut dims = Vec::new();
        while !self.accept(b')') {
            let at = self.skip_spaces();
            let digits = self.text[at..].iter().take_while(|b| b.is_ascii_digit());
            let end = at + digits.count();
            let number = std::str::from_utf8(&self.text[at..end]);
            let dim = number.ok().and_then(|digits| digits.parse().ok());
            let (Some(dim), true) = (dim, dims.len() < HIGHEST_RANK) else {
                let rule = "npy shapes must be up to 64 integers that fit in memory";
                return Err(self.error(at, rule));
            };
            dims.push(dim);
            self.at = end;
            if self.text.get(end) == Some(&b'L') {
                self.at += 1;
            }
            if !self.accept(b',') {
                self.expect(b')')?;
                // `(3)` is a number in Python, not a tuple.
                if dims.len() == 1 {
                    return Err(self.error(at, "npy shapes of one dimension must end with ','"));
                }
                break;
            }
        }
        Ok(dims)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Error;
    use crate::data::file::tests::gzip;

    pub(in crate::data) fn encode(dict: &str, values: &[u8]) -> Vec<u8> {
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
        match load(bytes).unwrap_err() {
            Error::Data(error) => error,
            error => panic!("{error}"),
        }
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
    fn malformed_headers_name_the_place() {
        for (dict, at) in [
            ("", 0),
            ("[]", 0),
            ("{", 1),
            ("{}", 0),
            ("{'descr'}", 8),
            ("{'descr': 1}", 10),
            ("{'descr': '<i2}", 10),
            ("{'descr': '<\\x692'}", 10),
            ("{'descr': '<i2' 'shape': ()}", 16),
            ("{'descr': '<i2', 'descr': '<i2'}", 17),
            ("{'descr': '<i2', 'other': 1}", 17),
            ("{'descr': [('a', '<i2')]}", 10),
            ("{'fortran_order': true}", 18),
            ("{'shape': 3}", 10),
            ("{'shape': (3)}", 11),
            ("{'shape': (3, -1)}", 14),
            ("{'shape': (3, 2}", 15),
            ("{'shape': (99999999999999999999,)}", 11),
            ("{'shape': (2,), 'descr': '<i2'}", 0),
            (
                "{'shape': (2,), 'descr': '<i2', 'fortran_order': False} {",
                56,
            ),
        ] {
            match parse(dict.as_bytes(), 100) {
                Err(FormatError::Malformed { offset, .. }) => {
                    assert_eq!(offset, 100 + at, "{dict}");
                }
                other => panic!("{dict}: {other:?}"),
            }
        }
        let deep = format!("{{'shape': ({})}}", "1,".repeat(65));
        assert!(parse(deep.as_bytes(), 0).is_err());
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
                Err(Error::Data(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
