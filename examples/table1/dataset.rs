use std::path::PathBuf;

use clap::ValueEnum;
use puad::data::glyphs::{self, GlyphConfig};
use puad::data::protocol::ContaminatedSplit;
use puad::data::{ImageShape, TrainTest, cifar, mnist};
use puad::net::{Head, LeNetConfig};
use serde::{Deserialize, Serialize};

use crate::args::Args;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dataset {
    /// Built-in digits drawn by code, 16x16.
    Glyphs,
    Mnist,
    FashionMnist,
    Cifar10,
}

impl Dataset {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Glyphs => "glyphs",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar10",
        }
    }

    pub fn load(self, args: &Args) -> anyhow::Result<TrainTest> {
        let folder = || -> anyhow::Result<PathBuf> {
            let dir = args.data_dir.as_ref().ok_or_else(|| {
                anyhow::anyhow!(
                    "{} needs a folder with {}/ in it: pass --data-dir or set PUAD_DATA_DIR",
                    self.name(),
                    self.name()
                )
            })?;
            Ok(dir.join(self.name()))
        };
        Ok(match self {
            // The images are the same for every seed, as those of a published set are.
            Self::Glyphs => glyphs::generate(&GlyphConfig::default(), 0)?,
            Self::Mnist | Self::FashionMnist => mnist::load(folder()?)?,
            Self::Cifar10 => cifar::load_10(folder()?)?,
        })
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

    /// The split of section 5.1; its numbers are halved for the glyphs.
    pub fn protocol(self, normal: u8) -> ContaminatedSplit {
        let paper = ContaminatedSplit::new(normal);
        match self {
            Self::Glyphs => ContaminatedSplit {
                unlabeled_normals: 2250,
                unlabeled_anomalies: 125,
                labeled_anomalies: 125,
                ..paper
            },
            _ => paper,
        }
    }

    pub fn default_normals(self) -> Vec<u8> {
        match self {
            Self::Glyphs => vec![1, 8],
            _ => (1..10).collect(),
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
            Self::Glyphs => 10,
            _ => 200,
        }
    }
}
