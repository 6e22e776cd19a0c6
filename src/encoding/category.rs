use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::Usual;
use super::config::{Beyond, ColumnEncoding, Gaps, MOST_HASHED};
use super::rows::Rule;
use crate::data::table::Categories;

/// Training rows below which a level has no column of its own: what is learned of so few is noise.
const LEAST: u64 = 5;

/// Levels whose rarity is kept; a rarer one among so many is as one never seen.
const LEVELS: usize = 1 << 16;

/// A column of its own for each frequent level, hashed ones for others on request, and the level's rarity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    /// With their numbers of training rows, in the order of the words, so that one is found among many; the empty word
    /// is a gap.
    levels: Vec<(String, u64)>,
    /// Positions of those that have a column, the most frequent first.
    own: Vec<usize>,
    /// Columns that the others share.
    hashed: usize,
    rows: u64,
    fills: bool,
}

impl Category {
    pub(super) fn fit(words: &Categories, rows: &[usize], config: &ColumnEncoding) -> Self {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for &row in rows {
            *counts
                .entry(words.word(row).unwrap_or_default())
                .or_default() += 1;
        }
        let counts = counts.into_iter();
        let mut levels: Vec<(String, u64)> = counts.map(|(word, n)| (word.into(), n)).collect();
        let by_frequency =
            |(a, m): &(String, u64), (b, n): &(String, u64)| n.cmp(m).then_with(|| a.cmp(b));
        levels.sort_by(by_frequency);
        levels.truncate(LEVELS);
        let frequent = levels.iter().take(config.one_hot);
        let frequent: Vec<String> = frequent
            .take_while(|(_, n)| *n >= LEAST)
            .map(|(word, _)| word.clone())
            .collect();
        levels.sort();
        let mut category = Self {
            levels,
            own: vec![],
            hashed: match config.beyond {
                Beyond::Frequency => 0,
                Beyond::Hashed(columns) => columns,
            },
            rows: rows.len() as u64,
            fills: config.gaps == Gaps::Fill,
        };
        category.own = frequent
            .iter()
            .filter_map(|word| category.level(word))
            .collect();
        category
    }

    /// The position of a word among the levels.
    fn level(&self, word: &str) -> Option<usize> {
        let at = self
            .levels
            .binary_search_by(|(level, _)| level.as_str().cmp(word));
        at.ok()
    }

    /// Whether no training row had this word.
    pub(super) fn is_new(&self, word: &str) -> bool {
        !word.is_empty() && self.level(word).is_none()
    }

    /// A gap is the empty word.
    pub(super) fn usual(&self, word: &str) -> Usual {
        let count = self.level(word).map_or(0, |level| self.levels[level].1);
        Usual::Share(count as f64 / self.rows as f64)
    }

    /// How many numbers a value becomes.
    pub(super) fn width(&self) -> usize {
        self.own.len() + self.hashed + 1
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let own = self
            .own
            .iter()
            .map(|&level| match self.levels[level].0.as_str() {
                "" => format!("{column} (missing)"),
                word => format!("{column}={word}"),
            });
        let hashed = (0..self.hashed).map(|i| format!("{column} (hash {i})"));
        let rarity = format!("{column} (rarity)");
        own.chain(hashed).chain([rarity]).collect()
    }

    /// A gap is the empty word.
    pub(super) fn push(&self, word: &str, out: &mut Vec<f64>) -> Result<(), Rule> {
        if word.is_empty() && !self.fills {
            return Err(Rule::Gap);
        }
        let level = self.level(word);
        let own = self.own.iter().position(|of| Some(*of) == level);
        let mark = |at: bool| f64::from(u8::from(at));
        out.extend((0..self.own.len()).map(|i| mark(own == Some(i))));
        let hashed = self.hashed.max(1) as u64;
        let shared = own.is_none().then(|| (hash(word) % hashed) as usize);
        out.extend((0..self.hashed).map(|i| mark(shared == Some(i))));
        let n = self.rows as f64;
        out.push(match level {
            Some(level) => (n / self.levels[level].1 as f64).ln(),
            // As if it were one of one row more.
            None => (n + 1.).ln(),
        });
        Ok(())
    }

