//! A variable: flags, dimensions, name and values.

use super::element::{INT8, INT32, Tag, UINT32, element, tag_of, u32_of};
use crate::Result;
use crate::array::{Array, Layout};
use crate::file::{LIMIT, Source};

/// MATLAB's classes of numbers: double, single, and integers of 8 to 64 bits.
const NUMERIC_CLASSES: std::ops::RangeInclusive<u32> = 6..=15;
pub(super) const COMPLEX: u32 = 0x800;

const HIGHEST_RANK: u32 = 32;
const LONGEST_NAME: u32 = 1024;

/// The data of a `miMATRIX`.
pub(super) struct Matrix<'a> {
    source: Source<'a>,
    big_endian: bool,
    /// Offset of its end.
    end: u64,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(source: Source<'a>, big_endian: bool, size: u32) -> Self {
        let end = source.offset() + u64::from(size);
        Self {
            source,
            big_endian,
            end,
        }
    }

    pub(super) fn read(mut self, keys: &[&str]) -> Result<(String, Option<Array>)> {
        let flags = self.flags()?;
        let shape = self.dimensions()?;
        let name = self.name()?;
        if !keys.contains(&name.as_str()) {
            return Ok((name, None));
        }
        let class = flags & 0xff;
        if !NUMERIC_CLASSES.contains(&class) || flags & COMPLEX != 0 {
            let found = format!("flags {flags:#x} of {name:?}");
            return Err(self
                .source
                .unsupported("values must be real numbers", found));
        }
        let array = self.values(shape)?;
        // Checks the checksum of zlib, too.
        self.source.finish()?;
        Ok((name, Some(array)))
    }

    fn flags(&mut self) -> Result<u32> {
        let tag = self.tag()?;
        let rule = "MATLAB array flags must be 8 bytes of type 6";
        tag.must(&self.source, tag.kind == UINT32 && tag.size == 8, rule)?;
        let [a, b, c, d, ..] = self.source.array::<8>()?;
        Ok(u32_of([a, b, c, d], self.big_endian))
    }

    fn dimensions(&mut self) -> Result<Vec<usize>> {
        let tag = self.tag()?;
        let fits = (8..=4 * HIGHEST_RANK).contains(&tag.size) && tag.size % 4 == 0;
        let rule = "MATLAB dimensions must be 2 to 32 values of type 5";
        tag.must(&self.source, tag.kind == INT32 && fits, rule)?;
        let bytes = self.data(&tag)?;
        let (dims, _) = bytes.as_chunks::<4>();
        let dims = dims.iter().map(|&dim| u32_of(dim, self.big_endian));
        let shape: Option<Vec<usize>> = dims
            .map(|dim| usize::try_from(dim.cast_signed()).ok())
            .collect();
        match shape {
            Some(shape) => Ok(shape),
            None => {
                let rule = "MATLAB dimensions must not be negative";
                Err(self.source.malformed(tag.at, rule, format!("{bytes:?}")))
            }
        }
    }

    fn name(&mut self) -> Result<String> {
        let tag = self.tag()?;
        let rule = "MATLAB names must be up to 1024 values of type 1";
        tag.must(
            &self.source,
            tag.kind == INT8 && tag.size <= LONGEST_NAME,
            rule,
        )?;
        let bytes = self.data(&tag)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn values(&mut self, shape: Vec<usize>) -> Result<Array> {
        let tag = self.tag()?;
        let Some(element) = element(tag.kind) else {
            let rule = "values must be stored as integers or floats";
            return Err(self.source.unsupported(rule, format!("type {}", tag.kind)));
        };
        let layout = Layout {
            element,
            big_endian: self.big_endian,
            fortran_order: true,
            shape,
        };
        let len = layout.byte_len().filter(|&len| len <= LIMIT);
        let len = len.ok_or_else(|| self.source.too_large(&layout))?;
        let rule = "MATLAB values must fill their dimensions";
        tag.must(&self.source, u64::from(tag.size) == len, rule)?;
        let bytes = self.data(&tag)?;
        Ok(Array::new(layout, bytes))
    }

    /// The next tag, whose data must end within the matrix.
    fn tag(&mut self) -> Result<Tag> {
        let at = self.source.offset();
        let bytes = self.source.array::<8>()?;
        let (kind, size) = tag_of(bytes, self.big_endian);
        let tag = match kind >> 16 {
            0 => Tag {
                at,
                kind,
                size,
                small: None,
            },
            // Type and size share the first four bytes, the data has the others.
            size => Tag {
                at,
                kind: kind & 0xffff,
                size,
                small: Some([bytes[4], bytes[5], bytes[6], bytes[7]]),
            },
        };
        let end = match tag.small {
            None => self.source.offset() + u64::from(tag.size),
            Some(_) => self.source.offset(),
        };
        let small = tag.small.is_none() || tag.size <= 4;
        let rule = "MATLAB elements must end within their matrix";
        tag.must(&self.source, small && end <= self.end, rule)?;
        Ok(tag)
    }

    /// The data of a tag, and the padding behind it.
    fn data(&mut self, tag: &Tag) -> Result<Vec<u8>> {
        if let Some(small) = tag.small {
            return Ok(small[..tag.size as usize].to_vec());
        }
        let bytes = self.source.read_bytes(tag.size.into())?;
        let padding = u64::from(tag.size.wrapping_neg() % 8);
        // The last element's padding may be missing.
        let padding = padding.min(self.end - self.source.offset());
        self.source.skip(padding)?;
        Ok(bytes)
    }
}
