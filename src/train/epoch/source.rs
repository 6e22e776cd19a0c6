use candle_core::Tensor;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::windows::Windows;
use crate::Result;
use crate::data::Samples;

/// The samples of one group in the order of an epoch.
pub(super) enum Source {
    /// One at a time, with replacement.
    Drawn {
        samples: Samples,
        rng: Box<ChaCha8Rng>,
    },
    /// Each once.
    Shuffled {
        samples: Samples,
        order: std::vec::IntoIter<u32>,
    },
    /// Each once, a window of them at a time.
    Windows(Box<Windows>),
}

impl Source {
    pub(super) fn new(samples: &Samples, draws: bool, mut rng: ChaCha8Rng) -> Self {
        let samples = samples.clone();
        match samples.chunks() {
            _ if draws => {
                let rng = Box::new(rng);
                Self::Drawn { samples, rng }
            }
            Some(chunks) => {
                let windows = Windows::new(&samples, chunks, rng);
                Self::Windows(Box::new(windows))
            }
            None => {
                let mut order: Vec<u32> = (0..samples.len() as u32).collect();
                order.shuffle(&mut rng);
                let order = order.into_iter();
                Self::Shuffled { samples, order }
            }
        }
    }

    /// Adds the next `count` samples, `[.., ...]` each, to `parts`.
    pub(super) fn take(&mut self, count: usize, parts: &mut Vec<Tensor>) -> Result<()> {
        let (samples, ids): (&Samples, Vec<u32>) = match self {
            Self::Windows(windows) => return windows.take(count, parts),
            Self::Shuffled { samples, order } => (samples, order.take(count).collect()),
            Self::Drawn { samples, rng } => {
                let n = samples.len() as u32;
                (
                    samples,
                    (0..count).map(|_| rng.random_range(0..n)).collect(),
                )
            }
        };
        if !ids.is_empty() {
            parts.push(samples.gather(&ids)?);
        }
        Ok(())
    }
}
