use serde::{Deserialize, Serialize};

use super::Usual;
use super::config::{ColumnEncoding, Gaps};
use super::rows::Rule;

/// A truth value as 1 or 0, and whether it is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flag {
    /// What stands for a gap; `None`: they are errors.
    commoner: Option<bool>,
    /// Shares of the training rows.
    yes: f64,
    no: f64,
}

impl Flag {
    pub(super) fn fit(values: &[Option<bool>], rows: &[usize], config: &ColumnEncoding) -> Self {
        let share = |of: bool| {
            let these = rows.iter().filter(|&&row| values[row] == Some(of));
            these.count() as f64 / rows.len() as f64
        };
        let (yes, no) = (share(true), share(false));
        Self {
            commoner: (config.gaps == Gaps::Fill).then_some(yes > no),
            yes,
            no,
        }
    }

    pub(super) fn width(&self) -> usize {
        1 + usize::from(self.commoner.is_some())
    }

    pub(super) fn push(&self, value: Option<bool>, out: &mut Vec<f64>) -> Result<(), Rule> {
        let number = |flag: bool| f64::from(u8::from(flag));
        out.push(number(value.or(self.commoner).ok_or(Rule::Gap)?));
        if self.commoner.is_some() {
            out.push(number(value.is_none()));
        }
        Ok(())
    }

    pub(super) fn usual(&self, value: Option<bool>) -> Usual {
        Usual::Share(match value {
            Some(true) => self.yes,
            Some(false) => self.no,
            None => (1. - self.yes - self.no).max(0.),
        })
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let missing = self.commoner.map(|_| format!("{column} (missing)"));
        [column.into()].into_iter().chain(missing).collect()
    }

    /// # Errors
    /// What is wrong with numbers from a file.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let shares = (0. ..=1.).contains(&self.yes) && (0. ..=1.).contains(&self.no);
        shares.then_some(()).ok_or("shares in [0, 1]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_values_are_one_and_zero() {
        let values = [Some(true), None, Some(true), Some(false)];
        let rows = [0, 1, 2, 3];
        let encoded = |flag: &Flag, value| {
            let mut out = vec![];
            flag.push(value, &mut out).map(|()| out)
        };
        let plain = Flag::fit(&values, &rows, &ColumnEncoding::default());
        assert_eq!(encoded(&plain, Some(true)), Ok(vec![1.]));
        assert_eq!(encoded(&plain, None), Err(Rule::Gap));
        let config = ColumnEncoding {
            gaps: Gaps::Fill,
            ..ColumnEncoding::default()
        };
        let filled = Flag::fit(&values, &rows, &config);
        assert_eq!(encoded(&filled, None), Ok(vec![1., 1.]));
        assert_eq!(encoded(&filled, Some(false)), Ok(vec![0., 0.]));
        assert_eq!(filled.usual(None), Usual::Share(0.25));
        assert_eq!(filled.names("on"), ["on", "on (missing)"]);
    }
}
