//! A table of ADBench (Han et al. 2022): ten labeled anomalies, half of the others and three fifths of the normals
//! unlabeled, the rest for the test.

use std::path::Path;

use puad::data::{LabeledRows, PuDataset, RowSamples, adbench};
use puad::{ClassPrior, Estimator, FitConfig};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::Outcome;
use crate::rounds::Problem;

const LABELED: usize = 10;

pub struct Rows(LabeledRows);

impl Rows {
    pub fn load(folder: &Path, name: &str) -> Outcome<Self> {
        let path = folder.join("adbench").join(format!("{name}.npz"));
        Ok(Self(adbench::load(path)?))
    }

    pub fn problem(&self, seed: u64) -> Outcome<Problem> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut normals, mut anomalies) = (self.0.rows_of(0), self.0.rows_of(1));
        normals.shuffle(&mut rng);
        anomalies.shuffle(&mut rng);
        let labeled: Vec<u32> = anomalies.drain(..LABELED).collect();
        let hidden = anomalies.len() / 2;
        let usual = normals.len() * 3 / 5;
        let unlabeled = [&normals[..usual], &anomalies[..hidden]].concat();
        let test = [&normals[usual..], &anomalies[hidden..]].concat();

        let samples = self.0.samples()?;
        let data = PuDataset::new(samples.select(&unlabeled)?)?;
        let data = data.with_anomalies(samples.select(&labeled)?)?;
        let mut config = FitConfig {
            prior: ClassPrior::new(hidden as f64 / unlabeled.len() as f64)?.into(),
            ..FitConfig::default()
        };
        config.train.seed = seed;
        let detector = Estimator::new(config).fit_dataset(&data)?;
        Ok(Problem {
            feedback: detector.feedback(&data, [])?,
            detector,
            unlabeled: (0..unlabeled.len())
                .map(|row| (row, row >= usual))
                .collect(),
            anomalous: (0..test.len())
                .map(|row| row >= normals.len() - usual)
                .collect(),
            test: samples.select(&test)?.into(),
        })
    }
}