    /// # Errors
    /// What is wrong with numbers from a file.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let levels = &self.levels;
        let mut counts = levels.iter().map(|(_, n)| *n);
        let counted = counts.try_fold(0u64, |sum, n| sum.checked_add(n).filter(|_| n > 0));
        let own: BTreeSet<&usize> = self.own.iter().collect();
        let good = levels.is_sorted_by(|(a, _), (b, _)| a < b)
            && own.len() == self.own.len()
            && own.last().is_none_or(|last| **last < levels.len())
            && self.hashed <= MOST_HASHED
            && self.rows > 0
            && counted.is_some_and(|n| n <= self.rows);
        good.then_some(())
            .ok_or("different levels of a category, in their order")
    }
}

/// FNV-1a, of 64 bits: in every release and on every machine the same.
fn hash(word: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    word.bytes().fold(start, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Column;

    fn category(words: &[&str], config: &ColumnEncoding) -> Category {
        let Column::Categories(words) = Column::from(words.to_vec()) else {
            unreachable!("words");
        };
        let rows: Vec<usize> = (0..Column::Categories(words.clone()).len()).collect();
        Category::fit(&words, &rows, config)
    }

    fn encoded(category: &Category, word: &str) -> Vec<f64> {
        let mut out = vec![];
        category.push(word, &mut out).unwrap();
        out
    }

    #[test]
    fn frequent_levels_have_a_column_and_all_a_rarity() {
        let words = [&["b"; 10][..], &["a"; 6], &["rare"; 4]].concat();
        let category = category(&words, &ColumnEncoding::default());
        assert_eq!(category.names("x"), ["x=b", "x=a", "x (rarity)"]);
        assert_eq!(category.width(), 3);
        assert_eq!(encoded(&category, "b"), [1., 0., 2f64.ln()]);
        assert_eq!(encoded(&category, "a"), [0., 1., (20f64 / 6.).ln()]);
        assert_eq!(encoded(&category, "rare"), [0., 0., 5f64.ln()]);
        assert_eq!(encoded(&category, "new"), [0., 0., 21f64.ln()]);
        assert!(category.is_new("new") && !category.is_new("rare") && !category.is_new(""));
        assert_eq!(category.push("", &mut vec![]), Err(Rule::Gap));
        assert_eq!(category.usual("a"), Usual::Share(0.3));
        assert_eq!(category.usual("new"), Usual::Share(0.));
    }

    #[test]
    fn levels_beyond_share_hashed_columns() {
        let config = ColumnEncoding {
            one_hot: 1,
            beyond: Beyond::Hashed(3),
            ..ColumnEncoding::default()
        };
        let category = category(&[&["a"; 7][..], &["b"; 6]].concat(), &config);
        assert_eq!(category.width(), 5);
        assert_eq!(encoded(&category, "a")[..4], [1., 0., 0., 0.]);
        for word in ["b", "new", "other"] {
            let row = encoded(&category, word);
            assert_eq!((row[0], row[1..4].iter().sum::<f64>()), (0., 1.), "{word}");
        }
        // The reference's value of "a".
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_gap_may_be_a_level() {
        let config = ColumnEncoding {
            gaps: Gaps::Fill,
            ..ColumnEncoding::default()
        };
        let category = category(&[&["a"; 5][..], &[""; 5]].concat(), &config);
        assert_eq!(category.names("x"), ["x (missing)", "x=a", "x (rarity)"]);
        assert_eq!(encoded(&category, ""), [1., 0., 2f64.ln()]);
    }
    #[test]
    fn numbers_that_no_fit_gives_are_errors() {
        let good = category(&["a", "a", "b"], &ColumnEncoding::default());
        good.check().unwrap();
        let broken = |change: fn(&mut Category)| {
            let mut category = good.clone();
            change(&mut category);
            assert!(category.check().is_err(), "{category:?}");
        };
        broken(|c| c.levels[1].0 = "a".into());
        broken(|c| c.levels.swap(0, 1));
        // Its rarity would be infinite.
        broken(|c| c.levels[1].1 = 0);
        broken(|c| (c.levels[0].1, c.levels[1].1) = (1 << 63, 1 << 63));
        broken(|c| c.own = vec![3]);
        broken(|c| c.own = vec![0, 0]);
        broken(|c| c.rows = 2);
        broken(|c| c.hashed = usize::MAX);
        broken(|c| c.hashed = MOST_HASHED + 1);
    }
}
