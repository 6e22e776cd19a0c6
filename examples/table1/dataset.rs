use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::tasks::{PaperDataset, Task};
use puad::data::{ImageShape, TrainTest};
use puad::net::{Head, LeNetConfig};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::fetch;

/// Where Debian's package `dataset-fashion-mnist` puts the publisher's files.
const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dataset {
    /// Built-in digits drawn by code, 16x16, class 0 unseen.
    Glyphs,
    /// The same, with the normals' nearest classes unseen.
    GlyphsNear,
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
            Self::Glyphs | Self::GlyphsNear => return None,
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
        match self {
            Self::Glyphs => "glyphs",
            Self::GlyphsNear => "glyphs-near",
            other => other.published().map_or("", PaperDataset::name),
        }
    }

    /// As in the paper's tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Glyphs => "glyphs",
            Self::GlyphsNear => "glyphs-near",
            Self::Mnist => "MNIST",
            Self::FashionMnist => "FashionMNIST",
            Self::Svhn => "SVHN",
            Self::Cifar10 => "CIFAR10",
            Self::Cifar100 => "CIFAR100",
            Self::Pathmnist => "PathMNIST",
            Self::Octmnist => "OCTMNIST",
            Self::Tissuemnist => "TissueMNIST",
        }
    }

    /// Whether both are of the same images.
    pub fn same_images(self, other: Self) -> bool {
        self.published() == other.published()
    }

    pub fn load(self, args: &Args) -> anyhow::Result<TrainTest> {
        let Some(published) = self.published() else {
            // The images are the same for every seed, as those of a published set are.
            return Ok(glyphs::generate(&GlyphConfig::default(), 0)?);
        };
        if args.download {
            return Ok(published.load(fetch::folder(published, args)?)?);
        }
        Ok(published.load(self.folder(args)?)?)
    }

    /// Whether the files are there, before anything is trained on the sets before this one.
    ///
    /// # Errors
    /// What reading them gives.
    pub fn check_files(self, args: &Args) -> anyhow::Result<()> {
        let Some(published) = self.published().filter(|_| !args.download) else {
            return Ok(());
        };
        let folder = self.folder(args)?;
        if published.layout(&folder).is_none() {
            let name = self.name();
            let is_parquet = folder.join("train.parquet").exists();
            let hint = if is_parquet {
                "; its Parquet files need a build with `--features images,parquet`"
            } else {
                ""
            };
            published.load(folder).with_context(|| {
                format!("{name} is not all there; --dataset leaves it out{hint}")
            })?;
        }
        Ok(())
    }

    fn folder(self, args: &Args) -> anyhow::Result<PathBuf> {
        let name = self.name();
        let given = args.data_dir.as_ref().map(|dir| dir.join(name));
        let debian = PathBuf::from(DEBIAN);
        let is_there = given.as_ref().is_some_and(|dir| dir.is_dir());
        if self == Self::FashionMnist && !is_there && debian.is_dir() {
            return Ok(debian);
        }
        given.with_context(|| {
            format!(
                "{name} needs a folder with {name}/ in it: pass --data-dir, set PUAD_DATA_DIR, or \
                 fetch it with --download"
            )
        })
    }

    /// The network: that of the paper, or a small one for the glyphs.
    pub fn network(self, head: Head) -> LeNetConfig {
        let paper = LeNetConfig {
            head,
            ..LeNetConfig::default()
        };
        match self {
            Self::Glyphs | Self::GlyphsNear => LeNetConfig {
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
        match self {
            Self::GlyphsNear => glyphs::near_tasks(),
            // The glyphs are digits.
            other => other.published().unwrap_or(PaperDataset::Mnist).tasks(),
        }
    }

    /// The normal classes that a run can choose from.
    pub fn normals(self) -> Vec<u8> {
        self.tasks().iter().map(Task::key).collect()
    }

    /// What is normal, seen and unseen.
    pub fn task(self, normal: u8) -> anyhow::Result<Task> {
        let task = self.tasks().into_iter().find(|task| task.key() == normal);
        task.with_context(|| {
            let (name, normals) = (self.name(), self.normals());
            format!("--normal must be one of {normals:?} with {name}, got {normal}")
        })
    }

    pub fn default_normals(self) -> Vec<u8> {
        match self {
            Self::Glyphs | Self::GlyphsNear => vec![1, 3, 5, 7, 9],
            _ => self.normals(),
        }
    }

    pub fn default_seeds(self) -> Vec<u64> {
        match self {
            Self::Glyphs | Self::GlyphsNear => vec![0],
            _ => (0..5).collect(),
        }
    }

    pub fn default_epochs(self) -> u32 {
        match self {
            Self::Glyphs | Self::GlyphsNear => 4,
            _ => 200,
        }
    }
}
