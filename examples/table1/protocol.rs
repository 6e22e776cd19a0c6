use clap::Parser;
use puad::detector::ClassifierLoss;
use puad::net::Head;
use puad::objective::{Correction, GroupWeighting, LoeLabels};
use puad::optim::AdamConfig;
use puad::train::{Batching, Selection, TrainConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alpha::Alpha;
use crate::args::Args;
use crate::choices::Preset;
use crate::view::View;

/// Everything that the numbers of a run depend on, beside data set, method, normal class, seed and the
/// numerics version of the build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    pub epochs: u32,
    pub patience: Option<u32>,
    pub batch_size: usize,
    pub learning_rate: f64,
    pub alpha: Alpha,
    pub unlabeled_anomalies: usize,
    pub head: Head,
    pub weighting: GroupWeighting,
    pub selection: Selection,
    pub correction: Correction,
    pub classifier_loss: ClassifierLoss,
    pub noise: f64,
    pub device: String,
    // What rows of before did not have: none of it.
    #[serde(default)]
    pub labeled_normals: usize,
    #[serde(default = "one")]
    pub pnu_weight: f64,
    #[serde(default)]
    pub loe_labels: LoeLabels,
    #[serde(default)]
    pub loe_in_pu: bool,
}

fn one() -> f64 {
    1.
}

/// What tables compare, beside methods.
const COMPARED: [&str; 5] = [
    "correction",
    "labeled_normals",
    "loe_in_pu",
    "loe_labels",
    "pnu_weight",
];

impl RunConfig {
    /// What was asked for, of a data set with `epochs` of its own.
    pub fn new(args: &Args, epochs: u32) -> Self {
        let preset = args.protocol;
        Self {
            epochs: args.epochs.or(preset.map(Preset::epochs)).unwrap_or(epochs),
            patience: args.patience.or(preset.and_then(Preset::patience)),
            batch_size: TrainConfig::paper().batch_size,
            learning_rate: args.learning_rate,
            alpha: Alpha::default(),
            unlabeled_anomalies: 250,
            head: args.head.into(),
            weighting: args.weighting.into(),
            selection: args.selection.into(),
            correction: args.correction.into(),
            classifier_loss: args.classifier_loss.into(),
            noise: args.noise,
            device: format!("{:?}", args.device).to_lowercase(),
            labeled_normals: args.labeled_normals,
            pnu_weight: args.pnu_weight,
            loe_labels: args.loe_labels.into(),
            loe_in_pu: args.loe_in_pu,
        }
    }

    /// # Errors
    /// For labeled normals without a weight, and a weight without labeled normals.
    pub fn check(&self) -> anyhow::Result<()> {
        let (normals, weight) = (self.labeled_normals, self.pnu_weight);
        anyhow::ensure!(
            (normals > 0) == (weight < 1.),
            "--labeled-normals and a --pnu-weight below 1 go together, got {normals} and {weight}"
        );
        Ok(())
    }

    /// The same for all runs that share a pre-training: what it does not depend on is at its default.
    pub fn pretraining(&self) -> Self {
        let usual = Self::new(&Args::parse_from(["table1"]), self.epochs);
        Self {
            patience: self.patience,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            unlabeled_anomalies: self.unlabeled_anomalies,
            head: self.head,
            device: self.device.clone(),
            ..usual
        }
    }

    /// What tells it from the default among the settings that tables compare, for names of files.
    pub fn tag(&self) -> String {
        let usual = Self::new(&Args::parse_from(["table1"]), self.epochs).fields();
        let pairs = self.fields().into_iter().zip(usual);
        let others = pairs.filter(|(this, usual)| this != usual && COMPARED.contains(&&*this.0));
        let texts = others.map(|((name, value), _)| {
            let is_plain = |c: &char| c.is_alphanumeric() || "._".contains(*c);
            format!(
                "-{name}-{}",
                value.chars().filter(is_plain).collect::<String>()
            )
        });
        texts.collect()
    }

