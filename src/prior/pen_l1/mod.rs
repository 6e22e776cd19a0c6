mod basis;

use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use self::basis::{Basis, Fit};
use super::points::Points;
use super::{PriorData, PriorEstimate, PriorEstimator, doubt, resample};
use crate::{Error, Result};

/// The settings of [`PenL1`].
///
/// ```
/// use puad::prior::PenL1Config;
///
/// let config = PenL1Config { widths: vec![0.5], ..Default::default() };
/// config.check()?;
/// assert_eq!(config.folds, 5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PenL1Config {
    /// Kernel widths to choose from, in median distances of rows to centers; each > 0.
    pub widths: Vec<f64>,
    /// Regularisation parameters `lambda` to choose from, divided by the number of basis functions; each > 0.
    pub regularizations: Vec<f64>,
    /// The most basis functions, half of them at unlabeled rows and half at anomalies, >= 2.
    pub centers: usize,
    /// Folds of the cross-validation, >= 2; fewer where a group has fewer rows.
    pub folds: usize,
    /// Candidates of the share between 0.001 and 1, evenly spaced on a logarithmic scale, >= 2; 0 is one besides.
    pub grid: usize,
    /// The most rows of a group that are looked at, a random sample of it, >= 1.
    pub rows: usize,
    /// Bootstrap resamples of the interval, >= 1.
    pub resamples: usize,
    /// The level of the interval, in (0, 1).
    pub level: f64,
}

impl Default for PenL1Config {
    fn default() -> Self {
        Self {
            widths: vec![0.1, 0.25, 0.5, 1.],
            regularizations: vec![1e-5, 1e-4, 1e-3],
            centers: 200,
            folds: 5,
            grid: 120,
            rows: 4000,
            resamples: 100,
            level: 0.95,
        }
    }
}

impl PenL1Config {
    /// # Errors
    /// [`Error::Config`] for the first value outside its range.
    pub fn check(&self) -> Result<()> {
        let lists = [
            ("widths", &self.widths),
            ("regularizations", &self.regularizations),
        ];
        for (name, values) in lists {
            let wrong = values
                .iter()
                .find(|value| !(**value > 0. && value.is_finite()));
            if let Some(wrong) = wrong {
                return Err(Error::config(name, "finite and above 0", wrong));
            }
            if values.is_empty() {
                return Err(Error::config(name, "a list of at least one value", "none"));
            }
        }
        let sizes = [
            ("centers", self.centers, 2, "at least 2"),
            ("folds", self.folds, 2, "at least 2"),
            ("grid", self.grid, 2, "at least 2"),
            ("rows", self.rows, 1, "at least 1"),
        ];
        for (name, size, least, rule) in sizes {
            if size < least {
                return Err(Error::config(name, rule, size));
            }
        }
        resample::check(self.resamples, self.level)
    }

    /// Of the share.
    fn candidates(&self) -> impl Iterator<Item = f64> + '_ {
        let last = (self.grid - 1) as f64;
        let candidate = move |step: usize| 1e3f64.powf(step as f64 / last - 1.);
        std::iter::once(0.).chain((0..self.grid).map(candidate))
    }
}

