/// What methods are compared by; larger is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Auroc,
    AveragePrecision,
}

impl Metric {
    pub const ALL: [Self; 2] = [Self::Auroc, Self::AveragePrecision];

    pub fn title(self) -> &'static str {
        match self {
            Self::Auroc => "AUROC",
            Self::AveragePrecision => "average precision",
        }
    }

    /// As columns of CSV have it.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Auroc => "auroc",
            Self::AveragePrecision => "average_precision",
        }
    }

    /// What a method may be behind the best without that being held against it.
    pub fn margin(self) -> f64 {
        match self {
            Self::Auroc => 0.01,
            Self::AveragePrecision => 0.02,
        }
    }
}
