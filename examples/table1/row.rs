use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::alpha::EstimatedAlpha;
use crate::common::place::place;
use crate::dataset::Dataset;
use crate::method::Contender;
use crate::protocol::RunConfig;

/// The numerics version: raised with every change of the crate or of this example after which a run of the same
/// settings on the same kind of processor gives other numbers. Rows of different versions are not averaged.
pub const NUMERICS: u32 = 1;

/// A finished run: one line of the file. It was measured, or it failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub dataset: Dataset,
    pub method: Contender,
    pub normal: u8,
    pub seed: u64,
    /// Normals against all anomalies of the test set (Tables 1 and 2).
    pub auroc: Option<f64>,
    /// Against the seen ones (Tables 3 and 5).
    pub auroc_seen: Option<f64>,
    /// Against the unseen ones (Tables 4 and 6).
    pub auroc_unseen: Option<f64>,
    /// Why there is nothing to measure: the training diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Epochs run in the last phase, 0 for a method without epochs.
    pub epochs: usize,
    /// The epoch whose parameters were measured.
    pub best_epoch: usize,
    /// The training risk of the last epoch.
    pub last_risk: Option<f64>,
    pub config: RunConfig,
    /// With an alpha that was to be estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_alpha: Option<EstimatedAlpha>,
    pub numerics: u32,
    pub made: Made,
}

/// How a row came to be; no table shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub puad_version: String,
    /// Of the checkout that the program was built in, with `-dirty` where it was changed since.
    pub commit: Option<String>,
    /// Kind of processor.
    pub host: String,
    /// Threads of the run.
    pub threads: usize,
    /// Seconds of training; of an SVDD's, the second phase.
    pub seconds: f64,
    /// Seconds of the pre-training that the SVDD methods share.
    pub pretraining_seconds: f64,
}

impl Made {
    pub fn now(threads: usize, seconds: f64, pretraining_seconds: f64) -> Self {
        let (commit, host) = place();
        Self {
            puad_version: env!("CARGO_PKG_VERSION").into(),
            commit,
            host,
            threads,
            seconds,
            pretraining_seconds,
        }
    }
}

/// What tells a run from the others of its numerics version.
pub type Key = (Dataset, Contender, u8, u64, String);

impl Row {
    pub fn key(&self) -> Key {
        key(
            self.dataset,
            &self.method,
            self.normal,
            self.seed,
            &self.config,
        )
    }

    fn measured(&self) -> [Option<f64>; 3] {
        [self.auroc, self.auroc_seen, self.auroc_unseen]
    }

    /// What was measured, to the bit.
    pub fn bits(&self) -> [Option<u64>; 3] {
        self.measured().map(|auroc| auroc.map(f64::to_bits))
    }

    /// What came of it, in a line.
    pub fn told(&self) -> String {
        let Self {
            dataset,
            method,
            normal,
            seed,
            auroc,
            failed,
            ..
        } = self;
        let outcome = match (auroc, failed) {
            (Some(auroc), None) => format!("AUROC {auroc:.3}"),
            (_, failed) => failed.clone().unwrap_or_default(),
        };
        let dataset = dataset.title();
        format!("{dataset}, {method}, class {normal}, seed {seed}: {outcome}")
    }

    /// # Errors
    /// If it has neither all numbers nor a reason why there are none, or both.
    pub fn check(&self) -> anyhow::Result<()> {
        let expected = self.failed.is_none();
        ensure!(
            self.measured()
                .iter()
                .all(|auroc| auroc.is_some() == expected),
            "a row has auroc, auroc_seen and auroc_unseen, or failed says why there are none"
        );
        Ok(())
    }
}

pub fn key(dataset: Dataset, method: &Contender, normal: u8, seed: u64, config: &RunConfig) -> Key {
    let config = serde_json::to_string(config).unwrap_or_default();
    (dataset, method.clone(), normal, seed, config)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::plan::Plan;

    pub fn row(plan: &Plan, method: &str) -> Row {
        Row {
            dataset: plan.dataset,
            method: method.parse().unwrap(),
            normal: 1,
            seed: 0,
            auroc: Some(0.1 + 0.2),
            auroc_seen: Some(0.5),
            auroc_unseen: Some(1.0),
            failed: None,
            epochs: 3,
            best_epoch: 2,
            last_risk: Some(0.5),
            config: plan.config.clone(),
            estimated_alpha: None,
            numerics: NUMERICS,
            made: Made::now(1, 0.25, 0.),
        }
    }

    /// Rows of a method, each a normal class, a seed and one AUROC for all kinds.
    pub fn rows(plan: &Plan, method: &str, runs: &[(u8, u64, f64)]) -> Vec<Row> {
        let row = |&(normal, seed, auroc): &(u8, u64, f64)| Row {
            normal,
            seed,
            auroc: Some(auroc),
            auroc_seen: Some(auroc),
            auroc_unseen: Some(auroc),
            ..row(plan, method)
        };
        runs.iter().map(row).collect()
    }

    /// The same run, if its training had diverged.
    pub fn diverged(row: Row) -> Row {
        Row {
            auroc: None,
            auroc_seen: None,
            auroc_unseen: None,
            failed: Some("training diverged".into()),
            last_risk: None,
            ..row
        }
    }

    #[test]
    fn a_row_reads_as_it_was_written() {
        let plan = Plan::of(&["--dataset", "cifar10"]);
        for method in ["PUSVDD", "PNAE", "rotation/pu", "IF"] {
            let row = row(&plan, method);
            let json = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
            // As rows were written before there was one of a failed run.
            assert!(!json.contains("failed"), "{json}");
            let failed = diverged(row);
            let json = serde_json::to_string(&failed).unwrap();
            assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), failed);
        }
    }

    #[test]
    fn a_finished_run_is_a_line() {
        let row = row(&Plan::of(&["--dataset", "mnist"]), "PUAE");
        assert_eq!(row.told(), "MNIST, PUAE, class 1, seed 0: AUROC 0.300");
        let text = "MNIST, PUAE, class 1, seed 0: training diverged";
        assert_eq!(diverged(row).told(), text);
    }

    #[test]
    fn a_row_is_measured_or_failed() {
        let row = row(&Plan::of(&[]), "AE");
        let failed = diverged(row.clone());
        assert!(row.check().is_ok() && failed.check().is_ok());
        let neither = Row {
            failed: None,
            ..failed.clone()
        };
        let both = Row {
            auroc_seen: Some(0.5),
            ..failed
        };
        assert!(neither.check().is_err() && both.check().is_err());
    }
}
