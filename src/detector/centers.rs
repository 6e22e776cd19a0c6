use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{Init, VarBuilder};

use super::contrast::log_mean_exp;
use crate::cluster::{Count, KMeansConfig, kmeans};
use crate::{Error, Result, ops};

/// Entries of a center closer to 0 than this are moved away, since an encoder without bias could
/// reach 0 with all weights 0.
const MARGIN: f64 = 0.1;

/// Beyond this a number is taken for a mistake.
const MOST: usize = 256;

/// Feature vectors that are clustered, at most.
const MOST_CLUSTERED: usize = 10_000;

/// Vectors that lie on their centers would make the soft minimum divide by 0.
const LEAST_TEMPERATURE: f64 = 1e-6;

/// # Errors
/// [`Error::Config`] for a number outside 1 to 256.
pub(super) fn check_count(count: usize) -> Result<()> {
    if (1..=MOST).contains(&count) {
        return Ok(());
    }
    Err(Error::config("centers", "between 1 and 256", count))
}

/// What feature vectors are near to: one center, or several under a soft minimum.
#[derive(Clone, Debug)]
pub(super) struct Centers {
    /// `[latent]`, or `[count, latent]` of several.
    points: Var,
    /// That of the soft minimum, `[1]`, where there are several.
    temperature: Option<Var>,
}

impl Centers {
    /// Takes `center` (`[latent]`) from `vb`, or of several `centers` (`[count, latent]`) and `temperature`
    /// (`[1]`, initially 1); all entries are initially the margin.
    pub(super) fn new(count: usize, latent: usize, vb: &VarBuilder<'_>) -> Result<Self> {
        check_count(count)?;
        let margin = Init::Const(MARGIN);
        if count == 1 {
            let points = vb.get_with_hints(latent, "center", margin)?;
            return Ok(Self {
                points: Var::from_tensor(&points)?,
                temperature: None,
            });
        }
        let points = vb.get_with_hints((count, latent), "centers", margin)?;
        let temperature = vb.get_with_hints(1, "temperature", Init::Const(1.))?;
        Ok(Self {
            points: Var::from_tensor(&points)?,
            temperature: Some(Var::from_tensor(&temperature)?),
        })
    }

    pub(super) fn latent(&self) -> Result<usize> {
        Ok(self.points.dim(D::Minus1)?)
    }

    pub(super) fn device(&self) -> &Device {
        self.points.device()
    }

    pub(super) fn is_one(&self) -> bool {
        self.temperature.is_none()
    }

    pub(super) fn buffers(&self) -> Vec<Var> {
        let all = [Some(&self.points), self.temperature.as_ref()];
        all.into_iter().flatten().cloned().collect()
    }

    /// A copy.
    pub(super) fn points(&self) -> Result<Tensor> {
        Ok(self.points.copy()?.detach())
    }

    /// # Errors
    /// [`Error::Shape`] for another shape.
    pub(super) fn set(&self, points: &Tensor) -> Result<()> {
        if points.dims() != self.points.dims() {
            let expected = format!("{:?}", self.points.dims());
            let what = if self.is_one() {
                "the center"
            } else {
                "the centers"
            };
            return Err(Error::shape(what, expected, points));
        }
        let points = points.to_dtype(self.points.dtype())?;
        Ok(self.points.set(&points.to_device(self.device())?)?)
    }

    /// As [`set`](Self::set), with entries near 0 moved to +- the margin by their sign, exact zeros to +.
    pub(super) fn set_away_from_zero(&self, points: &Tensor) -> Result<()> {
        let margin = points.ones_like()?.affine(MARGIN, 0.)?;
        let moved = points.lt(0.)?.where_cond(&margin.neg()?, &margin)?;
        let near = points.abs()?.lt(MARGIN)?;
        self.set(&near.where_cond(&moved, points)?)
    }

    /// The squared distance of each feature vector, `[batch, latent]`, from the center, or the soft minimum of
    /// those from several, `[batch]`.
    pub(super) fn distance(&self, features: &Tensor) -> Result<Tensor> {
        let points = self.points.as_detached_tensor();
        let Some(temperature) = &self.temperature else {
            return Ok(ops::squared_distance(features, &points)?);
        };
        let temperature = temperature.as_detached_tensor();
        let distance = |point: usize| ops::squared_distance(features, &points.get(point)?);
        let distances = (0..points.dim(0)?).map(distance);
        let distances = Tensor::stack(&distances.collect::<Result<Vec<_>, _>>()?, 1)?;
        let near = distances.broadcast_div(&temperature)?.neg()?;
        Ok(log_mean_exp(&near)?.broadcast_mul(&temperature)?.neg()?)
    }

    /// Sets several centers by k-means of `rows`, feature vectors of one width, and the temperature to twice
    /// their variance around them: that of a mixture of Gaussians.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer rows than centers; [`Error::NonFiniteFeature`] for a row that is not finite.
    pub(super) fn cluster(&self, rows: &[Vec<f64>]) -> Result<()> {
        let (count, latent) = self.points.dims2()?;
        if rows.len() < count {
            let rule = "at most the number of unlabeled samples";
            let value = format!("{count} for {} samples", rows.len());
            return Err(Error::config("centers", rule, value));
        }
        let some: Vec<&[f64]> = spread(rows).map(Vec::as_slice).collect();
        let config = KMeansConfig {
            count: Count::Given(count),
            // One unit for all entries, as in the loss.
            standardize: false,
            ..KMeansConfig::default()
        };
        let clusters = kmeans(&some, &config, 0)?;
        let own = some.iter().zip(&clusters.of_rows);
        let squares = own.flat_map(|(row, &cluster)| {
            let pairs = row.iter().zip(&clusters.centers[cluster]);
            pairs.map(|(x, c)| (x - c) * (x - c))
        });
        let variance = squares.sum::<f64>() / (some.len() * latent) as f64;
        // Fewer clusters than asked for, where there are fewer different rows: some centers are alike then.
        let centers = clusters.centers.iter().cycle().take(count);
        let centers: Vec<f64> = centers.flatten().copied().collect();
        let centers = Tensor::from_vec(centers, (count, latent), &Device::Cpu)?;
        self.set_away_from_zero(&centers)?;
        if let Some(temperature) = &self.temperature {
            let value = (2. * variance).max(LEAST_TEMPERATURE);
            let value = Tensor::new(&[value], &Device::Cpu)?.to_dtype(temperature.dtype())?;
            temperature.set(&value.to_device(self.device())?)?;
        }
        Ok(())
    }
}

