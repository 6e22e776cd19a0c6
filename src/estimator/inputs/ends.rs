//! The ends of a column, and what of them are marks of missing values.

use std::array::from_fn;

/// The most marks looked for in a column.
const MARKS: usize = 8;

/// Values kept of each end: the marks, and two to tell what is left without them.
const KEPT: usize = MARKS + 2;

/// Times the width of what is left by which marks lie away from it: one value that is repeated, a few that
/// all are, and any.
const ONE: f64 = 5.;
const FEW: f64 = 10.;
const ANY: f64 = 100.;
/// As many widths for a value in more than a tenth of the samples, up to half: a dead sensor's.
const CROWD: f64 = 1000.;

/// How many a few are.
const A_FEW: usize = 4;

/// The outermost distinct values of one end and how often they are there, the first farthest out; those of the
/// upper end with their sign turned, so that both ascend.
#[derive(Clone)]
struct End {
    values: [(f64, u64); KEPT],
    len: usize,
    /// Values at the start that are known as marks.
    marks: usize,
}

impl End {
    fn see(&mut self, x: f64) {
        let kept = &mut self.values[..self.len];
        if kept.len() == KEPT && x > kept[KEPT - 1].0 {
            return;
        }
        let at = kept.iter().position(|(value, _)| *value >= x);
        let at = at.unwrap_or(self.len);
        if let Some((_, count)) = kept.get_mut(at).filter(|(value, _)| *value == x) {
            *count += 1;
            return;
        }
        self.len = (self.len + 1).min(KEPT);
        self.values[at..self.len].rotate_right(1);
        self.values[at] = (x, 1);
    }

    /// The value behind this many others that are not known as marks.
    fn behind(&self, others: usize) -> Option<f64> {
        let kept = &self.values[..self.len];
        kept.get(self.marks + others).map(|(value, _)| *value)
    }

    /// The outermost values that are not known as marks.
    fn outermost(&self, n: usize) -> &[(f64, u64)] {
        &self.values[self.marks..][..n]
    }
}

/// Both ends of a column.
#[derive(Clone)]
pub(super) struct Ends {
    /// Values that are not known as marks.
    count: u64,
    low: End,
    high: End,
}

impl Ends {
    pub(super) fn new() -> Self {
        let end = End {
            values: from_fn(|_| (0., 0)),
            len: 0,
            marks: 0,
        };
        Self {
            count: 0,
            low: end.clone(),
            high: end,
        }
    }

    pub(super) fn see(&mut self, x: f64) {
        self.count += 1;
        self.low.see(x);
        self.high.see(-x);
    }

    /// The smallest and the largest value that is no mark.
    pub(super) fn range(&self) -> (f64, f64) {
        let low = self.low.behind(0).unwrap_or(f64::INFINITY);
        let high = self.high.behind(0).unwrap_or(f64::INFINITY);
        (low, -high)
    }

    /// Takes marks off the ends, the fewest that are such together, as long as there are some: each with how
    /// often it is there.
    pub(super) fn take_marks(&mut self) -> Vec<(f64, u64)> {
        let mut taken = Vec::new();
        while let Some((low, high)) = self.marks(MARKS - taken.len()) {
            let lowest = self.low.outermost(low).iter().copied();
            let highest = self.high.outermost(high).iter().map(|&(x, n)| (-x, n));
            let found: Vec<(f64, u64)> = lowest.chain(highest).collect();
            self.count -= found.iter().map(|(_, count)| count).sum::<u64>();
            self.low.marks += low;
            self.high.marks += high;
            taken.extend(found);
        }
        taken
    }

    /// The fewest outermost values, at most so many, of the lower and of the upper end that are marks together;
    /// of as many those that lie farther away.
    fn marks(&self, most: usize) -> Option<(usize, usize)> {
        let of = |total: usize| {
            let splits = (0..=total).map(|low| (low, total - low));
            let gaps = splits.filter_map(|split| Some((self.gap(split)?, split)));
            gaps.max_by(|(gap, _), (other, _)| gap.total_cmp(other))
        };
        (1..=most).find_map(of).map(|(_, split)| split)
    }

