use serde::{Deserialize, Serialize};

use crate::{ClassPrior, Error, Result};

/// From these numbers of scores on, [`CalibrationMethod::Auto`] takes the isotonic fit.
const ISOTONIC_ANOMALIES: usize = 200;
const ISOTONIC_UNLABELED: usize = 1000;

/// The slope expected before any labeled anomaly is seen, in units of the unlabeled scores' spread,
/// and how far (in its logarithm) it may well be off.
const USUAL_SLOPE: f64 = 2.;
const SLOPE_SPREAD: f64 = 1.;

/// Scores that the slope of a logistic curve is fitted to, at most about: more are grouped.
const CONDENSED: usize = 4096;

/// Natural logarithm of the steepest and flattest slope looked at.
const LOG_SLOPES: (f64, f64) = (-6., 6.);

/// How scores become probabilities.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::estimator::CalibrationMethod;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig::default();
/// config.train.epochs = 2;
///
/// let mut detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// // On the validation part, as the fit did by the default method.
/// detector.calibrate(CalibrationMethod::Isotonic, None)?;
/// let probabilities = detector.predict_proba(&toy.unseen)?;
/// assert!(probabilities.iter().all(|p| (0. ..=1.).contains(p)));
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// [`Isotonic`](Self::Isotonic) from 200 anomalies and 1,000 unlabeled samples on, else
    /// [`Logistic`](Self::Logistic).
    #[default]
    Auto,
    /// A logistic curve of two parameters: fits in with few anomalies, right where the logarithm of
    /// the density ratio is about linear in the score.
    Logistic,
    /// Any monotone function: no assumption on its form, but steps and overconfidence with few
    /// anomalies.
    Isotonic,
}

/// The probability that a sample with score `s` is an anomaly, as a monotone function of `s`.
///
/// It estimates `p(anomaly | s) = alpha f_A(s) / f_U(s)`, with the densities of the scores of
/// anomalies and of unlabeled samples, by telling `A` (weight `alpha`) from `U` (weight 1): the
/// probability `q` that a weighted sample is from `A` is `p / (1 + p)`, as in case-control studies
/// with contaminated controls.
///
/// - *Logistic*: `p = sigmoid(a s + b)`. For each slope, `b` is set so that the mean probability of
///   the unlabeled scores is `alpha`; the slope maximises the likelihood of `q` times a log-normal
///   prior, which keeps it finite where few anomalies all score above the rest.
/// - *Isotonic*: the monotone `q` of the highest likelihood (pool adjacent violators), `p` cut at 1;
///   flat within a block, linear between blocks.
///
/// # Limits
/// It holds for anomalies like the labeled ones: with a class prior that counts other kinds too, or
/// labeled anomalies easier to find than the rest, it is too high at the top and too low below. A
/// class prior that is off by a factor moves all small probabilities by that factor. Scores used
/// here must come from samples that took no part in training.
///
/// # References
/// Ward et al., Presence-only data and the EM algorithm, Biometrics 2009; Zadrozny and Elkan,
/// Transforming classifier scores into accurate multiclass probability estimates, KDD 2002.
///
/// ```
/// use puad::ClassPrior;
/// use puad::estimator::{Calibration, CalibrationMethod};
///
/// let unlabeled: Vec<f64> = (0..100).map(|i| f64::from(i) / 50.).collect();
/// let anomalies = [1.7, 1.9, 2.1, 2.4];
/// let (method, prior) = (CalibrationMethod::Auto, ClassPrior::new(0.1)?);
/// let calibration = Calibration::fit(method, &unlabeled, &anomalies, prior)?;
/// assert!(calibration.probability(0.5) < 0.05);
/// assert!(calibration.probability(2.4) > 0.5);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calibration(Curve);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Curve {
    /// The class prior leaves no choice.
    Constant(f64),
    /// `sigmoid(slope * (s - center) / scale + intercept)`
    Logistic {
        center: f64,
        scale: f64,
        slope: f64,
        intercept: f64,
    },
    /// Linear between `(scores, probabilities)`, constant beyond.
    Isotonic {
        scores: Vec<f64>,
        probabilities: Vec<f64>,
    },
}

