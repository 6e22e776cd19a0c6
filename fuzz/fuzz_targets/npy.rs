//! A `.npy` file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_fuzz::data::npy;
use puad_fuzz::{folder, write};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = npy::read(write(&folder(), "a.npy", bytes)) {
        let n: usize = array.shape().iter().product();
        assert_eq!((array.len(), array.to_f64().len()), (n, n));
        if let Some(values) = array.into_u8() {
            assert_eq!(values.len(), n);
        }
    }
});
