use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use puad::net::Head;
use puad::objective::GroupWeighting;
use puad::train::Selection;

use crate::dataset::Dataset;
use puad::method::Method;

/// Trains and compares the paper's methods on contaminated image data (Tables 1 to 6).
///
/// With no arguments: the built-in glyphs under a reduced protocol, about a minute on two cores.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// The image set.
    #[arg(long, value_enum, default_value_t = Dataset::Glyphs)]
    pub dataset: Dataset,

    /// Folder that holds a folder of each data set's name, such as mnist/.
    #[arg(long, env = "PUAD_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Fetch what is missing there, or else in the cache folder of the system; needs a build with
    /// `--features download`. PUAD_OFFLINE=1 opens no connection.
    #[arg(long)]
    pub download: bool,

    /// Normal classes, one run each [default: all but class 0; glyphs: 1,3,5,7,9]. CIFAR-100 and OCTMNIST
    /// have one task, named by its lowest normal class: 0 and 3.
    #[arg(long, value_delimiter = ',')]
    pub normal: Vec<u8>,

    /// Seeds of split, initial weights and shuffling [default: 0 to 4; glyphs: 0].
    #[arg(long, value_delimiter = ',')]
    pub seeds: Vec<u64>,

    /// Methods to run: IF, the names of puad::method (DAE, PUDAE, ...), or pairs such as
    /// rotation/pu [default: the paper's ten].
    #[arg(long, value_delimiter = ',')]
    pub methods: Vec<Method>,

    /// The most epochs of each training phase [default: 200; glyphs: 8].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,

    /// Epochs without a better one after which a phase stops [default: none].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub patience: Option<u32>,

    /// Class prior: the assumed share of anomalies among the unlabeled samples.
    #[arg(long, default_value_t = 0.1)]
    pub alpha: f64,

    /// How the encoder of the SVDD methods ends.
    #[arg(long, value_enum, default_value_t = HeadArg::NormAct)]
    pub head: HeadArg,

    /// How ABC and DeepSAD weigh labeled against unlabeled samples.
    #[arg(long, value_enum, default_value_t = WeightingArg::Pooled)]
    pub weighting: WeightingArg,

    /// What picks the best epoch of the methods that see labeled anomalies.
    #[arg(long, value_enum, default_value_t = SelectionArg::Risk)]
    pub selection: SelectionArg,

    /// Standard deviation of the noise of DAE and PUDAE; pixels lie in [0, 1].
    #[arg(long, default_value_t = 0.1)]
    pub noise: f64,

    /// Where to train.
    #[arg(long, value_enum, default_value_t = DeviceArg::Cpu)]
    pub device: DeviceArg,

    /// Runs at a time, each on its share of the cores [default: one a core; with cuda: 1].
    #[arg(long)]
    pub jobs: Option<NonZeroUsize>,

    /// File to which one JSON row is appended per finished run.
    #[arg(long)]
    pub out: Option<PathBuf>,

    /// Go on with the file of --out: skip its finished runs.
    #[arg(long, requires = "out")]
    pub resume: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HeadArg {
    /// Batch norm and LeakyReLU, as in the published experiments.
    NormAct,
    /// Nothing, as in Ruff et al.'s DeepSVDD network.
    Linear,
}

impl From<HeadArg> for Head {
    fn from(arg: HeadArg) -> Self {
        match arg {
            HeadArg::NormAct => Self::NormAct,
            HeadArg::Linear => Self::Linear,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WeightingArg {
    /// One mean over all samples, as in the published experiments.
    Pooled,
    /// Each group its own mean: eq. 5 as printed.
    PerGroup,
}

impl From<WeightingArg> for GroupWeighting {
    fn from(arg: WeightingArg) -> Self {
        match arg {
            WeightingArg::Pooled => Self::Pooled,
            WeightingArg::PerGroup => Self::PerGroup,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SelectionArg {
    /// The lowest validation risk, as in the paper.
    Risk,
    /// The highest AUROC of labeled anomalies against unlabeled samples, on the validation set.
    PuAuroc,
}

impl From<SelectionArg> for Selection {
    fn from(arg: SelectionArg) -> Self {
        match arg {
            SelectionArg::Risk => Self::Risk,
            SelectionArg::PuAuroc => Self::PuAuroc,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceArg {
    Cpu,
    Cuda,
}
