//! The envelope of every file: metadata and tensors, checked as a whole.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CheckpointError, atomic};
use crate::Result;
use crate::error::Source;

const ENTRY: &str = "puad";
const CHECKSUM: &str = "checksum";

/// What a file says of itself.
#[derive(Serialize, Deserialize)]
struct Envelope<C> {
    format: String,
    format_version: u64,
    puad_version: String,
    content: C,
}

/// A kind of file.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) version: u64,
    /// The content of the version after from that of a version: how older files are read.
    pub(crate) upgrade: fn(u64, Value) -> Result<Value, Source>,
}

/// A tensor's values on the host, little-endian.
pub(crate) struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    pub(crate) fn f64s(values: &[f64]) -> Self {
        Self {
            dtype: Dtype::F64,
            shape: vec![values.len()],
            bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    /// A tensor of f32 or f64.
    pub(crate) fn tensor(tensor: &Tensor) -> Result<Self> {
        let flat = tensor.to_device(&Device::Cpu)?.flatten_all()?;
        let (dtype, bytes) = match tensor.dtype() {
            DType::F64 => {
                let values = flat.to_vec1::<f64>()?;
                (
                    Dtype::F64,
                    values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                )
            }
            _ => {
                let values = flat.to_dtype(DType::F32)?.to_vec1::<f32>()?;
                (
                    Dtype::F32,
                    values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                )
            }
        };
        Ok(Self {
            dtype,
            shape: tensor.dims().to_vec(),
            bytes,
        })
    }
}

impl Stored {
    /// An f32 or f64 tensor on the host.
    fn into_tensor(self) -> Result<Tensor> {
        Ok(match self.dtype {
            Dtype::F64 => Tensor::from_vec(f64s(&self.bytes), self.shape, &Device::Cpu)?,
            _ => {
                let values = self.bytes.chunks_exact(4);
                let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
                Tensor::from_vec(values.collect::<Vec<_>>(), self.shape, &Device::Cpu)?
            }
        })
    }
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// FNV-1a, continued.
pub(crate) fn hash(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |h, &byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The start of [`hash`].
pub(crate) const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Writes `content` and `tensors` to `path`, atomically.
pub(crate) fn write(
    path: &Path,
    format: &Format,
    content: impl Serialize,
    tensors: BTreeMap<String, Stored>,
) -> Result<()> {
    let bytes = to_bytes(path, format, content, tensors)?;
    Ok(atomic::write(path, &bytes)?)
}

/// The bytes of a file; `path`: what errors call it.
pub(crate) fn to_bytes(
    path: &Path,
    format: &Format,
    content: impl Serialize,
    mut tensors: BTreeMap<String, Stored>,
) -> Result<Vec<u8>> {
    let envelope = Envelope {
        format: format.name.into(),
        format_version: format.version,
        puad_version: env!("CARGO_PKG_VERSION").into(),
        content,
    };
    let malformed = |cause| CheckpointError::Content {
        path: path.into(),
        cause,
    };
    let text = serde_json::to_string(&envelope).map_err(|e| malformed(e.into()))?;
    let parts = tensors
        .iter()
        .map(|(name, t)| (name.as_str(), t.bytes.as_slice()));
    let checksum = Stored {
        dtype: Dtype::U64,
        shape: vec![1],
        bytes: checksum(&text, parts).to_le_bytes().into(),
    };
    tensors.insert(CHECKSUM.into(), checksum);
    let metadata = HashMap::from([(ENTRY.to_string(), text)]);
    let bytes = safetensors::serialize(&tensors, Some(metadata));
    Ok(bytes.map_err(|e| malformed(e.into()))?)
}

fn checksum<'a>(text: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> u64 {
    let start = hash(HASH_START, text.as_bytes());
    tensors.fold(start, |h, (name, bytes)| {
        hash(hash(h, name.as_bytes()), bytes)
    })
}

/// A file that was read and found whole; tensors are taken out of it one by one.
pub(crate) struct Contents<C> {
    path: std::path::PathBuf,
    pub(crate) content: C,
    tensors: BTreeMap<String, Stored>,
}

/// Reads the whole file, whose size alone decides how much memory that takes: what its header
/// promises is checked against the bytes that are there before anything is made of it.
pub(crate) fn read<C: DeserializeOwned>(path: &Path, format: &Format) -> Result<Contents<C>> {
    let bytes = fs::read(path).map_err(|source| CheckpointError::Read {
        path: path.into(),
        source,
    })?;
    of_bytes(path, &bytes, format)
}

/// As [`read`], of the bytes of a file; `path`: what errors call it.
pub(crate) fn of_bytes<C: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
    format: &Format,
) -> Result<Contents<C>> {
    let malformed = |cause| CheckpointError::Malformed {
        path: path.into(),
        cause,
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| malformed(e.into()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| malformed(e.into()))?;
    let entry = metadata.metadata().as_ref().and_then(|m| m.get(ENTRY));
    let text = entry.ok_or_else(|| CheckpointError::Foreign { path: path.into() })?;
    let content = open(path, format, text)?;

    let views: BTreeMap<&str, TensorView<'_>> = file.iter().collect();
    let parts = views.iter().filter(|(name, _)| **name != CHECKSUM);
    let expected = checksum(text, parts.map(|(name, view)| (*name, view.data())));
    match views.get(CHECKSUM) {
        Some(sum) if sum.data() == expected.to_le_bytes() => {}
        Some(_) => return Err(CheckpointError::Checksum { path: path.into() }.into()),
        None => return Err(missing(path, CHECKSUM).into()),
    }
    let stored = |view: &TensorView<'_>| Stored {
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        bytes: view.data().to_vec(),
    };
    let kept = views.iter().filter(|(name, _)| **name != CHECKSUM);
    Ok(Contents {
        path: path.into(),
        content,
        tensors: kept
            .map(|(name, view)| (name.to_string(), stored(view)))
            .collect(),
    })
}

/// The content of a `format` that this release reads.
fn open<C: DeserializeOwned>(
    path: &Path,
    format: &Format,
    text: &str,
) -> Result<C, CheckpointError> {
    let wrong = |cause: Source| CheckpointError::Content {
        path: path.into(),
        cause,
    };
    // The versions first: a later format's content may not be readable.
    let outer: Envelope<Value> = serde_json::from_str(text).map_err(|e| wrong(e.into()))?;
    if outer.format != format.name {
        return Err(CheckpointError::Kind {
            path: path.into(),
            expected: format.name,
            actual: outer.format,
        });
    }
    if outer.format_version > format.version {
        return Err(CheckpointError::NewerFormat {
            path: path.into(),
            found: outer.format_version,
            supported: format.version,
            writer: outer.puad_version,
        });
    }
    let mut content = outer.content;
    for version in outer.format_version..format.version {
        content = (format.upgrade)(version, content).map_err(wrong)?;
    }
    serde_json::from_value(content).map_err(|e| wrong(e.into()))
}

fn missing(path: &Path, name: &str) -> CheckpointError {
    CheckpointError::MissingTensor {
        path: path.into(),
        name: name.into(),
    }
}

impl<C> Contents<C> {
    pub(crate) fn wrong(
        &self,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> CheckpointError {
        CheckpointError::Content {
            path: self.path.clone(),
            cause: Box::new(cause),
        }
    }

    /// The numbers of a one-dimensional f64 tensor.
    pub(crate) fn take_f64s(&mut self, name: &str) -> Result<Vec<f64>> {
        let stored = self
            .tensors
            .remove(name)
            .ok_or_else(|| missing(&self.path, name))?;
        self.check_type(name, &stored, Dtype::F64, "F64")?;
        if stored.shape.len() != 1 {
            return Err(CheckpointError::TensorShape {
                path: self.path.clone(),
                name: name.into(),
                expected: vec![stored.bytes.len() / 8],
                actual: stored.shape,
            }
            .into());
        }
        Ok(f64s(&stored.bytes))
    }

    /// As [`take_f64s`](Self::take_f64s), or `None` if there is no such tensor.
    pub(crate) fn take_optional_f64s(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        if self.tensors.contains_key(name) {
            self.take_f64s(name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The tensors under `prefix`, without it, of type `dtype` (f32 or f64), on `device`.
    pub(crate) fn take_tensors(
        &mut self,
        prefix: &str,
        dtype: DType,
        device: &Device,
    ) -> Result<BTreeMap<String, Tensor>> {
        let (wanted, expected) = match dtype {
            DType::F64 => (Dtype::F64, "F64"),
            _ => (Dtype::F32, "F32"),
        };
        let taken = self.take_under(prefix);
        let tensor = |(name, stored): (String, Stored)| {
            self.check_type(&name, &stored, wanted, expected)?;
            let tensor = stored.into_tensor()?.to_device(device)?;
            Ok((name[prefix.len()..].to_string(), tensor))
        };
        taken.into_iter().map(tensor).collect()
    }

    /// The tensors under `prefix`, without it, each of its own type, on the host.
    pub(crate) fn take_floats(&mut self, prefix: &str) -> Result<BTreeMap<String, Tensor>> {
        let taken = self.take_under(prefix);
        let tensor = |(name, stored): (String, Stored)| {
            if stored.dtype != Dtype::F64 {
                self.check_type(&name, &stored, Dtype::F32, "F32 or F64")?;
            }
            Ok((name[prefix.len()..].to_string(), stored.into_tensor()?))
        };
        taken.into_iter().map(tensor).collect()
    }

    fn take_under(&mut self, prefix: &str) -> Vec<(String, Stored)> {
        let under = |name: &String, _: &mut Stored| name.starts_with(prefix);
        self.tensors.extract_if(.., under).collect()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing may be left.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.tensors.keys().next() {
            Some(name) => Err(CheckpointError::ExtraTensor {
                path: self.path.clone(),
                name: name.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }

    fn check_type(
        &self,
        name: &str,
        stored: &Stored,
        dtype: Dtype,
        expected: &'static str,
    ) -> Result<(), CheckpointError> {
        if stored.dtype == dtype {
            return Ok(());
        }
        Err(CheckpointError::TensorType {
            path: self.path.clone(),
            name: name.into(),
            expected,
            actual: format!("{:?}", stored.dtype),
        })
    }
}

fn f64s(bytes: &[u8]) -> Vec<f64> {
    let value = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    bytes.chunks_exact(8).map(value).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    impl Stored {
        pub(crate) fn f32s(shape: &[usize], value: f32) -> Self {
            let count = shape.iter().product();
            Self {
                dtype: Dtype::F32,
                shape: shape.into(),
                bytes: value.to_le_bytes().repeat(count),
            }
        }

        pub(crate) fn shape(&self) -> &[usize] {
            &self.shape
        }
    }

    /// Writes the file at `path` again with another text and other tensors, and a checksum that
    /// agrees.
    pub(crate) fn rewrite(
        path: &Path,
        change: impl FnOnce(&mut serde_json::Value, &mut BTreeMap<String, Stored>),
    ) {
        let bytes = fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let text = &metadata.metadata().as_ref().unwrap()[ENTRY];
        let mut text: serde_json::Value = serde_json::from_str(text).unwrap();
        let stored = |view: TensorView<'_>| Stored {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        let mut tensors: BTreeMap<String, Stored> = file
            .iter()
            .map(|(name, view)| (name.to_string(), stored(view)))
            .collect();
        tensors.remove(CHECKSUM);
        change(&mut text, &mut tensors);
        let text = text.to_string();
        let parts = tensors
            .iter()
            .map(|(name, t)| (name.as_str(), t.bytes.as_slice()));
        let sum = Stored {
            dtype: Dtype::U64,
            shape: vec![1],
            bytes: checksum(&text, parts).to_le_bytes().into(),
        };
        tensors.insert(CHECKSUM.into(), sum);
        let metadata = HashMap::from([(ENTRY.to_string(), text)]);
        fs::write(
            path,
            safetensors::serialize(&tensors, Some(metadata)).unwrap(),
        )
        .unwrap();
    }
}
