use std::num::NonZeroUsize;

use anyhow::ensure;

use crate::alpha::Alpha;
use crate::args::Args;
use crate::method::Contender;
use crate::plan::Plan;
use crate::row::Row;
use crate::shard::Shard;
use crate::view::{View, contamination};
use puad::data::protocol::ContaminatedSplit;

/// Figure 2's axis.
const ALPHAS: [f64; 8] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5];

/// Figure 4's axis.
const UNLABELED_ANOMALIES: [usize; 5] = [50, 125, 250, 500, 1000];

/// The runs asked for.
#[derive(Clone, Debug)]
pub struct Study {
    pub plans: Vec<Plan>,
    shard: Shard,
    jobs: Option<NonZeroUsize>,
}

impl Study {
    pub fn new(args: &Args) -> anyhow::Result<Self> {
        let view = View::of(args);
        let args = &match view {
            View::Comparison(comparison) => comparison.defaults(args),
            _ => args.clone(),
        };
        let datasets = if args.dataset.is_empty() {
            view.datasets()
        } else {
            args.dataset.clone()
        };
        let mut plans = vec![];
        view.check(&datasets)?;
        for dataset in datasets {
            let mut plan = Plan::new(args, dataset, default_methods(view)?)?;
            if view.is_sweep() && args.normal.is_empty() {
                plan.normals = plan.normals[..1].into();
            }
            for (alpha, anomalies) in points(args, view)? {
                let plan = plan.with(alpha, anomalies);
                match view {
                    View::Comparison(comparison) => {
                        plans.extend(comparison.plans(&plan, args.methods.is_empty()));
                    }
                    _ => plans.push(plan),
                }
            }
        }
        ensure!(
            !plans.is_empty(),
            "{} has no line of {}",
            view.title(),
            args.methods.join(", ")
        );
        Ok(Self {
            plans,
            shard: args.shard.unwrap_or(Shard::WHOLE),
            jobs: args.jobs,
        })
    }

    /// The shard's cells in their stable order: the plan, a normal class and a seed. Which methods are run
    /// changes nothing about it.
    pub fn cells(&self) -> Vec<(&Plan, u8, u64)> {
        let all = self
            .plans
            .iter()
            .flat_map(|plan| plan.cells().map(move |(normal, seed)| (plan, normal, seed)));
        let mine = all.enumerate().filter(|(i, _)| self.shard.has(*i));
        mine.map(|(_, cell)| cell).collect()
    }

    /// Whether the row is one of this study's, of whichever shard: a resumed file may hold others.
    pub fn has(&self, row: &Row) -> bool {
        self.plans.iter().any(|plan| {
            plan.dataset == row.dataset
                && plan.config == row.config
                && plan.methods.contains(&row.method)
                && plan.normals.contains(&row.normal)
                && plan.seeds.contains(&row.seed)
        })
    }

    /// How many of `runs` are done at a time.
    pub fn workers(&self, runs: usize) -> usize {
        let on_cpu = self.plans.iter().all(|plan| plan.device.is_cpu());
        let default = if on_cpu {
            rayon::current_num_threads()
        } else {
            1
        };
        let most = self.jobs.map_or(default, NonZeroUsize::get);
        most.clamp(1, runs.max(1))
    }
}

fn default_methods(view: View) -> anyhow::Result<Vec<Contender>> {
    Ok(match view {
        View::Comparison(_) => vec![],
        View::Alpha | View::Contamination => vec!["PUSVDD".parse()?, "SOEL".parse()?],
        _ => Contender::paper(),
    })
}

/// Class priors with the numbers of unlabeled anomalies that they go with.
fn points(args: &Args, view: View) -> anyhow::Result<Vec<(Alpha, usize)>> {
    let usual = ContaminatedSplit::default().unlabeled_anomalies;
    let (alphas, counts) = (&args.alpha, &args.unlabeled_anomalies);
    ensure!(
        alphas.len() <= 1 || view == View::Alpha,
        "--alpha takes several values with --figure 2 alone, got {}",
        listed(alphas)
    );
    ensure!(
        view != View::Alpha || !alphas.contains(&Alpha::Auto),
        "--figure 2 is drawn along numbers: leave auto out of --alpha"
    );
    ensure!(
        counts.len() <= 1 || view == View::Contamination,
        "--unlabeled-anomalies takes several values with --figure 4 alone, got {counts:?}"
    );
    let count = counts.first().copied().unwrap_or(usual);
    Ok(match view {
        View::Alpha if alphas.is_empty() => {
            let point = |alpha| Ok((Alpha::given(alpha)?, count));
            ALPHAS
                .into_iter()
                .map(point)
                .collect::<anyhow::Result<_>>()?
        }
        View::Alpha => alphas.iter().map(|&alpha| (alpha, count)).collect(),
        View::Contamination => {
            ensure!(
                alphas.is_empty(),
                "--figure 4 takes the true alpha of every number of unlabeled anomalies: leave --alpha out"
            );
            let asked = if counts.is_empty() {
                &UNLABELED_ANOMALIES[..]
            } else {
                counts
            };
            let true_alpha = |&n: &usize| Ok((Alpha::given(contamination(n))?, n));
            asked
                .iter()
                .map(true_alpha)
                .collect::<anyhow::Result<_>>()?
        }
        _ => vec![(alphas.first().copied().unwrap_or_default(), count)],
    })
}

