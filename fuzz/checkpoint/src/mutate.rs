use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

use crate::file::{File, Tensor};
use crate::random::Random;

/// Changes the first `size` bytes of `data`, which has room for `max_size`, and returns the new size:
/// one to four changes of the parts, or for one in eight of the bytes as they are.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed.into());
    let file = File::parse(&data[..size]);
    let Some(mut file) = file.filter(|_| random.below(8) > 0) else {
        return fuzzer_mutate(data, size, max_size);
    };
    for _ in 0..=random.below(4) {
        match random.below(6) {
            0 => file.text = text(&file.text),
            1..4 => value(&mut file.text, &mut random),
            _ => tensor(&mut file, &mut random),
        }
    }
    let bytes = file.encode();
    if bytes.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

/// Bytes of the text, whatever comes of its JSON.
fn text(text: &str) -> String {
    let bytes = random_bytes(text.as_bytes().to_vec(), 32);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn random_bytes(mut bytes: Vec<u8>, room: usize) -> Vec<u8> {
    let size = bytes.len();
    // libFuzzer asserts that there is room.
    if size + room == 0 {
        return bytes;
    }
    bytes.resize(size + room, 0);
    let size = fuzzer_mutate(&mut bytes, size, size + room);
    bytes.truncate(size);
    bytes
}

/// One value of the JSON.
fn value(text: &mut String, random: &mut Random) {
    let Ok(mut root) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let count = nodes(&root);
    let other = find(&mut root, &mut random.below(count)).map(|node| node.clone());
    let mut at = random.below(count);
    if let (Some(node), Some(other)) = (find(&mut root, &mut at), other) {
        change(node, other, random);
    }
    *text = root.to_string();
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(items) => items.values().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

/// The node number `at` in the order of a walk.
fn find<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| find(item, at)),
        Value::Object(items) => items.values_mut().find_map(|item| find(item, at)),
        _ => None,
    }
}

fn change(node: &mut Value, other: Value, random: &mut Random) {
    match (random.below(4), &mut *node) {
        (0, Value::Array(items)) if !items.is_empty() => {
            items.remove(random.below(items.len()));
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            let item = items[random.below(items.len())].clone();
            items.extend(vec![item; 1 + random.below(40)]);
        }
        (0, Value::Object(items)) if !items.is_empty() => {
            let key = items.keys().nth(random.below(items.len())).cloned();
            key.map(|key| items.remove(&key));
        }
        (1, Value::Object(items)) => {
            items.insert("more".into(), other);
        }
        (2, _) => *node = other,
        (_, Value::Bool(value)) => *value = !*value,
        (_, Value::Number(_)) => {
            let near = node.as_i64().unwrap_or(0);
            let numbers = [
                json!(near.saturating_add(1)),
                json!(near.saturating_sub(1)),
                json!(0),
                json!(1),
                json!(-1),
                json!(0.5),
                json!(1e308),
                json!(-1e-308),
                json!(i32::MAX),
                json!(i32::MIN),
                json!(1 << 16),
                json!(1 << 20),
                json!(u64::MAX),
                json!(i64::MIN),
            ];
            if let Some(number) = random.pick(&numbers) {
                *node = number.clone();
            }
        }
        (_, Value::String(words)) => {
            let names = [
                "",
                "AE",
                "DAE",
                "PU",
                "SOEL",
                "LOE",
                "PUSVDD",
                "auto",
                "none",
                "risk",
                "patience",
                "observer",
                "epochs",
                "exact",
                "fast",
                "linear",
                "stratified",
            ];
            if let Some(name) = random.pick(&names) {
                *words = name.to_string();
            }
        }
        _ => *node = Value::Null,
    }
}

/// One tensor: its shape, type, name, length, values, or whether it is there.
fn tensor(file: &mut File, random: &mut Random) {
    let names: Vec<String> = file.tensors.keys().cloned().collect();
    let Some(name) = random.pick(&names) else {
        return;
    };
    let Some(mut tensor) = file.tensors.remove(name) else {
        return;
    };
    match random.below(8) {
        0 => return,
        1 => {
            file.tensors.insert(format!("{name}2"), tensor.clone());
        }
        2 => {
            let other = random.pick(&names).unwrap_or(name);
            file.tensors.insert(other.clone(), tensor.clone());
            return;
        }
        3 => reshape(&mut tensor, random),
        4 => {
            let types = ["F32", "F64", "F16", "BF16", "U8", "I64", "BOOL", "F8_E4M3"];
            tensor.dtype = random.pick(&types).unwrap_or(&"F32").to_string();
        }
        5 => resize(&mut tensor, random),
        6 => special(&mut tensor, random),
        _ => tensor.bytes = random_bytes(tensor.bytes, 0),
    }
    file.tensors.insert(name.clone(), tensor);
}

fn reshape(tensor: &mut Tensor, random: &mut Random) {
    let at = random.below(tensor.shape.len());
    let dims = [0, 1, 2, 1 << 16, 1 << 32, u64::MAX];
    match (random.below(4), tensor.shape.get_mut(at)) {
        (0, Some(dim)) => *dim = random.pick(&dims).copied().unwrap_or(0),
        (1, Some(_)) => {
            tensor.shape.remove(at);
        }
        (2, Some(_)) => tensor.shape.reverse(),
        _ => tensor.shape.insert(at, 1),
    }
}

/// Other dimensions with the bytes that belong to them.
fn resize(tensor: &mut Tensor, random: &mut Random) {
    let at = random.below(tensor.shape.len());
    let new = random.below(8) as u64;
    if let Some(dim) = tensor.shape.get_mut(at) {
        *dim = new;
    }
    let size = if tensor.dtype == "F64" { 8 } else { 4 };
    let count = tensor
        .shape
        .iter()
        .fold(1, |n: u64, &dim| n.saturating_mul(dim));
    let count = count.min(4096) as usize;
    tensor.bytes.resize(count * size, 0x3f);
}

/// A value that is no number, or none of this scale.
fn special(tensor: &mut Tensor, random: &mut Random) {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1., 0., 1e300];
    let value = random.pick(&values).copied().unwrap_or(0.);
    let wide = tensor.dtype == "F64";
    let size = if wide { 8 } else { 4 };
    let at = size * random.below(tensor.bytes.len() / size);
    if let Some(place) = tensor.bytes.get_mut(at..at + size) {
        match wide {
            true => place.copy_from_slice(&value.to_le_bytes()),
            false => place.copy_from_slice(&(value as f32).to_le_bytes()),
        }
    }
}
