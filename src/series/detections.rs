use super::{Alarm, PointScores};
use crate::estimator::Warning;

/// What [`SeriesDetector::detect`](super::SeriesDetector::detect) says of a series.
///
/// ```
/// use puad::series::{Series, SeriesConfig, SeriesEstimator};
///
/// let wave = |t: usize| (t as f32 / 4.).sin() + if t % 90 > 84 { 1.5 } else { 0. };
/// let series = Series::new((0..900).map(wave).collect(), 1)?.with_events([85..90, 265..270])?;
/// let mut config = SeriesConfig::default();
/// # config.fit.train.epochs = 3;
/// let detector = SeriesEstimator::new(config).fit(std::slice::from_ref(&series))?;
/// let found = detector.detect(&series)?;
/// assert_eq!(found.scores, detector.score(&series)?);
/// assert_eq!(found.alarms, detector.alarms(&series)?);
/// // In another unit.
/// let other = Series::new((0..900).map(|t| 1e4 * wave(t)).collect(), 1)?;
/// assert!(!detector.detect(&other)?.warnings.is_empty());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDetections {
    /// A score a point.
    pub scores: PointScores,
    /// The stretches above the threshold.
    pub alarms: Vec<Alarm>,
    /// What was noticed, of 4,096 windows at a time.
    pub warnings: Vec<Warning>,
}
