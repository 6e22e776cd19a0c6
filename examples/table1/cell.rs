//! All methods on one split: a normal class and a seed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use puad::baseline::{IsolationForest, IsolationForestConfig};
use puad::candle_core::DType;
use puad::data::protocol::{GroupIndices, SplitIndices, TestKind, TestSet};
use puad::data::{PuDataset, Samples, TrainTest};
use puad::method::{Assembly, Pair};
use puad::metrics::auroc;
use puad::net::{Architecture, Head, Network};
use puad::train::{History, Selection, Trainer};
use puad::{ClassPrior, Error, Params, Result, Snapshot, score_samples};

use crate::alpha::{Alpha, EstimatedAlpha};
use crate::dataset::Dataset;
use crate::method::Contender;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::protocol::RunConfig;
use crate::row::{Made, NUMERICS, Row};
use crate::unfinished::Unfinished;

/// A split, and what its methods share. Several may be run at a time.
pub struct Cell<'a> {
    plan: &'a Plan,
    normal: u8,
    seed: u64,
    /// That of the plan, or the estimate.
    alpha: ClassPrior,
    estimated_alpha: Option<EstimatedAlpha>,
    /// What the methods see.
    contaminated: Data,
    /// What the oracles see: without the anomalies among the unlabeled samples.
    clean: Data,
    test: TestSet,
    unfinished: Unfinished,
}

/// What a method is trained on.
struct Data {
    train: PuDataset,
    validation: PuDataset,
    pretrained: Shared,
}

/// The first phase's outcome, once a method has come to it.
type Shared = Arc<Mutex<Option<Pretrained>>>;

/// Pre-trainings by what they depend on: of several cells that differ in nothing of it they are one.
#[derive(Default)]
pub struct Pretrainings(HashMap<PretrainingKey, [Shared; 2]>);

/// Data set, normal class, seed and settings.
pub type PretrainingKey = (Dataset, u8, u64, String);

/// Which pre-training a plan's cell has.
pub fn pretraining_key(plan: &Plan, normal: u8, seed: u64) -> PretrainingKey {
    let settings = serde_json::to_string(&plan.config.pretraining()).unwrap_or_default();
    (plan.dataset, normal, seed, settings)
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
    last_risk: Option<f64>,
    seconds: f64,
    /// Those of the pre-training before.
    pretraining_seconds: f64,
}

impl<'a> Cell<'a> {
    pub fn new(plan: &'a Plan, images: &TrainTest, normal: u8, seed: u64) -> anyhow::Result<Self> {
        let protocol = plan.protocol(normal)?;
        let labels = images.train.labels();
        let indices = protocol.indices(labels, images.test.labels(), seed)?;
        let normals = |group: &GroupIndices| GroupIndices {
            unlabeled: only(&group.unlabeled, |i| {
                protocol.normal.contains(&labels[i as usize])
            }),
            anomalies: group.anomalies.clone(),
            // They know the unlabeled normals already.
            normals: vec![],
        };
        let clean = SplitIndices {
            train: normals(&indices.train),
            validation: normals(&indices.validation),
            ..indices.clone()
        };
        let output = plan.dataset.input();
        let train = Samples::images(&images.train, output)?;
        let test = Samples::images(&images.test, output)?;
        let (contaminated, clean) = (indices.apply(&train, &test)?, clean.apply(&train, &test)?);
        let (alpha, estimated_alpha) = match plan.config.alpha {
            Alpha::Given(alpha) => (alpha, None),
            Alpha::Auto => {
                let estimated = EstimatedAlpha::of(&indices, &train, seed)?;
                (estimated.prior()?, Some(estimated))
            }
        };
        Ok(Self {
            plan,
            normal,
            seed,
            alpha,
            estimated_alpha,
            test: contaminated.test,
            contaminated: Data::new(contaminated.train, contaminated.validation),
            clean: Data::new(clean.train, clean.validation),
            unfinished: Unfinished::default(),
        })
    }

    /// With a place for its unfinished runs.
    pub fn kept(self, unfinished: Unfinished) -> Self {
        Self { unfinished, ..self }
    }

    /// With the pre-trainings of cells that share them.
    pub fn sharing(mut self, pretrainings: &mut Pretrainings) -> Self {
        let key = pretraining_key(self.plan, self.normal, self.seed);
        let [contaminated, clean] = pretrainings.0.entry(key).or_default().clone();
        (self.contaminated.pretrained, self.clean.pretrained) = (contaminated, clean);
        self
    }

    /// Which pre-training a method starts from: methods with the same wait for one another.
    pub fn pretraining_of(&self, contender: &Contender) -> *const () {
        Arc::as_ptr(&self.data(contender).pretrained).cast()
    }

