mod model;

use candle_core::{DType, Device, Tensor};
use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::Features;
use crate::{Error, Result};

/// The hyperparameters of [`Pca`].
///
/// ```
/// use puad::baseline::PcaConfig;
///
/// PcaConfig { floor: 0.01 }.check()?;
/// assert!(PcaConfig { floor: 0. }.check().is_err());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PcaConfig {
    /// What is added to the variance along each component, in mean variances, > 0: without it a direction in which samples
    /// differ by rounding alone would decide. Default: 0.001.
    pub floor: f64,
}

impl Default for PcaConfig {
    fn default() -> Self {
        Self { floor: 1e-3 }
    }
}

impl PcaConfig {
    /// # Errors
    /// [`Error::Config`] unless the floor is finite and above 0.
    pub fn check(&self) -> Result<()> {
        if self.floor > 0. && self.floor.is_finite() {
            return Ok(());
        }
        Err(Error::config("floor", "finite and above 0", self.floor))
    }
}

/// Principal components of samples: what lies far out along one that varies little is anomalous.
///
/// With `y_i` the coordinate of a sample, less the mean, along component `i`, `v_i` the variance of unlabeled samples along it
/// and `f` the floor in mean variances, the score is
///
/// ```text
/// sqrt(sum_i y_i^2 / (v_i + f mean v))
/// ```
///
/// a Mahalanobis distance from the mean. On windows of a time series this is Sub-PCA, with errors weighted by variance. Needs
/// the feature `pca`; a [`Method`](crate::method::Method) by `PcaConfig::default().into()` or the name `pca`.
///
/// # References
/// Shyu, Chen, Sarinnapakorn and Chang, A novel anomaly detection scheme based on principal component classifier, ICDM
/// Foundation and New Direction of Data Mining workshop, 2003.
///
/// ```
/// use puad::baseline::{Pca, PcaConfig};
/// use puad::candle_core::{Device, Tensor};
///
/// // Usual in each column, and off the line that the others lie on.
/// let mut rows: Vec<Vec<f32>> = (0..100).map(|i| vec![i as f32, (i + i % 3) as f32]).collect();
/// rows.push(vec![20., 80.]);
/// let xs = Tensor::new(rows, &Device::Cpu)?;
/// let scores = Pca::fit(&xs, &PcaConfig::default())?.score(&xs)?;
/// assert!(scores[..100].iter().all(|&score| score < scores[100]));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// `[features]`
    mean: Vec<f64>,
    /// For each feature its part in each component, over the deviation along that: `[features, features]`, row-major.
    whitening: Vec<f64>,
}

