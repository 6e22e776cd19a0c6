//! CIFAR's binary files, all of the same content.
#![no_main]

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use puad_data::benchmarks::cifar;
use puad_fuzz::{folder, write};

/// Every file of both sets is a link to one.
fn links() -> &'static PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = folder();
        let batches = (1..=5).map(|i| format!("data_batch_{i}.bin"));
        for name in batches.chain(["test_batch.bin", "train.bin", "test.bin"].map(String::from)) {
            let _ = symlink(dir.join("file"), dir.join(name));
        }
        dir
    })
}

fuzz_target!(|bytes: &[u8]| {
    let dir = links();
    write(dir, "file", bytes);
    let [ten, hundred] = cifar::of_one_record(dir);
    if let Ok(images) = &ten {
        assert_eq!((images.train.len(), images.test.len()), (5, 1));
    }
    // A file has one label a record or two.
    assert!(ten.is_err() || hundred.is_err());
});
