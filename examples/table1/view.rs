use anyhow::ensure;
use puad::data::protocol::ContaminatedSplit;

use crate::args::Args;
use crate::choices::TableArg;
use crate::comparison::Comparison;
use crate::dataset::Dataset;
use crate::protocol::RunConfig;
use crate::row::Row;

/// Which anomalies the normals are measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    All,
    Seen,
    Unseen,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::All, Self::Seen, Self::Unseen];

    pub fn title(self) -> &'static str {
        match self {
            Self::All => "all anomalies",
            Self::Seen => "seen",
            Self::Unseen => "unseen",
        }
    }

    /// None of a run that failed.
    pub fn of(self, row: &Row) -> Option<f64> {
        match self {
            Self::All => row.auroc,
            Self::Seen => row.auroc_seen,
            Self::Unseen => row.auroc_unseen,
        }
    }
}

const FIRST: [Dataset; 4] = [
    Dataset::Mnist,
    Dataset::FashionMnist,
    Dataset::Svhn,
    Dataset::Cifar10,
];
const LAST: [Dataset; 4] = [
    Dataset::Cifar100,
    Dataset::Pathmnist,
    Dataset::Octmnist,
    Dataset::Tissuemnist,
];

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A table a data set: all, seen and unseen anomalies.
    Datasets,
    /// A table of the paper, 1 to 6.
    Table(u8),
    /// Figure 2: against alpha.
    Alpha,
    /// Figure 4: against the number of unlabeled anomalies.
    Contamination,
    /// A table that the paper has not: methods with settings.
    Comparison(Comparison),
}

impl View {
    pub fn of(args: &Args) -> Self {
        match (args.table, args.figure.as_deref()) {
            (Some(TableArg::Paper(number)), _) => Self::Table(number),
            (Some(TableArg::Comparison(comparison)), _) => Self::Comparison(comparison),
            (None, Some("2")) => Self::Alpha,
            (None, Some(_)) => Self::Contamination,
            (None, None) => Self::Datasets,
        }
    }

    pub fn title(self) -> String {
        let subject = match self {
            Self::Datasets => return "AUROC".into(),
            Self::Alpha => return "Figure 2: AUROC against alpha".into(),
            Self::Contamination => {
                return "Figure 4: AUROC against the number of unlabeled anomalies".into();
            }
            Self::Comparison(comparison) => return comparison.title().into(),
            Self::Table(1 | 2) => "AUROC",
            Self::Table(3 | 5) => "AUROC, seen anomalies",
            Self::Table(_) => "AUROC, unseen anomalies",
        };
        match self {
            Self::Table(number) => format!("Table {number}: {subject}"),
            _ => subject.into(),
        }
    }

    /// The data sets, where none is named.
    pub fn datasets(self) -> Vec<Dataset> {
        match self {
            Self::Datasets => vec![Dataset::Glyphs, Dataset::GlyphsNear],
            Self::Table(1 | 3 | 4) => FIRST.into(),
            Self::Table(_) => LAST.into(),
            Self::Comparison(_) => vec![Dataset::Mnist],
            Self::Alpha | Self::Contamination => [FIRST, LAST].concat(),
        }
    }

    pub fn has(self, dataset: Dataset) -> bool {
        match self {
            Self::Table(_) => self.datasets().contains(&dataset),
            _ => true,
        }
    }

    /// # Errors
    /// For a data set that it has not.
    pub fn check(self, datasets: &[Dataset]) -> anyhow::Result<()> {
        for &dataset in datasets {
            let (title, name) = (self.title(), dataset.name());
            ensure!(self.has(dataset), "{title} has no column for {name}");
        }
        Ok(())
    }

    /// Whether a row is one of the view's: Figure 2 has numbers, Figure 4 the true alpha alone, a comparison its settings.
    pub fn takes(self, row: &Row) -> bool {
        let truth = contamination(row.config.unlabeled_anomalies);
        self.has(row.dataset)
            && match self {
                Self::Alpha => row.config.alpha.number().is_some(),
                Self::Contamination => row.config.alpha.number() == Some(truth),
                Self::Comparison(comparison) => comparison.entry(row).is_some(),
                _ => true,
            }
    }

    /// The one column of a data set in a table of the paper.
    pub fn kind(self) -> Kind {
        match self {
            Self::Table(3 | 5) => Kind::Seen,
            Self::Table(4 | 6) => Kind::Unseen,
            _ => Kind::All,
        }
    }

    /// What a sweep is along.
    pub fn axis(self) -> &'static str {
        match self {
            Self::Contamination => "unlabeled anomalies",
            _ => "alpha",
        }
    }

    pub fn is_sweep(self) -> bool {
        matches!(self, Self::Alpha | Self::Contamination)
    }

    /// Whether its methods are marked against each other and stand beside the paper's numbers.
    pub fn is_marked(self) -> bool {
        matches!(self, Self::Datasets | Self::Table(_))
    }

    /// What tells the runs of a method on one split apart.
    pub fn point(self, config: &RunConfig) -> Option<String> {
        match self {
            Self::Comparison(_) => Some(config.tag()),
            Self::Alpha | Self::Contamination => {
                Some(format!("{} {}", config.alpha, config.unlabeled_anomalies))
            }
            Self::Datasets | Self::Table(_) => None,
        }
    }
}

/// The true class prior of a split with so many unlabeled anomalies.
pub fn contamination(unlabeled_anomalies: usize) -> f64 {
    let split = ContaminatedSplit {
        unlabeled_anomalies,
        ..ContaminatedSplit::default()
    };
    split.contamination()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alpha::Alpha;
    use crate::row::tests::row;
    use crate::study::Study;

    #[test]
    fn figure_4_takes_rows_with_the_true_alpha() {
        let study = Study::of(&["--figure", "4", "--dataset", "mnist"]);
        let other = Study::of(&["--figure", "2", "--dataset", "mnist"]);
        for plan in &study.plans {
            assert!(View::Contamination.takes(&row(plan, "SOEL")));
        }
        for plan in &other.plans {
            let row = row(plan, "SOEL");
            assert!(View::Alpha.takes(&row) && !View::Contamination.takes(&row));
        }
        let mut estimated = row(&other.plans[0], "SOEL");
        estimated.config.alpha = Alpha::Auto;
        assert!(!View::Alpha.takes(&estimated));
        assert!(!View::Table(2).takes(&row(&other.plans[0], "SOEL")));
    }
}
