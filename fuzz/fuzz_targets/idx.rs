//! IDX: the first two bytes are the length of the labels' file, the rest both files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::benchmarks::idx;
use puad_fuzz::{folder, write};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[a, b], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let at = usize::from(u16::from_le_bytes([a, b])).min(rest.len());
    let (labels, images) = rest.split_at(at);
    let dir = folder();
    let (images, labels) = (write(&dir, "images", images), write(&dir, "labels", labels));
    if let Ok(set) = idx::read(images, labels, 10) {
        let shape = set.shape();
        let volume = shape.channels * shape.height * shape.width;
        assert_eq!(set.pixels().len(), set.len() * volume);
        assert!(set.labels().iter().all(|&label| label < 10));
    }
});