/// pen-L1: the share of anomalies at which a penalised L1 distance between the unlabeled density and that share of
/// the anomalies' is least.
///
/// A distance alone would be least at a share below the truth or above it, whatever normals do; its penalty is
/// infinite where `alpha f_A` exceeds `f_U`, and so the distance falls with `alpha` up to the truth. Its dual over
/// functions `sum_l c_l phi_l - 1` with `c_l >= 0` and Gaussian basis functions `phi_l` at `b` rows has the solution
/// `c_l = max(0, beta_l) / lambda`,
///
/// ```text
/// beta_l = alpha mean_A phi_l - mean_U phi_l
/// penL1(alpha) = sum_l max(0, beta_l) beta_l / lambda - alpha + 1
/// ```
///
/// which is evaluated at 0 and at shares from 0.001 to 1, a constant factor apart, and least at the estimate. For each
/// of them width and `lambda` are those of the largest held-out `sum_l c_l beta_l`, `c` from other folds, as its
/// authors do. That criterion is homogeneous in `c`: wherever it is positive the least `lambda` has the largest, so
/// that cross-validation chooses the width, and `lambda` is in effect the least of
/// [`regularizations`](PenL1Config::regularizations).
///
/// It takes scores or vectors. Vectors are standardised by the unlabeled rows' means and deviations; scores lie on the
/// mean of both groups' distribution functions, so that their unit has no effect.
///
/// The interval is a bootstrap's over unlabeled rows and anomalies, with basis functions and folds fixed: it covers
/// the noise of both samples, and neither that of the scores' training or of the draw of basis functions, nor the
/// error of labels that are not representative or of an overlap, by which the estimate is too high.
///
/// # When it fails
/// - Normals reach as high as anomalies: the estimate is an upper bound. Of two Gaussians two deviations apart it was
///   0.14 where 0.05 is true and 0.43 where 0.25 is, and the interval did not hold the truth.
///   [`PriorDoubt::Overlap`](super::PriorDoubt::Overlap) says so where it is noticed.
/// - Vectors of more than a few columns: kernels of a width that spans enough rows mix both classes, and the estimate
///   was too high by up to 0.7 where scores of a classifier gave 0.1 at most. Take scores.
/// - The labeled anomalies are of some kinds alone: it is the share of these.
/// - The scores are those of a classifier on its own training data: far too low.
///
/// # References
/// Du Plessis (Christoffel), Niu and Sugiyama, Class-prior estimation for learning from positive and unlabeled data,
/// Machine Learning 106, 2017 (ACML 2015).
///
/// ```
/// use puad::prior::{PenL1, PriorData, PriorEstimator};
///
/// // A tenth of 1000 unlabeled samples scores as the anomalies do.
/// let unlabeled = (0..1000).map(f64::from).collect();
/// let anomalies = (0..50).map(|i| 901. + 2. * f64::from(i)).collect();
/// let estimate = PenL1::default().estimate(&PriorData::of_scores(unlabeled, anomalies)?, 0)?;
/// assert!((estimate.alpha.get() - 0.1).abs() < 0.03);
/// assert!(estimate.low.get() < 0.1 && 0.1 < estimate.high.get());
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PenL1 {
    config: PenL1Config,
}

impl PenL1 {
    /// # Errors
    /// As [`PenL1Config::check`].
    pub fn new(config: PenL1Config) -> Result<Self> {
        config.check()?;
        Ok(Self { config })
    }

    /// The best candidate, of rows that come `times` times.
    fn best(&self, bases: &[Basis], times: &[u32]) -> f64 {
        let columns: Vec<_> = bases.iter().map(|basis| basis.means(times)).collect();
        let lambdas = &self.config.regularizations;
        let penalized = |share: f64| {
            let fits = columns.iter().map(|means| means.fit(share));
            let pairs = fits.flat_map(|fit| lambdas.iter().map(move |lambda| (fit, lambda)));
            let held_out = |(fit, lambda): &(Fit, &f64)| fit.held_out / **lambda;
            let chosen = pairs.max_by(|a, b| held_out(a).total_cmp(&held_out(b)));
            // `check` has seen that there is one of each.
            chosen.map_or(1., |(fit, lambda)| fit.fitted / lambda) - share + 1.
        };
        let candidates = self
            .config
            .candidates()
            .map(|share| (share, penalized(share)));
        let best = candidates.min_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(0., |(share, _)| share)
    }

    /// The rows that are looked at.
    fn rows(&self, points: Points, rng: &mut ChaCha8Rng) -> Points {
        let mut pick = |from: usize, len: usize| -> Vec<usize> {
            if len <= self.config.rows {
                return (from..from + len).collect();
            }
            let picked = index::sample(rng, len, self.config.rows);
            picked.into_iter().map(|row| from + row).collect()
        };
        let mut rows = pick(0, points.unlabeled());
        let unlabeled = rows.len();
        rows.extend(pick(points.unlabeled(), points.anomalies()));
        points.at(&rows, unlabeled)
    }
}

impl PriorEstimator for PenL1 {
    fn name(&self) -> &'static str {
        "pen-L1"
    }

    fn estimate(&self, data: &PriorData, seed: u64) -> Result<PriorEstimate> {
        let mut rng = resample::first_stream(seed);
        let all = Points::of(data);
        let points = self.rows(all.clone(), &mut rng);
        let bases = Basis::all(&points, &self.config, &mut rng);
        let alpha = self.best(&bases, &vec![1; points.len()]);
        let resampled = resample::resampled(seed, self.config.resamples, |rng| {
            let mut times = resample::counts(rng, points.unlabeled());
            times.extend(resample::counts(rng, points.anomalies()));
            self.best(&bases, &times)
        });
        let doubts = doubt::of(data, &all, alpha)?;
        resample::estimate(alpha, resampled, self.config.level, doubts)
    }
}
