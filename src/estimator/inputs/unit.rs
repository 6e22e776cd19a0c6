//! Of which power of two numbers are multiples: a type of floats holds the first 2^24 or so of these.

/// The largest power of two that divides all numbers seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    exponent: i32,
}

/// Of zeros alone, too.
const LARGEST: i32 = 1023;

impl Default for Unit {
    fn default() -> Self {
        Self { exponent: LARGEST }
    }
}

impl Unit {
    pub(super) fn see(&mut self, x: f64) {
        let bits = x.to_bits();
        let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
        // A number below the smallest normal one has no leading 1, and the exponent of these.
        let (whole, exponent) = match exponent {
            0 => (fraction, -1074),
            _ => (fraction | 1 << 52, exponent - 1075),
        };
        if whole != 0 {
            self.exponent = self.exponent.min(exponent + whole.trailing_zeros() as i32);
        }
    }

    pub(super) fn size(&self) -> f64 {
        f64::from(self.exponent).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_power_of_two_that_divides_all() {
        let of = |xs: &[f64]| {
            let mut unit = Unit::default();
            xs.iter().for_each(|&x| unit.see(x));
            unit.size()
        };
        assert_eq!(of(&[10_000_001., -3., 0.]), 1.);
        assert_eq!(of(&[0.75, 12.]), 0.25);
        assert_eq!(of(&[96.]), 32.);
        assert_eq!(of(&[0.1]), 2f64.powi(-55));
        assert_eq!(of(&[f64::from_bits(6)]), f64::from_bits(2));
        assert_eq!(of(&[0., -0.]), 2f64.powi(1023));
    }
}
