//! Seeded random numbers, one independent stream a purpose.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the numbers are for. Each purpose has its own ChaCha stream, so that drawing more for one
/// (another network, another epoch) leaves the others as they were. The values are part of
/// "same seed, same run": never renumber.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Init = 1,
    Split = 2,
    Shuffle = 3,
    Noise = 4,
    Forest = 5,
    // 6 is that of the glyphs, which are drawn in `puad-data`.
    Toy = 7,
    Payments = 8,
    Folds = 9,
    Prior = 10,
    Report = 11,
    Cluster = 12,
    #[cfg(test)]
    Conformal = 13,
    Drift = 14,
    // 15 is free.
    ExtraTrees = 16,
    PuForest = 17,
    Committee = 18,
    Stored = 19,
}

/// The generator number `index` (a tree, a parameter, a phase; 0 for the only one) of `purpose` under `seed`.
pub(crate) fn substream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    // The seed alone fills the key, purpose and index pick one of ChaCha's 2^64 streams:
    // streams of one seed share numbers. Indices are folded into 56 bits; names' hashes may collide
    // there with a probability of about n^2 / 2^57.
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 56) | (index & ((1 << 56) - 1)));
    rng
}

/// How far a stream has been used, in words: JSON numbers hold 64 bits, the high ones first.
pub(crate) fn position(rng: &ChaCha8Rng) -> [u64; 2] {
    let words = rng.get_word_pos();
    [(words >> 64) as u64, words as u64]
}

pub(crate) fn set_position(rng: &mut ChaCha8Rng, [high, low]: [u64; 2]) {
    rng.set_word_pos((u128::from(high) << 64) | u128::from(low));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn purposes_indices_and_seeds_differ_and_repeat() {
        let draw = |s, p, i| substream(s, p, i).next_u64();
        let base = draw(7, Purpose::Init, 3);
        assert_eq!(base, draw(7, Purpose::Init, 3));
        assert_ne!(base, draw(8, Purpose::Init, 3));
        assert_ne!(base, draw(7, Purpose::Shuffle, 3));
        assert_ne!(base, draw(7, Purpose::Init, 4));
    }
}
