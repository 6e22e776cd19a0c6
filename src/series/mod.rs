//! Time series: detectors of their windows, scores of their points, alarms, streams.
//!
//! [`SeriesEstimator`] is the short path: from series with a few labeled events to a [`SeriesDetector`], which scores points,
//! joins those above the threshold to [`Alarm`]s, scores a [`Stream`] as it comes, and is saved and loaded. It cuts series into
//! [`Windows`], fits what an [`Estimator`](crate::Estimator) fits to rows, and puts windows' scores back at their points. A
//! window is labeled and scored for its last points, the *suspect* ones: so each point belongs to one window, the class prior is
//! a share of suspect parts, and a window with an event in its past is not thereby anomalous.
//!
//! From a CSV of one's own, in which the rows of a few events are marked, to alarms in another:
//!
//! ```no_run
//! use puad::data::table::{Labels, TableFile};
//! use puad::series::{Series, SeriesConfig, SeriesEstimator};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let file = TableFile::open("pump.csv")?; // a line a point: numbers, perhaps a time, and a state
//!     let schema = file.schema()?.with_label("state", Labels::anomalous(["broken"]))?;
//!     let series = Series::of_table(&file.read(&schema)?)?;
//!     let detector = SeriesEstimator::new(SeriesConfig::default()).fit(&[series])?;
//!     detector.warnings().iter().for_each(|warning| println!("{warning}"));
//!     detector.save("pump.safetensors")?;
//!
//!     let file = TableFile::open("today.csv")?;
//!     let today = Series::of_table(&file.read(&file.schema()?)?)?;
//!     let scores = detector.score(&today)?; // one a point, larger = more anomalous
//!     println!("the last point scores {:?}", scores.get(today.len() - 1));
//!     for alarm in detector.alarms(&today)? {
//!         println!("{alarm}"); // points 480 to 495, highest at 488 (5.200), most of it by channel 1 ("flow")
//!     }
//!     Ok(())
//! }
//! ```
//!
//! What to know of it:
//!
//! - A window that holds an event in its past is unusual, too, so that scores stay up for as long as a window after an event.
//! - The first `length - suspect` points have no score: put the last points of what came before in front.
//! - Labels are counted in events, not points: ten are a start, and with one there is none to judge by.
//! - Judge detectors of series by [`metrics::vus`](crate::metrics::vus). F1 with *point adjustment*, where one flagged point
//!   makes a whole event found, is not here: by it random scores are among the best (Kim et al., Towards a rigorous evaluation
//!   of time-series anomaly detection, AAAI 2022).
//!
//! The parts, without the short path:
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
//! # Ok::<(), puad::Error>(())
//! ```

mod alarms;
mod channels;
mod config;
mod detections;
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
pub use detections::SeriesDetections;
pub use detector::SeriesDetector;
pub use estimator::SeriesEstimator;
pub use points::PointScores;
#[cfg(feature = "tables")]
pub use read::{read_nab, read_npy, read_value_label};
pub use recording::Series;
pub use stream::{Scored, Stream};
pub use windows::Windows;
