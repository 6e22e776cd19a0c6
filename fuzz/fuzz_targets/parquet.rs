//! Columns of Parquet, and CIFAR as Parquet, of either set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::benchmarks::cifar_parquet;
use puad_data::parquet;
use puad_data::stream::{ParquetOptions, TableReader, Values};
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
    let Ok(columns) = parquet::columns(&path) else {
        return;
    };
    let numeric = columns.into_iter().filter(|column| column.numeric);
    let columns: Vec<String> = numeric.map(|column| column.name).take(20).collect();
    let width = columns.len();
    let options = ParquetOptions { columns: Some(columns), ids: None };
    let Ok(table) = TableReader::open_with(&path, &options) else {
        return;
    };
    // A run of equal values may be longer than memory.
    for batch in table.batches(1000).expect("a size").take(1000) {
        let Ok(batch) = batch else {
            break;
        };
        let finite = match batch.values {
            Values::U8(_) => true,
            Values::F32(values) => values.iter().all(|value| value.is_finite()),
            Values::F64(values) => values.iter().all(|value| value.is_finite()),
        };
        assert!(finite && batch.shape[1] == width && batch.shape[0] <= 1000);
    }
});
