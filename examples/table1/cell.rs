//! All methods on one split: a normal class and a seed.

use std::time::Instant;

use puad::baseline::{IsolationForest, IsolationForestConfig};
use puad::candle_core::DType;
use puad::data::TrainTest;
use puad::data::protocol::{PuSplit, TestKind};
use puad::detector::{Autoencoder, Classifier, DeepSvdd, DenoisingAutoencoder};
use puad::metrics::auroc;
use puad::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
use puad::objective::{
    Correction, GroupWeighting, Loe, LoeLabels, Objective, SemiSupervisedObjective, UnlabeledRisk,
    UnsupervisedObjective,
};
use puad::train::{History, Selection, Trainer, pretrain};
use puad::{Params, PuObjective, Result, Snapshot, score_samples};

use crate::method::Method;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::record::Row;

/// A split, and what its methods share.
pub struct Cell<'a> {
    plan: &'a Plan,
    normal: u8,
    seed: u64,
    split: PuSplit,
    pretrained: Option<Pretrained>,
}

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
}

impl<'a> Cell<'a> {
    pub fn new(plan: &'a Plan, images: &TrainTest, normal: u8, seed: u64) -> anyhow::Result<Self> {
        let protocol = plan.dataset.protocol(normal)?;
        Ok(Self {
            plan,
            normal,
            seed,
            split: protocol.split(images, plan.dataset.input(), seed)?,
            pretrained: None,
        })
    }

    /// Trains and measures one method.
    pub fn run(&mut self, method: Method, progress: &mut Progress) -> Result<Row> {
        if method.is_svdd() && self.pretrained.is_none() {
            progress.phase(self.label("pre-training"));
            self.pretrained = Some(self.pretrain(progress)?);
            progress.finish_phase();
        }
        progress.phase(self.label(method.name()));
        let outcome = self.train(method, progress)?;
        progress.finish_phase();
        let test = &self.split.test;
        let against = |kind| {
            let (scores, labels) = test.normals_and(kind, &outcome.scores)?;
            auroc(&scores, &labels)
        };
        let shared = self.pretrained.as_ref().filter(|_| method.is_svdd());
        Ok(Row {
            dataset: self.plan.dataset,
            method,
            normal: self.normal,
            seed: self.seed,
            auroc: auroc(&outcome.scores, &test.labels())?,
            auroc_seen: against(TestKind::Seen)?,
            auroc_unseen: against(TestKind::Unseen)?,
            epochs: outcome.epochs,
            best_epoch: outcome.best_epoch,
            seconds: outcome.seconds,
            pretraining_seconds: shared.map_or(0., |p| p.seconds),
            config: self.plan.config.clone(),
        })
    }

    fn label(&self, what: &str) -> String {
        format!("normal {} seed {}: {what}", self.normal, self.seed)
    }

    fn params(&self) -> Params {
        Params::new(self.seed, DType::F32, &self.plan.device)
    }

    fn network(&self, affine: bool) -> LeNetConfig {
        LeNetConfig {
            affine,
            ..self.plan.dataset.network(self.plan.config.head)
        }
    }

    fn svdd(&self, params: &Params) -> Result<(DeepSvdd<LeNetEncoder>, LeNetDecoder)> {
        let config = self.network(false);
        let svdd = DeepSvdd::lenet(&config, params.var_builder())?;
        let decoder = LeNetDecoder::new(&config, params.var_builder().pp("decoder"))?;
        Ok((svdd, decoder))
    }

