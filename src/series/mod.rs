//! Time series: windows of them as samples, and scores of windows back at their points.
//!
//! A window is labeled and scored for its last points, the *suspect* ones: so each point belongs to one window, the class
//! prior is a share of suspect parts, and a window with an event in its past is not thereby anomalous.
//!
//! ```
//! use puad::metrics::{Thresholds, vus};
//! use puad::series::{Series, Windows};
//! use puad::{Estimator, FitConfig};
//!
//! // Of four events one is labeled.
//! let wave = |t: usize| (t as f32 / 5.).sin() + if t % 200 >= 190 { 1.5 } else { 0. };
//! let labeled = std::iter::once(190..200);
//! let series = Series::new((0..800).map(wave).collect(), 1)?.with_events(labeled)?;
//! let windows = Windows::of(16);
//! let mut config = FitConfig::default();
//! # config.train.epochs = 30;
//! let detector = Estimator::new(config).fit_dataset(&windows.dataset(&[series])?)?;
//!
//! let next = Series::new((800..1600).map(wave).collect(), 1)?;
//! let scores = windows.points(&next, &detector.score(&windows.samples(&next)?)?)?;
//! let truth: Vec<bool> = (800..1600).map(|t| t % 200 >= 190).collect();
//! let found = vus(scores.known(), &truth[scores.first()..], 10, Thresholds::default())?;
//! assert!(found.roc > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alarms;
mod channels;
mod config;
mod detector;
mod estimator;
mod points;
#[cfg(feature = "tables")]
mod read;
mod recording;
mod stream;
mod windows;

pub use alarms::Alarm;
pub use config::SeriesConfig;
pub use detector::SeriesDetector;
pub use estimator::SeriesEstimator;
pub use points::PointScores;
#[cfg(feature = "tables")]
pub use read::{read_nab, read_npy, read_value_label};
pub use recording::Series;
pub use stream::{Scored, Stream};
pub use windows::Windows;
