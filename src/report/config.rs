use serde::{Deserialize, Serialize};

use super::Budget;
use crate::statistics::check_share;
use crate::{Error, Result};

/// What a report is asked for.
///
/// ```
/// use puad::report::ReportConfig;
///
/// // 20,000 rows a day: what to expect of 10, 50 and 100 alarms a day, and of 0.1%, 1% and 5%.
/// let config = ReportConfig { daily_rows: Some(20_000.), ..ReportConfig::default() };
/// assert_eq!(config.budgets()?.len(), 6);
/// let text = serde_json::to_string(&config).unwrap();
/// assert_eq!(serde_json::from_str::<ReportConfig>(&text).unwrap(), config);
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportConfig {
    /// Rows that will be scored a day; without it there is no budget a day.
    pub daily_rows: Option<f64>,
    /// Alarms a day that somebody can look at, each a budget, where `daily_rows` is known.
    pub daily_alarms: Vec<f64>,
    /// Shares of rows, each a budget, in (0, 1).
    pub rates: Vec<f64>,
    /// The share of intervals that are meant to hold the truth, in (0, 1).
    pub level: f64,
    /// Draws of the bootstrap, at least 100.
    pub resamples: usize,
    /// Of the bootstrap.
    pub seed: u64,
}

/// 10, 50 and 100 alarms a day, 0.1%, 1% and 5% of rows, 95% intervals of 2,000 draws.
impl Default for ReportConfig {
    fn default() -> Self {
        Self {
            daily_rows: None,
            daily_alarms: vec![10., 50., 100.],
            rates: vec![0.001, 0.01, 0.05],
            level: 0.95,
            resamples: 2000,
            seed: 0,
        }
    }
}

/// Draws below which the ends of an interval are noise.
const RESAMPLES: usize = 100;

impl ReportConfig {
    /// The budgets: those a day, then the shares of rows.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting outside its range.
    pub fn budgets(&self) -> Result<Vec<Budget>> {
        self.check()?;
        let daily = self.daily_rows.into_iter().flat_map(|rows| {
            let budget = move |&alarms: &f64| Budget::Daily { alarms, rows };
            self.daily_alarms.iter().map(budget)
        });
        let rates = self.rates.iter().map(|&rate| Budget::Rate { rate });
        Ok(daily.chain(rates).collect())
    }

    fn check(&self) -> Result<()> {
        let positive = |value: &f64| *value > 0. && value.is_finite();
        if let Some(rows) = self.daily_rows.filter(|rows| !positive(rows)) {
            return Err(Error::config("daily_rows", "positive and finite", rows));
        }
        if let Some(alarms) = self.daily_alarms.iter().find(|alarms| !positive(alarms)) {
            return Err(Error::config("daily_alarms", "positive and finite", alarms));
        }
        for &rate in &self.rates {
            check_share("rates", rate)?;
        }
        if self.resamples < RESAMPLES {
            return Err(Error::config("resamples", "at least 100", self.resamples));
        }
        check_share("level", self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_outside_their_range_are_named() {
        let usual = ReportConfig::default;
        let cases = [
            (
                ReportConfig {
                    daily_rows: Some(0.),
                    ..usual()
                },
                "daily_rows",
            ),
            (
                ReportConfig {
                    daily_alarms: vec![5., -1.],
                    ..usual()
                },
                "daily_alarms",
            ),
            (
                ReportConfig {
                    rates: vec![0.1, 1.],
                    ..usual()
                },
                "rates",
            ),
            (
                ReportConfig {
                    rates: vec![f64::NAN],
                    ..usual()
                },
                "rates",
            ),
            (
                ReportConfig {
                    level: 1.,
                    ..usual()
                },
                "level",
            ),
            (
                ReportConfig {
                    resamples: 99,
                    ..usual()
                },
                "resamples",
            ),
        ];
        for (config, setting) in cases {
            let error = config.budgets().unwrap_err();
            assert!(
                matches!(&error, Error::Config { name, .. } if *name == setting),
                "{error}"
            );
        }
    }

    #[test]
    fn without_a_daily_volume_there_is_no_budget_a_day() {
        let budgets = ReportConfig::default().budgets().unwrap();
        assert_eq!(
            budgets,
            [0.001, 0.01, 0.05].map(|rate| Budget::Rate { rate })
        );
    }
}