    /// How far so many values of the lower and of the upper end lie away from what is left, if they are marks:
    /// rare, and many times its width away.
    fn gap(&self, (low, high): (usize, usize)) -> Option<f64> {
        if low > self.low.len - self.low.marks || high > self.high.len - self.high.marks {
            return None;
        }
        let marks = self.low.outermost(low).iter();
        let marks = marks.chain(self.high.outermost(high));
        let mut marks = marks.map(|(_, count)| *count);
        let total: u64 = marks.clone().sum();
        let crowd = marks.any(|count| 10 * count > self.count) || 5 * total > self.count;
        if crowd && (low + high > 1 || 2 * total > self.count) {
            return None;
        }
        let (inner_low, inner_high) = (self.low.behind(low)?, -self.high.behind(high)?);
        // Two values are no column with several marks.
        if low.max(high) > 1 && self.low.behind(low + 1)? >= inner_high {
            return None;
        }
        // The other end does not count, where it is no mark but far out itself.
        let without = |end: &End, n: usize| end.behind(n.max(1));
        let upper = -without(&self.high, high)? - inner_low;
        let lower = inner_high - without(&self.low, low)?;
        let mut least = if crowd { CROWD } else { 0. };
        let mut width = |inner: f64| {
            if inner > 0. {
                inner
            } else if inner_high > inner_low {
                inner_high - inner_low
            } else {
                // Of one value, the size of that.
                least = f64::max(least, if total > 1 { ANY } else { f64::INFINITY });
                inner_low.abs()
            }
        };
        let (upper, lower) = (width(upper), width(lower));
        let below = away(&self.low, low, upper, least)?;
        let above = away(&self.high, high, lower, least)?;
        Some(below.max(above))
    }
}

