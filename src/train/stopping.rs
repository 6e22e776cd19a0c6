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

/// Ends after so many epochs without a better one.
///
/// ```
/// use puad::train::{Patience, Stop};
///
/// assert!(!Patience(3).stops(&[], 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(
    /// Epochs, >= 1.
    pub usize,
);

impl Stop for Patience {
    fn stops(&self, epochs: &[EpochReport], best: usize) -> bool {
        epochs.len() - best >= self.0
    }
}