fn listed(alphas: &[Alpha]) -> String {
    let texts: Vec<String> = alphas.iter().map(Alpha::to_string).collect();
    texts.join(",")
}

#[cfg(test)]
impl Study {
    pub fn of(extra: &[&str]) -> Self {
        use clap::Parser;

        let args = ["table1"].iter().chain(extra);
        Self::new(&Args::parse_from(args)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use clap::Parser;

    fn cells(extra: &[&str]) -> Vec<(Dataset, f64, u8, u64)> {
        let study = Study::of(extra);
        let cells = study.cells().into_iter();
        cells
            .map(|(plan, normal, seed)| {
                (
                    plan.dataset,
                    plan.config.alpha.number().unwrap(),
                    normal,
                    seed,
                )
            })
            .collect()
    }

    #[test]
    fn shards_share_out_the_cells_whatever_the_methods() {
        let arguments = ["--table", "1", "--methods", "AE", "--shard"];
        let shard = |text| cells(&[&arguments[..], &[text]].concat());
        let whole = cells(&["--table", "1"]);
        assert_eq!(whole.len(), 4 * 9 * 5);
        let mut parts = [shard("1/3"), shard("2/3"), shard("3/3")].concat();
        assert_eq!(shard("2/3")[0], whole[1]);
        parts.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let mut sorted = whole;
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(parts, sorted);
    }

    #[test]
    fn tables_and_figures_name_their_runs() {
        let datasets = |extra: &[&str]| {
            let mut sets: Vec<Dataset> = cells(extra).iter().map(|cell| cell.0).collect();
            sets.dedup();
            sets
        };
        use Dataset::*;
        assert_eq!(datasets(&[]), [Glyphs, GlyphsNear]);
        let last = [Cifar100, Pathmnist, Octmnist, Tissuemnist];
        assert_eq!(datasets(&["--table", "6"]), last);
        assert_eq!(cells(&["--table", "2"]).len(), 5 * (1 + 8 + 1 + 7));
        let figure = cells(&["--figure", "2", "--dataset", "mnist", "--seeds", "0"]);
        assert_eq!(figure.len(), ALPHAS.len());
        assert!(figure.iter().all(|cell| cell.2 == 1));
        let study = Study::of(&["--figure", "4", "--dataset", "mnist"]);
        let plan = &study.plans[2].config;
        assert_eq!(
            (plan.unlabeled_anomalies, plan.alpha.number()),
            (250, Some(250. / 4750.))
        );
        assert_eq!(Study::of(&["--protocol", "reduced"]).plans[0].seeds, [0]);
    }

    #[test]
    fn a_comparison_has_its_own_protocol_and_lines() {
        let plans = |extra: &[&str]| Study::of(extra).plans;
        // Whatever protocol the other tables have.
        let fixed = plans(&["--table", "corrections", "--protocol", "reduced"]);
        let config = &fixed[3].config;
        assert_eq!((fixed.len(), config.epochs, config.patience), (4, 20, None));
        assert_eq!(
            (&fixed[3].normals, &fixed[3].seeds),
            (&vec![1, 4, 8], &vec![0])
        );
        assert_eq!(config.correction, puad::objective::Correction::None);
        assert_eq!(fixed[3].methods.len(), 2);
        let few = plans(&[
            "--table",
            "corrections",
            "--methods",
            "PUAE",
            "--epochs",
            "1",
        ]);
        assert_eq!((few[0].methods.len(), few[0].config.epochs), (1, 1));
        let paper = plans(&["--table", "pnu", "--protocol", "paper"]);
        assert_eq!((paper[0].seeds.len(), paper[0].config.epochs), (5, 200));
        let parse = |text: &str| Args::try_parse_from(["table1", "--table", text]);
        assert!(parse("6").is_ok() && parse("pnu").is_ok());
        for wrong in ["0", "7", "pnus"] {
            assert!(parse(wrong).unwrap_err().to_string().contains("1 to 6"));
        }
        for wrong in ["much", "1.5"] {
            let error = Args::try_parse_from(["table1", "--alpha", wrong]).unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_an_error() {
        for (arguments, told) in [
            ("--alpha 0.1,0.2", "--figure 2 alone"),
            ("--unlabeled-anomalies 1,2", "--figure 4 alone"),
            ("--figure 4 --alpha 0.2", "leave --alpha out"),
            ("--table 1 --dataset cifar100", "no column for cifar100"),
            ("--normal 12", "--normal must be one of"),
            ("--methods PUSVD", "method"),
            ("--figure 2 --alpha 0.1,auto", "along numbers"),
            ("--figure 4 --alpha auto", "leave --alpha out"),
            ("--labeled-normals 250", "go together, got 250 and 1"),
            ("--pnu-weight 0.5", "go together, got 0 and 0.5"),
            ("--pnu-weight=-1 --labeled-normals 2", "in [0, 1]"),
            ("--table loe --methods AE", "has no line"),
        ] {
            let args = Args::parse_from(format!("table1 {arguments}").split(' '));
            let error = format!("{:#}", Study::new(&args).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }
}
