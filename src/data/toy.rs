//! The two-dimensional data of Figure 1 of the paper.

use std::f64::consts::{FRAC_PI_2, PI};

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::PuDataset;
use crate::rng::{Purpose, substream};
use crate::{Error, Result};

/// What [`generate`] draws. The paper shows the data and gives no numbers; the defaults are those of
/// its published experiments.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
///
/// let config = ToyConfig { normals: 50, unlabeled_anomalies: 5, ..Default::default() };
/// let toy = toy::generate(&config, 0)?;
/// assert_eq!((toy.normals.len(), toy.labeled_anomalies.len()), (50, 20));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToyConfig {
    /// Number of normals, all unlabeled.
    pub normals: usize,
    /// Number of anomalies among the unlabeled samples.
    pub unlabeled_anomalies: usize,
    /// Number of labeled anomalies.
    pub labeled_anomalies: usize,
    /// Standard deviation of the noise along the curve.
    pub x_noise: f64,
    /// Standard deviation of the noise on the sine.
    pub y_noise: f64,
    /// Factor of the noisy sine.
    pub amplitude: f64,
    /// Centers of the Gaussians that seen anomalies come from, in turn.
    pub anomaly_centers: Vec<[f64; 2]>,
    /// Variance of those Gaussians in each direction.
    pub anomaly_variance: f64,
    /// Unseen anomalies, which are in no training set.
    pub unseen: Vec<[f32; 2]>,
}

impl Default for ToyConfig {
    fn default() -> Self {
        Self {
            normals: 900,
            unlabeled_anomalies: 80,
            labeled_anomalies: 20,
            x_noise: 0.1,
            y_noise: 0.2,
            amplitude: 3.,
            anomaly_centers: vec![[-FRAC_PI_2, FRAC_PI_2], [FRAC_PI_2, -FRAC_PI_2]],
            anomaly_variance: 0.1,
            unseen: vec![[-5., -5.], [5., 5.]],
        }
    }
}

impl ToyConfig {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    ///
    /// ```
    /// use puad::data::toy::ToyConfig;
    ///
    /// let config = ToyConfig { x_noise: -1., ..Default::default() };
    /// assert_eq!(config.check().unwrap_err().to_string(), "x_noise must be finite and at least 0, got -1");
    /// ```
    pub fn check(&self) -> Result<()> {
        let scales = [
            ("x_noise", self.x_noise),
            ("y_noise", self.y_noise),
            ("anomaly_variance", self.anomaly_variance),
        ];
        for (name, value) in scales {
            if !(value >= 0. && value.is_finite()) {
                return Err(Error::config(name, "finite and at least 0", value));
            }
        }
        if !self.amplitude.is_finite() {
            return Err(Error::config("amplitude", "finite", self.amplitude));
        }
        let centers = &self.anomaly_centers;
        if centers.is_empty() || !centers.as_flattened().iter().all(|v| v.is_finite()) {
            let got = format!("{centers:?}");
            return Err(Error::config(
                "anomaly_centers",
                "at least one finite point",
                got,
            ));
        }
        Ok(())
    }
}

/// Points `(x, y)` by what they are.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 7)?;
/// assert_eq!(toy.unseen, [[-5., -5.], [5., 5.]]);
/// assert_eq!(toy, toy::generate(&ToyConfig::default(), 7)?);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Toy {
    /// Normals, unlabeled in training: a noisy sine.
    pub normals: Vec<[f32; 2]>,
    /// Seen anomalies, unlabeled in training.
    pub unlabeled_anomalies: Vec<[f32; 2]>,
    /// Seen anomalies, labeled in training.
    pub labeled_anomalies: Vec<[f32; 2]>,
    /// Unseen anomalies.
    pub unseen: Vec<[f32; 2]>,
}

