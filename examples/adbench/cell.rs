//! What a method is measured on.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How labels are given. The order is that of tables.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize, Deserialize,
)]
pub enum Setting {
    #[value(name = "L5")]
    L5,
    #[value(name = "L10")]
    L10,
    #[value(name = "L20")]
    L20,
    #[value(name = "L50")]
    L50,
    /// Labels of one kind, tested on the others, which are unlabeled.
    #[serde(rename = "novel")]
    Novel,
    /// The same, the others in no training data.
    #[serde(rename = "unseen")]
    Unseen,
    /// 50 labels, a tenth of them on normals.
    #[serde(rename = "noise")]
    Noise,
}

impl Setting {
    /// What the benchmark is about.
    pub const USUAL: [Self; 4] = [Self::L10, Self::L50, Self::Novel, Self::Unseen];

    /// As files and tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::L5 => "L5",
            Self::L10 => "L10",
            Self::L20 => "L20",
            Self::L50 => "L50",
            Self::Novel => "novel",
            Self::Unseen => "unseen",
            Self::Noise => "noise",
        }
    }
}

/// A split: a set, a setting and a seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    pub set: String,
    pub setting: Setting,
    pub seed: u64,
}

impl Cell {
    /// The name of its files.
    pub fn stem(&self) -> String {
        format!("{}__{}__{}", self.set, self.setting.name(), self.seed)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, setting, seed } = self;
        write!(f, "{set}, {}, seed {seed}", setting.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_one_name_everywhere() {
        for &setting in Setting::value_variants() {
            let name = setting.name();
            assert_eq!(Setting::from_str(name, false), Ok(setting));
            let json = serde_json::to_string(&setting).unwrap();
            assert_eq!(json, format!("{name:?}"));
        }
    }
}
