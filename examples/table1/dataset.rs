use anyhow::Context;
use clap::ValueEnum;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::ContaminatedSplit;
use puad::data::tasks::{PaperDataset, Task};
use puad::data::{ImageShape, TrainTest};
use puad::net::{Head, LeNetConfig};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::fetch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dataset {
    /// Built-in digits drawn by code, 16x16.
    Glyphs,
    Mnist,
    FashionMnist,
    Svhn,
    Cifar10,
    Cifar100,
    Pathmnist,
    Octmnist,
    Tissuemnist,
}

impl Dataset {
    /// The set of section 5.1, where it is one.
    pub fn published(self) -> Option<PaperDataset> {
        Some(match self {
            Self::Glyphs => return None,
            Self::Mnist => PaperDataset::Mnist,
            Self::FashionMnist => PaperDataset::FashionMnist,
            Self::Svhn => PaperDataset::Svhn,
            Self::Cifar10 => PaperDataset::Cifar10,
            Self::Cifar100 => PaperDataset::Cifar100,
            Self::Pathmnist => PaperDataset::PathMnist,
            Self::Octmnist => PaperDataset::OctMnist,
            Self::Tissuemnist => PaperDataset::TissueMnist,
        })
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        self.published().map_or("glyphs", PaperDataset::name)
    }

    pub fn load(self, args: &Args) -> anyhow::Result<TrainTest> {
        let Some(published) = self.published() else {
            // The images are the same for every seed, as those of a published set are.
            return Ok(glyphs::generate(&GlyphConfig::default(), 0)?);
        };
        if args.download {
            return Ok(published.load(fetch::folder(published, args)?)?);
        }
        let name = self.name();
        let dir = args.data_dir.as_ref().ok_or_else(|| {
            anyhow::anyhow!(
                "{name} needs a folder with {name}/ in it: pass --data-dir, set PUAD_DATA_DIR, or \
                 fetch it with --download"
            )
        })?;
        Ok(published.load(dir.join(name))?)
    }

    /// The network: that of the paper, or a small one for the glyphs.
    pub fn network(self, head: Head) -> LeNetConfig {
        let paper = LeNetConfig {
            head,
            ..LeNetConfig::default()
        };
        match self {
            Self::Glyphs => LeNetConfig {
                channels: 1,
                height: 16,
                width: 16,
                blocks: vec![8, 16, 32],
                latent: 32,
                ..paper
            },
            _ => paper,
        }
    }

    /// What the images become before the network sees them.
    pub fn input(self) -> ImageShape {
        let network = self.network(Head::default());
        ImageShape {
            channels: network.channels,
            height: network.height,
            width: network.width,
        }
    }

    /// The tasks, each with its normal class; a set with several normal classes has one task, named
    /// by the lowest of them.
    fn tasks(self) -> Vec<Task> {
        // The glyphs are digits.
        self.published().unwrap_or(PaperDataset::Mnist).tasks()
    }

    /// The normal classes that a run can choose from.
    pub fn normals(self) -> Vec<u8> {
        self.tasks().iter().map(Task::key).collect()
    }

    /// The split of section 5.1.
    pub fn protocol(self, normal: u8) -> anyhow::Result<ContaminatedSplit> {
        let task = self.tasks().into_iter().find(|task| task.key() == normal);
        let task = task.with_context(|| {
            let (name, normals) = (self.name(), self.normals());
            format!("--normal must be one of {normals:?} with {name}, got {normal}")
        })?;
        Ok(ContaminatedSplit::from(&task))
    }

    pub fn default_normals(self) -> Vec<u8> {
        match self {
            Self::Glyphs => vec![1, 3, 5, 7, 9],
            _ => self.normals(),
        }
    }

    pub fn default_seeds(self) -> Vec<u64> {
        match self {
            Self::Glyphs => vec![0],
            _ => (0..5).collect(),
        }
    }

    pub fn default_epochs(self) -> u32 {
        match self {
            Self::Glyphs => 8,
            _ => 200,
        }
    }
}
