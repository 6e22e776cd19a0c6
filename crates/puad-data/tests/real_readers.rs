//! Readers on real files, where they are: `PUAD_DATA_DIR` names a folder with `adbench/` and
//! `cifar10/` in it.
//!
//! `PUAD_DATA_DIR=... cargo test --release --features images,parquet --test real_readers -- --ignored`

use std::path::PathBuf;

use puad_data::benchmarks::adbench;

fn folder(name: &str) -> PathBuf {
    let dir = std::env::var_os("PUAD_DATA_DIR")
        .expect("PUAD_DATA_DIR must name the folder that holds the data sets");
    PathBuf::from(dir).join(name)
}

/// Rows, columns, anomalies and the sum of all values as f32, by numpy:
/// `z = numpy.load(name); z["X"].shape, z["y"].sum(), z["X"].astype("f4").astype("f8").sum()` (as f4
/// since the numbers were first taken so).
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn adbench_is_read_as_numpy_reads_it() {
    for (name, rows, width, anomalies, sum) in [
        ("18_Ionosphere.npz", 351, 32, 126, 6.937508e+03),
        ("20_letter.npz", 1600, 32, 100, 2.953540e+05),
        ("23_mammography.npz", 11183, 6, 260, -5.340833e-05),
        ("24_mnist.npz", 7603, 100, 700, 9.506152e+06),
        ("26_optdigits.npz", 5216, 64, 150, 1.637992e+06),
        ("28_pendigits.npz", 6870, 16, 156, 5.587097e+04),
        ("2_annthyroid.npz", 7200, 6, 534, 6.234041e+03),
        ("30_satellite.npz", 6435, 36, 2036, 1.933709e+07),
        ("32_shuttle.npz", 49097, 9, 3511, 1.315740e+07),
        ("38_thyroid.npz", 3772, 6, 93, 5.814554e+03),
        ("40_vowels.npz", 1456, 12, 50, -2.629444e-06),
        ("6_cardio.npz", 1831, 21, 176, -7.243094e-05),
    ] {
        let table = adbench::load(folder("adbench").join(name)).unwrap();
        assert_eq!((table.len(), table.width()), (rows, width), "{name}");
        assert_eq!(table.rows_of(1).len(), anomalies, "{name}");
        let found: f64 = table
            .values()
            .iter()
            .map(|&value| f64::from(value as f32))
            .sum();
        // Seven digits are printed.
        assert!(
            (found - sum).abs() <= 1e-6 * f64::abs(sum) + 1e-9,
            "{name}: {found}"
        );
    }
}

/// Means of the test images' channels as pillow decodes them. Decoders of JPEG round differently: of
/// the first 500 images, 78% of the values were pillow's, all within 4 of them, their means within
/// 0.36.
#[cfg(all(feature = "images", feature = "parquet"))]
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn cifar_as_parquet() {
    use puad_data::benchmarks::tasks::PaperDataset;

    let images = PaperDataset::Cifar10.load(folder("cifar10")).unwrap();
    for (set, per_class) in [(&images.train, 5000), (&images.test, 1000)] {
        for class in 0..10 {
            let n = set.labels().iter().filter(|&&label| label == class).count();
            assert_eq!(n, per_class);
        }
    }
    for (channel, expected) in [125.98676162, 123.69121729, 114.8474124]
        .into_iter()
        .enumerate()
    {
        let planes = images.test.pixels().chunks_exact(1024);
        let plane = planes.skip(channel).step_by(3);
        let sum: u64 = plane.flatten().map(|&pixel| u64::from(pixel)).sum();
        let mean = sum as f64 / (10_000. * 1024.);
        assert!((mean - expected).abs() < 0.5, "{mean}");
    }
}