    /// The hyperparameters of a training phase.
    pub fn training(&self, seed: u64, selection: Selection) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs as usize,
            batch_size: self.batch_size,
            adam: AdamConfig {
                learning_rate: self.learning_rate,
                ..AdamConfig::paper()
            },
            patience: self.patience.map(|p| p as usize),
            batching: Batching::Pooled,
            selection,
            seed,
        }
    }

    /// Name and value of each field, as JSON has them.
    fn fields(&self) -> Vec<(String, String)> {
        let value = serde_json::to_value(self).unwrap_or_default();
        let fields = value.as_object().into_iter().flatten();
        fields
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect()
    }

    /// What differs in `other`: `name this -> that`.
    pub fn changes(&self, other: &Self) -> Vec<String> {
        let pairs = self.fields().into_iter().zip(other.fields());
        pairs
            .filter(|(this, that)| this.1 != that.1)
            .map(|((name, this), (_, that))| format!("{} {this} -> {that}", name.replace('_', " ")))
            .collect()
    }

    /// The settings in words, in one line: those that papers tell, and what is not as published. `view`'s axis is
    /// left out.
    pub fn describe(&self, view: View) -> String {
        let patience = match self.patience {
            Some(patience) => format!("patience {patience}"),
            None => "no patience".into(),
        };
        let plural = if self.epochs == 1 { "" } else { "s" };
        let mut text = format!("at most {} epoch{plural} a phase, {patience}", self.epochs);
        if !view.is_sweep() {
            text += &match self.alpha.number() {
                Some(alpha) => format!(", alpha {}", format!("{alpha:.4}").trim_end_matches('0')),
                None => ", alpha estimated in each cell".into(),
            };
        }
        let published = Self::new(&Args::parse_from(["table1"]), self.epochs).fields();
        let told = ["epochs", "patience", "alpha"];
        let always = ["head", "weighting", "selection"];
        for (field, default) in self.fields().into_iter().zip(published) {
            let name = field.0.as_str();
            let is_axis = view == View::Contamination && name == "unlabeled_anomalies";
            let is_told = always.contains(&name) || field != default;
            if is_told && !is_axis && !told.contains(&name) {
                text += &format!(", {} {}", name.replace('_', " "), field.1);
            }
        }
        text
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_name() {
        let config = |extra: &[&str]| {
            let args = ["table1"].iter().chain(extra);
            RunConfig::new(&Args::parse_from(args), 200)
        };
        let reduced = config(&["--protocol", "reduced"]);
        assert_eq!((reduced.epochs, reduced.patience), (60, Some(15)));
        assert_eq!(reduced.changes(&reduced), Vec::<String>::new());
        let paper = config(&["--protocol", "paper", "--head", "linear"]);
        assert_eq!(
            reduced.changes(&paper),
            [
                "epochs 60 -> 200",
                "head norm_act -> linear",
                "patience 15 -> none"
            ]
        );
        // What is asked for by itself counts more.
        assert_eq!(
            config(&["--protocol", "reduced", "--epochs", "3"]).epochs,
            3
        );
        let text = "at most 60 epochs a phase, patience 15, alpha 0.1, head norm_act, selection risk, \
                    weighting pooled";
        assert_eq!(reduced.describe(View::Datasets), text);
        let noisy = config(&["--noise", "0.2", "--epochs", "3"]);
        let text = "at most 3 epochs a phase, no patience, head norm_act, noise 0.2, selection risk, \
                    weighting pooled";
        assert_eq!(noisy.describe(View::Alpha), text);
    }

    #[test]
    fn rows_of_before_read_and_runs_that_share_a_pretraining_are_told() {
        let config = |extra: &[&str]| {
            let args = ["table1"].iter().chain(extra);
            RunConfig::new(&Args::parse_from(args), 200)
        };
        let usual = config(&[]);
        let mut json = serde_json::to_value(&usual).unwrap();
        let fields = json.as_object_mut().unwrap();
        for name in COMPARED.iter().filter(|name| **name != "correction") {
            fields.remove(*name).unwrap();
        }
        assert_eq!(serde_json::from_value::<RunConfig>(json).unwrap(), usual);
        assert_eq!(usual.tag(), "");

        let other = config(&["--correction", "non-negative", "--loe-labels", "soft"]);
        assert_eq!(
            other.tag(),
            "-correction-non_negativebeta0.0gamma1.0-loe_labels-soft"
        );
        assert_eq!(other.pretraining(), usual.pretraining());
        for changed in [["--epochs", "3"], ["--head", "linear"], ["--patience", "2"]] {
            assert_ne!(config(&changed).pretraining(), usual.pretraining());
        }
    }
}
