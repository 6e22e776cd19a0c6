//! Tables that the paper has not: methods beside themselves with other settings, on MNIST.

use std::collections::BTreeSet;

use clap::Parser;
use puad::objective::{Correction, LoeLabels};

use crate::args::Args;
use crate::choices::Preset;
use crate::dataset::Dataset;
use crate::method::Contender;
use crate::plan::Plan;
use crate::protocol::RunConfig;
use crate::row::Row;

/// Fixed before any of the runs.
const NORMALS: [u8; 3] = [1, 4, 8];
const SEED: u64 = 0;
const LABELED_NORMALS: usize = 250;
const PNU_WEIGHTS: [f64; 2] = [0.5, 0.8];
/// Of the corrections, without patience: what an objective runs away to is seen at its end.
const EPOCHS: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// What is done about a negative bracket.
    Corrections,
    /// Latent outlier exposure inside the positive-unlabeled risk, against both alone.
    Loe,
    /// Labeled normals.
    Pnu,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Entry {
    pub title: String,
    pub method: Contender,
    pub config: RunConfig,
}

impl Entry {
    /// What its title tells beside the method.
    pub fn setting(&self) -> Option<&str> {
        self.title.split_once(", ").map(|(_, setting)| setting)
    }
}

impl Comparison {
    pub const ALL: [Self; 3] = [Self::Corrections, Self::Loe, Self::Pnu];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrections => "corrections",
            Self::Loe => "loe",
            Self::Pnu => "pnu",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Corrections => "The four corrections of a negative bracket",
            Self::Loe => "LOE inside PU",
            Self::Pnu => "PU with labeled normals (PNU)",
        }
    }

    /// What stands above the table.
    pub fn text(self) -> String {
        match self {
            Self::Corrections => {
                "Eq. 12's bracket as its absolute value (eq. 13), at least 0 (clamped), by Kiryo et al.'s step \
                 (non-negative), and as it is (eq. 11, uncorrected). The last column is the training risk of the last \
                 epoch, from the lowest to the highest of the runs."
                    .into()
            }
            Self::Loe => {
                "PUSVDD as it is, with latent outlier exposure on its unlabeled part, and LOE alone on the same \
                 pre-trained DeepSVDD."
                    .into()
            }
            Self::Pnu => format!(
                "{LABELED_NORMALS} labeled normals at the weight eta of the unlabeled part: \
                 `alpha L+_A + (1 - eta)(1 - alpha) L-_N + eta |L-_U - alpha L-_A|`. They are the next ones of the draw \
                 that gives the unlabeled normals, none of which is labeled; a tenth is held out for validation. The test \
                 set is the same with and without."
            ),
        }
    }

    /// The arguments, with what the table fixes where nothing else is asked for.
    pub fn defaults(self, args: &Args) -> Args {
        let mut args = args.clone();
        if args.normal.is_empty() {
            args.normal = NORMALS.into();
        }
        match self {
            // Whichever protocol the other tables have.
            Self::Corrections => {
                args.protocol = None;
                args.epochs.get_or_insert(EPOCHS);
            }
            Self::Loe | Self::Pnu => {
                args.protocol.get_or_insert(Preset::Reduced);
            }
        }
        if args.seeds.is_empty() && args.protocol != Some(Preset::Paper) {
            args.seeds = vec![SEED];
        }
        args
    }

    /// The protocol that was fixed.
    pub fn protocol(self) -> RunConfig {
        RunConfig::new(&self.defaults(&Args::parse_from(["table1"])), EPOCHS)
    }

    /// Whether a row is one of those that were fixed.
    pub fn is_fixed(self, row: &Row) -> bool {
        row.dataset == Dataset::Mnist
            && NORMALS.contains(&row.normal)
            && row.seed == SEED
            && self.base(&row.config) == self.protocol()
            && self.entry(row).is_some()
    }

    /// How many runs were fixed.
    pub fn runs(self) -> usize {
        self.entries(&self.protocol()).len() * NORMALS.len()
    }

    /// The configuration without what is compared.
    pub fn base(self, config: &RunConfig) -> RunConfig {
        let mut config = config.clone();
        match self {
            Self::Corrections => config.correction = Correction::Absolute,
            Self::Loe => (config.loe_in_pu, config.loe_labels) = (false, LoeLabels::Hard),
            Self::Pnu => (config.labeled_normals, config.pnu_weight) = (0, 1.),
        }
        config
    }

    /// The lines, under the protocol of `config`.
    pub fn entries(self, config: &RunConfig) -> Vec<Entry> {
        let base = self.base(config);
        let entry = |name: &str, setting: &str, config: RunConfig| {
            let method: Contender = name.parse().expect("a method's name");
            let title = match setting {
                "" => name.into(),
                setting => format!("{name}, {setting}"),
            };
            Entry {
                title,
                method,
                config,
            }
        };
        match self {
            Self::Corrections => {
                let all = [
                    ("absolute", Correction::Absolute),
                    ("clamped", Correction::Clamp),
                    ("non-negative", Correction::NON_NEGATIVE),
                    ("uncorrected", Correction::None),
                ];
                let of = |name| {
                    let base = &base;
                    all.map(|(setting, correction)| {
                        let base = base.clone();
                        entry(name, setting, RunConfig { correction, ..base })
                    })
                };
                [of("PUSVDD"), of("PUAE")].concat()
            }
            Self::Loe => {
                let with = |loe_in_pu, loe_labels| RunConfig {
                    loe_in_pu,
                    loe_labels,
                    ..base.clone()
                };
                use LoeLabels::{Hard, Soft};
                vec![
                    entry("PUSVDD", "", base.clone()),
                    entry("PUSVDD", "LOE hard", with(true, Hard)),
                    entry("PUSVDD", "LOE soft", with(true, Soft)),
                    entry("LOE", "hard", with(false, Hard)),
                    entry("LOE", "soft", with(false, Soft)),
                ]
            }
            Self::Pnu => {
                let of = |name| {
                    let mut lines = vec![entry(name, "", base.clone())];
                    lines.extend(PNU_WEIGHTS.map(|pnu_weight| {
                        let config = RunConfig {
                            labeled_normals: LABELED_NORMALS,
                            pnu_weight,
                            ..base.clone()
                        };
                        let setting = format!("{LABELED_NORMALS} normals, eta {pnu_weight}");
                        entry(name, &setting, config)
                    }));
                    lines
                };
                [of("PUSVDD"), of("PUAE")].concat()
            }
        }
    }

    /// The row's line.
    pub fn entry(self, row: &Row) -> Option<Entry> {
        let mut entries = self.entries(&row.config).into_iter();
        entries.find(|entry| entry.method == row.method && entry.config == row.config)
    }

    /// A plan a configuration, with the methods of its lines that `plan` has, or all.
    pub fn plans(self, plan: &Plan, all: bool) -> Vec<Plan> {
        let mut plans: Vec<Plan> = vec![];
        for entry in self.entries(&plan.config) {
            if !all && !plan.methods.contains(&entry.method) {
                continue;
            }
            match plans.iter_mut().find(|plan| plan.config == entry.config) {
                Some(plan) => plan.methods.push(entry.method),
                None => plans.push(Plan {
                    config: entry.config,
                    methods: vec![entry.method],
                    ..plan.clone()
                }),
            }
        }
        plans
    }
}

/// The normal classes of rows, ascending.
pub fn normals<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<u8> {
    let all: BTreeSet<u8> = rows.map(|row| row.normal).collect();
    all.into_iter().collect()
}