/// How far the `n` outermost values lie away from the next one, if that is far for what is `width` wide, and at
/// least `least` times as much.
fn away(end: &End, n: usize, width: f64, least: f64) -> Option<f64> {
    let Some(last) = n.checked_sub(1) else {
        return Some(0.);
    };
    let marks = end.outermost(n);
    let repeated = marks.iter().all(|(_, count)| *count > 1);
    let widths = match n {
        1 if repeated => ONE,
        2..=A_FEW if repeated => FEW,
        _ => ANY,
    };
    let gap = end.behind(n)? - marks[last].0;
    (width > 0. && gap >= widths.max(least) * width).then_some(gap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, LogNormal, Normal, Pareto, Poisson};

    type Draw<'a> = &'a dyn Fn(&mut ChaCha8Rng) -> f64;

    fn marks(values: &[f64]) -> Vec<f64> {
        let mut ends = Ends::new();
        values.iter().for_each(|&x| ends.see(x));
        let mut marks: Vec<f64> = ends.take_marks().into_iter().map(|(x, _)| x).collect();
        let left = values.iter().filter(|x| !marks.contains(x));
        let range = left.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        });
        assert_eq!(ends.range(), range);
        marks.sort_by(f64::total_cmp);
        marks
    }

    /// A hundred numbers from 0 to 1, and these, each as often as is said.
    fn with(others: &[(f64, usize)]) -> Vec<f64> {
        let bulk = (0..100).map(|i| f64::from(i * 37 % 100) / 99.);
        let others = others.iter().flat_map(|&(x, n)| vec![x; n]);
        bulk.chain(others).collect()
    }

    #[test]
    fn a_constant_or_a_dead_sensor_has_marks_too() {
        const NONE: [f64; 0] = [];
        let of = |bulk: &[f64], mark: f64, n: usize| marks(&[bulk, &vec![mark; n]].concat());
        assert_eq!(of(&[14.62; 996], -9999., 4), [-9999.]);
        assert_eq!(of(&[14.62; 999], -9999., 1), NONE);
        assert_eq!(of(&[0.; 99], 1., 3), NONE);
        assert_eq!(of(&[1.; 95], 2., 5), NONE);
        let bulk: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.).collect();
        for n in [90, 101, 150, 500, 999] {
            assert_eq!(of(&bulk, -9999., n), [-9999.], "{n}");
        }
        assert_eq!(of(&bulk, -9999., 1001), NONE);
        assert_eq!(of(&bulk, 20., 300), NONE);
    }

    #[test]
    fn several_wild_values_do_not_hide_each_other() {
        for wild in [
            &[(-9999., 1), (1e6, 1)][..],
            &[(1e20, 1), (3e20, 1)],
            &[(-3e20, 1), (-1e20, 1)],
            &[(88888., 2), (99999., 3)],
            &[(-9999., 2), (-999., 2), (99999., 1)],
            &[(-9999., 1), (-9998., 1), (9998., 1), (9999., 1)],
            &[(77., 2), (88., 3), (99., 2)],
            &[
                (f64::MIN, 1),
                (f64::MIN / 2., 1),
                (f64::MAX / 3., 1),
                (f64::MAX, 1),
            ],
            &[
                (1e5, 1),
                (2e5, 1),
                (3e7, 1),
                (4e8, 1),
                (1e9, 1),
                (7e11, 1),
                (1e12, 1),
                (1e13, 1),
            ],
        ] {
            let expected: Vec<f64> = wild.iter().map(|(x, _)| *x).collect();
            assert_eq!(marks(&with(wild)), expected);
            let mut values = with(wild);
            values.reverse();
            assert_eq!(marks(&values), expected);
        }
    }

    #[test]
    fn what_is_honest_stays() {
        // A cluster, though far away, of more values than marks are; steps; a far value of its own.
        let cluster: Vec<(f64, usize)> = (0..9).map(|i| (1000. + f64::from(i), 1)).collect();
        let steps: Vec<(f64, usize)> = (1..9).map(|i| (f64::from(i).exp2(), 2)).collect();
        for honest in [
            &cluster[..],
            &steps,
            &[(50., 1), (60., 1)],
            &[(8., 2), (9., 2)],
            &[(1e6, 13), (2e6, 13)],
            &[(1e6, 9), (2e6, 9), (3e6, 9)],
        ] {
            assert_eq!(marks(&with(honest)), Vec::<f64>::new(), "{honest:?}");
        }
        // Amounts that most have none of, and counts.
        for few in [&[12.3, 45.6, 78., 300., 1000.][..], &[7., 8., 9., 10.]] {
            let zeros = [&vec![0.; 95], few].concat();
            assert_eq!(marks(&zeros), Vec::<f64>::new());
        }
        assert_eq!(marks(&[[0.; 90], [1.; 90]].concat()), Vec::<f64>::new());
        assert_eq!(marks(&[3.; 10]), Vec::<f64>::new());
    }

    /// Columns of a thousand, in which a far value is as likely as the distribution makes it.
    #[test]
    fn long_tails_are_rarely_taken_for_marks_and_never_several_of_them() {
        let columns = |draw: Draw| -> [usize; 2] {
            let mut found = [0; 2];
            for seed in 0..400 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let column: Vec<f64> = (0..1000).map(|_| draw(&mut rng)).collect();
                let marks = marks(&column).len();
                found[0] += usize::from(marks > 0);
                found[1] += usize::from(marks > 1);
            }
            found
        };
        let normal = Normal::new(0., 1.).unwrap();
        let pareto = |shape| Pareto::new(1., shape).unwrap();
        let zeros = |rng: &mut ChaCha8Rng, x: f64| if rng.random::<f64>() < 0.9 { 0. } else { x };
        let tails: [(&str, Draw, usize); 9] = [
            (
                "log-normal, 1",
                &|rng| LogNormal::new(0., 1.).unwrap().sample(rng),
                0,
            ),
            (
                "log-normal, 2",
                &|rng| LogNormal::new(0., 2.).unwrap().sample(rng),
                0,
            ),
            (
                "log-normal, 3",
                &|rng| LogNormal::new(0., 3.).unwrap().sample(rng),
                12,
            ),
            ("Pareto, 1.1", &|rng| pareto(1.1).sample(rng), 8),
            ("Pareto, 2", &|rng| pareto(2.).sample(rng), 0),
            (
                "Pareto, 1.1, whole",
                &|rng| f64::floor(pareto(1.1).sample(rng)),
                8,
            ),
            (
                "Pareto, 1.1, both sides",
                &|rng| pareto(1.1).sample(rng) * normal.sample(rng),
                8,
            ),
            (
                "zeros and counts",
                &|rng| {
                    let count = Poisson::new(20.).unwrap().sample(rng);
                    zeros(rng, count)
                },
                0,
            ),
            (
                "zeros and amounts",
                &|rng| {
                    let amount: f64 = LogNormal::new(3., 2.).unwrap().sample(rng);
                    zeros(rng, amount.floor())
                },
                0,
            ),
        ];
        for (name, draw, most) in tails {
            let [any, several] = columns(draw);
            println!("{name}: {any} of 400 columns, {several} with several");
            assert!(any <= most && several == 0, "{name}: {any}, {several}");
        }
    }
}
