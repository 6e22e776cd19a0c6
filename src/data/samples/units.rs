use std::collections::HashMap;
use std::ops::Range;

/// What is parted: numbers of samples, unit by unit. A unit stays whole.
pub(crate) struct Units {
    samples: Vec<u32>,
    /// Where each unit ends among them.
    ends: Vec<usize>,
}

impl Units {
    /// A unit a sample.
    pub(crate) fn each(samples: usize) -> Self {
        Self {
            samples: (0..samples as u32).collect(),
            ends: (1..=samples).collect(),
        }
    }

    /// These ranges, which are all samples in order.
    pub(super) fn ranges(ranges: &[Range<u32>]) -> Self {
        Self {
            samples: ranges.iter().cloned().flatten().collect(),
            ends: ranges.iter().map(|range| range.end as usize).collect(),
        }
    }

    /// The blocks as they first occur, each with its samples in order.
    pub(super) fn of(blocks: &[u32]) -> Self {
        let mut units: Vec<Vec<u32>> = Vec::new();
        let mut at = HashMap::new();
        for (sample, block) in (0..).zip(blocks) {
            let unit = *at.entry(block).or_insert(units.len());
            if unit == units.len() {
                units.push(vec![]);
            }
            units[unit].push(sample);
        }
        let mut end = 0;
        let ends = units.iter().map(|unit| {
            end += unit.len();
            end
        });
        Self {
            ends: ends.collect(),
            samples: units.concat(),
        }
    }

    /// Number of units.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Number of samples.
    pub(crate) fn samples(&self) -> usize {
        self.samples.len()
    }

    /// The samples of a unit.
    pub(crate) fn get(&self, unit: u32) -> &[u32] {
        let unit = unit as usize;
        let start = unit.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.samples[start..self.ends[unit]]
    }

    /// Numbers of all samples, in order.
    pub(crate) fn all(&self) -> Vec<u32> {
        (0..self.samples() as u32).collect()
    }
}
