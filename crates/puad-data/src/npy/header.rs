//! The header of a `.npy` file: magic, version, length and dictionary.

use std::io::Read;

use super::literal::Parser;
use crate::Result;
use crate::array::{ElementType, Layout};
use crate::file::Source;
use crate::magic;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// NumPy's own readers refuse longer headers, too.
const LONGEST_HEADER: u32 = 10_000;

/// Reads the header and leaves `source` at the first value.
pub(super) fn read(source: &mut Source<'_>) -> Result<Layout> {
    let first = source.array::<6>()?;
    if first != *MAGIC {
        let rule = "npy files must start with \\x93NUMPY";
        let mut start = first.to_vec();
        // What cannot be read is not missed.
        let _ = source.part(magic::ENOUGH as u64).read_to_end(&mut start);
        let found = magic::kind(&start).map_or_else(|| format!("{first:?}"), Into::into);
        return Err(source.malformed(0, rule, found));
    }
    let [major, minor] = source.array()?;
    let len = match (major, minor) {
        (1, 0) => u16::from_le_bytes(source.array()?).into(),
        (2 | 3, 0) => u32::from_le_bytes(source.array()?),
        _ => {
            let rule = "npy files must be of version 1.0, 2.0 or 3.0";
            return Err(source.unsupported(rule, format!("{major}.{minor}")));
        }
    };
    let offset = source.offset();
    if len > LONGEST_HEADER {
        let rule = "npy headers must have at most 10000 bytes";
        return Err(source.malformed(offset, rule, len.to_string()));
    }
    let text = source.read_bytes(len.into())?;
    parse(&text, offset, source)
}

/// Parses the dictionary of a header, `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }`,
/// whose first byte stands at `offset` of the file. The keys may come in any order, each once.
fn parse(header: &[u8], offset: u64, source: &Source<'_>) -> Result<Layout> {
    let mut parser = Parser::new(header, offset, source);
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
    let Some((element, big_endian)) = element(descr) else {
        let rule = "values must be bool, integers or floats of 32 or 64 bits \
                    (numpy's astype converts others)";
        return Err(source.unsupported(rule, String::from_utf8_lossy(descr)));
    };
    Ok(Layout {
        element,
        big_endian,
        fortran_order,
        shape,
    })
}

/// The type that `descr` names, and whether it is big endian.
fn element(descr: &[u8]) -> Option<(ElementType, bool)> {
    let (&order, kind) = descr.split_first()?;
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
        _ => return None,
    };
    match order {
        b'<' => Some((element, false)),
        b'>' => Some((element, true)),
        b'|' if element.size() == 1 => Some((element, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataError, Place};

    fn parsed(dict: &str) -> Result<Layout> {
        let source = Source::new("a.npy".into(), std::io::empty(), 0);
        parse(dict.as_bytes(), 100, &source)
    }

    #[test]
    fn headers_may_be_written_otherwise() {
        for dict in [
            "{\"shape\":(2L,3L),'fortran_order':False,'descr':\"<i2\"}",
            "  {'descr' : '<i2' , 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }   \n",
        ] {
            assert_eq!(parsed(dict).unwrap().shape, [2, 3], "{dict}");
        }
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
            match parsed(dict) {
                Err(DataError::Malformed { place, .. }) => {
                    assert_eq!(place, Place::Byte(100 + at), "{dict}");
                }
                other => panic!("{dict}: {other:?}"),
            }
        }
        let deep = format!("{{'shape': ({})}}", "1,".repeat(65));
        assert!(parsed(&deep).is_err());
    }
}
