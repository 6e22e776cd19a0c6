//! How large a network may be.

/// 1 GiB of weights in f32, and four times that in training with Adam.
pub(super) const MOST_PARAMETERS: u64 = 1 << 28;

pub(super) const MOST_RULE: &str = "of at most 2^28 parameters";

/// Of sizes that nobody checked.
pub(super) fn product(sizes: &[usize]) -> u64 {
    let sizes = sizes.iter().map(|&size| size as u64);
    sizes.fold(1, u64::saturating_mul)
}
