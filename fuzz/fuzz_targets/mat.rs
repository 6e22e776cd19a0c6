//! A MATLAB file: the variables `X` and `y`, and as a set of SVHN.
#![no_main]

use libfuzzer_sys::fuzz_target;
use puad_data::benchmarks::{mat, svhn};
use puad_fuzz::{folder, write};

fuzz_target!(|bytes: &[u8]| {
    let path = write(&folder(), "a.mat", bytes);
    if let Ok(arrays) = mat::read(&path, ["X", "y"]) {
        for array in arrays {
            let n: usize = array.shape().iter().product();
            assert_eq!((array.len(), array.to_f64().len()), (n, n));
        }
    }
    if let Ok(set) = svhn::read(&path) {
        assert_eq!(set.pixels().len(), set.len() * 3072);
        assert!(set.labels().iter().all(|&digit| digit < 10));
    }
});
