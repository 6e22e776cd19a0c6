use std::num::NonZeroUsize;

use anyhow::ensure;
use puad::ClassPrior;
use puad::candle_core::Device;
use puad::method::{Method, Pair};
use puad::objective::GroupWeighting;
use puad::train::{Batching, Selection, TrainConfig};
use serde::{Deserialize, Serialize};

use crate::args::{Args, DeviceArg};
use crate::dataset::Dataset;
use crate::method::{PAPER, with_settings};

/// Everything that the numbers of a run depend on, beside method, normal class and seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    pub puad_version: String,
    pub epochs: u32,
    pub patience: Option<u32>,
    pub batch_size: usize,
    pub alpha: ClassPrior,
    pub head: puad::net::Head,
    pub weighting: GroupWeighting,
    pub selection: Selection,
    pub noise: f64,
    pub device: String,
}

/// The runs asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    pub dataset: Dataset,
    pub normals: Vec<u8>,
    pub seeds: Vec<u64>,
    pub methods: Vec<Method>,
    pub config: RunConfig,
    pub device: Device,
    jobs: Option<NonZeroUsize>,
}

fn or_default<T: Clone + Ord>(given: &[T], default: Vec<T>) -> Vec<T> {
    let mut chosen = if given.is_empty() {
        default
    } else {
        given.to_vec()
    };
    chosen.sort();
    chosen.dedup();
    chosen
}

/// Those asked for, each once, or the paper's.
fn methods(given: &[Method]) -> Vec<Method> {
    let paper = PAPER;
    let mut chosen: Vec<Method> = vec![];
    for method in if given.is_empty() { &paper } else { given } {
        if !chosen.contains(method) {
            chosen.push(method.clone());
        }
    }
    chosen
}

impl Plan {
    pub fn new(args: &Args) -> anyhow::Result<Self> {
        let dataset = args.dataset;
        let device = match args.device {
            DeviceArg::Cpu => Device::Cpu,
            DeviceArg::Cuda => {
                ensure!(
                    puad::candle_core::utils::cuda_is_available(),
                    "--device cuda needs a build with `--features cuda` and an NVIDIA GPU"
                );
                Device::new_cuda(0)?
            }
        };
        let config = RunConfig {
            puad_version: env!("CARGO_PKG_VERSION").into(),
            epochs: args.epochs.unwrap_or(dataset.default_epochs()),
            patience: args.patience,
            batch_size: TrainConfig::paper().batch_size,
            alpha: ClassPrior::new(args.alpha)?,
            head: args.head.into(),
            weighting: args.weighting.into(),
            selection: args.selection.into(),
            noise: args.noise,
            device: format!("{:?}", args.device).to_lowercase(),
        };
        let normals = or_default(&args.normal, dataset.default_normals());
        for &normal in &normals {
            dataset.protocol(normal)?;
        }
        let plan = Self {
            dataset,
            normals,
            seeds: or_default(&args.seeds, dataset.default_seeds()),
            methods: methods(&args.methods),
            config,
            device,
            jobs: args.jobs,
        };
        for pair in plan.methods.iter().filter_map(Method::pair) {
            Method::Network(plan.pair(pair)).check()?;
        }
        Ok(plan)
    }

    /// How many of `runs` are done at a time.
    pub fn workers(&self, runs: usize) -> usize {
        let default = if self.device.is_cpu() {
            rayon::current_num_threads()
        } else {
            1
        };
        let most = self.jobs.map_or(default, NonZeroUsize::get);
        most.clamp(1, runs.max(1))
    }

    /// A method with this run's settings.
    pub fn pair(&self, pair: &Pair) -> Pair {
        with_settings(pair, self.config.weighting, self.config.noise)
    }

    /// Cells in the order in which they are run: a normal class and a seed.
    pub fn cells(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        let seeds = self.seeds.iter().copied();
        seeds.flat_map(|seed| self.normals.iter().map(move |&normal| (normal, seed)))
    }

    /// The hyperparameters of a training phase.
    pub fn training(&self, seed: u64, selection: Selection) -> TrainConfig {
        TrainConfig {
            epochs: self.config.epochs as usize,
            patience: self.config.patience.map(|p| p as usize),
            batching: Batching::Pooled,
            selection,
            seed,
            ..TrainConfig::paper()
        }
    }

    /// How this run departs from section 5, or `None` where it does not.
    pub fn reduction(&self) -> Option<String> {
        let full =
            |d: Dataset| self.normals == d.default_normals() && self.seeds == d.default_seeds();
        let paper = self.dataset != Dataset::Glyphs
            && full(self.dataset)
            && self.config.epochs == 200
            && self.config.patience.is_none();
        (!paper).then(|| {
            let patience = match self.config.patience {
                Some(patience) => format!(" (patience {patience})"),
                None => String::new(),
            };
            format!(
                "reduced protocol: normal classes {:?}, seeds {:?}, at most {} epochs a phase{patience}; \
                 the paper: all classes, 5 seeds, 200 epochs",
                self.normals, self.seeds, self.config.epochs,
            )
        })
    }
}
