use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const ENTRY: &str = "puad";
const CHECKSUM: &str = "checksum";

/// A checkpoint in its parts, none of which need fit the others.
pub(crate) struct File {
    /// The metadata entry `puad`.
    pub(crate) text: String,
    /// By name, without the checksum.
    pub(crate) tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone)]
pub(crate) struct Tensor {
    pub(crate) dtype: String,
    pub(crate) shape: Vec<u64>,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk::<8>()?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        let (header, data) = rest.split_at_checked(len)?;
        let header: Map<String, Value> = serde_json::from_slice(header).ok()?;
        let text = header
            .get("__metadata__")?
            .get(ENTRY)?
            .as_str()?
            .to_string();
        let mut tensors = BTreeMap::new();
        for (name, info) in header {
            if name == "__metadata__" || name == CHECKSUM {
                continue;
            }
            let number = |value: &Value| value.as_u64();
            let shape = info.get("shape")?.as_array()?.iter().map(number);
            let offset =
                |i: usize| usize::try_from(info.get("data_offsets")?.get(i)?.as_u64()?).ok();
            let tensor = Tensor {
                dtype: info.get("dtype")?.as_str()?.to_string(),
                shape: shape.collect::<Option<_>>()?,
                bytes: data.get(offset(0)?..offset(1)?)?.to_vec(),
            };
            tensors.insert(name, tensor);
        }
        Some(Self { text, tensors })
    }

    /// The file with a checksum that agrees. Tensors come by falling size of their type and then by
    /// name, as safetensors writes them.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let sum = Tensor {
            dtype: "U64".into(),
            shape: vec![1],
            bytes: self.checksum().to_le_bytes().into(),
        };
        let mut all: Vec<(&str, &Tensor)> = vec![(CHECKSUM, &sum)];
        all.extend(
            self.tensors
                .iter()
                .map(|(name, tensor)| (name.as_str(), tensor)),
        );
        let size = |dtype: &str| match dtype {
            "U64" | "I64" | "F64" => 8,
            "F32" | "U32" | "I32" => 4,
            _ => 2,
        };
        all.sort_by_key(|(_, tensor)| std::cmp::Reverse(size(&tensor.dtype)));
        let mut header = Map::new();
        header.insert("__metadata__".into(), json!({ ENTRY: self.text }));
        let mut data = Vec::new();
        for (
            name,
            Tensor {
                dtype,
                shape,
                bytes,
            },
        ) in all
        {
            let start = data.len();
            data.extend_from_slice(bytes);
            let info = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
            header.insert(name.into(), info);
        }
        let header = Value::from(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.into_bytes());
        file.extend(data);
        file
    }

    /// FNV-1a over the text and the names and bytes of the tensors, as the library's documentation
    /// of the format has it.
    fn checksum(&self) -> u64 {
        let hash = |state: u64, bytes: &[u8]| {
            bytes.iter().fold(state, |h, &byte| {
                (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        let start = hash(0xcbf2_9ce4_8422_2325, self.text.as_bytes());
        self.tensors.iter().fold(start, |h, (name, tensor)| {
            hash(hash(h, name.as_bytes()), &tensor.bytes)
        })
    }
}