    /// Trains and measures one method.
    pub fn run(&self, contender: &Contender, progress: &Progress) -> Result<Row> {
        let outcome = match contender.method().pair() {
            Some(pair) => self.train(contender, pair, progress)?,
            None => self.forest()?,
        };
        let against = |kind| {
            let (scores, labels) = self.test.normals_and(kind, &outcome.scores)?;
            auroc(&scores, &labels)
        };
        Ok(Row {
            dataset: self.plan.dataset,
            method: contender.clone(),
            normal: self.normal,
            seed: self.seed,
            auroc: Some(auroc(&outcome.scores, &self.test.labels())?),
            auroc_seen: Some(against(TestKind::Seen)?),
            auroc_unseen: Some(against(TestKind::Unseen)?),
            failed: None,
            epochs: outcome.epochs,
            best_epoch: outcome.best_epoch,
            last_risk: outcome.last_risk,
            config: self.plan.config.clone(),
            estimated_alpha: self.estimated_alpha,
            numerics: NUMERICS,
            made: Made::now(
                rayon::current_num_threads(),
                outcome.seconds,
                outcome.pretraining_seconds,
            ),
        })
    }

    /// The row of a run whose training ended with an error in `epoch`.
    pub fn failed(&self, contender: &Contender, epoch: usize, error: &Error, seconds: f64) -> Row {
        Row {
            dataset: self.plan.dataset,
            method: contender.clone(),
            normal: self.normal,
            seed: self.seed,
            auroc: None,
            auroc_seen: None,
            auroc_unseen: None,
            failed: Some(error.to_string()),
            epochs: epoch,
            best_epoch: 0,
            last_risk: None,
            config: self.plan.config.clone(),
            estimated_alpha: self.estimated_alpha,
            numerics: NUMERICS,
            made: Made::now(rayon::current_num_threads(), seconds, 0.),
        }
    }

    /// What is being trained, and on what.
    pub fn label(&self, what: impl std::fmt::Display) -> String {
        let dataset = self.plan.dataset.title();
        format!("{dataset} class {} seed {}: {what}", self.normal, self.seed)
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
            self.alpha,
            params,
        )
    }

    fn data(&self, contender: &Contender) -> &Data {
        if contender.is_oracle() {
            &self.clean
        } else {
            &self.contaminated
        }
    }

    fn train(&self, contender: &Contender, pair: &Pair, progress: &Progress) -> Result<Outcome> {
        let is_svdd = contender.is_svdd();
        let data = self.data(contender);
        let assembly = self.assemble(pair, is_svdd)?;
        let mut pretraining_seconds = 0.;
        if is_svdd {
            let pretrained = self.pretrained(data, &assembly, progress)?;
            assembly.params().restore(&pretrained.snapshot)?;
            pretraining_seconds = pretrained.seconds;
        }
        let mut phase = progress.phase(self.label(contender), self.plan.config.epochs);
        // Selection by labeled anomalies is for methods that may use them.
        let selection = if contender.method().uses_anomalies()? {
            self.plan.config.selection
        } else {
            Selection::Risk
        };
        let trainer = self.trainer(&self.plan.config, selection, &contender.to_string())?;
        let (batch_size, device) = (trainer.config().batch_size, assembly.params().device());
        let (train, validation) = (&data.train, &data.validation);
        let history = assembly.train(&trainer, train, validation, &mut phase)?;
        drop(phase);
        let samples = &self.test.samples;
        Ok(Outcome {
            scores: score_samples(assembly.detector(), samples, batch_size, device)?,
            epochs: history.epochs.len(),
            best_epoch: history.best_epoch,
            last_risk: history.epochs.last().map(|epoch| epoch.risk),
            seconds: seconds(&history),
            pretraining_seconds,
        })
    }

    fn trainer(&self, settings: &RunConfig, selection: Selection, what: &str) -> Result<Trainer> {
        let config = settings.training(self.seed, selection);
        let cell = (self.normal, self.seed);
        let place = (self.plan.dataset, settings);
        self.unfinished.trainer(config, place, cell, what)
    }

    /// Pre-trains where no other method has yet; those that come meanwhile wait.
    fn pretrained(
        &self,
        data: &Data,
        assembly: &Assembly,
        progress: &Progress,
    ) -> Result<Pretrained> {
        let shared = data.pretrained.lock();
        let mut shared = shared.unwrap_or_else(PoisonError::into_inner);
        if let Some(pretrained) = &*shared {
            return Ok(pretrained.clone());
        }
        let mut phase = progress.phase(self.label("pre-training"), self.plan.config.epochs);
        let is_clean = std::ptr::eq(data, &self.clean);
        let settings = self.plan.config.pretraining();
        let what = if is_clean { "clean" } else { "shared" };
        let trainer = self.trainer(&settings, Selection::Risk, what)?;
        // It sees the unlabeled samples alone: with labeled normals and without it is the same.
        let [train, validation] = [&data.train, &data.validation].map(without_labels);
        let history = assembly.pretrain(&trainer, &train?, &validation?, &mut phase)?;
        let pretrained = Pretrained {
            seconds: history.as_ref().map_or(0., seconds),
            snapshot: assembly.params().snapshot()?,
        };
        *shared = Some(pretrained.clone());
        Ok(pretrained)
    }

    fn forest(&self) -> Result<Outcome> {
        let start = Instant::now();
        let unlabeled = self.contaminated.train.unlabeled().to_tensor()?;
        let forest =
            IsolationForest::fit(&unlabeled, &IsolationForestConfig::default(), self.seed)?;
        let seconds = start.elapsed().as_secs_f64();
        let scores = forest.score(&self.test.samples.to_tensor()?)?;
        Ok(Outcome {
            scores: scores.to_dtype(DType::F64)?.to_vec1()?,
            epochs: 0,
            best_epoch: 0,
            last_risk: None,
            seconds,
            pretraining_seconds: 0.,
        })
    }
}

