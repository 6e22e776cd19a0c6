use anyhow::ensure;
use puad::prior::PriorEstimate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cell::{Cell, Setting};
use crate::common::record::Run;
use crate::made::Made;

/// The numerics version: raised with every change of the crate or of this example after which a run of the same
/// settings on the same kind of processor gives other numbers. Rows of different versions are not averaged.
pub const NUMERICS: u32 = 4;

/// A finished run: one line of the file. It was measured, or it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub set: String,
    pub setting: Setting,
    pub seed: u64,
    pub method: String,
    /// Of the test rows that count.
    pub auroc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Why there is nothing to measure: the error of the fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The estimate of the class prior, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<PriorEstimate>,
    /// The class prior that decisions follow.
    pub decision_prior: Option<f64>,
    /// The share of anomalies among the unlabeled rows.
    pub true_prior: f64,
    /// Epochs run in the last phase, 0 for a method without epochs.
    pub epochs: usize,
    /// What the fit noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The settings of the fit, but for the seed, and under `auto` what Auto stood for.
    pub config: Value,
    pub numerics: u32,
    pub made: Made,
}

impl Row {
    pub fn cell(&self) -> Cell {
        Cell {
            set: self.set.clone(),
            setting: self.setting,
            seed: self.seed,
        }
    }

    /// What came of it, in a line.
    pub fn told(&self) -> String {
        let outcome = match (self.auroc, self.average_precision, &self.failed) {
            (Some(auroc), Some(precision), None) => format!(
                "AUROC {auroc:.3}, average precision {precision:.3}, {:.1} s",
                self.made.seconds
            ),
            (_, _, failed) => failed.clone().unwrap_or_default(),
        };
        format!("{}, {}: {outcome}", self.cell(), self.method)
    }
}

/// What tells a run from the others: the settings as JSON last.
pub type Key = (Cell, String, String);

pub fn key(cell: &Cell, method: &str, settings: &Value) -> Key {
    (cell.clone(), method.into(), settings.to_string())
}

impl Run for Row {
    type Key = Key;
    type Measured = [Option<u64>; 2];
    const NUMERICS: u32 = NUMERICS;

    fn key(&self) -> Key {
        key(&self.cell(), &self.method, &self.config)
    }

    fn measured(&self) -> [Option<u64>; 2] {
        [self.auroc, self.average_precision].map(|value| value.map(f64::to_bits))
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
        let expected = self.failed.is_none();
        ensure!(
            self.measured()
                .iter()
                .all(|value| value.is_some() == expected),
            "a row has auroc and average_precision, or failed says why there are none"
        );
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::contender::Contender;

    /// A row of the set `tiny`.
    pub fn row(method: &str, setting: Setting, seed: u64, auroc: f64) -> Row {
        let contender = &Contender::all(&[method.into()], None).unwrap()[0];
        Row {
            set: "tiny".into(),
            setting,
            seed,
            method: contender.name.clone(),
            auroc: Some(auroc),
            average_precision: Some(auroc / 2.),
            failed: None,
            estimate: None,
            decision_prior: Some(0.1),
            true_prior: 0.05,
            epochs: 3,
            warnings: vec![],
            config: contender.settings(),
            numerics: NUMERICS,
            made: Made::now(1, 0.25, 0.),
        }
    }

    /// The same run, if its fit had failed.
    pub fn failed(row: Row) -> Row {
        Row {
            auroc: None,
            average_precision: None,
            failed: Some("training diverged".into()),
            ..row
        }
    }

    #[test]
    fn a_row_reads_as_it_was_written() {
        for method in ["PUAE", "IF", "default"] {
            let row = row(method, Setting::Novel, 2, 0.1 + 0.2);
            let json = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
            assert!(row.check().is_ok() && failed(row.clone()).check().is_ok());
            let neither = Row { auroc: None, ..row };
            assert!(neither.check().is_err());
        }
    }

    #[test]
    fn a_finished_run_is_a_line() {
        let row = row("PUAE", Setting::L10, 1, 0.75);
        let start = "tiny, L10, seed 1, PUAE: ";
        let told = format!("{start}AUROC 0.750, average precision 0.375, 0.2 s");
        assert_eq!(row.told(), told);
        assert_eq!(failed(row).told(), format!("{start}training diverged"));
    }
}
