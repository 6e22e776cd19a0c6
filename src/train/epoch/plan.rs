use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::train::Batching;

/// How many samples of each group every mini-batch has, as in [`super::batches`], but without a list of all.
pub(super) struct Plan {
    /// Samples of each group that no batch has had yet.
    left: [usize; 3],
    /// Batches that are left.
    batches: usize,
    how: How,
}

enum How {
    Pooled { size: usize, rng: Box<ChaCha8Rng> },
    Stratified { totals: [usize; 3], batches: usize },
}

impl Plan {
    pub(super) fn new(
        counts: [usize; 3],
        size: usize,
        batching: Batching,
        rng: ChaCha8Rng,
    ) -> Self {
        let total: usize = counts.iter().sum();
        let batches = total.div_ceil(size);
        match batching {
            // Batch norm cannot take a single sample: it joins the batch before it.
            Batching::Pooled => Self {
                left: counts,
                batches: batches - usize::from(batches > 1 && total % size == 1),
                how: How::Pooled {
                    size,
                    rng: Box::new(rng),
                },
            },
            Batching::Stratified => {
                let batches = batches.min((total / 2).max(1));
                Self {
                    left: counts,
                    batches,
                    how: How::Stratified {
                        totals: counts,
                        batches,
                    },
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.batches
    }

    /// Whether a group has too few samples to go round: a batch gets one of them, drawn with replacement.
    pub(super) fn draws(&self, group: usize) -> bool {
        match &self.how {
            How::Pooled { .. } => false,
            How::Stratified { totals, batches } => totals[group] < *batches,
        }
    }

    /// Samples of each group in the next batch.
    pub(super) fn next(&mut self) -> Option<[usize; 3]> {
        self.batches = self.batches.checked_sub(1)?;
        let mut counts = [0; 3];
        match &mut self.how {
            How::Pooled { size, rng } => {
                let mut total: usize = self.left.iter().sum();
                let last = if self.batches == 0 { total } else { *size };
                // Each place in turn is one of the groups' by how many of each are left: a shuffle of all of them.
                for _ in 0..last {
                    let mut at = rng.random_range(0..total);
                    let of = self.left.iter().position(|&left| {
                        let here = at < left;
                        at = at.saturating_sub(left);
                        here
                    });
                    let of = of.unwrap_or(0);
                    self.left[of] -= 1;
                    counts[of] += 1;
                    total -= 1;
                }
            }
            How::Stratified { totals, batches } => {
                let at = *batches - self.batches - 1;
                for (count, &n) in counts.iter_mut().zip(totals.iter()) {
                    let cut = |i: usize| i * n / *batches;
                    *count = if n < *batches {
                        n.min(1)
                    } else {
                        cut(at + 1) - cut(at)
                    };
                }
            }
        }
        Some(counts)
    }
}
