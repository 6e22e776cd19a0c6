use super::Warning;

/// What [`FittedDetector::detect`](crate::FittedDetector::detect) says of `n` samples, in their order.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::Warning;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
/// let found = detector.detect([[0f32, 1.], [1e20, 0.]])?;
/// assert_eq!(found.scores, detector.score(&[[0f32, 1.], [1e20, 0.]])?);
/// assert!(found.anomalous[1]);
/// assert_eq!(found.probabilities.map(|p| p.len()), Some(2));
/// assert!(matches!(found.warnings[..], [Warning::FarOutside { count: 1, .. }]));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detections {
    /// The anomaly scores, `[n]`; larger = more anomalous.
    pub scores: Vec<f64>,
    /// Whether each score is above the threshold, `[n]`.
    pub anomalous: Vec<bool>,
    /// The probability that each is an anomaly, `[n]`; `None` if the fit had no labeled anomalies.
    pub probabilities: Option<Vec<f64>>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}
