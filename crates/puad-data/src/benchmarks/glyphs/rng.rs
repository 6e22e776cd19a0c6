//! The random numbers of one image.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Which of ChaCha's streams are the glyphs': `puad` keeps the others for purposes of its own. Part of
/// what makes the images; never renumber.
const PURPOSE: u64 = 6;

/// The generator of image number `index` under `seed`. The seed fills the key; purpose and index pick one
/// of 2^64 streams.
pub(super) fn substream(seed: u64, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((PURPOSE << 56) | (index & ((1 << 56) - 1)));
    rng
}