impl Calibration {
    /// Fits the curve to scores of unlabeled samples and of labeled anomalies, in any order, none
    /// of which took part in training.
    ///
    /// # Errors
    /// [`Error::EmptyGroup`] without scores, [`Error::NonFiniteValue`] for a score that is NaN or
    /// infinite.
    pub fn fit(
        method: CalibrationMethod,
        unlabeled: &[f64],
        anomalies: &[f64],
        prior: ClassPrior,
    ) -> Result<Self> {
        check("unlabeled", "unlabeled scores", unlabeled)?;
        check("anomalous", "anomaly scores", anomalies)?;
        let alpha = prior.get();
        if alpha == 0. || alpha == 1. {
            return Ok(Self(Curve::Constant(alpha)));
        }
        let many = anomalies.len() >= ISOTONIC_ANOMALIES && unlabeled.len() >= ISOTONIC_UNLABELED;
        Ok(Self(match method {
            CalibrationMethod::Auto if many => isotonic(unlabeled, anomalies, alpha),
            CalibrationMethod::Isotonic => isotonic(unlabeled, anomalies, alpha),
            _ => logistic(unlabeled, anomalies, alpha),
        }))
    }

    /// The probability in [0, 1] at a score; NaN at NaN.
    pub fn probability(&self, score: f64) -> f64 {
        match &self.0 {
            _ if score.is_nan() => score,
            Curve::Constant(p) => *p,
            Curve::Logistic {
                center,
                scale,
                slope,
                intercept,
            } => sigmoid(slope * ((score - center) / scale) + intercept),
            Curve::Isotonic {
                scores,
                probabilities,
            } => interpolate(scores, probabilities, score),
        }
    }

    /// The score above which the probability exceeds `p`, in (0, 1); minus infinity where it always does, infinity where
    /// it never does.
    ///
    /// ```
    /// use puad::ClassPrior;
    /// use puad::estimator::{Calibration, CalibrationMethod};
    ///
    /// let unlabeled: Vec<f64> = (0..100).map(|i| f64::from(i) / 50.).collect();
    /// let (method, prior) = (CalibrationMethod::Logistic, ClassPrior::new(0.1)?);
    /// let calibration = Calibration::fit(method, &unlabeled, &[1.7, 1.9, 2.1, 2.4], prior)?;
    /// let score = calibration.score_at(0.3);
    /// assert!((calibration.probability(score) - 0.3).abs() < 1e-9);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn score_at(&self, p: f64) -> f64 {
        let all_or_none = |probability: f64| {
            if probability > p {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        };
        match &self.0 {
            Curve::Constant(probability) => all_or_none(*probability),
            Curve::Logistic {
                slope, intercept, ..
            } if *slope == 0. => all_or_none(sigmoid(*intercept)),
            Curve::Logistic {
                center,
                scale,
                slope,
                intercept,
            } => center + scale * (((p / (1. - p)).ln() - intercept) / slope),
            Curve::Isotonic {
                scores,
                probabilities,
            } => match probabilities.partition_point(|&probability| probability <= p) {
                next if next == 0 || next == scores.len() => all_or_none(probabilities[0]),
                next => {
                    let low = probabilities[next - 1];
                    let share = (p - low) / (probabilities[next] - low);
                    scores[next - 1] + share * (scores[next] - scores[next - 1])
                }
            },
        }
    }

    pub(super) fn of_scores(&self, scores: &[f64]) -> Vec<f64> {
        scores
            .iter()
            .map(|&score| self.probability(score))
            .collect()
    }

