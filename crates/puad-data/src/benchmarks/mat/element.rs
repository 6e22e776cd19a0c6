//! Elements: the tags of type and size that everything in the file starts with.

use crate::Result;
use crate::array::ElementType;
use crate::file::Source;

pub(super) const INT8: u32 = 1;
pub(super) const INT32: u32 = 5;
pub(super) const UINT32: u32 = 6;
pub(super) const MATRIX: u32 = 14;
pub(super) const COMPRESSED: u32 = 15;

/// Type and size of an element.
pub(super) struct Tag {
    pub(super) at: u64,
    pub(super) kind: u32,
    pub(super) size: u32,
    /// The data, where the tag holds it.
    pub(super) small: Option<[u8; 4]>,
}

impl Tag {
    pub(super) fn must(&self, source: &Source<'_>, holds: bool, rule: &'static str) -> Result<()> {
        if holds {
            return Ok(());
        }
        let found = format!("{} bytes of type {}", self.size, self.kind);
        Err(source.malformed(self.at, rule, found))
    }
}

pub(super) fn element(kind: u32) -> Option<ElementType> {
    Some(match kind {
        1 => ElementType::I8,
        2 => ElementType::U8,
        3 => ElementType::I16,
        4 => ElementType::U16,
        5 => ElementType::I32,
        6 => ElementType::U32,
        7 => ElementType::F32,
        9 => ElementType::F64,
        12 => ElementType::I64,
        13 => ElementType::U64,
        _ => return None,
    })
}

pub(super) fn tag_of([a, b, c, d, e, f, g, h]: [u8; 8], big_endian: bool) -> (u32, u32) {
    let kind = u32_of([a, b, c, d], big_endian);
    (kind, u32_of([e, f, g, h], big_endian))
}

pub(super) fn u32_of(bytes: [u8; 4], big_endian: bool) -> u32 {
    if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}

pub(super) fn u16_of(bytes: [u8; 2], big_endian: bool) -> u16 {
    if big_endian {
        u16::from_be_bytes(bytes)
    } else {
        u16::from_le_bytes(bytes)
    }
}
