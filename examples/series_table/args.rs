use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

use crate::common::shard::Shard;
use crate::recording::Set;

/// Compares detectors on time series with a few labeled events.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// Folder with series/ecg and series/nab.
    #[arg(long, value_name = "DIR", env = "PUAD_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Which series.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Set::Ecg, Set::Nab])]
    pub sets: Vec<Set>,

    /// What settings are chosen on: the training parts alone, halved in turn.
    #[arg(long)]
    pub choosing: bool,

    /// Series by a part of their names [default: all of the sets].
    #[arg(long, value_delimiter = ',')]
    pub series: Vec<String>,

    /// Methods by the names of puad::method, and MovVar.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "Auto,PUForest,PUAE,PUSVDD,PU,ABC,DeepSAD,pca,MovVar,IF,AE,DeepSVDD"
    )]
    pub methods: Vec<String>,

    /// Seeds of the labels and of the fits of an electrocardiogram; a series of NAB has the first.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 2])]
    pub seeds: Vec<u64>,

    /// The i-th of n parts of the runs, i from 1. Every part has its own --out.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Runs in these files are finished too: they are not done again, and stand in the tables.
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "out")]
    pub known: Vec<PathBuf>,

    /// Runs at a time, each on its share of the cores [default: one a core].
    #[arg(long)]
    pub jobs: Option<NonZeroUsize>,

    /// File to which one JSON row is appended per finished run; one process at a time.
    #[arg(long)]
    pub out: Option<PathBuf>,

    /// Go on with the file of --out: skip its finished runs.
    #[arg(long, requires = "out")]
    pub resume: bool,

    /// Train nothing: render the rows of these files together.
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "out")]
    pub merge: Vec<PathBuf>,
}
