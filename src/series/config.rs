use serde::{Deserialize, Serialize};

use super::Windows;
use crate::{FitConfig, Result};

/// The settings of a [`SeriesEstimator`](super::SeriesEstimator).
///
/// ```
/// use puad::series::{SeriesConfig, Windows};
///
/// let config = SeriesConfig {
///     windows: Some(Windows { length: 288, suspect: 12, stride: 4 }),
///     hour: true,
///     ..SeriesConfig::default()
/// };
/// config.check()?;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeriesConfig {
    /// How series are cut. Default: [`Windows::suited`].
    pub windows: Option<Windows>,
    /// Whether the time of day is a channel, as a sine and a cosine: what is usual at noon may not be at night. Needs times
    /// of the points.
    pub hour: bool,
    /// Whether the time of the week is, likewise.
    pub weekday: bool,
    /// Points below the threshold between two alarms that make one of them. Default: as many as a window's suspect part has.
    pub merge: Option<usize>,
    /// The fit to the windows.
    pub fit: FitConfig,
}

impl SeriesConfig {
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        self.windows.as_ref().map_or(Ok(()), Windows::check)?;
        self.fit.check()
    }
}
