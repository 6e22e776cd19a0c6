//! All methods on one split: a normal class and a seed.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use puad::baseline::{IsolationForest, IsolationForestConfig};
use puad::candle_core::DType;
use puad::data::TrainTest;
use puad::data::protocol::{PuSplit, TestKind};
use puad::method::{Assembly, Method, Pair};
use puad::metrics::auroc;
use puad::net::{Architecture, Head, Network};
use puad::train::{Selection, Trainer};
use puad::{Params, Result, Snapshot, score_samples};

use crate::method::is_svdd;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::record::Row;

/// A split, and what its methods share. Several may be run at a time.
pub struct Cell<'a> {
    plan: &'a Plan,
    normal: u8,
    seed: u64,
    split: PuSplit,
    pretrained: Mutex<Option<Pretrained>>,
}

/// The first phase of the SVDD methods, done once for all of them.
#[derive(Clone)]
struct Pretrained {
    snapshot: Snapshot,
    seconds: f64,
}

/// What a method's training gives.
struct Outcome {
    /// One a test sample.
    scores: Vec<f64>,
    epochs: usize,
    best_epoch: usize,
    seconds: f64,
    /// Those of the pre-training before.
    pretraining_seconds: f64,
}

impl<'a> Cell<'a> {
    pub fn new(plan: &'a Plan, images: &TrainTest, normal: u8, seed: u64) -> anyhow::Result<Self> {
        let protocol = plan.dataset.protocol(normal)?;
        Ok(Self {
            plan,
            normal,
            seed,
            split: protocol.split(images, plan.dataset.input(), seed)?,
            pretrained: Mutex::new(None),
        })
    }

    /// Trains and measures one method.
    pub fn run(&self, method: &Method, progress: &Progress) -> Result<Row> {
        let outcome = match method.pair() {
            Some(pair) => self.train(method, pair, progress)?,
            None => self.forest()?,
        };
        let test = &self.split.test;
        let against = |kind| {
            let (scores, labels) = test.normals_and(kind, &outcome.scores)?;
            auroc(&scores, &labels)
        };
        Ok(Row {
            dataset: self.plan.dataset,
            method: method.clone(),
            normal: self.normal,
            seed: self.seed,
            auroc: auroc(&outcome.scores, &test.labels())?,
            auroc_seen: against(TestKind::Seen)?,
            auroc_unseen: against(TestKind::Unseen)?,
            epochs: outcome.epochs,
            best_epoch: outcome.best_epoch,
            seconds: outcome.seconds,
            pretraining_seconds: outcome.pretraining_seconds,
            config: self.plan.config.clone(),
        })
    }

    /// What is being trained, and on what.
    pub fn label(&self, what: impl std::fmt::Display) -> String {
        format!("normal {} seed {}: {what}", self.normal, self.seed)
    }

    /// A method with its initial weights.
    fn assemble(&self, pair: &Pair, is_svdd: bool) -> Result<Assembly> {
        // The choice of head is that of the SVDD's feature extractor.
        let head = if is_svdd {
            self.plan.config.head
        } else {
            Head::default()
        };
        let network = Network::LeNet(self.plan.dataset.network(head));
        let params = Params::new(self.seed, DType::F32, &self.plan.device);
        Assembly::new(
            &self.plan.pair(pair),
            &network.sample_shape(),
            &Architecture::Explicit(network),
            self.plan.config.alpha,
            params,
        )
    }

    fn train(&self, method: &Method, pair: &Pair, progress: &Progress) -> Result<Outcome> {
        let is_svdd = is_svdd(method);
        let assembly = self.assemble(pair, is_svdd)?;
        let mut pretraining_seconds = 0.;
        if is_svdd {
            let pretrained = self.pretrained(&assembly, progress)?;
            assembly.params().restore(&pretrained.snapshot)?;
            pretraining_seconds = pretrained.seconds;
        }
        let mut phase = progress.phase(self.label(method), self.plan.config.epochs);
        // Selection by labeled anomalies is for methods that may use them.
        let selection = if method.uses_anomalies()? {
            self.plan.config.selection
        } else {
            Selection::Risk
        };
        let config = self.plan.training(self.seed, selection);
        let (batch_size, device) = (config.batch_size, assembly.params().device());
        let (train, validation) = (&self.split.train, &self.split.validation);
        let start = Instant::now();
        let history = assembly.train(&Trainer::new(config)?, train, validation, &mut phase)?;
        let seconds = start.elapsed().as_secs_f64();
        drop(phase);
        let samples = &self.split.test.samples;
        Ok(Outcome {
            scores: score_samples(assembly.detector(), samples, batch_size, device)?,
            epochs: history.epochs.len(),
            best_epoch: history.best_epoch,
            seconds,
            pretraining_seconds,
        })
    }

    /// Pre-trains where no other method has yet; those that come meanwhile wait.
    fn pretrained(&self, assembly: &Assembly, progress: &Progress) -> Result<Pretrained> {
        let shared = self.pretrained.lock();
        let mut shared = shared.unwrap_or_else(PoisonError::into_inner);
        if let Some(pretrained) = &*shared {
            return Ok(pretrained.clone());
        }
        let mut phase = progress.phase(self.label("pre-training"), self.plan.config.epochs);
        let trainer = Trainer::new(self.plan.training(self.seed, Selection::Risk))?;
        let (train, validation) = (&self.split.train, &self.split.validation);
        let start = Instant::now();
        assembly.pretrain(&trainer, train, validation, &mut phase)?;
        let pretrained = Pretrained {
            seconds: start.elapsed().as_secs_f64(),
            snapshot: assembly.params().snapshot()?,
        };
        *shared = Some(pretrained.clone());
        Ok(pretrained)
    }

    fn forest(&self) -> Result<Outcome> {
        let start = Instant::now();
        let unlabeled = self.split.train.unlabeled().to_tensor()?;
        let forest =
            IsolationForest::fit(&unlabeled, &IsolationForestConfig::default(), self.seed)?;
        let seconds = start.elapsed().as_secs_f64();
        let scores = forest.score(&self.split.test.samples.to_tensor()?)?;
        Ok(Outcome {
            scores: scores.to_dtype(DType::F64)?.to_vec1()?,
            epochs: 0,
            best_epoch: 0,
            seconds,
            pretraining_seconds: 0.,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::Parser;

    /// On the device that `PUAD_TEST_DEVICE` names, else on the CPU.
    fn row() -> Row {
        let device = std::env::var("PUAD_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
        let args = "table1 --normal 3 --seeds 0 --methods PUSVDD --epochs 1 --device";
        let args = Args::parse_from(args.split(' ').chain([device.as_str()]));
        let plan = Plan::new(&args).unwrap();
        let images = plan.dataset.load(&args).unwrap();
        let cell = Cell::new(&plan, &images, 3, 0).unwrap();
        cell.run(&plan.methods[0], &Progress::new(2)).unwrap()
    }

    #[test]
    fn a_row_is_the_same_in_every_run() {
        let (first, second) = (row(), row());
        assert_eq!((first.epochs, first.normal, first.seed), (1, 3, 0));
        assert!(first.auroc > 0.7, "{}", first.auroc);
        let aurocs = |row: &Row| [row.auroc, row.auroc_seen, row.auroc_unseen].map(f64::to_bits);
        assert_eq!(aurocs(&first), aurocs(&second));
    }
}
