//! What warnings say.

use std::fmt;

use super::Warning;

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentinel {
                column,
                value,
                count,
                low,
                high,
            } => write!(
                f,
                "{column} is {value:?} in {count} samples while all others lie in [{low:?}, {high:?}]: where it \
                 stands for a missing value, replace it or leave the samples out"
            ),
            Self::FarOutside {
                samples,
                column,
                count,
                value,
                low,
                high,
            } => write!(
                f,
                "{column} of {count} {samples} lies far outside of [{low:?}, {high:?}], which the fit saw, at \
                 most at {value:?}"
            ),
            Self::OtherUnit {
                samples,
                column,
                factor,
            } => write!(
                f,
                "{column} of nearly all {samples} in which it is not 0 is about {factor:.3e} times as large as in the fit: \
                 give it in the fit's unit, if this is another one"
            ),
            Self::NewLevels {
                samples,
                column,
                level,
                count,
            } => write!(
                f,
                "{column} of {count} {samples} is a level that no unlabeled training row had, such as {level:?}"
            ),
            Self::ByPlace { .. }
            | Self::WideRange { .. }
            | Self::Instant { .. }
            | Self::FewDigits { .. } => self.of_columns(f),
            Self::NoValues { .. } | Self::UnevenTimes { .. } => self.of_series(f),
            Self::FewScores { .. }
            | Self::PriorAssumed { .. }
            | Self::DoubtfulPrior { .. }
            | Self::NoFolds { .. }
            | Self::OldThreshold { .. }
            | Self::DefaultThreshold { .. }
            | Self::NoneLikeLabeled { .. }
            | Self::NothingLabeled { .. }
            | Self::LowPrior { .. }
            | Self::OneBlock { .. } => self.of_decision(f),
            Self::PriorSpent { .. } | Self::UnusedLabels { .. } => self.of_review(f),
            Self::OtherScale { samples, factor } => write!(
                f,
                "{samples} are about {factor:.3e} times as large as those that the fit saw"
            ),
            Self::ElementType { samples, reason } => write!(f, "{samples}: {reason}"),
            Self::Unchecked => write!(
                f,
                "the detector's file is of an earlier release and does not say all that the fit saw, so that \
                 samples are not checked against it: give them as the fit had them, or fit again"
            ),
            Self::CoarsePValues { rows, needed } => write!(
                f,
                "{rows} calibration rows are too few for a discovery in a batch of this size: give {needed} or more, or \
                 smaller batches"
            ),
            Self::ChannelsLast { shape } => write!(
                f,
                "samples of shape {shape:?} look like images [height, width, channels] and are taken as \
                 [channels, height, width]"
            ),
        }
    }
}

impl Warning {
    /// Of columns as they are given.
    fn of_columns(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByPlace {
                samples,
                with,
                named,
            } => {
                let (named, unnamed) = if *named {
                    (samples, with)
                } else {
                    (with, samples)
                };
                write!(
                    f,
                    "the columns of {samples} were matched with those of {with} by their place: {named} have names, and \
                     {unnamed} have none (`Samples::with_names`), so that another order is not noticed"
                )
            }
            Self::WideRange { column, low, high } => write!(
                f,
                "{column} spans orders of magnitude, most of it from {low:?} to {high:?}: its `logarithm` \
                 (`encoding` of the configuration) may suit it better"
            ),
            Self::Instant { column } => write!(
                f,
                "{column} is a time that is taken as a number: the later a row, the more unusual; ask for its \
                 `hour` or `weekday` without `instant` (`encoding` of the configuration), or leave it out"
            ),
            Self::FewDigits { column, low, high } => write!(
                f,
                "{column} lies in [{low:?}, {high:?}], which its type tells apart in few steps: give it as f64, \
                 or subtract its start"
            ),
            _ => Ok(()),
        }
    }

    /// Of time series.
    fn of_series(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValues {
                column,
                count,
                points,
            } => write!(
                f,
                "{column} has no value at {count} of {points} points, where the value before stands"
            ),
            Self::UnevenTimes {
                count,
                usual,
                longest,
            } => write!(
                f,
                "{count} steps between points are not about {usual} seconds as the others (the longest is {longest} \
                 seconds), and count as if they were: fill in missing points as gaps, or cut the series there"
            ),
            _ => Ok(()),
        }
    }

    /// What threshold and probabilities rest on.
    fn of_decision(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewScores { scores, flagged } => write!(
                f,
                "the threshold rests on {scores} held-out scores, of which it is to flag {flagged:.1}: give more \
                 unlabeled samples, or set it by a rule of your own"
            ),
            Self::OneBlock { samples, count } => write!(
                f,
                "all {count} {samples} are of one block (one event, say): scores that are held out say little of another"
            ),
            Self::PriorAssumed { prior, reason } => write!(
                f,
                "the class prior is taken as {prior}, which threshold and probabilities follow: {reason}"
            ),
            Self::NoFolds { reason } => write!(
                f,
                "there are no scores out of fold, and a report rests on the held-out labeled anomalies alone: {reason}"
            ),
            Self::OldThreshold { rule } => write!(
                f,
                "the threshold is as it was set before: {rule}; what it was set by has changed, set it anew"
            ),
            Self::DefaultThreshold { rule } => write!(
                f,
                "the threshold is the default again, since scores have changed; it was set by {rule}: set it anew"
            ),
            Self::NothingLabeled { column, anomalous } => write!(
                f,
                "no row of the table has a {column:?} of {anomalous:?}, which the schema says are the anomalies: nothing \
                 is labeled, and all that can be found is what is unlike most rows"
            ),
            Self::NoneLikeLabeled { high } => write!(
                f,
                "no unlabeled sample scores as the labeled anomalies do (with high confidence at most {:.2}% of them): \
                 none are left, or a column tells which rows were labeled, such as one that is filled in only once \
                 somebody has looked; the `reasons` of a labeled row name it",
                100. * high
            ),
            Self::DoubtfulPrior { prior, doubt } => {
                write!(f, "the class prior was estimated as {prior:.4}: {doubt}")
            }
            Self::LowPrior { prior, trained } => write!(
                f,
                "a class prior of {prior} is too small to train with and {trained} was taken; threshold and \
                 probabilities follow {prior}"
            ),
            _ => Ok(()),
        }
    }

    /// What a review of unlabeled rows gave rise to.
    fn of_review(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PriorSpent {
                prior,
                unlabeled,
                confirmed,
            } => write!(
                f,
                "{confirmed} anomalies were confirmed among {unlabeled} unlabeled samples, of which a class prior of \
                 {prior} claims {:.1}: it is too small, give or estimate another one",
                prior * *unlabeled as f64
            ),
            Self::UnusedLabels {
                group,
                count,
                reason,
            } => write!(
                f,
                "{count} {group} samples of the review are not learned from: {reason}"
            ),
            _ => Ok(()),
        }
    }
}
