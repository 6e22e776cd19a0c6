use anyhow::ensure;
use puad::candle_core::Device;
use puad::data::protocol::ContaminatedSplit;
use puad::method::{Method, Pair};

use crate::alpha::Alpha;
use crate::args::Args;
use crate::choices::{DeviceArg, Preset};
use crate::dataset::Dataset;
use crate::method::{Contender, with_settings};
use crate::protocol::RunConfig;

/// Runs of one data set and configuration.
#[derive(Clone, Debug)]
pub struct Plan {
    pub dataset: Dataset,
    pub normals: Vec<u8>,
    pub seeds: Vec<u64>,
    pub methods: Vec<Contender>,
    pub config: RunConfig,
    pub device: Device,
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

/// Those asked for, each once, or the default.
pub fn methods(given: &[String], default: Vec<Contender>) -> puad::Result<Vec<Contender>> {
    let mut chosen: Vec<Contender> = vec![];
    for name in given {
        for contender in Contender::named(name)? {
            if !chosen.contains(&contender) {
                chosen.push(contender);
            }
        }
    }
    Ok(if given.is_empty() { default } else { chosen })
}

impl Plan {
    /// What `args` ask for on a data set, with its defaults but for the methods.
    pub fn new(args: &Args, dataset: Dataset, default: Vec<Contender>) -> anyhow::Result<Self> {
        let normals = or_default(&args.normal, dataset.default_normals());
        for &normal in &normals {
            dataset.task(normal)?;
        }
        let seeds = args.protocol.map(Preset::seeds);
        let plan = Self {
            dataset,
            normals,
            seeds: or_default(&args.seeds, seeds.unwrap_or(dataset.default_seeds())),
            methods: methods(&args.methods, default)?,
            config: RunConfig::new(args, dataset.default_epochs()),
            device: device(args.device)?,
        };
        plan.config.training(0, plan.config.selection).check()?;
        plan.config.check()?;
        for method in plan.methods.iter().filter(|method| !method.is_oracle()) {
            if let Some(pair) = method.method().pair() {
                Method::Network(plan.pair(pair)).check()?;
            }
        }
        Ok(plan)
    }

    /// The same with another class prior and another number of unlabeled anomalies.
    pub fn with(&self, alpha: Alpha, unlabeled_anomalies: usize) -> Self {
        let mut plan = self.clone();
        plan.config.alpha = alpha;
        plan.config.unlabeled_anomalies = unlabeled_anomalies;
        plan
    }

    /// A method with this run's settings.
    pub fn pair(&self, pair: &Pair) -> Pair {
        with_settings(pair, &self.config)
    }

    /// The split of section 5.1.
    pub fn protocol(&self, normal: u8) -> anyhow::Result<ContaminatedSplit> {
        Ok(ContaminatedSplit {
            unlabeled_anomalies: self.config.unlabeled_anomalies,
            labeled_normals: self.config.labeled_normals,
            ..ContaminatedSplit::from(&self.dataset.task(normal)?)
        })
    }

    /// Cells in the order in which they are run: a normal class and a seed.
    pub fn cells(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        let seeds = self.seeds.iter().copied();
        seeds.flat_map(|seed| self.normals.iter().map(move |&normal| (normal, seed)))
    }
}

fn device(arg: DeviceArg) -> anyhow::Result<Device> {
    Ok(match arg {
        DeviceArg::Cpu => Device::Cpu,
        DeviceArg::Cuda => {
            ensure!(
                puad::candle_core::utils::cuda_is_available(),
                "--device cuda needs a build with `--features cuda` and an NVIDIA GPU"
            );
            Device::new_cuda(0)?
        }
    })
}

#[cfg(test)]
impl Plan {
    /// The first plan of a command line.
    pub fn of(extra: &[&str]) -> Self {
        crate::study::Study::of(extra).plans.swap_remove(0)
    }
}
