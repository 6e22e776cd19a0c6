/// The quantile `q` of `sorted`, which is not empty, linear between its values as numpy's default.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor();
    let (low, high) = (sorted[below as usize], sorted[position.ceil() as usize]);
    low + (high - low) * (position - below)
}

/// The value at a share of `sorted`, which is not empty: number `i` of `n` lies at `(i + 1/2) / n`, those between on
/// the line between its neighbours, and none beyond the ends.
pub(crate) fn value_at(sorted: &[f64], share: f64) -> f64 {
    let place = (share * sorted.len() as f64 - 0.5).clamp(0., (sorted.len() - 1) as f64);
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    let part = place - place.floor();
    // Rounding must not part what is equal.
    (low * (1. - part) + high * part).clamp(low, high)
}

/// A number in [low, high), far from both where there is room: another device rounds scores otherwise.
pub(crate) fn midway(low: f64, high: f64) -> f64 {
    let half = (high - low) / 2.;
    // The difference of two finite numbers may not be.
    let middle = if half.is_finite() {
        low + half
    } else {
        0.5 * low + 0.5 * high
    };
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_every_quantile() {
        assert_eq!(quantile(&[3.], 0.7), 3.);
        assert_eq!(quantile(&[1., 2., 4.], 0.75), 3.);
    }

    #[test]
    fn a_value_lies_in_the_middle_of_its_share() {
        let sorted = [1., 2., 4., 8.];
        for (share, value) in [(0.125, 1.), (0.375, 2.), (0.5, 3.), (0., 1.), (1., 8.)] {
            assert_eq!(value_at(&sorted, share), value);
        }
        assert_eq!(value_at(&[-f64::MAX, f64::MAX], 0.5), 0.);
        assert!((0..1000).all(|i| value_at(&[0.1; 3], f64::from(i) / 1000.) == 0.1));
    }

    #[test]
    fn midway_is_below_the_higher() {
        assert_eq!(midway(1., 2.), 1.5);
        assert_eq!(midway(1., 1f64.next_up()), 1.);
        assert_eq!(midway(-f64::MAX, f64::MAX), 0.);
    }
}
