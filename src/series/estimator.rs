use super::channels::{Channels, uneven};
use super::{Series, SeriesConfig, SeriesDetector, Windows};
use crate::estimator::{Estimator, InputCheck};
use crate::{Error, Result};

/// Trains a detector of time series, from series to scores of their points.
///
/// ```
/// use puad::series::{Series, SeriesConfig, SeriesEstimator};
///
/// // Of twelve events three are labeled.
/// let anomalous = |t: usize| t % 100 >= 94;
/// let wave = |t: usize| (t as f32 / 5.).sin() + if anomalous(t) { 1.5 } else { 0. };
/// let labeled = [94..100, 294..300, 694..700];
/// let series = Series::new((0..1200).map(wave).collect(), 1)?.with_events(labeled)?;
/// let mut config = SeriesConfig::default();
/// # config.fit.train.epochs = 20;
/// let detector = SeriesEstimator::new(config).fit(&[series])?;
///
/// let next = Series::new((1200..1500).map(wave).collect(), 1)?;
/// for alarm in detector.alarms(&next)? {
///     println!("points {:?}, worst at {}", alarm.points, alarm.peak);
/// }
/// # Ok::<(), puad::Error>(())
/// ```
pub struct SeriesEstimator<'a> {
    config: SeriesConfig,
    customize: Option<Box<Customize<'a>>>,
}

/// Makes the estimator of windows to train with of the one that the configuration asks for.
type Customize<'a> = dyn FnOnce(Estimator<'a>) -> Estimator<'a> + 'a;

impl<'a> SeriesEstimator<'a> {
    /// Trains on the CPU, unobserved.
    pub fn new(config: SeriesConfig) -> Self {
        let customize = None;
        Self { config, customize }
    }

    /// Trains on another device, with an observer or checkpoints, or what else an [`Estimator`] can.
    ///
    /// ```
    /// use puad::candle_core::Device;
    /// use puad::series::{SeriesConfig, SeriesEstimator};
    ///
    /// let estimator = SeriesEstimator::new(SeriesConfig::default())
    ///     .with_estimator(|estimator| estimator.with_device(&Device::Cpu));
    /// # let _ = estimator;
    /// ```
    pub fn with_estimator(
        self,
        customize: impl FnOnce(Estimator<'a>) -> Estimator<'a> + 'a,
    ) -> Self {
        let customize = Some(Box::new(customize) as Box<Customize<'a>>);
        Self { customize, ..self }
    }

    /// Trains on the windows of series, of which labeled events are the anomalies: see [`Windows::dataset`] for which window
    /// is what, and how time is parted for validation. What is learned of gaps, scale and class prior is of windows: the prior
    /// is a share of suspect parts ([`Windows::share`]).
    ///
    /// With a single labeled event there is none to hold out: its windows are parted one by one, and
    /// [`Warning::OneBlock`](crate::estimator::Warning::OneBlock) says that they say little of other events.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without a series; [`Error::Shape`] and [`Error::Columns`] for other channels than the first one
    /// has; [`Error::Config`] for a setting outside its range, a channel without a value, a series shorter than a window, and
    /// labeled events that no window's suspect part reaches; then as [`Estimator::fit_dataset`].
    pub fn fit(self, series: &[Series]) -> Result<SeriesDetector> {
        let Self { config, customize } = self;
        config.check()?;
        let channels = Channels::fit(series, config.hour, config.weekday)?;
        let whole: Vec<Series> = series
            .iter()
            .map(|one| channels.of(one))
            .collect::<Result<_>>()?;
        // Channels that are made count among a window's values, and have periods of their own.
        let windows = match config.windows {
            Some(windows) => windows,
            None => windows_of(series, channels.width())?,
        };
        let data = windows.dataset(&whole)?;
        let labeled: usize = series.iter().map(|one| one.events().len()).sum();
        if labeled > 0 && data.anomalies().is_none() {
            let rule = "within reach of a window's suspect part, which no point before the first window's is";
            let value = format!("all before point {}", windows.length - windows.suspect);
            return Err(Error::config("events", rule, value));
        }
        // A channel that falls silent, or an event that is a hundred times as high, is no error of units.
        let mut estimator = Estimator::new(config.fit).with_input_check(InputCheck::Warn);
        if let Some(customize) = customize {
            estimator = customize(estimator);
        }
        let detector = estimator.fit_dataset(&data)?;
        let uneven = series.iter().filter_map(|one| uneven(one.times()));
        let warnings = detector.warnings().iter().cloned().chain(uneven);
        let warnings = warnings.collect();
        let detector = detector.with_warnings(warnings);
        let merge = config.merge.unwrap_or(windows.suspect);
        Ok(SeriesDetector::new(detector, windows, channels, merge))
    }
}

fn windows_of(series: &[Series], width: usize) -> Result<Windows> {
    let (what, group) = ("a fit to series", "unlabeled");
    Windows::suited(series, width).ok_or(Error::EmptyGroup { what, group })
}
