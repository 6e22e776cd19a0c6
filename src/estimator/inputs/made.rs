use serde::{Deserialize, Serialize};

use crate::encoding::Encoding;

/// A number that an encoding made of a column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::estimator) struct Made {
    /// The position of the column.
    pub(super) column: usize,
    /// Whether it is the column's own value: levels, their rarity and the parts of times have no unit, no marks
    /// of missing values and nothing that lies far outside.
    pub(super) measured: bool,
}

impl Made {
    pub(in crate::estimator) fn by(encoding: &Encoding) -> Vec<Self> {
        let numbers = encoding.sources().into_iter().zip(encoding.measured());
        let made = numbers.map(|(column, measured)| Self { column, measured });
        made.collect()
    }
}
