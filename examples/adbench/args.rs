use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

use crate::cell::Setting;
use crate::part::Part;
use crate::report::{Format, Section};
use crate::shard::Shard;

/// Compares methods on tables of ADBench: sets, settings of labels and seeds, each a split that
/// tests/fixtures/splits.py has made.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// Folder of the splits: `python tests/fixtures/splits.py DATA/adbench DIR` makes it.
    #[arg(long, value_name = "DIR", env = "PUAD_SPLITS_DIR")]
    pub splits: Option<PathBuf>,

    /// Which sets: those that settings are chosen on, those that results are reported on, or all
    /// [default: choosing; with --merge: those that the rows are of].
    #[arg(long, value_enum)]
    pub part: Option<Part>,

    /// Sets by their names, of either part or none [default: those of --part].
    #[arg(long, value_delimiter = ',', conflicts_with = "part")]
    pub sets: Vec<String>,

    /// How labels are given [default: L10,L50,novel,unseen].
    #[arg(long, value_enum, ignore_case = true, value_delimiter = ',')]
    pub settings: Vec<Setting>,

    /// Seeds of the splits, 0 to 2, and of the fits [default: 0].
    #[arg(long, value_delimiter = ',')]
    pub seeds: Vec<u64>,

    /// Methods at their defaults: the names of puad::method (PUAE, extra-trees, ...), pairs such as
    /// denoising/semi-supervised, and `default`, what a fit takes where no method is named [default: Auto,PUForest,PUAE,PU,IF].
    #[arg(long, value_delimiter = ',')]
    pub methods: Vec<String>,

    /// Methods with other settings, a JSON object of names and settings of a fit:
    /// {"PUAE, prior 0.3": {"method": "PUAE", "prior": 0.3}}. Alone, without those of --methods' default.
    #[arg(long, value_name = "FILE")]
    pub configs: Option<PathBuf>,

    /// Runs at a time, each on its share of the cores [default: one a core]. Seconds of fits are those of so many.
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

    /// With --resume: do the runs again that failed.
    #[arg(long, requires = "resume")]
    pub retry_failed: bool,

    /// The i-th of n parts of the runs, i from 1: whole cells, each with all its methods. Every part has its own --out.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Train nothing: render the rows of these files together; --part, --sets, --settings, --seeds and --methods (by the
    /// names of the rows) choose among them.
    #[arg(
        long,
        visible_alias = "render",
        num_args = 1..,
        value_name = "FILE",
        conflicts_with_all = ["out", "shard", "configs"]
    )]
    pub merge: Vec<PathBuf>,

    /// Render rows of different settings or numerics versions of one method together, the more frequent ones first.
    #[arg(long, requires = "merge")]
    pub mixed: bool,

    /// Other libraries' numbers on the same splits, such as tests/fixtures/peers.csv; those on cells that there are rows of
    /// stand beside them.
    #[arg(long, value_name = "FILE")]
    pub peers: Option<PathBuf>,

    /// The method that the others are compared with [default: the first of --methods, else Auto].
    #[arg(long, value_name = "METHOD")]
    pub first: Option<String>,

    /// One section of the report [default: all; as CSV the numbers of every cell].
    #[arg(long, value_enum, value_name = "SECTION")]
    pub table: Option<Section>,

    /// How the report is printed.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    pub format: Format,
}
