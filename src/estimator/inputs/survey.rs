use crate::Result;
use crate::data::Samples;
use crate::estimator::values::{columns, for_values};

/// The most different marks of missing values looked for in a column.
const MARKS: usize = 4;

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
}

/// The two smallest and the two largest of a column's distinct values.
#[derive(Clone, Copy)]
struct Ends {
    count: u64,
    low: (f64, u64),
    next_low: f64,
    high: (f64, u64),
    next_high: f64,
}

impl Ends {
    const NONE: Self = Self {
        count: 0,
        low: (f64::INFINITY, 0),
        next_low: f64::INFINITY,
        high: (f64::NEG_INFINITY, 0),
        next_high: f64::NEG_INFINITY,
    };

    fn see(&mut self, x: f64) {
        self.count += 1;
        if x < self.low.0 {
            self.next_low = self.low.0;
            self.low = (x, 1);
        } else if x == self.low.0 {
            self.low.1 += 1;
        } else if x < self.next_low {
            self.next_low = x;
        }
        if x > self.high.0 {
            self.next_high = self.high.0;
            self.high = (x, 1);
        } else if x == self.high.0 {
            self.high.1 += 1;
        } else if x > self.next_high {
            self.next_high = x;
        }
    }

    /// The end that is a mark: rare, and many times the width of what is left away from it.
    fn mark(&self) -> Option<(f64, u64)> {
        let inner = self.next_high - self.next_low;
        let far = |(value, count): (f64, u64), gap: f64, rest: f64| {
            let rest = if inner > 0. { inner } else { rest };
            let widths = if count > 1 { 5. } else { 100. };
            let is = rest > 0. && gap.is_sign_positive() && gap >= widths * rest;
            (is && 10 * count <= self.count).then_some((value, count))
        };
        let below = self.next_low - self.low.0;
        let above = self.high.0 - self.next_high;
        let low = far(self.low, below, self.high.0 - self.next_low);
        let high = far(self.high, above, self.next_high - self.low.0);
        match (low, high) {
            (Some(low), Some(high)) => Some(if below > above { low } else { high }),
            (low, high) => low.or(high),
        }
    }
}

/// Looks at all values, once more for each round of marks found. 8-bit images have none to find.
pub(super) fn survey(samples: &Samples) -> Result<Survey> {
    let columns = columns(&samples.sample_shape());
    let Some(tensor) = samples.tensor() else {
        return Ok(Survey {
            low: vec![0.; columns],
            high: vec![1.; columns],
            marks: Vec::new(),
        });
    };
    let mut known = vec![Vec::new(); columns];
    let mut marks = Vec::new();
    loop {
        let mut ends = vec![Ends::NONE; columns];
        for_values(tensor, |i, x| {
            if !known[i].contains(&x) {
                ends[i].see(x);
            }
        })?;
        let before = marks.len();
        for (column, known) in known.iter_mut().enumerate() {
            if let Some((value, count)) = ends[column].mark().filter(|_| known.len() < MARKS) {
                known.push(value);
                marks.push(Mark {
                    column,
                    value,
                    count,
                });
            }
        }
        if marks.len() == before {
            marks.sort_by_key(|mark| mark.column);
            let low = ends.iter().map(|e| e.low.0).collect();
            let high = ends.iter().map(|e| e.high.0).collect();
            return Ok(Survey { low, high, marks });
        }
    }
}
