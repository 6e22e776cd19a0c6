use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Hashed columns of a category: more would be one a level.
pub(super) const MOST_HASHED: usize = 1 << 16;

/// How the columns of a [`Table`](crate::data::table::Table) become numbers:
/// [`FitConfig::encoding`](crate::FitConfig::encoding).
///
/// ```
/// use puad::encoding::{EncodingConfig, Gaps};
///
/// let mut config = EncodingConfig::default();
/// config.all.gaps = Gaps::Fill;
/// config.column("amount").logarithm = true;
/// let text = serde_json::to_string(&config).unwrap();
/// assert_eq!(serde_json::from_str::<EncodingConfig>(&text).unwrap(), config);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncodingConfig {
    /// Columns that are not named below.
    pub all: ColumnEncoding,
    /// Columns by name.
    pub columns: BTreeMap<String, ColumnEncoding>,
}

impl EncodingConfig {
    /// The settings of a column, to be changed: at first those of [`all`](Self::all).
    pub fn column(&mut self, name: impl Into<String>) -> &mut ColumnEncoding {
        let all = &self.all;
        self.columns
            .entry(name.into())
            .or_insert_with(|| all.clone())
    }

    pub(super) fn of(&self, name: &str) -> &ColumnEncoding {
        self.columns.get(name).unwrap_or(&self.all)
    }

    /// # Errors
    /// [`Error::Config`] for a number outside its range.
    pub fn check(&self) -> Result<()> {
        let all = self.columns.values().chain([&self.all]);
        for column in all {
            if let Beyond::Hashed(columns) = column.beyond
                && !(1..=MOST_HASHED).contains(&columns)
            {
                let rule = "at least 1 column and at most 65536";
                return Err(Error::config("hashed", rule, columns));
            }
        }
        Ok(())
    }
}

/// How one column becomes numbers.
///
/// ```
/// use puad::encoding::{Beyond, ColumnEncoding};
///
/// // 200 shops have a column each, and all others share 32.
/// let shops = ColumnEncoding { one_hot: 200, beyond: Beyond::Hashed(32), ..Default::default() };
/// assert!(shops.one_hot > ColumnEncoding::default().one_hot);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnEncoding {
    /// What becomes of missing values, in the fit and in scoring.
    pub gaps: Gaps,
    /// Categories: at most so many of the most frequent levels have a column each, that is 1 where the row has
    /// the level and 0 elsewhere. A level in fewer than five training rows has none.
    pub one_hot: usize,
    /// Categories: what tells the other levels apart.
    pub beyond: Beyond,
    /// Numbers: `sign(x) ln(1 + |x| / u)` instead of `x`, for amounts that span orders of magnitude; `u` is
    /// the first decile of the training rows' values that are not 0.
    pub logarithm: bool,
    /// Times: as a number, in seconds.
    pub instant: bool,
    /// Times: the hour of the day, in UTC, as a point on a circle, so that 23:59 lies next to 0:00.
    pub hour: bool,
    /// Times: a column for each day of the week, in UTC.
    pub weekday: bool,
}

impl Default for ColumnEncoding {
    fn default() -> Self {
        Self {
            gaps: Gaps::Refuse,
            one_hot: 20,
            beyond: Beyond::Frequency,
            logarithm: false,
            instant: true,
            hour: false,
            weekday: false,
        }
    }
}

/// What becomes of missing values.
///
/// ```
/// use puad::encoding::Gaps;
///
/// assert_eq!(serde_json::to_string(&Gaps::Fill).unwrap(), "\"fill\"");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gaps {
    /// They are errors.
    #[default]
    Refuse,
    /// Numbers and times get the median of the training rows, truth values the commoner one, each beside a column
    /// that is 1 where the value is missing. Of categories a gap is a level.
    Fill,
}

/// What tells levels of a category apart that have no column of their own. Each category has, for all of its
/// levels, a column of its rarity: the negative logarithm of its share of the training rows.
///
/// ```
/// use puad::encoding::Beyond;
///
/// assert_eq!(serde_json::to_string(&Beyond::Hashed(16)).unwrap(), r#"{"hashed":16}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Their rarity alone.
    #[default]
    Frequency,
    /// So many columns, 1 to 65536, onto which they are spread by a hash of their words.
    Hashed(usize),
}
