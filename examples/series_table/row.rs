use anyhow::ensure;
use puad::series::Windows;
use serde::{Deserialize, Serialize};

use crate::common::record::Run;
use crate::made::Made;
use crate::recording::Set;

/// The numerics version: raised with every change of the crate or of this example after which a run on the same kind of
/// processor gives other numbers. Rows of different versions are not averaged.
pub const NUMERICS: u32 = 3;

/// A finished run: one line of the file. It was measured, or it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub set: Set,
    pub series: String,
    pub method: String,
    /// Labeled events; 0 for a method without a use for them.
    pub labels: usize,
    pub seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Why there is nothing measured: the error of the fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    pub windows: Windows,
    /// Events of the training part, labeled or not.
    pub events: usize,
    pub epochs: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    pub numerics: u32,
    pub made: Made,
}

/// On the test part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    pub vus_pr: f64,
    pub vus_roc: f64,
    /// Average precision of points.
    pub auc_pr: f64,
    pub auc_roc: f64,
    /// Events that a flagged point touches, as many points flagged as are anomalous, and how many there are.
    pub found: usize,
    pub events: usize,
}

/// What tells a run from the others.
pub type Key = (Set, String, String, usize, u64);

impl Run for Row {
    type Key = Key;
    type Measured = Option<Measured>;
    const NUMERICS: u32 = NUMERICS;

    fn key(&self) -> Key {
        let (series, method) = (self.series.clone(), self.method.clone());
        (self.set, series, method, self.labels, self.seed)
    }

    fn measured(&self) -> Option<Measured> {
        self.measured
    }

    fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    fn numerics(&self) -> u32 {
        self.numerics
    }

    fn host(&self) -> &str {
        &self.made.host
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.measured.is_some() == self.failed.is_none(),
            "a row is measured, or failed says why it is not"
        );
        Ok(())
    }
}
