//! CIFAR's binary files, all of the same content.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_fuzz::data::cifar_of_one_record;
use puad_fuzz::{folder, write};

fuzz_target!(|bytes: &[u8]| {
    let dir = folder();
    for i in 1..=5 {
        write(&dir, &format!("data_batch_{i}.bin"), bytes);
    }
    for name in ["test_batch.bin", "train.bin", "test.bin"] {
        write(&dir, name, bytes);
    }
    let [ten, hundred] = cifar_of_one_record(&dir);
    if let Ok(images) = &ten {
        assert_eq!((images.train.len(), images.test.len()), (5, 1));
    }
    // A file has one label a record or two.
    assert!(ten.is_err() || hundred.is_err());
});
