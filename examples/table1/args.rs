use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

use crate::alpha::Alpha;
use crate::choices::{
    CorrectionArg, DeviceArg, Format, HeadArg, LabelsArg, LossArg, Preset, SelectionArg, TableArg,
    WeightingArg,
};
use crate::dataset::Dataset;
use crate::shard::Shard;

/// Trains and compares the paper's methods on contaminated image data: Tables 1 to 6, the runs of Figures 2
/// and 4.
///
/// With no arguments: the built-in glyphs under two reduced protocols, about a minute on two cores.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// A table of the paper: its four data sets, all (1, 2), seen (3, 5) or unseen anomalies (4, 6). Tables 1,
    /// 3 and 4 are of the same runs, and 2, 5 and 6. Or a table that the paper has not, of MNIST's classes 1, 4
    /// and 8: corrections (the four of them), loe (inside PU and alone), pnu (labeled normals).
    #[arg(long, value_name = "1-6|corrections|loe|pnu")]
    pub table: Option<TableArg>,

    /// The runs of a figure of the paper: 2, AUROC of PUSVDD and SOEL against alpha; 4, against the number of
    /// unlabeled anomalies. `crates/puad-figures` draws them.
    #[arg(long, value_parser = ["2", "4"], conflicts_with = "table")]
    pub figure: Option<String>,

    /// Image sets [default: those of the table or figure; else both protocols of the glyphs].
    #[arg(long, value_enum, value_delimiter = ',')]
    pub dataset: Vec<Dataset>,

    /// Folder that holds a folder of each data set's name, such as mnist/.
    #[arg(long, env = "PUAD_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Fetch what is missing there, or else in the cache folder of the system; needs a build with
    /// `--features download`. PUAD_OFFLINE=1 opens no connection.
    #[arg(long)]
    pub download: bool,

    /// Defaults for --epochs, --patience and --seeds.
    #[arg(long, value_enum)]
    pub protocol: Option<Preset>,

    /// Normal classes, one run each [default: all but class 0; glyphs: 1,3,5,7,9; figures: 1]. CIFAR-100 and
    /// OCTMNIST have one task, named by its lowest normal class: 0 and 3.
    #[arg(long, value_delimiter = ',')]
    pub normal: Vec<u8>,

    /// Seeds of split, initial weights and shuffling [default: 0 to 4; glyphs: 0].
    #[arg(long, value_delimiter = ',')]
    pub seeds: Vec<u64>,

    /// Methods to run: IF, the names of puad::method (DAE, PUDAE, ...), pairs such as rotation/pu, PNAE and
    /// PNSVDD (eq. 8, on labeled normals), `paper` for the paper's ten, `extra` for the rows it has not
    /// [default: paper; figures: PUSVDD,SOEL].
    #[arg(long, value_delimiter = ',')]
    pub methods: Vec<String>,

    /// The most epochs of each training phase [default: 200; glyphs: 4].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,

    /// Epochs without a better one after which a phase stops [default: none].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub patience: Option<u32>,

    /// Class prior that the methods train with: the assumed share of anomalies among the unlabeled samples, or `auto`,
    /// for each cell the estimate from its unlabeled samples and labeled anomalies, as it is: a fit of the library
    /// trains with 0.1 at least. With --figure 2 several numbers
    /// [default: 0.1; figure 2: 0.01,0.02,0.05,0.1,0.2,0.3,0.4,0.5; figure 4: the true one].
    #[arg(long, value_delimiter = ',')]
    pub alpha: Vec<Alpha>,

    /// Anomalies among the unlabeled samples; with --figure 4 several [default: 250; figure 4:
    /// 50,125,250,500,1000].
    #[arg(long, value_delimiter = ',')]
    pub unlabeled_anomalies: Vec<usize>,

    /// How the encoder of the SVDD methods ends.
    #[arg(long, value_enum, default_value_t = HeadArg::NormAct)]
    pub head: HeadArg,

    /// How ABC and DeepSAD weigh labeled against unlabeled samples.
    #[arg(long, value_enum, default_value_t = WeightingArg::Pooled)]
    pub weighting: WeightingArg,

    /// What picks the best epoch of the methods that see labeled anomalies.
    #[arg(long, value_enum, default_value_t = SelectionArg::Risk)]
    pub selection: SelectionArg,

    /// What PUAE, PUDAE and PUSVDD do about a negative bracket (eq. 12).
    #[arg(long, value_enum, default_value_t = CorrectionArg::Absolute)]
    pub correction: CorrectionArg,

    /// Normals that are labeled, others than the unlabeled ones; with --pnu-weight below 1.
    #[arg(long, default_value_t = 0)]
    pub labeled_normals: usize,

    /// Weight of the unlabeled part of PU's risk against the labeled normals, in [0, 1].
    #[arg(long, default_value_t = 1.)]
    pub pnu_weight: f64,

    /// How LOE and SOEL, and PU with --loe-in-pu, count an unlabeled sample that they choose as an anomaly.
    #[arg(long, value_enum, default_value_t = LabelsArg::Hard)]
    pub loe_labels: LabelsArg,

    /// PU, PUAE, PUDAE and PUSVDD with latent outlier exposure on their unlabeled samples.
    #[arg(long)]
    pub loe_in_pu: bool,

    /// The loss of the PU classifier.
    #[arg(long, value_enum, default_value_t = LossArg::Sigmoid)]
    pub classifier_loss: LossArg,

    /// Adam's step size.
    #[arg(long, default_value_t = 1e-4)]
    pub learning_rate: f64,

    /// Standard deviation of the noise of DAE and PUDAE; pixels lie in [0, 1].
    #[arg(long, default_value_t = 0.1)]
    pub noise: f64,

    /// Where to train.
    #[arg(long, value_enum, default_value_t = DeviceArg::Cpu)]
    pub device: DeviceArg,

    /// Runs at a time, each on its share of the cores [default: one a core; with cuda: 1].
    #[arg(long)]
    pub jobs: Option<NonZeroUsize>,

    /// File to which one JSON row is appended per finished run; one process at a time.
    #[arg(long)]
    pub out: Option<PathBuf>,

    /// Go on with the file of --out: skip its finished runs.
    #[arg(long, requires = "out")]
    pub resume: bool,

    /// Runs in these files are finished too: they are not done again, and stand in the tables.
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "out")]
    pub known: Vec<PathBuf>,

    /// With --resume: do the runs again that failed, because their training diverged.
    #[arg(long, requires = "resume")]
    pub retry_failed: bool,

    /// The i-th of n parts of the runs, i from 1: whole cells (a normal class and a seed), each with all its
    /// methods. Every part has its own --out.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Train nothing: render the rows of these files together; --table, --dataset, --normal, --seeds and
    /// --methods choose among them.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with_all = ["out", "shard", "download"])]
    pub merge: Vec<PathBuf>,

    /// Render rows of different protocols or numerics versions together, and mark the cells.
    #[arg(long, requires = "merge")]
    pub mixed: bool,

    /// Train nothing: render docs/results.md from the rows in this folder; with --table or --figure that alone, of
    /// the data sets of --dataset.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["merge", "out", "shard"])]
    pub results: Option<PathBuf>,

    /// How the tables are printed.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    pub format: Format,
}
