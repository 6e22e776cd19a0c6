//! Real files, where they are: `PUAD_DATA_DIR` names a folder with `mnist/` in it.
//!
//! `PUAD_DATA_DIR=... cargo test --release --test real_data -- --ignored`

use std::path::PathBuf;

use puad::data::protocol::{ContaminatedSplit, TestKind};
use puad::data::{ImageShape, mnist};

fn folder(name: &str) -> PathBuf {
    let dir = std::env::var_os("PUAD_DATA_DIR")
        .expect("PUAD_DATA_DIR must name the folder that holds the data sets");
    PathBuf::from(dir).join(name)
}

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn mnist_and_its_contaminated_split() {
    let images = mnist::load(folder("mnist")).unwrap();
    assert_eq!((images.train.len(), images.test.len()), (60_000, 10_000));
    let shape = images.train.shape();
    assert_eq!((shape.channels, shape.height, shape.width), (1, 28, 28));
    let pixels = images.train.pixels();
    let sum: u64 = pixels.iter().map(|&p| u64::from(p)).sum();
    let mean = sum as f64 / pixels.len() as f64;
    // The mean that MNIST's users scale with: 0.1307 of 255, here to three decimals.
    assert!((mean - 33.318).abs() < 5e-4, "{mean}");
    // The first labels of the published files.
    assert_eq!(images.train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(images.test.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);

    let protocol = ContaminatedSplit::new(8);
    let (train, test) = (images.train.labels(), images.test.labels());
    let indices = protocol.indices(train, test, 0).unwrap();
    let normals = |ids: &[u32]| ids.iter().filter(|&&i| train[i as usize] == 8).count();
    let (t, v) = (&indices.train, &indices.validation);
    assert_eq!((t.unlabeled.len(), t.anomalies.len()), (4275, 225));
    assert_eq!((v.unlabeled.len(), v.anomalies.len()), (475, 25));
    assert_eq!(normals(&t.unlabeled) + normals(&v.unlabeled), 4500);
    assert_eq!(normals(&t.anomalies) + normals(&v.anomalies), 0);

    let split = protocol.split(&images, ImageShape::default(), 0).unwrap();
    assert_eq!(split.train.unlabeled().len(), 4275);
    // MNIST's test set holds 974 eights.
    let count = |kind| split.test.kinds.iter().filter(|&&k| k == kind).count();
    let kinds = [TestKind::Normal, TestKind::Seen, TestKind::Unseen];
    assert_eq!(kinds.map(count), [974, 500, 500]);
    let batch = split.test.samples.gather(&[0, 1973]).unwrap();
    assert_eq!(batch.dims(), [2, 3, 32, 32]);
}
