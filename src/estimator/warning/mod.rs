mod text;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::Samples;
use crate::encoding::Encoding;
use crate::prior::PriorDoubt;

/// What scored samples go with.
pub(super) const OF_FIT: &str = "the fit's samples";

/// A column of vectors or a channel of images.
///
/// ```
/// use puad::estimator::Column;
///
/// let column = Column { index: 2, name: Some("heat".into()), channel: false };
/// assert_eq!(column.to_string(), "column 2 (\"heat\")");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Counted from 0.
    pub index: usize,
    /// Its name, where the data have names.
    pub name: Option<String>,
    /// Whether it is a channel.
    pub channel: bool,
}

impl Column {
    /// That of a table, of which the fit made numbers.
    pub(super) fn of_table(encoding: &Encoding, index: usize) -> Self {
        Self {
            index,
            name: encoding.columns().get(index).map(ToString::to_string),
            channel: false,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.channel { "channel" } else { "column" };
        write!(f, "{kind} {}", self.index)?;
        match &self.name {
            Some(name) => write!(f, " ({name:?})"),
            None => Ok(()),
        }
    }
}

/// What a fit or a scoring noticed without failing:
/// [`FittedDetector::warnings`](crate::FittedDetector::warnings) and
/// [`Detections::warnings`](super::Detections::warnings).
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Warning;
/// use puad::{ClassPrior, Estimator, FitConfig};
///
/// let mut toy = toy::generate(&ToyConfig::default(), 0)?;
/// // A mark for what was not measured.
/// for row in &mut toy.normals[..3] {
///     row[1] = -9999.;
/// }
/// let mut config = FitConfig { prior: ClassPrior::new(0.1)?.into(), ..FitConfig::default() };
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let [warning @ Warning::Sentinel { value: -9999., count: 3, .. }] = detector.warnings() else {
///     panic!("{:?}", detector.warnings());
/// };
/// assert!(warning.to_string().starts_with("column 1 is -9999.0 in 3 samples"));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Warning {
    /// One value of the unlabeled samples lies far from all others of its column, as a mark for a missing
    /// value does.
    Sentinel {
        /// Where.
        column: Column,
        /// The value.
        value: f64,
        /// How often it is there.
        count: u64,
        /// The smallest of the others.
        low: f64,
        /// The largest of the others.
        high: f64,
    },
    /// Values far outside of what the fit saw: by more than the width of its range, and of labeled samples
    /// by more than a hundred times that.
    FarOutside {
        /// `scored samples`, `anomalous samples` or `normal samples`.
        samples: String,
        /// Where.
        column: Column,
        /// How many values.
        count: u64,
        /// The farthest.
        value: f64,
        /// The smallest that the fit saw.
        low: f64,
        /// The largest that the fit saw.
        high: f64,
    },
    /// A column that is in another unit than the fit's, as cents for euros are: of its values that are not 0, twenty or more,
    /// nearly all are larger, or smaller, than nearly all of the fit's. Of a file its beginning is judged by.
    OtherUnit {
        /// `scored samples`.
        samples: String,
        /// Where.
        column: Column,
        /// About how many times as large.
        factor: f64,
    },
    /// Levels of a category that no training row had: they score by their rarity, that of a level in one row of one
    /// more.
    NewLevels {
        /// `scored samples`.
        samples: String,
        /// Where.
        column: Column,
        /// The first of them.
        level: String,
        /// In how many rows.
        count: u64,
    },
    /// Columns that were matched by their place, since names are known on one side alone: that of another order would
    /// not be noticed.
    ByPlace {
        /// `scored samples`, a labeled group such as `anomalous samples`, or a group of a validation set.
        samples: String,
        /// What they go with: `the fit's samples` or `the unlabeled samples`.
        with: String,
        /// Whether it is `samples` that have names.
        named: bool,
    },
    /// A column of amounts over orders of magnitude that are taken as they are: at least twenty different values,
    /// none negative, whose 99th percentile is a thousand times their first decile, zeros aside.
    WideRange {
        /// Where.
        column: Column,
        /// The first decile of the values that are not 0.
        low: f64,
        /// Their 99th percentile.
        high: f64,
    },
    /// A column of times that are taken as numbers, which go on.
    Instant {
        /// Where.
        column: Column,
    },
    /// A channel of a time series that has no value at some points, though it had one at all of the fit's; or at most
    /// points, though it has gaps. The value before stands there.
    NoValues {
        /// Which.
        column: Column,
        /// At how many points.
        count: u64,
        /// Of how many.
        points: u64,
    },
    /// Points of a time series that count as equally far apart, and are not.
    UnevenTimes {
        /// Steps that are longer than one and a half usual ones, or shorter than two thirds of one.
        count: u64,
        /// The median step, in seconds.
        usual: f64,
        /// The longest one, in seconds.
        longest: f64,
    },
    /// All samples of a group are of one block, which is parted all the same: what is held out was trained on in its like.
    OneBlock {
        /// `unlabeled samples`, `anomalous samples` or `normal samples`.
        samples: String,
        /// How many.
        count: u64,
    },
    /// A column whose values differ in the last digits of their type alone, as times in 32 bits do.
    FewDigits {
        /// Where.
        column: Column,
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// The threshold rests on so few scores that the share of flagged samples is uncertain.
    FewScores {
        /// Scores of held-out unlabeled samples.
        scores: usize,
        /// How many of them it is to flag.
        flagged: f64,
    },
    /// [`FitConfig::folds`](crate::FitConfig::folds) were asked for, and could not be fitted; or the fit had scores out of
    /// fold, and a refit has none: a report rests on the validation part's labeled anomalies.
    NoFolds {
        /// Why.
        reason: String,
    },
    /// The threshold was set by rows or a class prior that have changed since.
    OldThreshold {
        /// By what, in words.
        rule: String,
    },
    /// The threshold of one's own was set by scores that are others now, and is the default again.
    DefaultThreshold {
        /// What it was set by, in words.
        rule: String,
    },
    /// The schema of a table says which labels are anomalies, and no row has one: the fit is one without labels.
    NothingLabeled {
        /// The column of labels.
        column: String,
        /// Its values that would be anomalies.
        anomalous: Vec<String>,
    },
    /// The class prior was estimated as less than half an unlabeled sample: none scores as the labeled anomalies do.
    NoneLikeLabeled {
        /// The upper end of the estimate's interval.
        high: f64,
    },
    /// The class prior was to be estimated, and could not be.
    PriorAssumed {
        /// What decisions follow instead.
        prior: f64,
        /// Why.
        reason: String,
    },
    /// The class prior was estimated, and something speaks against the estimate.
    DoubtfulPrior {
        /// The estimate.
        prior: f64,
        /// What.
        doubt: PriorDoubt,
    },
    /// A class prior too small to learn from the labeled anomalies with: another was trained with.
    LowPrior {
        /// The one given, which threshold and probabilities follow.
        prior: f64,
        /// The one trained with.
        trained: f64,
    },
    /// A review confirmed as many anomalies as the class prior claimed there were: it was too small.
    PriorSpent {
        /// The one before the review.
        prior: f64,
        /// Of so many unlabeled samples.
        unlabeled: usize,
        /// Anomalies that were confirmed among them.
        confirmed: usize,
    },
    /// Labels of a review that the method has no use for.
    UnusedLabels {
        /// `anomalous` or `normal`.
        group: String,
        /// How many.
        count: usize,
        /// Why.
        reason: String,
    },
    /// What [`InputCheck::Refuse`](super::InputCheck::Refuse) makes an
    /// [`Error::OtherScale`](crate::Error::OtherScale).
    OtherScale {
        /// Which samples.
        samples: String,
        /// About how many times as large they are as those of the fit.
        factor: f64,
    },
    /// What [`InputCheck::Refuse`](super::InputCheck::Refuse) makes an
    /// [`Error::ElementType`](crate::Error::ElementType).
    ElementType {
        /// Which samples.
        samples: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The file of an earlier release does not say all that the fit saw: the scale of samples, and names and
    /// type before format 4, are not compared with it.
    Unchecked,
    /// Nothing was found in a batch although rows lie above all calibration rows: of so few no p-value is small enough.
    CoarsePValues {
        /// Number of the calibration rows.
        rows: usize,
        /// How many would do, if these rows lay above all of them too.
        needed: usize,
    },
    /// Samples that look like images with their channels last and are taken as `[channels, height, width]`, by
    /// a method without a network, which [`InputCheck::Refuse`](super::InputCheck::Refuse) makes an
    /// [`Error::Config`](crate::Error::Config).
    ChannelsLast {
        /// Of one sample.
        shape: Vec<usize>,
    },
}

impl Warning {
    /// The column that it is about, if it is about one.
    pub(crate) fn column_mut(&mut self) -> Option<&mut Column> {
        match self {
            Self::Sentinel { column, .. }
            | Self::FarOutside { column, .. }
            | Self::OtherUnit { column, .. }
            | Self::NewLevels { column, .. }
            | Self::WideRange { column, .. }
            | Self::Instant { column }
            | Self::NoValues { column, .. }
            | Self::FewDigits { column, .. } => Some(column),
            _ => None,
        }
    }

    /// That the columns of samples were matched by their place with those of others, if one alone of both has names.
    pub(super) fn by_place(
        samples: &Samples,
        what: &str,
        names: &[String],
        with: &str,
    ) -> Option<Self> {
        let named = !samples.names().is_empty();
        (named == names.is_empty()).then(|| Self::ByPlace {
            samples: what.into(),
            with: with.into(),
            named,
        })
    }
}
