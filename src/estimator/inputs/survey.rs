use super::ends::Ends;
use super::unit::Unit;
use crate::Result;
use crate::data::Samples;
use crate::estimator::values::{columns, for_values};

/// A value that lies far from all others of its column.
pub(super) struct Mark {
    pub(super) column: usize,
    pub(super) value: f64,
    pub(super) count: u64,
}

/// The ends of the columns without marks, and these.
pub(super) struct Survey {
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
    pub(super) marks: Vec<Mark>,
    /// The largest power of two of which all values of a column are multiples.
    pub(super) units: Vec<f64>,
}

/// Looks at all values once. 8-bit images have no marks to find, and columns that were not measured none either.
pub(super) fn survey(samples: &Samples, is_measured: impl Fn(usize) -> bool) -> Result<Survey> {
    let columns = columns(&samples.sample_shape());
    if samples.is_8_bit() {
        return Ok(Survey {
            low: vec![0.; columns],
            high: vec![1.; columns],
            marks: Vec::new(),
            units: Vec::new(),
        });
    }
    let mut ends = vec![Ends::new(); columns];
    let mut units = vec![Unit::default(); columns];
    for_values(samples, |i, x| {
        ends[i].see(x);
        units[i].see(x);
    })?;
    let mut marks = Vec::new();
    let measured = ends.iter_mut().enumerate();
    for (column, ends) in measured.filter(|(column, _)| is_measured(*column)) {
        let taken = ends.take_marks().into_iter();
        marks.extend(taken.map(|(value, count)| Mark {
            column,
            value,
            count,
        }));
    }
    let (low, high) = ends.iter().map(Ends::range).unzip();
    let units = units.iter().map(Unit::size).collect();
    Ok(Survey {
        low,
        high,
        marks,
        units,
    })
}
