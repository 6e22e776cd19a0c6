use serde::{Deserialize, Serialize};

use super::levels::check_numbers;
use super::tail::too_few;
use crate::statistics::{check_share, marked_at_most, more_than};
use crate::{Error, Result};

/// So many alarms a day, of so many rows a day.
///
/// ```
/// use puad::conformal::Budget;
///
/// let budget = Budget { alarms: 50, volume: 20_000 };
/// assert_eq!(budget.rate()?, 0.0025);
/// // At this rate there are 50 on average, and more on almost every second day.
/// assert!((budget.chance_of_more(0.0025)? - 0.4625).abs() < 1e-4);
/// // At this one on one day in twenty.
/// assert!((budget.rate_for(0.05)? - 0.001993).abs() < 1e-6);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// At most so many alarms a day, >= 1.
    pub alarms: u64,
    /// Rows a day, more than alarms.
    pub volume: u64,
}

/// A threshold that keeps a [`Budget`], and how it does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetThreshold {
    /// The score that an alarm's exceeds.
    pub threshold: f64,
    /// The share of alarms among new rows, on average over calibration sets.
    pub rate: f64,
    /// The chance of more alarms on a day than the budget has, over the draw of the calibration rows and of the day's.
    pub chance: f64,
}

impl Budget {
    /// The share of rows that may be alarms.
    ///
    /// # Errors
    /// [`Error::Config`] for a budget of none, or of as many alarms as rows.
    pub fn rate(&self) -> Result<f64> {
        let Self { alarms, volume } = *self;
        if alarms == 0 || alarms >= volume {
            let rule = "at least 1 and fewer than the rows of a day";
            return Err(Error::config(
                "alarms",
                rule,
                format!("{alarms} of {volume}"),
            ));
        }
        Ok(alarms as f64 / volume as f64)
    }

    /// The chance of more alarms on a day, if each of its rows is one with a probability of `rate`, in [0, 1],
    /// independently: the binomial tail.
    ///
    /// # Errors
    /// As [`rate`](Self::rate), and for a rate outside [0, 1].
    pub fn chance_of_more(&self, rate: f64) -> Result<f64> {
        self.rate()?;
        if !(0. ..=1.).contains(&rate) {
            return Err(Error::config("rate", "in [0, 1]", rate));
        }
        Ok(more_than(self.volume, rate, self.alarms))
    }