/// The rows of feature vectors `[n, latent]`.
pub(super) fn rows_of(features: &Tensor) -> Result<Vec<Vec<f64>>> {
    let host = features.detach().to_device(&Device::Cpu)?;
    Ok(host.to_dtype(DType::F64)?.to_vec2()?)
}

/// At most [`MOST_CLUSTERED`] of the rows, evenly over all of them.
fn spread(rows: &[Vec<f64>]) -> impl Iterator<Item = &Vec<f64>> {
    let kept = rows.len().min(MOST_CLUSTERED);
    (0..kept).map(move |i| &rows[i * rows.len() / kept])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    fn centers(count: usize, latent: usize) -> Centers {
        let params = Params::new(0, DType::F64, &Device::Cpu);
        Centers::new(count, latent, &params.var_builder()).unwrap()
    }

    fn values(t: &Tensor) -> Vec<f64> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// `-t log(mean of exp(-d / t))` at the initial temperature of 1.
    #[test]
    fn several_centers_have_the_soft_minimum_of_their_distances() {
        let several = centers(3, 2);
        let points = Tensor::new(&[[1f64, 0.], [0., 2.], [-1., -1.]], &Device::Cpu).unwrap();
        several.set(&points).unwrap();
        let xs = Tensor::new(&[[1f64, 0.], [0., 0.], [40., 0.]], &Device::Cpu).unwrap();
        let got = values(&several.distance(&xs).unwrap());
        for (got, d) in got.iter().zip([[0., 5., 5.], [1., 4., 2.]]) {
            let mean = d.iter().map(|d: &f64| (-d).exp()).sum::<f64>() / 3.;
            assert!((got + mean.ln()).abs() < 1e-12, "{got} {d:?}");
            let average = d.iter().sum::<f64>() / 3.;
            assert!(d.iter().any(|d| d <= got) && *got <= average);
        }
        // Where `exp(-d)` is 0 in every type.
        assert!(
            (got[2] - 39f64.powi(2) - 3f64.ln()).abs() < 1e-9,
            "{}",
            got[2]
        );
    }

    #[test]
    fn centers_that_are_all_alike_are_one() {
        let (one, several) = (centers(1, 2), centers(4, 2));
        let xs = Tensor::new(&[[0.1f64, 0.1], [4., -3.], [0., 0.]], &Device::Cpu).unwrap();
        let want = values(&one.distance(&xs).unwrap());
        let got = values(&several.distance(&xs).unwrap());
        for (got, want) in got.into_iter().zip(want) {
            assert!((got - want).abs() < 1e-12 && got >= 0., "{got} {want}");
        }
    }

    #[test]
    fn clusters_are_found_and_kept_away_from_zero() {
        let around = |x: f64, y: f64| {
            let steps = (0..40).map(f64::from);
            steps.map(move |i| vec![x + (i * 0.7).sin() * 0.3, y + (i * 1.3).cos() * 0.3, 0.01])
        };
        let rows: Vec<Vec<f64>> = around(5., 0.).chain(around(-5., 0.)).collect();
        let two = centers(2, 3);
        two.cluster(&rows).unwrap();
        let mut points = two.points().unwrap().to_vec2::<f64>().unwrap();
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (point, x) in points.iter().zip([-5., 5.]) {
            assert!((point[0] - x).abs() < 0.1, "{point:?}");
            assert_eq!((point[1].abs(), point[2]), (0.1, 0.1));
        }
        // Two of three entries vary, by 0.3 times a sine.
        let temperature = values(two.buffers()[1].as_tensor())[0];
        let expected = 2. * (0.09 / 2.) * 2. / 3.;
        assert!(
            (temperature / expected - 1.).abs() < 0.1,
            "{temperature} {expected}"
        );
    }

    #[test]
    fn fewer_different_rows_than_centers_are_taken_twice() {
        let several = centers(3, 2);
        several.cluster(&vec![vec![2., -3.]; 5]).unwrap();
        let points = several.points().unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(points, [[2., -3.]; 3]);
        let xs = several.points().unwrap();
        assert!(
            values(&several.distance(&xs).unwrap())
                .iter()
                .all(|d| d.abs() < 1e-9)
        );
    }

    #[test]
    fn numbers_of_centers_outside_their_range_are_named() {
        for count in [0, 257] {
            assert!(matches!(
                check_count(count),
                Err(Error::Config {
                    name: "centers",
                    ..
                })
            ));
        }
        let err = centers(3, 2)
            .cluster(&vec![vec![0.; 2]; 2])
            .unwrap_err()
            .to_string();
        assert!(
            err.contains("centers") && err.contains("3 for 2 samples"),
            "{err}"
        );
    }
}
