//! numpy's `.npy`.
//!
//! # References
//! NumPy Enhancement Proposal 1, A simple file format for NumPy arrays, 2007.

use std::path::Path;

use candle_core::{Device, Tensor};

use crate::Result;
use crate::data::DataError;
use crate::data::file::Source;

/// A header of plain numbers takes some hundred bytes.
const LONGEST_HEADER: u64 = 1 << 16;

/// What is read of a value's bytes at once.
type Decode = fn(&[u8]) -> f64;

/// The rows of an array that are still to come.
pub(super) struct NpyRows {
    source: Option<Source<'static>>,
    rows: u64,
    left: u64,
    shape: Vec<usize>,
    number: Number,
    row_bytes: u64,
}

/// How a value is stored.
#[derive(Clone, Copy)]
struct Number {
    bytes: usize,
    big_endian: bool,
    /// Whether f32 holds every value.
    single: bool,
    decode: Decode,
}

impl NpyRows {
    pub(super) fn open(mut source: Source<'static>) -> Result<Self> {
        let text = read_header(&mut source)?;
        let path = source.path();
        let header = Header::parse(path, &text)?;
        let number = Number::parse(path, &header.descr)?;
        if header.fortran_order {
            return Err(DataError::FortranOrder { path: path.into() }.into());
        }
        let wrong = || DataError::NpyShape {
            path: path.into(),
            shape: header.shape.clone(),
        };
        let [rows, sample @ ..] = header.shape.as_slice() else {
            return Err(wrong().into());
        };
        let bytes = sample
            .iter()
            .try_fold(number.bytes as u64, |n, &dim| n.checked_mul(dim));
        let row_bytes = bytes
            .filter(|&n| n > 0 && !sample.is_empty())
            .ok_or_else(wrong)?;
        // The whole must be addressable too, though it is never held.
        row_bytes
            .checked_mul(*rows)
            .filter(|&n| n <= i64::MAX as u64)
            .ok_or_else(wrong)?;
        Ok(Self {
            rows: *rows,
            left: *rows,
            shape: sample.iter().map(|&dim| dim as usize).collect(),
            number,
            row_bytes,
            source: Some(source),
        })
    }

    pub(super) fn sample_shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn len(&self) -> u64 {
        self.rows
    }

    pub(super) fn next(&mut self, size: usize) -> Result<Option<Tensor>> {
        let count = self.left.min(size as u64);
        let Some(source) = self.source.as_mut() else {
            return Ok(None);
        };
        if count == 0 {
            return match self.source.take() {
                Some(source) => Ok(source.finish().map(|()| None)?),
                None => Ok(None),
            };
        }
        let bytes = source.read_bytes(count * self.row_bytes)?;
        self.left -= count;
        let mut shape = vec![count as usize];
        shape.extend(&self.shape);
        Ok(Some(self.number.tensor(&bytes, shape)?))
    }
}

/// The dictionary's text.
fn read_header(source: &mut Source) -> Result<String> {
    let start = source.read_bytes(8)?;
    let wrong = |rule, got: String| DataError::NpyHeader {
        path: source.path().into(),
        rule,
        got,
    };
    if start[..6] != *b"\x93NUMPY" {
        return Err(wrong("start with \\x93NUMPY", format!("{:?}", &start[..6])).into());
    }
    let width = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(wrong("be of version 1, 2 or 3", version.to_string()).into()),
    };
    let length = source.read_bytes(width)?;
    let length = length
        .iter()
        .rev()
        .fold(0u64, |n, &byte| n << 8 | u64::from(byte));
    if length > LONGEST_HEADER {
        let rule = "have a header of at most 65536 bytes";
        let error = DataError::NpyHeader {
            path: source.path().into(),
            rule,
            got: length.to_string(),
        };
        return Err(error.into());
    }
    let text = source.read_bytes(length)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The dictionary.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Header {
    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: a Python literal with these
    /// three keys, in any order.
    fn parse(path: &Path, text: &str) -> Result<Self, DataError> {
        let parsed = Literal { rest: text }.header();
        parsed.ok_or_else(|| DataError::NpyHeader {
            path: path.into(),
            rule: "have a header with descr, fortran_order and shape",
            got: text.trim().chars().take(200).collect(),
        })
    }
}

