use super::EpochReport;

/// When training ends before its last epoch.
///
/// [`Patience`] is the shipped rule; a [`Trainer`](super::Trainer) takes any other.
///
/// ```
/// use puad::train::{EpochReport, Stop, TrainConfig, Trainer};
///
/// /// Once an epoch has gained less than this share of the risk.
/// struct Gain(f64);
///
/// impl Stop for Gain {
///     fn stops(&self, epochs: &[EpochReport], _best: usize) -> bool {
///         match epochs {
///             [.., before, last] => before.risk - last.risk < self.0 * before.risk,
///             _ => false,
///         }
///     }
/// }
///
/// let trainer = Trainer::new(TrainConfig::default())?.with_stopping(Gain(1e-3));
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Stop: Send + Sync {
    /// Whether training ends after these `epochs`, the best of which is number `best`, counted from 1
    /// (0 before the first). It must depend on these alone, so that a run that had ended ends again when
    /// it is resumed.
    fn stops(&self, epochs: &[EpochReport], best: usize) -> bool;
}

/// Ends after so many epochs without a better one. 0 is taken as 1: at the first epoch that is no better.
///
/// ```
/// use puad::train::{Patience, Stop};
///
/// assert!(!Patience(3).stops(&[], 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(
    /// Epochs.
    pub usize,
);

impl Stop for Patience {
    fn stops(&self, epochs: &[EpochReport], best: usize) -> bool {
        // Before the first epoch nothing has failed to become better.
        epochs.len().saturating_sub(best) >= self.0.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(epochs: usize) -> Vec<EpochReport> {
        let report = |epoch| EpochReport {
            epoch,
            risk: 1.,
            validation_risk: 1.,
            pu_auroc: None,
            seconds: 0.,
            best: false,
        };
        (1..=epochs).map(report).collect()
    }

    #[test]
    fn patience_counts_the_epochs_since_the_best() {
        for (patience, epochs, best, stops) in [
            (1, 0, 0, false),
            (1, 1, 1, false),
            (1, 2, 1, true),
            (3, 5, 3, false),
            (3, 6, 3, true),
            (usize::MAX, 6, 0, false),
            // No patience at all is that of one epoch.
            (0, 0, 0, false),
            (0, 4, 4, false),
            (0, 5, 4, true),
            // A best epoch that is yet to come.
            (0, 2, 3, false),
            (2, 2, usize::MAX, false),
        ] {
            let got = Patience(patience).stops(&after(epochs), best);
            assert_eq!(got, stops, "{patience} {epochs} {best}");
        }
    }
}