/// Draws the data: normals `(x + N(0, x_noise), amplitude (sin x + N(0, y_noise)))` with `x` evenly
/// spaced in `[-pi, pi]`, seen anomalies from the Gaussians in turn. The same seed gives the same
/// data; its groups are drawn independently of each other.
///
/// # Errors
/// [`Error::Config`] for a number outside its range.
///
/// ```
/// use puad::candle_core::Device;
/// use puad::data::toy::{self, ToyConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let data = toy.dataset(&Device::Cpu)?;
/// assert_eq!(data.unlabeled().to_tensor()?.dims(), [980, 2]);
/// assert_eq!(data.anomalies().map(|a| a.len()), Some(20));
/// # Ok::<(), puad::Error>(())
/// ```
pub fn generate(config: &ToyConfig, seed: u64) -> Result<Toy> {
    config.check()?;
    let stream = |group| substream(seed, Purpose::Toy, group);
    Ok(Toy {
        normals: normals(config, &mut stream(0)),
        unlabeled_anomalies: anomalies(config, config.unlabeled_anomalies, &mut stream(1)),
        labeled_anomalies: anomalies(config, config.labeled_anomalies, &mut stream(2)),
        unseen: config.unseen.clone(),
    })
}

impl Toy {
    /// The training data on `device`: normals and unlabeled anomalies without their labels
    /// (`[n, 2]`, in this order), and labeled anomalies (`[n, 2]`, if there are any).
    ///
    /// # Errors
    /// As [`PuDataset::new`].
    ///
    /// ```
    /// use puad::candle_core::Device;
    /// use puad::data::toy::{self, ToyConfig};
    ///
    /// let config = ToyConfig { labeled_anomalies: 0, ..Default::default() };
    /// let data = toy::generate(&config, 0)?.dataset(&Device::Cpu)?;
    /// assert_eq!((data.unlabeled().len(), data.anomalies().is_none()), (980, true));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn dataset(&self, device: &Device) -> Result<PuDataset> {
        let unlabeled = [self.normals.as_slice(), &self.unlabeled_anomalies].concat();
        let data = PuDataset::new(tensor(&unlabeled, device)?)?;
        if self.labeled_anomalies.is_empty() {
            return Ok(data);
        }
        data.with_anomalies(tensor(&self.labeled_anomalies, device)?)
    }
}

fn tensor(points: &[[f32; 2]], device: &Device) -> Result<Tensor> {
    let values = points.as_flattened().to_vec();
    Ok(Tensor::from_vec(values, (points.len(), 2), device)?)
}

fn normals(config: &ToyConfig, rng: &mut impl Rng) -> Vec<[f32; 2]> {
    let intervals = config.normals.saturating_sub(1).max(1) as f64;
    let point = |i: usize| {
        let x = -PI + 2. * PI * i as f64 / intervals;
        let y = x.sin() + config.y_noise * normal(rng);
        [x + config.x_noise * normal(rng), config.amplitude * y].map(|v| v as f32)
    };
    (0..config.normals).map(point).collect()
}

fn anomalies(config: &ToyConfig, n: usize, rng: &mut impl Rng) -> Vec<[f32; 2]> {
    let deviation = config.anomaly_variance.sqrt();
    let centers = config.anomaly_centers.iter().cycle().take(n);
    centers
        .map(|center| center.map(|v| (v + deviation * normal(rng)) as f32))
        .collect()
}

fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(values: impl Iterator<Item = f64>) -> (f64, f64) {
        let values: Vec<f64> = values.collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (
            mean,
            values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n,
        )
    }

    #[test]
    fn the_defaults_are_figure_1() {
        let toy = generate(&ToyConfig::default(), 0).unwrap();
        let sizes = [
            toy.normals.len(),
            toy.unlabeled_anomalies.len(),
            toy.labeled_anomalies.len(),
        ];
        assert_eq!(sizes, [900, 80, 20]);
        assert_eq!(toy.unseen, [[-5., -5.], [5., 5.]]);

        let x = |i: usize| -PI + 2. * PI * i as f64 / 899.;
        let along = toy
            .normals
            .iter()
            .enumerate()
            .map(|(i, p)| f64::from(p[0]) - x(i));
        let (mean, variance) = mean_and_variance(along);
        // Four standard errors: 0.1 / 30 and 0.01 sqrt(2 / 900).
        assert!(
            mean.abs() < 0.0134 && (variance - 0.01).abs() < 0.0019,
            "{mean} {variance}"
        );
        let across = toy.normals.iter().enumerate();
        let across = across.map(|(i, p)| f64::from(p[1]) - 3. * x(i).sin());
        let (mean, variance) = mean_and_variance(across);
        assert!(
            mean.abs() < 0.08 && (variance - 0.36).abs() < 0.068,
            "{mean} {variance}"
        );
    }

    #[test]
    fn anomalies_come_from_their_gaussians_in_turn() {
        let config = ToyConfig {
            unlabeled_anomalies: 10_000,
            ..Default::default()
        };
        let toy = generate(&config, 1).unwrap();
        for (parity, center) in config.anomaly_centers.iter().enumerate() {
            for (axis, expected) in center.iter().enumerate() {
                let points = toy.unlabeled_anomalies.iter().skip(parity).step_by(2);
                let (mean, variance) = mean_and_variance(points.map(|p| f64::from(p[axis])));
                // Four standard errors: sqrt(0.1 / 5000) and 0.1 sqrt(2 / 5000).
                assert!((mean - expected).abs() < 0.018, "{mean} {expected}");
                assert!((variance - 0.1).abs() < 0.008, "{variance}");
            }
        }
    }

    #[test]
    fn groups_are_independent_and_seeds_differ() {
        let base = generate(&ToyConfig::default(), 3).unwrap();
        assert_eq!(base, generate(&ToyConfig::default(), 3).unwrap());
        assert_ne!(base, generate(&ToyConfig::default(), 4).unwrap());
        let config = ToyConfig {
            normals: 10,
            unlabeled_anomalies: 90,
            ..Default::default()
        };
        let other = generate(&config, 3).unwrap();
        assert_eq!(base.labeled_anomalies, other.labeled_anomalies);
        assert_eq!(base.unlabeled_anomalies, other.unlabeled_anomalies[..80]);
        assert_ne!(base.unlabeled_anomalies[..20], base.labeled_anomalies[..]);
    }

    #[test]
    fn small_and_empty_groups() {
        let config = ToyConfig {
            normals: 1,
            unlabeled_anomalies: 0,
            labeled_anomalies: 0,
            ..Default::default()
        };
        let data = generate(&config, 0).unwrap().dataset(&Device::Cpu).unwrap();
        assert_eq!(data.unlabeled().len(), 1);
        assert!(data.anomalies().is_none());
        let config = ToyConfig {
            normals: 0,
            ..config
        };
        let err = generate(&config, 0)
            .unwrap()
            .dataset(&Device::Cpu)
            .unwrap_err();
        assert!(matches!(
            err,
            Error::EmptyGroup {
                group: "unlabeled",
                ..
            }
        ));
    }

    #[test]
    fn numbers_outside_their_range_are_errors() {
        let base = ToyConfig::default;
        let cases = [
            (
                "x_noise",
                ToyConfig {
                    x_noise: -1.,
                    ..base()
                },
            ),
            (
                "y_noise",
                ToyConfig {
                    y_noise: f64::NAN,
                    ..base()
                },
            ),
            (
                "anomaly_variance",
                ToyConfig {
                    anomaly_variance: f64::INFINITY,
                    ..base()
                },
            ),
            (
                "amplitude",
                ToyConfig {
                    amplitude: f64::NAN,
                    ..base()
                },
            ),
            (
                "anomaly_centers",
                ToyConfig {
                    anomaly_centers: vec![],
                    ..base()
                },
            ),
            (
                "anomaly_centers",
                ToyConfig {
                    anomaly_centers: vec![[0., f64::NAN]],
                    ..base()
                },
            ),
        ];
        for (expected, config) in cases {
            let err = generate(&config, 0).unwrap_err();
            assert!(
                matches!(err, Error::Config { name, .. } if name == expected),
                "{err}"
            );
        }
    }

    #[test]
    fn configs_reject_unknown_fields() {
        let config: ToyConfig = serde_json::from_str(r#"{"normals": 5}"#).unwrap();
        assert_eq!(
            config,
            ToyConfig {
                normals: 5,
                ..Default::default()
            }
        );
        assert!(serde_json::from_str::<ToyConfig>(r#"{"normal": 5}"#).is_err());
    }
}