/// What is left of a literal to read.
struct Literal<'a> {
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn header(&mut self) -> Option<Header> {
        let (mut descr, mut order, mut shape) = (None, None, None);
        self.expect("{")?;
        while self.expect("}").is_none() {
            let key = self.string()?;
            self.expect(":")?;
            let fresh = match key {
                "descr" => descr.replace(self.string()?.to_string()).is_none(),
                "fortran_order" => order.replace(self.boolean()?).is_none(),
                "shape" => shape.replace(self.tuple()?).is_none(),
                _ => false,
            };
            if !fresh {
                return None;
            }
            if self.expect(",").is_none() {
                self.expect("}")?;
                break;
            }
        }
        self.rest.trim().is_empty().then_some(Header {
            descr: descr?,
            fortran_order: order?,
            shape: shape?,
        })
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (inside, rest) = text[1..].split_once(quote)?;
        self.rest = rest;
        Some(inside)
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.expect("True") {
            Some(()) => Some(true),
            None => self.expect("False").map(|()| false),
        }
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let mut dims = Vec::new();
        self.expect("(")?;
        while self.expect(")").is_none() {
            let text = self.rest.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit())?;
            dims.push(text[..end].parse().ok()?);
            // Python 2 wrote (3L, 4L).
            self.rest = text[end..].strip_prefix('L').unwrap_or(&text[end..]);
            if self.expect(",").is_none() {
                self.expect(")")?;
                break;
            }
        }
        Some(dims)
    }
}

/// `$type` from little-endian bytes; the caller has turned them.
macro_rules! decode {
    ($type:ty) => {
        |bytes: &[u8]| {
            let mut array = [0; size_of::<$type>()];
            array.copy_from_slice(bytes);
            <$type>::from_le_bytes(array) as f64
        }
    };
}

impl Number {
    fn parse(path: &Path, descr: &str) -> Result<Self, DataError> {
        let (order, kind) = descr.split_at_checked(1).unwrap_or(("", ""));
        let known: Option<(usize, bool, Decode)> = match kind {
            "f4" => Some((4, true, decode!(f32))),
            "f8" => Some((8, false, decode!(f64))),
            "u1" | "b1" => Some((1, true, decode!(u8))),
            "i1" => Some((1, true, decode!(i8))),
            "u2" => Some((2, true, decode!(u16))),
            "i2" => Some((2, true, decode!(i16))),
            "u4" => Some((4, false, decode!(u32))),
            "i4" => Some((4, false, decode!(i32))),
            "u8" => Some((8, false, decode!(u64))),
            "i8" => Some((8, false, decode!(i64))),
            _ => None,
        };
        match (order, known) {
            ("<" | ">" | "|" | "=", Some((bytes, single, decode)))
                if order != "|" || bytes == 1 =>
            {
                Ok(Self {
                    bytes,
                    big_endian: order == ">" || order == "=" && cfg!(target_endian = "big"),
                    single,
                    decode,
                })
            }
            _ => Err(DataError::NpyType {
                path: path.into(),
                descr: descr.into(),
            }),
        }
    }

    fn tensor(self, bytes: &[u8], shape: Vec<usize>) -> Result<Tensor> {
        let value = |raw: &[u8]| match self.big_endian {
            false => (self.decode)(raw),
            true => {
                let mut turned = [0; 8];
                let turned = &mut turned[..raw.len()];
                turned.copy_from_slice(raw);
                turned.reverse();
                (self.decode)(turned)
            }
        };
        let values = bytes.chunks_exact(self.bytes).map(value);
        Ok(if self.single {
            let values: Vec<f32> = values.map(|v| v as f32).collect();
            Tensor::from_vec(values, shape, &Device::Cpu)?
        } else {
            Tensor::from_vec(values.collect::<Vec<f64>>(), shape, &Device::Cpu)?
        })
    }
}
