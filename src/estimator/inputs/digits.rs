use candle_core::{DType, Device};

use super::{ElementType, Inputs};
use crate::Result;
use crate::data::Samples;

impl Inputs {
    /// The columns of which a narrower type than the fit's F64 cannot tell the values apart.
    pub(super) fn rounded_by(&self, narrower: ElementType) -> impl Iterator<Item = usize> {
        let coarse = self.coarse(narrower.step());
        coarse.filter(move |&i| {
            let largest = self.low[i].abs().max(self.high[i].abs());
            let unit = self.units.get(i);
            !unit.is_some_and(|&unit| narrower.holds(unit, largest))
        })
    }

    /// Samples in a narrower type than the fit's F64 as F64, where the numbers that scale them would be rounded
    /// by whole steps between values.
    pub(in crate::estimator) fn widened(&self, samples: &Samples) -> Result<Samples> {
        let given = ElementType::of(samples);
        let wide = matches!(given, ElementType::F64 | ElementType::Bits8);
        if wide {
            return Ok(samples.clone());
        }
        if self.element_type != ElementType::F64 || self.coarse(given.step()).next().is_none() {
            return Ok(samples.clone());
        }
        // On the host: some devices have no f64.
        samples.mapped(|tensor| Ok(tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)?))
    }
}
