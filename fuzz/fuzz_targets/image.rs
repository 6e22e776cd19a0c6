//! A PNG or JPEG: the first byte chooses what it is to become.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_fuzz::data::{ImageShape, decode_image};
use puad_fuzz::raise_memory_limit;

fuzz_target!(init: raise_memory_limit(4), |bytes: &[u8]| {
    let Some((&choice, image)) = bytes.split_first() else {
        return;
    };
    let side = if choice & 2 == 0 { 8 } else { 5 };
    let shape = ImageShape {
        channels: if choice & 1 == 0 { 3 } else { 1 },
        height: side,
        width: side,
    };
    if let Ok(pixels) = decode_image(image, shape, choice & 2 != 0) {
        assert_eq!(pixels.len(), shape.channels * side * side);
    }
});
