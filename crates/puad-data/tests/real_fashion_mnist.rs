//! Fashion-MNIST as its publisher packed it, where it is: `PUAD_DATA_DIR` names a folder with `fashion-mnist/` in it.
//!
//! `apt-get install dataset-fashion-mnist`, then
//! `PUAD_DATA_DIR=/usr/share/datasets cargo test --release --test real_fashion_mnist -- --ignored`

#![cfg(feature = "benchmarks")]

use std::path::PathBuf;

use puad_data::benchmarks::mnist;

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn fashion_mnist_is_read_from_the_publishers_files() {
    let dir = std::env::var_os("PUAD_DATA_DIR")
        .expect("PUAD_DATA_DIR must name the folder that holds the data sets");
    let images = mnist::load(PathBuf::from(dir).join("fashion-mnist")).unwrap();
    for (set, per_class) in [(&images.train, 6000), (&images.test, 1000)] {
        for class in 0..10 {
            let n = set.labels().iter().filter(|&&label| label == class).count();
            assert_eq!(n, per_class);
        }
    }
    // The first labels of the published files: an ankle boot, T-shirts, a dress.
    assert_eq!(images.train.labels()[..5], [9, 0, 0, 3, 0]);
    let pixels = images.train.pixels();
    let sum: u64 = pixels.iter().map(|&pixel| u64::from(pixel)).sum();
    let mean = sum as f64 / pixels.len() as f64;
    // The mean that its users scale with: 0.2860 of 255.
    assert!((mean / 255. - 0.2860).abs() < 5e-5, "{mean}");
}