impl Pca {
    /// `xs`: `[n, ...]` in f32 or f64, each sample flattened. It takes memory and time for `features` squared and cubed.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting outside its range, [`Error::Shape`] unless there is a feature, [`Error::EmptyGroup`]
    /// without samples, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn fit(xs: &Tensor, config: &PcaConfig) -> Result<Self> {
        config.check()?;
        let xs = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let rows = Features::<f64>::read("training samples of principal components", &xs)?;
        let (n, width) = (rows.len(), rows.width());
        if n == 0 {
            let (what, group) = ("principal components", "unlabeled");
            return Err(Error::EmptyGroup { what, group });
        }
        let xs = xs.reshape((n, width))?;
        let mean = xs.mean_keepdim(0)?;
        let centered = xs.broadcast_sub(&mean)?;
        let covariance = (centered.t()?.matmul(&centered)? / n as f64)?;
        let covariance = covariance.flatten_all()?.to_vec1::<f64>()?;
        let eigen = SymmetricEigen::new(DMatrix::from_vec(width, width, covariance));
        let variances = eigen.eigenvalues.map(|variance| variance.max(0.));
        let floor = config.floor * variances.mean();
        // Where nothing varies there is no unit to tell a distance in.
        let weight = |variance: f64| match variance + floor {
            0. => 0.,
            variance => variance.sqrt().recip(),
        };
        let entry = |at: usize| {
            let (feature, component) = (at / width, at % width);
            eigen.eigenvectors[(feature, component)] * weight(variances[component])
        };
        Ok(Self {
            mean: mean.flatten_all()?.to_vec1()?,
            whitening: (0..width * width).map(entry).collect(),
        })
    }

    /// The scores of samples `[m, ...]` in f32 or f64 with as many features as the training samples had, `m` numbers, >= 0:
    /// each has the same bits in any company.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of features, [`Error::NonFiniteFeature`] if a value is NaN or infinite.
    pub fn score(&self, xs: &Tensor) -> Result<Vec<f64>> {
        const WHAT: &str = "samples to score";
        let xs = xs.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let rows = Features::<f64>::read(WHAT, &xs)?;
        let width = self.mean.len();
        if rows.width() != width {
            let expected = format!("[m, ...] with {width} features");
            return Err(Error::shape(WHAT, expected, &xs));
        }
        let rows = rows.values().par_chunks_exact(width);
        Ok(rows.map(|row| self.distance(row)).collect())
    }

    fn distance(&self, row: &[f64]) -> f64 {
        let width = self.mean.len();
        let mut along = vec![0.; width];
        let parts = self.whitening.chunks_exact(width);
        for ((value, mean), part) in row.iter().zip(&self.mean).zip(parts) {
            let value = value - mean;
            for (sum, weight) in along.iter_mut().zip(part) {
                *sum += value * weight;
            }
        }
        along.iter().map(|y| y * y).sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corners of a rectangle, turned by `angle`: variances 4 and 1 along its sides.
    fn corners(angle: f64) -> Tensor {
        let (sin, cos) = angle.sin_cos();
        let turned = |(x, y): (f64, f64)| [7. + cos * x - sin * y, -3. + sin * x + cos * y];
        let rows = [(2., 1.), (2., -1.), (-2., 1.), (-2., -1.)].map(turned);
        Tensor::new(&rows, &Device::Cpu).unwrap()
    }

    #[test]
    fn distances_are_those_of_the_closed_form() {
        for angle in [0., 0.3, 2.] {
            let floor = 0.1;
            let fitted = Pca::fit(&corners(angle), &PcaConfig { floor }).unwrap();
            let floor = floor * 2.5;
            let expected = (4. / (4. + floor) + 1. / (1. + floor)).sqrt();
            for score in fitted.score(&corners(angle)).unwrap() {
                assert!((score - expected).abs() < 1e-12, "{score} {expected}");
            }
            // Far out, along the side that varies less.
            let (sin, cos) = f64::sin_cos(angle);
            let far = Tensor::new(&[[7. - 10. * sin, -3. + 10. * cos]], &Device::Cpu).unwrap();
            let expected = 10. / (1. + floor).sqrt();
            let score = fitted.score(&far).unwrap()[0];
            assert!((score - expected).abs() < 1e-11, "{score} {expected}");
        }
    }

    #[test]
    fn columns_that_do_not_vary_cost_nothing_until_they_do() {
        let constant = Tensor::new(&[[1f32, 5.], [2., 5.], [3., 5.]], &Device::Cpu).unwrap();
        let fitted = Pca::fit(&constant, &PcaConfig::default()).unwrap();
        let of = |row: [f32; 2]| {
            let xs = Tensor::new(&[row], &Device::Cpu).unwrap();
            fitted.score(&xs).unwrap()[0]
        };
        assert!(of([2., 5.]) < 1e-12 && of([2., 5.1]) > of([3., 5.]));
        let same = Tensor::new(&[[5f32], [5.]], &Device::Cpu).unwrap();
        let fitted = Pca::fit(&same, &PcaConfig::default()).unwrap();
        let other = Tensor::new(&[[9f32]], &Device::Cpu).unwrap();
        assert_eq!(fitted.score(&other).unwrap(), [0.]);
    }

    #[test]
    fn wrong_numbers_are_errors() {
        for floor in [0., -1., f64::NAN, f64::INFINITY] {
            assert!(PcaConfig { floor }.check().is_err());
        }
        let config = PcaConfig::default();
        let tensor = |rows: &[[f32; 2]; 2]| Tensor::new(rows, &Device::Cpu).unwrap();
        let gap = Pca::fit(&tensor(&[[0., 1.], [f32::NAN, 1.]]), &config);
        assert!(matches!(
            gap,
            Err(Error::NonFiniteFeature {
                row: 1,
                column: 0,
                ..
            })
        ));
        let none = Tensor::zeros((0, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(matches!(
            Pca::fit(&none, &config),
            Err(Error::EmptyGroup { .. })
        ));
        let fitted = Pca::fit(&tensor(&[[0., 1.], [1., 1.]]), &config).unwrap();
        let wide = Tensor::zeros((1, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(matches!(fitted.score(&wide), Err(Error::Shape { .. })));
    }
}