    /// The first phase of the SVDD methods, done once for all of them.
    fn pretrain(&self, progress: &mut Progress) -> Result<Pretrained> {
        let start = Instant::now();
        let params = self.params();
        let (svdd, decoder) = self.svdd(&params)?;
        let trainer = Trainer::new(self.plan.training(self.seed, Selection::Risk))?;
        let (train, validation) = (&self.split.train, &self.split.validation);
        pretrain(
            &trainer, &svdd, decoder, &params, train, validation, progress,
        )?;
        Ok(Pretrained {
            snapshot: params.snapshot()?,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    fn train(&self, method: Method, progress: &mut Progress) -> Result<Outcome> {
        let params = self.params();
        let (vb, config) = (params.var_builder(), self.network(true));
        let alpha = self.plan.config.alpha;
        let abc = |weighting| {
            let ae = Autoencoder::lenet(&config, params.var_builder())?;
            Ok::<_, puad::Error>(SemiSupervisedObjective::new(ae).with_weighting(weighting))
        };
        match method {
            Method::IsolationForest => self.forest(),
            Method::Ae => {
                let ae = Autoencoder::lenet(&config, vb)?;
                self.fit(method, &UnsupervisedObjective::new(ae), &params, progress)
            }
            Method::Dae => {
                let dae = self.denoising(&config, &params)?;
                self.fit(method, &UnsupervisedObjective::new(dae), &params, progress)
            }
            Method::Abc => self.fit(method, &abc(self.plan.config.weighting)?, &params, progress),
            Method::Pu => {
                let pu = PuObjective::new(Classifier::lenet(&config, vb)?, alpha);
                let pu = pu.with_correction(Correction::NON_NEGATIVE)?;
                self.fit(method, &pu, &params, progress)
            }
            Method::Puae => {
                let puae = PuObjective::new(Autoencoder::lenet(&config, vb)?, alpha);
                self.fit(method, &puae, &params, progress)
            }
            Method::Pudae => {
                let pudae = PuObjective::new(self.denoising(&config, &params)?, alpha);
                self.fit(method, &pudae, &params, progress)
            }
            _ => self.train_svdd(method, &params, progress),
        }
    }

    fn denoising(
        &self,
        config: &LeNetConfig,
        params: &Params,
    ) -> Result<DenoisingAutoencoder<LeNetEncoder, LeNetDecoder>> {
        let autoencoder = Autoencoder::lenet(config, params.var_builder())?;
        DenoisingAutoencoder::new(autoencoder, self.plan.config.noise)
    }

    /// The second phase of the SVDD methods, from the shared first one.
    fn train_svdd(
        &self,
        method: Method,
        params: &Params,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        let (svdd, _) = self.svdd(params)?;
        if let Some(pretrained) = &self.pretrained {
            params.restore(&pretrained.snapshot)?;
        }
        let params = &params.filter(|name| !name.starts_with("decoder"));
        let prior = self.plan.config.alpha;
        let labels = LoeLabels::Hard;
        let loe = UnlabeledRisk::Loe(Loe { prior, labels });
        let unsupervised = UnsupervisedObjective::new(&svdd);
        let semi = SemiSupervisedObjective::new(&svdd);
        match method {
            Method::DeepSvdd => self.fit(method, &unsupervised, params, progress),
            Method::Loe => {
                let loe = unsupervised.with_unlabeled_risk(loe);
                self.fit(method, &loe, params, progress)
            }
            Method::DeepSad => {
                let sad = semi.with_weighting(self.plan.config.weighting);
                self.fit(method, &sad, params, progress)
            }
            Method::Soel => {
                let soel = semi.with_weighting(GroupWeighting::PerGroup);
                let soel = soel.with_unlabeled_risk(loe);
                self.fit(method, &soel, params, progress)
            }
            _ => self.fit(method, &PuObjective::new(&svdd, prior), params, progress),
        }
    }

    fn fit<O: Objective>(
        &self,
        method: Method,
        objective: &O,
        params: &Params,
        progress: &mut Progress,
    ) -> Result<Outcome> {
        // Selection by labeled anomalies is for methods that may use them.
        let selection = match method.is_supervised() {
            true => self.plan.config.selection,
            false => Selection::Risk,
        };
        let config = self.plan.training(self.seed, selection);
        let batch_size = config.batch_size;
        let start = Instant::now();
        let history: History = Trainer::new(config)?.fit(
            objective,
            params,
            &self.split.train,
            &self.split.validation,
            progress,
        )?;
        let seconds = start.elapsed().as_secs_f64();
        let samples = &self.split.test.samples;
        Ok(Outcome {
            scores: score_samples(objective.detector(), samples, batch_size, params.device())?,
            epochs: history.epochs.len(),
            best_epoch: history.best_epoch,
            seconds,
        })
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
        })
    }
}
