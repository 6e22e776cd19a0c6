//! A `.npy` file, read as a whole and by rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::npy;
use puad_data::stream::{NpyOptions, TableReader};
use puad_fuzz::{folder, rows, write};

fuzz_target!(|bytes: &[u8]| {
    let path = write(&folder(), "a.npy", bytes);
    let options = NpyOptions { channels_last: Some(false) };
    let table = TableReader::open_with(&path, &options);
    let rows = table.and_then(|table| rows(table, 1 + bytes.len() % 5));
    let whole = npy::read(&path);
    if let (Ok(rows), Ok(array)) = (&rows, &whole) {
        let (bits, same) = (|v: &f64| v.to_bits(), array.to_f64());
        assert!(rows.iter().map(bits).eq(same.iter().map(bits)));
    }
    // What is a table of numbers at all is read by both.
    assert!(rows.is_err() || whole.is_ok());
    if let Ok(array) = whole {
        let n: usize = array.shape().iter().product();
        assert_eq!((array.len(), array.to_f64().len()), (n, n));
        if let Some(values) = array.into_u8() {
            assert_eq!(values.len(), n);
        }
    }
});