    /// # Errors
    /// [`Error::Config`] for a curve, read from a file, that is none.
    pub(crate) fn check(&self) -> Result<()> {
        let good = match &self.0 {
            Curve::Constant(p) => (0. ..=1.).contains(p),
            Curve::Logistic {
                center,
                scale,
                slope,
                intercept,
            } => {
                let finite = [center, scale, slope, intercept]
                    .iter()
                    .all(|v| v.is_finite());
                finite && *scale > 0. && *slope >= 0.
            }
            Curve::Isotonic {
                scores,
                probabilities,
            } => {
                let rises = |v: &[f64]| v.is_sorted() && v.iter().all(|x| x.is_finite());
                let unit = |v: &[f64]| v.iter().all(|p| (0. ..=1.).contains(p));
                scores.len() == probabilities.len()
                    && !scores.is_empty()
                    && rises(scores)
                    && rises(probabilities)
                    && unit(probabilities)
            }
        };
        if good {
            return Ok(());
        }
        Err(Error::config("calibration", "a monotone curve", "another"))
    }
}

fn check(group: &'static str, what: &'static str, scores: &[f64]) -> Result<()> {
    if scores.is_empty() {
        return Err(Error::EmptyGroup {
            what: "a calibration",
            group,
        });
    }
    match scores.iter().position(|s| !s.is_finite()) {
        Some(index) => Err(Error::NonFiniteValue {
            what,
            index,
            value: scores[index],
        }),
        None => Ok(()),
    }
}

fn sigmoid(x: f64) -> f64 {
    1. / (1. + (-x).exp())
}

