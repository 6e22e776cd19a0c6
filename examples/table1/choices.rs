//! What the command line chooses from.

use std::str::FromStr;

use clap::ValueEnum;
use puad::detector::ClassifierLoss;
use puad::net::Head;
use puad::objective::{Correction, GroupWeighting, LoeLabels};
use puad::train::Selection;

use crate::comparison::Comparison;

/// A protocol by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Section 5: 200 epochs, no patience, seeds 0 to 4.
    Paper,
    /// That of results/: at most 60 epochs a phase, patience 15, seed 0.
    Reduced,
}

impl Preset {
    pub fn epochs(self) -> u32 {
        match self {
            Self::Paper => 200,
            Self::Reduced => 60,
        }
    }

    pub fn patience(self) -> Option<u32> {
        match self {
            Self::Paper => None,
            Self::Reduced => Some(15),
        }
    }

    pub fn seeds(self) -> Vec<u64> {
        match self {
            Self::Paper => (0..5).collect(),
            Self::Reduced => vec![0],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Markdown,
    Csv,
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
pub enum CorrectionArg {
    /// Its absolute value: eq. 13.
    Absolute,
    /// At least 0.
    Clamp,
    /// Kiryo et al.'s, which the PU classifier always has.
    NonNegative,
    /// Nothing: eq. 11.
    None,
}

impl From<CorrectionArg> for Correction {
    fn from(arg: CorrectionArg) -> Self {
        match arg {
            CorrectionArg::Absolute => Self::Absolute,
            CorrectionArg::Clamp => Self::Clamp,
            CorrectionArg::NonNegative => Self::NON_NEGATIVE,
            CorrectionArg::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LabelsArg {
    /// As an anomaly: Table 1's.
    Hard,
    /// As one half of each.
    Soft,
}

impl From<LabelsArg> for LoeLabels {
    fn from(arg: LabelsArg) -> Self {
        match arg {
            LabelsArg::Hard => Self::Hard,
            LabelsArg::Soft => Self::Soft,
        }
    }
}

/// A table on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableArg {
    /// The paper's, 1 to 6.
    Paper(u8),
    Comparison(Comparison),
}

impl FromStr for TableArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Comparison::ALL.into_iter();
        if let Some(comparison) = known.clone().find(|known| known.name() == text) {
            return Ok(Self::Comparison(comparison));
        }
        let number = text.parse().ok();
        let paper = number.filter(|number| (1..=6).contains(number));
        paper.map(Self::Paper).ok_or_else(|| {
            let names: Vec<&str> = known.map(Comparison::name).collect();
            format!("1 to 6, or one of {}, is wanted", names.join(", "))
        })
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LossArg {
    /// The published experiments'.
    Sigmoid,
    /// The cross-entropy.
    Logistic,
}

impl From<LossArg> for ClassifierLoss {
    fn from(arg: LossArg) -> Self {
        match arg {
            LossArg::Sigmoid => Self::Sigmoid,
            LossArg::Logistic => Self::Logistic,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceArg {
    Cpu,
    Cuda,
}
