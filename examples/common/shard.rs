use std::str::FromStr;

use anyhow::{Context, ensure};

/// The `index`-th of `count` parts of the cells, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether it has the `i`-th cell, from 0. Cells are dealt in turn: those of one data set take about as
    /// long as each other and stand together.
    pub fn has(self, i: usize) -> bool {
        i % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let rule = || format!("a shard is I/N with I from 1 to N, such as 2/8, got {text:?}");
        let (index, count) = text.split_once('/').with_context(rule)?;
        let number = |digits: &str| digits.parse().with_context(rule);
        let (index, count): (usize, usize) = (number(index)?, number(count)?);
        ensure!((1..=count).contains(&index), rule());
        Ok(Self { index, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_in_one_shard() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        for i in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.has(i)).count(), 1);
        }
        assert!((0..20).all(|i| Shard::WHOLE.has(i)));
    }

    #[test]
    fn other_texts_are_errors() {
        for text in ["", "1", "0/3", "4/3", "1/0", "a/3", "1/b", "-1/3"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(&format!("got {text:?}")), "{error}");
        }
    }
}
