//! An `.npz` archive: each array, and as a set of ADBench and of MedMNIST.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::benchmarks::{adbench, medmnist};
use puad_data::npz::Npz;
use puad_data::stream::{NpzOptions, TableReader};
use puad_fuzz::{folder, rows, write};

fuzz_target!(|bytes: &[u8]| {
    let path = write(&folder(), "a.npz", bytes);
    let Ok(mut archive) = Npz::open(&path) else {
        return;
    };
    for key in archive.keys().to_vec().iter().take(8) {
        let options = NpzOptions {
            array: Some(key.clone()),
            channels_last: Some(false),
        };
        let by_rows = TableReader::open_with(&path, &options).and_then(|table| rows(table, 3));
        if let Ok(array) = archive.read(key) {
            let n: usize = array.shape().iter().product();
            assert_eq!((array.len(), array.to_f64().len()), (n, n));
            if let Ok(rows) = by_rows {
                let (bits, same) = (|v: &f64| v.to_bits(), array.to_f64());
                assert!(rows.iter().map(bits).eq(same.iter().map(bits)));
            }
        }
    }
    if let Ok(table) = adbench::load(&path) {
        assert_eq!(table.values().len(), table.len() * table.width());
        assert!(table.values().iter().all(|value| value.is_finite()));
    }
    if let Ok(images) = medmnist::load(&path, 9) {
        assert!(images.train.labels().iter().all(|&label| label < 9));
    }
});