impl Data {
    fn new(train: PuDataset, validation: PuDataset) -> Self {
        let pretrained = Shared::default();
        Self {
            train,
            validation,
            pretrained,
        }
    }
}

fn without_labels(data: &PuDataset) -> Result<PuDataset> {
    PuDataset::new(data.unlabeled().clone())
}

/// Those of all epochs, whichever process ran them.
fn seconds(history: &History) -> f64 {
    history.epochs.iter().map(|epoch| epoch.seconds).sum()
}

fn only(ids: &[u32], wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    ids.iter().copied().filter(|&i| wanted(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use crate::study::Study;
    use clap::Parser;
    use puad::data::glyphs::{self, GlyphConfig};

    /// On the device that `PUAD_TEST_DEVICE` names, else on the CPU.
    fn rows(methods: &str) -> Vec<Row> {
        let device = std::env::var("PUAD_TEST_DEVICE").unwrap_or_else(|_| "cpu".into());
        let args = format!("table1 --dataset glyphs --normal 3 --epochs 1 --methods {methods}");
        let args = Args::parse_from(args.split(' ').chain(["--device", device.as_str()]));
        let study = Study::new(&args).unwrap();
        let plan = &study.plans[0];
        let images = plan.dataset.load(&args).unwrap();
        let cell = Cell::new(plan, &images, 3, 0).unwrap();
        let progress = Progress::new(8);
        let run = |method| cell.run(method, &progress).unwrap();
        plan.methods.iter().map(run).collect()
    }

    #[test]
    fn a_row_is_the_same_in_every_run() {
        let (first, second) = (rows("PUSVDD").remove(0), rows("PUSVDD").remove(0));
        assert_eq!((first.epochs, first.normal, first.seed), (1, 3, 0));
        assert!(first.auroc.unwrap() > 0.7, "{first:?}");
        assert_eq!(first.bits(), second.bits());
    }

    #[test]
    fn an_estimated_alpha_is_trained_with_and_kept_in_the_row() {
        let run = |extra: &[&str]| {
            let usual = ["--dataset", "glyphs", "--epochs", "1"];
            let plan = Plan::of(&[&usual[..], extra].concat());
            let images = plan.dataset.load(&Args::parse_from(["table1"])).unwrap();
            let cell = Cell::new(&plan, &images, 3, 0).unwrap();
            let method = "PUAE".parse().unwrap();
            cell.run(&method, &Progress::new(8)).unwrap()
        };
        let row = run(&["--alpha", "auto"]);
        let estimated = row.estimated_alpha.unwrap();
        // 250 of 4750 are anomalies.
        let truth = 250. / 4750.;
        assert!((estimated.alpha - truth).abs() < 0.02, "{estimated:?}");
        assert!(estimated.low <= truth && truth <= estimated.high);
        let text = estimated.alpha.to_string();
        assert_eq!(run(&["--alpha", &text]).bits(), row.bits());
        let usual = run(&[]);
        assert_eq!(usual.estimated_alpha, None);
        assert_ne!(usual.bits(), row.bits());
    }

    #[test]
    fn another_process_goes_on_from_the_pretraining_of_a_killed_one() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan::of(&["--dataset", "glyphs", "--epochs", "1"]);
        let images = plan.dataset.load(&Args::parse_from(["table1"])).unwrap();
        let out = dir.path().join("rows.jsonl");
        let run = |unfinished: Unfinished, name: &str| {
            unfinished.prepare().unwrap();
            let cell = Cell::new(&plan, &images, 3, 0).unwrap().kept(unfinished);
            cell.run(&name.parse().unwrap(), &Progress::new(8)).unwrap()
        };
        let kept = |goes_on| Unfinished::of(&out, goes_on).unwrap();
        let first = run(kept(false), "LOE");
        let second = run(kept(true), "PUSVDD");
        // It was not done again, and gave what it gives where nothing is kept.
        let seconds = |row: &Row| row.made.pretraining_seconds;
        assert_eq!(seconds(&first), seconds(&second));
        let alone = run(Unfinished::default(), "PUSVDD");
        assert_eq!(alone.bits(), second.bits());
        assert_ne!(seconds(&alone), seconds(&first));
        // A start anew has nothing of it.
        assert_ne!(seconds(&run(kept(false), "LOE")), seconds(&first));
        kept(true).clear().unwrap();
        assert!(!dir.path().join("rows.jsonl.unfinished").exists());
    }

    #[test]
    fn cells_share_a_pretraining_whatever_their_objectives() {
        let arguments = "--table loe --dataset glyphs --normal 3 --epochs 1";
        let study = Study::of(&arguments.split(' ').collect::<Vec<_>>());
        let plans = &study.plans;
        let images = plans[0].dataset.load(&Args::parse_from(["table1"]));
        let images = images.unwrap();
        let mut pretrainings = Pretrainings::default();
        let mut run = |i: usize, alone: bool| {
            let mut cell = Cell::new(&plans[i], &images, 3, 0).unwrap();
            if !alone {
                cell = cell.sharing(&mut pretrainings);
            }
            let method = &plans[i].methods[0];
            cell.run(method, &Progress::new(8)).unwrap()
        };
        let (pusvdd, hard, soft) = (run(0, false), run(1, false), run(2, false));
        let seconds = |row: &Row| row.made.pretraining_seconds;
        assert_eq!([seconds(&hard), seconds(&soft)], [seconds(&pusvdd); 2]);
        let alone = run(1, true);
        assert_ne!(seconds(&alone), seconds(&hard));
        assert_eq!(alone.bits(), hard.bits());
        // And they are different runs.
        assert_ne!(pusvdd.bits(), hard.bits());
        assert_ne!(pusvdd.bits(), soft.bits());
        assert_ne!(hard.bits(), soft.bits());
    }

    #[test]
    fn labeled_normals_change_what_knows_them_alone() {
        let runs = |extra: &[&str]| -> Vec<Row> {
            let usual = [
                "--dataset",
                "glyphs",
                "--epochs",
                "1",
                "--methods",
                "PUAE,AE,PUSVDD",
            ];
            let plan = Plan::of(&[&usual[..], extra].concat());
            let config = GlyphConfig {
                train_per_class: 4600,
                ..GlyphConfig::default()
            };
            let images = glyphs::generate(&config, 0).unwrap();
            let cell = Cell::new(&plan, &images, 3, 0).unwrap();
            let count = |data: &PuDataset| data.normals().map_or(0, Samples::len);
            let counts = [&cell.contaminated, &cell.clean].map(|data| count(&data.train));
            let asked = plan.config.labeled_normals;
            assert_eq!(counts, [asked - asked / 10, 0]);
            let run = |method| cell.run(method, &Progress::new(8)).unwrap();
            plan.methods.iter().map(run).collect()
        };
        let without = runs(&[]);
        let with = runs(&["--labeled-normals", "100", "--pnu-weight", "0.5"]);
        let same = |i: usize| without[i].bits() == with[i].bits();
        assert_eq!([same(0), same(1), same(2)], [false, true, false]);
    }

    #[test]
    fn oracles_are_trained_on_the_normals_among_the_unlabeled_samples() {
        let plan = Plan::of(&["--dataset", "glyphs"]);
        let images = plan.dataset.load(&Args::parse_from(["table1"])).unwrap();
        let cell = Cell::new(&plan, &images, 3, 0).unwrap();
        let sizes = |data: &Data| {
            let size = |part: &PuDataset| {
                let anomalies = part.anomalies().map_or(0, Samples::len);
                (part.unlabeled().len(), anomalies)
            };
            [size(&data.train), size(&data.validation)]
        };
        assert_eq!(sizes(&cell.contaminated), [(4275, 225), (475, 25)]);
        let [train, validation] = sizes(&cell.clean);
        assert_eq!(train.0 + validation.0, 4500);
        assert_eq!((train.1, validation.1), (225, 25));

        let rows = rows("PNAE,PUAE,PNSVDD,PUSVDD");
        for pair in rows.chunks(2) {
            assert!(pair[0].method.is_oracle() && !pair[1].method.is_oracle());
            assert_ne!(pair[0].bits(), pair[1].bits());
        }
    }
}