/// `log sigmoid(x)`
fn log_sigmoid(x: f64) -> f64 {
    -((-x.abs()).exp().ln_1p() + (-x).max(0.))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Position and width of the bulk: the median, and the interquartile range as a deviation.
fn bulk(scores: &[f64]) -> (f64, f64) {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| sorted[(q * (sorted.len() - 1) as f64).round() as usize];
    let center = at(0.5);
    let range = (at(0.75) - at(0.25)) / 1.349;
    let whole = sorted[sorted.len() - 1] - sorted[0];
    let usable = |v: &f64| *v > 0. && v.is_finite();
    let scale = [range, whole].into_iter().find(usable).unwrap_or(1.);
    (center, scale)
}

fn logistic(unlabeled: &[f64], anomalies: &[f64], alpha: f64) -> Curve {
    let (center, scale) = bulk(unlabeled);
    let standard = |scores: &[f64]| -> Vec<f64> {
        // Beyond this every slope has saturated; infinities are kept out.
        scores
            .iter()
            .map(|s| ((s - center) / scale).clamp(-1e6, 1e6))
            .collect()
    };
    let (u, a) = (standard(unlabeled), standard(anomalies));
    let (few_u, few_a) = (condensed(u.clone()), condensed(a));
    let cost = |log_slope: f64| {
        let slope = log_slope.exp();
        let b = intercept(&few_u, slope, alpha);
        let eta = |z: f64| slope * z + b;
        let log_q = |z: f64| log_sigmoid(eta(z)) - sigmoid(eta(z)).ln_1p();
        let log_not_q = |z: f64| -sigmoid(eta(z)).ln_1p();
        let fit = average(&few_a, log_q) + average(&few_u, log_not_q) / alpha;
        let off = (log_slope - USUAL_SLOPE.ln()) / SLOPE_SPREAD;
        -(anomalies.len() as f64) * fit + 0.5 * off * off
    };
    let slope = minimum(LOG_SLOPES, cost).exp();
    let weight = 1. / u.len() as f64;
    let all: Vec<Weighted> = u.into_iter().map(|z| (z, weight)).collect();
    Curve::Logistic {
        center,
        scale,
        slope,
        intercept: intercept(&all, slope, alpha),
    }
}

/// A score, and its share of all.
type Weighted = (f64, f64);

fn average(zs: &[Weighted], f: impl Fn(f64) -> f64) -> f64 {
    zs.iter().map(|&(z, weight)| weight * f(z)).sum()
}

/// Many scores as about as many as [`CONDENSED`]: the ends as they are, of the rest the means of
/// neighbours, which lie so close that no slope tells them apart.
fn condensed(mut zs: Vec<f64>) -> Vec<Weighted> {
    let n = zs.len();
    zs.sort_unstable_by(f64::total_cmp);
    let ends = if n > CONDENSED { CONDENSED / 4 } else { n };
    let (low, rest) = zs.split_at(ends);
    let (middle, high) = rest.split_at(rest.len() - ends.min(rest.len()));
    let size = middle.len().div_ceil(CONDENSED / 2).max(1);
    let single = |&z: &f64| (z, 1. / n as f64);
    let group = |zs: &[f64]| (mean(zs.iter().copied()), zs.len() as f64 / n as f64);
    let ends = low.iter().chain(high).map(single);
    ends.chain(middle.chunks(size).map(group)).collect()
}

/// The intercept at which the mean probability of `zs` is `alpha`: Newton's steps, and bisection where they
/// leave the bracket, since the mean rises with it.
fn intercept(zs: &[Weighted], slope: f64, alpha: f64) -> f64 {
    let reach = zs.iter().fold(0f64, |m, (z, _)| m.max((slope * z).abs()));
    let around = (alpha / (1. - alpha)).ln();
    let (mut low, mut high) = (around - reach, around + reach);
    let mut b = around;
    for step in 1..=100 {
        let (mut share, mut rise) = (0., 0.);
        for &(z, weight) in zs {
            let p = sigmoid(slope * z + b);
            share += weight * p;
            rise += weight * p * (1. - p);
        }
        if share < alpha {
            low = b
        } else {
            high = b
        }
        let newton = b - (share - alpha) / rise;
        // Every third step halves the bracket, should the others creep.
        let next = if newton > low && newton < high && step % 3 != 0 {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - b).abs() <= 1e-14 * (1. + b.abs()) {
            return next;
        }
        b = next;
    }
    b
}

/// Where `f` is smallest: a grid, then golden sections around its best point.
fn minimum((low, high): (f64, f64), f: impl Fn(f64) -> f64) -> f64 {
    const POINTS: u32 = 48;
    let step = (high - low) / f64::from(POINTS);
    let grid = (0..=POINTS).map(|i| low + step * f64::from(i));
    let best = grid.map(|x| (f(x), x)).min_by(|a, b| a.0.total_cmp(&b.0));
    let best = best.map_or(low, |(_, x)| x);
    let (mut low, mut high) = (best - step, best + step);
    let golden = (5f64.sqrt() - 1.) / 2.;
    for _ in 0..40 {
        let width = golden * (high - low);
        let (left, right) = (high - width, low + width);
        if f(left) < f(right) {
            high = right
        } else {
            low = left
        }
    }
    0.5 * (low + high)
}

/// Neighbouring scores of one probability.
#[derive(Clone, Copy)]
struct Block {
    low: f64,
    high: f64,
    anomalous: f64,
    unlabeled: f64,
}

impl Block {
    fn merge(self, next: Self) -> Self {
        Self {
            low: self.low,
            high: next.high,
            anomalous: self.anomalous + next.anomalous,
            unlabeled: self.unlabeled + next.unlabeled,
        }
    }

    /// Whether the next block's odds are no higher, compared without dividing by 0.
    fn violates(&self, next: &Self) -> bool {
        self.anomalous * next.unlabeled >= next.anomalous * self.unlabeled
    }

    fn probability(&self) -> f64 {
        // Beyond the highest unlabeled score this is infinite before the cut.
        (self.anomalous / self.unlabeled).min(1.)
    }
}

fn isotonic(unlabeled: &[f64], anomalies: &[f64], alpha: f64) -> Curve {
    let block = |anomalous: f64, unlabeled: f64| {
        move |&s: &f64| Block {
            low: s,
            high: s,
            anomalous,
            unlabeled,
        }
    };
    let from_u = unlabeled.iter().map(block(0., 1. / unlabeled.len() as f64));
    let from_a = anomalies
        .iter()
        .map(block(alpha / anomalies.len() as f64, 0.));
    let mut points: Vec<Block> = from_u.chain(from_a).collect();
    points.sort_by(|a, b| a.low.total_cmp(&b.low));
    // Equal scores first: they have one probability whatever their order.
    let points = merge(points, |last, next| last.high == next.low);
    let blocks = merge(points, Block::violates);
    let (mut scores, mut probabilities) = (Vec::new(), Vec::new());
    for block in blocks {
        scores.extend([block.low, block.high]);
        probabilities.extend([block.probability(); 2]);
    }
    Curve::Isotonic {
        scores,
        probabilities,
    }
}

/// Merges each block into those before it for as long as `joins` says so of it and its neighbour.
fn merge(blocks: Vec<Block>, joins: impl Fn(&Block, &Block) -> bool) -> Vec<Block> {
    let mut merged: Vec<Block> = Vec::new();
    for mut block in blocks {
        while let Some(last) = merged.last()
            && joins(last, &block)
        {
            block = last.merge(block);
            merged.pop();
        }
        merged.push(block);
    }
    merged
}

fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let next = xs.partition_point(|&knot| knot < x);
    match next {
        0 => ys[0],
        i if i == xs.len() => ys[i - 1],
        i => {
            let share = (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
            (ys[i - 1] + share * (ys[i] - ys[i - 1])).min(ys[i])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, substream};
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal};

    const METHODS: [CalibrationMethod; 3] = [
        CalibrationMethod::Auto,
        CalibrationMethod::Logistic,
        CalibrationMethod::Isotonic,
    ];

    fn prior(alpha: f64) -> ClassPrior {
        ClassPrior::new(alpha).unwrap()
    }

    /// Scores of normals N(0, 1) and anomalies N(2, 1): the truth is
    /// `sigmoid(2 s - 2 + log(alpha / (1 - alpha)))`.
    fn gaussians(u: usize, a: usize, alpha: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut rng = substream(seed, Purpose::Toy, 0);
        let normal = Normal::new(0., 1.).unwrap();
        let anomaly = Normal::new(2., 1.).unwrap();
        let among = (alpha * u as f64).round() as usize;
        let mut unlabeled: Vec<f64> = (among..u).map(|_| normal.sample(&mut rng)).collect();
        unlabeled.extend((0..among).map(|_| anomaly.sample(&mut rng)));
        let anomalies = (0..a).map(|_| anomaly.sample(&mut rng)).collect();
        (unlabeled, anomalies)
    }

    fn truth(s: f64, alpha: f64) -> f64 {
        sigmoid(2. * s - 2. + (alpha / (1. - alpha)).ln())
    }

    /// Mean absolute distance from the truth over new unlabeled scores.
    fn error(method: CalibrationMethod, u: usize, a: usize, alpha: f64, seed: u64) -> f64 {
        let (unlabeled, anomalies) = gaussians(u, a, alpha, seed);
        let fit = Calibration::fit(method, &unlabeled, &anomalies, prior(alpha)).unwrap();
        fit.check().unwrap();
        let (new, _) = gaussians(4000, 0, alpha, seed + 1000);
        mean(
            new.iter()
                .map(|&s| (fit.probability(s) - truth(s, alpha)).abs()),
        )
    }

    #[test]
    fn many_samples_give_the_true_probabilities() {
        for alpha in [0.05, 0.3] {
            for seed in 0..3 {
                let logistic = error(CalibrationMethod::Logistic, 20_000, 2000, alpha, seed);
                assert!(logistic < 0.01, "{alpha} {seed}: {logistic}");
                let isotonic = error(CalibrationMethod::Isotonic, 20_000, 2000, alpha, seed);
                assert!(isotonic < 0.03, "{alpha} {seed}: {isotonic}");
            }
        }
    }

    /// As few as a validation part often has: the logistic fit is usable, and better than the
    /// isotonic one, which is why `Auto` takes it.
    #[test]
    fn few_anomalies_are_better_served_by_the_logistic_fit() {
        for (u, a) in [(100, 2), (200, 5), (500, 25)] {
            let average =
                |method| mean((0..20u32).map(|seed| error(method, u, a, 0.1, seed.into())));
            let logistic = average(CalibrationMethod::Logistic);
            let isotonic = average(CalibrationMethod::Isotonic);
            assert!(logistic < 0.05, "{u} {a}: {logistic}");
            assert!(logistic < isotonic, "{u} {a}: {logistic} {isotonic}");
            assert_eq!(average(CalibrationMethod::Auto), logistic);
        }
    }

    /// Densities whose ratio is not log-linear in the score: uniform on [0, 1] against uniform on
    /// [0.5, 1], so that the truth is a step.
    #[test]
    fn isotonic_fit_needs_no_form() {
        let alpha = 0.2;
        let unlabeled: Vec<f64> = (0..8000)
            .map(|i| f64::from(i) / 8000.)
            .chain((0..2000).map(|i| 0.5 + f64::from(i) / 4000.))
            .collect();
        let anomalies: Vec<f64> = (0..1000).map(|i| 0.5 + f64::from(i) / 2000.).collect();
        let fit = Calibration::fit(
            CalibrationMethod::Auto,
            &unlabeled,
            &anomalies,
            prior(alpha),
        );
        let fit = fit.unwrap();
        // Above 0.5: 0.2 * 2 / (0.8 + 0.2 * 2)
        for (score, expected) in [(0.1, 0.), (0.49, 0.), (0.51, 1. / 3.), (0.99, 1. / 3.)] {
            let p = fit.probability(score);
            assert!((p - expected).abs() < 0.02, "{score}: {p}");
        }
    }

    #[test]
    fn separated_groups_give_a_finite_slope_and_a_confident_top() {
        let unlabeled: Vec<f64> = (0..200).map(|i| f64::from(i) / 100.).collect();
        for method in METHODS {
            let fit = Calibration::fit(method, &unlabeled, &[50., 60.], prior(0.1)).unwrap();
            fit.check().unwrap();
            assert!(fit.probability(60.) > 0.99, "{method:?}");
            assert!(fit.probability(0.5) < 0.2, "{method:?}");
        }
    }

    /// The grouped scores give the curve that all of them give.
    #[test]
    fn many_scores_are_fitted_as_their_groups() {
        let (unlabeled, anomalies) = gaussians(100_000, 20_000, 0.1, 0);
        let fit =
            |u: &[f64]| Calibration::fit(CalibrationMethod::Logistic, u, &anomalies, prior(0.1));
        let Calibration(Curve::Logistic {
            slope, intercept, ..
        }) = fit(&unlabeled).unwrap()
        else {
            panic!("a logistic curve");
        };
        let (center, scale) = bulk(&unlabeled);
        let zs = unlabeled.iter().map(|s| (s - center) / scale);
        let share = mean(zs.map(|z| sigmoid(slope * z + intercept)));
        assert!((share - 0.1).abs() < 1e-12, "{share}");
        // A quarter of the scores, in groups a quarter as large.
        let quarter: Vec<f64> = unlabeled.iter().copied().step_by(4).collect();
        let Calibration(Curve::Logistic { slope: again, .. }) = fit(&quarter).unwrap() else {
            panic!("a logistic curve");
        };
        assert!((slope / again - 1.).abs() < 0.05, "{slope} {again}");
        let all: f64 = condensed(unlabeled.clone())
            .iter()
            .map(|(_, weight)| weight)
            .sum();
        let kept = condensed(unlabeled.clone()).len();
        assert!(
            (all - 1.).abs() < 1e-9 && kept <= CONDENSED + 1,
            "{all} {kept}"
        );
        let mean_of = average(&condensed(unlabeled.clone()), |z| z);
        assert!((mean_of - mean(unlabeled.iter().copied())).abs() < 1e-9);
        let few = [3., 1., 2.];
        let third = 1. / 3.;
        assert_eq!(
            condensed(few.to_vec()),
            [(1., third), (2., third), (3., third)]
        );
    }

    #[test]
    fn scores_of_a_probability_are_its_inverse() {
        let (unlabeled, anomalies) = gaussians(2000, 300, 0.1, 0);
        for method in METHODS {
            let fit = Calibration::fit(method, &unlabeled, &anomalies, prior(0.1)).unwrap();
            for p in [0.01, 0.1, 0.5, 0.9] {
                let score = fit.score_at(p);
                assert!((fit.probability(score) - p).abs() < 1e-9, "{method:?} {p}");
                assert!(fit.probability(score + 1e-6) > p, "{method:?} {p}");
            }
        }
        let at = |alpha, p| {
            Calibration::fit(METHODS[2], &[0., 1.], &[2.], prior(alpha))
                .unwrap()
                .score_at(p)
        };
        assert_eq!(
            (at(0., 0.5), at(1., 0.5)),
            (f64::INFINITY, f64::NEG_INFINITY)
        );
        let curve = |probabilities: Vec<f64>| {
            Calibration(Curve::Isotonic {
                scores: vec![1., 2.],
                probabilities,
            })
            .score_at(0.5)
        };
        assert_eq!(curve(vec![0.6, 0.7]), f64::NEG_INFINITY);
        assert_eq!(curve(vec![0.3, 0.5]), f64::INFINITY);
        assert_eq!(curve(vec![0.4, 0.6]), 1.5);
    }

    #[test]
    fn extreme_priors_are_certain() {
        for method in METHODS {
            let fit = |alpha| Calibration::fit(method, &[0., 1.], &[2.], prior(alpha)).unwrap();
            assert_eq!(fit(0.).probability(1e9), 0.);
            assert_eq!(fit(1.).probability(-1e9), 1.);
            assert!(fit(1e-12).probability(0.) < 1e-9);
        }
    }

    #[test]
    fn empty_and_non_finite_scores_are_errors() {
        let fit = |u: &[f64], a: &[f64]| Calibration::fit(METHODS[0], u, a, prior(0.1));
        let err = fit(&[], &[1.]).unwrap_err();
        assert!(matches!(
            err,
            Error::EmptyGroup {
                group: "unlabeled",
                ..
            }
        ));
        let err = fit(&[1.], &[]).unwrap_err();
        assert!(matches!(
            err,
            Error::EmptyGroup {
                group: "anomalous",
                ..
            }
        ));
        for bad in [f64::NAN, f64::INFINITY] {
            let err = fit(&[0., bad], &[1.]).unwrap_err();
            assert!(matches!(err, Error::NonFiniteValue { index: 1, .. }));
        }
        assert!(fit(&[0.], &[1.]).unwrap().probability(f64::NAN).is_nan());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn probabilities_rise_with_the_score(
            unlabeled in proptest::collection::vec(-20i32..20, 1..80),
            anomalies in proptest::collection::vec(-20i32..30, 1..20),
            spread in -8i32..12,
            alpha in 0.0..=1.0f64,
        ) {
            let scale = 10f64.powi(spread);
            let scores = |v: Vec<i32>| v.into_iter().map(|s| f64::from(s) * scale).collect::<Vec<_>>();
            let (u, a) = (scores(unlabeled), scores(anomalies));
            for method in METHODS {
                let fit = Calibration::fit(method, &u, &a, prior(alpha)).unwrap();
                prop_assert!(fit.check().is_ok());
                let mut before = 0.;
                for i in -500..=700 {
                    let p = fit.probability(f64::from(i) * scale / 16.);
                    prop_assert!((before..=1.).contains(&p), "{:?} {}: {} {}", fit, i, before, p);
                    before = p;
                }
                let text = serde_json::to_string(&fit).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Calibration>(&text).unwrap(), &fit);
            }
        }
    }
}
