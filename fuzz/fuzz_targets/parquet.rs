//! CIFAR as Parquet, of either set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_fuzz::data::cifar_parquet;
use puad_fuzz::{folder, raise_memory_limit, write};

/// The reader catches the decoder's panics, at which libFuzzer's hook would end the process; those
/// that it does not catch end it all the same.
fn start() {
    std::panic::set_hook(Box::new(|_| {}));
    raise_memory_limit(1);
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    let path = write(&folder(), "a.parquet", bytes);
    for (label, classes) in [("label", 10), ("coarse_label", 20)] {
        if let Ok(images) = cifar_parquet::read(&path, label, classes) {
            assert_eq!(images.pixels().len(), images.len() * 3072);
            assert!(images.labels().iter().all(|&label| label < classes));
        }
    }
});
