use std::collections::VecDeque;
use std::ops::Range;

use super::SeriesDetector;
use super::channels::Carry;
use crate::Result;

/// A series that comes a point at a time, from [`SeriesDetector::stream`]. It holds a window's points, however long the series
/// is; scores are those of the whole series, bit for bit.
///
/// ```
/// use puad::series::{Series, SeriesConfig, SeriesEstimator};
///
/// let wave = |t: usize| (t as f32 / 4.).sin() + if t % 90 > 84 { 1.5 } else { 0. };
/// let series = Series::new((0..900).map(wave).collect(), 1)?.with_events([85..90, 265..270])?;
/// let mut config = SeriesConfig::default();
/// # config.fit.train.epochs = 3;
/// let detector = SeriesEstimator::new(config).fit(&[series])?;
///
/// let mut stream = detector.stream();
/// for t in 900..1200 {
///     if let Some(scored) = stream.push(&[wave(t)])?.filter(|scored| scored.anomalous) {
///         println!("alarm at points {:?} of the stream", scored.points);
///     }
/// }
/// let last = stream.finish()?;
/// # let _ = last;
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    detector: SeriesDetector,
    carry: Carry,
    /// The last points of a window, with all channels.
    values: VecDeque<f32>,
    /// Points that have scores, and those before the first that can.
    scored: usize,
}

/// Points of a stream that have come to a score.
///
/// ```
/// use puad::series::Scored;
///
/// let scored = Scored { points: 480..488, score: 5.2, anomalous: true };
/// assert!(scored.points.contains(&487));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Which, counted from the first one that was pushed.
    pub points: Range<usize>,
    /// Of each of them, larger = more anomalous.
    pub score: f64,
    /// Whether it is above the threshold.
    pub anomalous: bool,
}

impl Stream {
    pub(super) fn new(detector: SeriesDetector) -> Self {
        Self {
            carry: Carry::new(&detector.channels),
            values: VecDeque::new(),
            scored: detector.windows.length - detector.windows.suspect,
            detector,
        }
    }

    /// The next point: the values of all channels, in the order of the fit ([`SeriesDetector::channels`]). Every
    /// [`suspect`](super::Windows::suspect) points a window is whole, and its last points have a score: with `suspect` 1 each
    /// point as it comes.
    ///
    /// A point that is refused leaves the stream as it was; one that cannot be scored is taken all the same.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of values;
    /// [`Error::NonFiniteFeature`](crate::Error::NonFiniteFeature) for an infinite one;
    /// [`Error::Config`](crate::Error::Config) without a time that is needed; as
    /// [`FittedDetector::score`](crate::FittedDetector::score).
    pub fn push(&mut self, values: &[f32]) -> Result<Option<Scored>> {
        self.next(values, None)
    }

    /// As [`push`](Self::push), with the point's time, in seconds since 1970-01-01 00:00:00 UTC.
    ///
    /// # Errors
    /// As there; [`Error::Config`](crate::Error::Config) for a time before that of the point before.
    pub fn push_at(&mut self, time: f64, values: &[f32]) -> Result<Option<Scored>> {
        self.next(values, Some(time))
    }

    fn next(&mut self, values: &[f32], time: Option<f64>) -> Result<Option<Scored>> {
        let windows = self.detector.windows;
        let point = self.carry.push(&self.detector.channels, values, time)?;
        if self.carry.points() > windows.length {
            self.values.drain(..point.len());
        }
        self.values.extend(point);
        let beyond = self.carry.points().checked_sub(windows.length);
        let is_whole = beyond.is_some_and(|beyond| beyond.is_multiple_of(windows.suspect));
        is_whole.then(|| self.window()).transpose()
    }

    /// The score of the window that ends here, for the points that have none yet.
    fn window(&mut self) -> Result<Scored> {
        let values: Vec<f32> = self.values.iter().copied().collect();
        let score = self.detector.detector.score(&values)?[0];
        let points = self.scored..self.carry.points();
        self.scored = points.end;
        let anomalous = score > self.detector.threshold();
        Ok(Scored {
            points,
            score,
            anomalous,
        })
    }

    /// The score of the points that have none yet, by a window that ends with the last one; `None` if there are none, or
    /// fewer points than a window's.
    ///
    /// # Errors
    /// As [`FittedDetector::score`](crate::FittedDetector::score).
    pub fn finish(mut self) -> Result<Option<Scored>> {
        let points = self.carry.points();
        let open = points >= self.detector.windows.length && self.scored < points;
        open.then(|| self.window()).transpose()
    }
}