    /// The largest rate at which the [`chance_of_more`](Self::chance_of_more) is at most `chance`, in (0, 1).
    ///
    /// # Errors
    /// As [`rate`](Self::rate), and for a chance outside its range.
    pub fn rate_for(&self, chance: f64) -> Result<f64> {
        self.rate()?;
        check_share("chance", chance)?;
        let (mut low, mut high) = (0., 1.);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if more_than(self.volume, middle, self.alarms) <= chance {
                low = middle
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    /// The lowest threshold that keeps the budget on average, or, with a `chance` in (0, 1), that is exceeded on a day
    /// with at most this chance; from scores of unlabeled calibration rows like those of a day, in any order.
    ///
    /// Nothing is assumed of anomalies: alarms are counted, right or wrong. With `k` of `n` calibration scores above
    /// the threshold a new row is an alarm with a probability of `(k + 1) / (n + 1)`, and the number of a day's alarms
    /// has a hypergeometric tail, whatever the scores' distribution: of the `k + 1 + alarms` highest scores of
    /// calibration and day together, more than `alarms` are the day's. It is exact for scores without ties, and an
    /// upper bound with them. It counts that the threshold itself is drawn, so that it is above the binomial tail.
    /// Rows that come in bursts make a day's number vary more than it says.
    ///
    /// # Errors
    /// As [`rate`](Self::rate); [`Error::Config`] for a chance outside its range, a score that is NaN, and too few
    /// scores, with how many are needed.
    ///
    /// ```
    /// use puad::conformal::Budget;
    ///
    /// let scores: Vec<f64> = (0..4000).map(f64::from).collect();
    /// let budget = Budget { alarms: 50, volume: 20_000 };
    /// let average = budget.threshold(&scores, None)?;
    /// assert_eq!((average.threshold, average.rate), (3990., 10. / 4001.)); // nine are above
    /// let rarely = budget.threshold(&scores, Some(0.05))?;
    /// assert_eq!(rarely.threshold, 3995.); // four
    /// assert!(rarely.chance <= 0.05);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn threshold(&self, scores: &[f64], chance: Option<f64>) -> Result<BudgetThreshold> {
        let rate = self.rate()?;
        chance.map_or(Ok(()), |chance| check_share("chance", chance))?;
        check_numbers("calibration scores", scores)?;
        let keeps = |rows: usize, above: usize| match chance {
            Some(chance) => self.chance_by(rows, above) <= chance,
            None => (above + 1) as f64 <= rate * (rows + 1) as f64 + 1e-9,
        };
        let rows = scores.len();
        if rows == 0 || !keeps(rows, 0) {
            let needed = first(|rows| keeps(rows, 0));
            return Err(too_few("unlabeled", rows, rate, needed));
        }
        let above = first_within(rows, |above| !keeps(rows, above)) - 1;
        let mut sorted = scores.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(BudgetThreshold {
            threshold: sorted[rows - 1 - above],
            rate: (above + 1) as f64 / (rows + 1) as f64,
            chance: self.chance_by(rows, above),
        })
    }

    /// Of more alarms than the budget has, with so many of the calibration rows above the threshold.
    fn chance_by(&self, rows: usize, above: usize) -> f64 {
        let (rows, above) = (rows as u64, above as u64);
        marked_at_most(rows, self.volume, above + 1 + self.alarms, above)
    }
}

/// The first of 1, 2, ... that is so, where all after it are.
fn first(is: impl Fn(usize) -> bool) -> usize {
    let mut high = 1;
    while !is(high) && high < 1 << 50 {
        high *= 2;
    }
    first_within(high, is)
}

/// The first of 1 to `high` that is so, where all after it are; `high` if none is.
fn first_within(high: usize, is: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if is(middle) {
            high = middle
        } else {
            low = middle + 1
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget {
        alarms: 50,
        volume: 20_000,
    };

    fn scores(n: u32) -> Vec<f64> {
        (0..n).rev().map(f64::from).collect()
    }

    #[test]
    fn the_chance_is_the_least_above_the_one_asked_for() {
        for (n, chance) in [(4000, 0.05), (100_000, 0.01), (100_000, 0.5), (2000, 0.2)] {
            let found = BUDGET.threshold(&scores(n), Some(chance)).unwrap();
            let above = (f64::from(n) - 1. - found.threshold) as usize;
            assert!(found.chance <= chance);
            assert!(BUDGET.chance_by(n as usize, above + 1) > chance);
            assert_eq!(found.chance, BUDGET.chance_by(n as usize, above));
        }
        // With ever more rows it is the binomial chance.
        let many = BUDGET.chance_by(50_000_000, 124_999);
        assert!(
            (many - BUDGET.chance_of_more(0.0025).unwrap()).abs() < 1e-3,
            "{many}"
        );
    }

    /// hypergeom.cdf(0, 21209, 1209, 51) is the first below .05.
    #[test]
    fn too_few_rows_are_an_error_that_says_how_many_are_needed() {
        for (chance, needed) in [(None, 399), (Some(0.05), 1209)] {
            let error = BUDGET
                .threshold(&scores(needed - 1), chance)
                .unwrap_err()
                .to_string();
            assert!(
                error.ends_with(&format!("at a rate of 0.0025, which needs {needed}")),
                "{error}"
            );
            assert!(BUDGET.threshold(&scores(needed), chance).is_ok());
        }
        assert!(
            BUDGET
                .threshold(&[], None)
                .unwrap_err()
                .to_string()
                .contains("got 0 at")
        );
    }

    #[test]
    fn all_rows_may_be_above_but_one() {
        let budget = Budget {
            alarms: 99,
            volume: 100,
        };
        let found = budget.threshold(&scores(10), Some(0.999)).unwrap();
        assert_eq!(found.threshold, 0.);
        let equal = budget.threshold(&[f64::INFINITY; 10], None).unwrap();
        assert_eq!(equal.threshold, f64::INFINITY);
    }

    #[test]
    fn wrong_numbers_are_errors() {
        for (alarms, volume) in [(0, 10), (10, 10), (11, 10)] {
            let error = Budget { alarms, volume }.rate().unwrap_err().to_string();
            let told = "alarms must be at least 1 and fewer than the rows of a day, got";
            assert_eq!(error, format!("{told} {alarms} of {volume}"));
        }
        assert!(BUDGET.rate_for(0.).is_err() && BUDGET.chance_of_more(1.1).is_err());
        assert!(BUDGET.threshold(&scores(9999), Some(1.)).is_err());
        assert!(BUDGET.threshold(&[f64::NAN; 999], None).is_err());
    }
}
