//! Real files, where they are: `PUAD_DATA_DIR` names a folder with `mnist/` in it.
//!
//! `PUAD_DATA_DIR=... cargo test --release --test real_data -- --ignored`

use std::path::PathBuf;

use puad::baseline::{IsolationForest, IsolationForestConfig};
use puad::candle_core::{DType, Device};
use puad::data::protocol::{ContaminatedSplit, TestKind};
use puad::data::{ImageSet, ImageShape, Samples, mnist};
use puad::detector::DeepSvdd;
use puad::metrics::auroc;
use puad::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
use puad::train::{Pretraining, TrainConfig, Trainer};
use puad::{ClassPrior, Params, PuObjective, score_samples};

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

// Expected numbers, scikit-learn 1.9.1, seeds 0 to 9, on the pixels 0 to 255 of the 28 x 28 images:
//
//     forest = IsolationForest(random_state=seed).fit(train[train_labels == 8])
//     roc_auc_score(test_labels != 8, -forest.score_samples(test))
//
//     mean 0.7400, standard deviation 0.0180
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn isolation_forest_on_mnist_lies_within_the_spread_of_scikit_learns_seeds() {
    let (mean, deviation, seeds) = (0.7400, 0.0180, 10);
    let images = mnist::load(folder("mnist")).unwrap();
    let pixels = |set: &ImageSet| Samples::images(set, images.train.shape()).unwrap();
    let labels = images.train.labels().iter();
    let eights: Vec<u32> = (0..)
        .zip(labels)
        .filter(|l| *l.1 == 8)
        .map(|l| l.0)
        .collect();
    let train = pixels(&images.train).gather(&eights).unwrap();
    let test = pixels(&images.test).to_tensor().unwrap();
    let positives: Vec<bool> = images.test.labels().iter().map(|&l| l != 8).collect();
    let measure = |seed| {
        let forest = IsolationForest::fit(&train, &IsolationForestConfig::default(), seed);
        let scores = forest.unwrap().score(&test).unwrap();
        let scores = scores.to_dtype(DType::F64).unwrap().to_vec1().unwrap();
        auroc(&scores, &positives).unwrap()
    };
    let aurocs: Vec<f64> = (0..seeds).map(measure).collect();
    let ours = aurocs.iter().sum::<f64>() / seeds as f64;
    // Three standard errors of the difference of two means.
    let bound = 3. * deviation * (2. / seeds as f64).sqrt();
    assert!((ours - mean).abs() < bound, "{ours}: {aurocs:?}");
}

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn pusvdd_on_mnist_reaches_0_95_in_four_and_four_epochs() {
    let images = mnist::load(folder("mnist")).unwrap();
    let split = ContaminatedSplit::new(8)
        .split(&images, ImageShape::default(), 0)
        .unwrap();
    let config = LeNetConfig {
        affine: false,
        ..LeNetConfig::default()
    };
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let encoder = LeNetEncoder::new(&config, params.var_builder().pp("encoder")).unwrap();
    let svdd = DeepSvdd::new(encoder, config.latent, params.var_builder()).unwrap();
    let decoder = LeNetDecoder::new(&config, params.var_builder().pp("decoder")).unwrap();
    let objective = PuObjective::new(&svdd, ClassPrior::default());
    let trainer = Trainer::new(TrainConfig {
        epochs: 4,
        ..TrainConfig::paper()
    });
    let (train, validation) = (&split.train, &split.validation);
    let trainer = trainer.unwrap();
    let mut observer = ();
    let mut pretraining = Pretraining::new(&trainer, &params, train, validation, &mut observer);
    svdd.pretrain(decoder, &mut pretraining).unwrap();
    trainer
        .fit(&objective, &params, train, validation, &mut ())
        .unwrap();
    let scores = score_samples(&svdd, &split.test.samples, 128, &Device::Cpu).unwrap();
    let auroc = auroc(&scores, &split.test.labels()).unwrap();
    assert!(auroc >= 0.95, "{auroc}");
}
