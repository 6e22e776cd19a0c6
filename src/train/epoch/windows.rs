use std::ops::Range;

use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::read_ahead::ReadAhead;
use crate::Result;
use crate::data::{Chunks, Samples};

/// Samples in a random order that few of them are held for: chunks in random order fill a window, whose samples come in
/// random order. The order depends on nothing but the chunks and the random numbers, so that of samples in memory it is the
/// same.
pub(super) struct Windows {
    rows: Rows,
    rng: ChaCha8Rng,
    /// Places in the window that samples are taken of, in the order to come.
    order: std::vec::IntoIter<u32>,
}

enum Rows {
    /// In memory: the chunks of the windows to come, and the numbers of the samples of the one that is open.
    Held {
        samples: Samples,
        windows: std::vec::IntoIter<Vec<Range<u32>>>,
        window: Vec<u32>,
    },
    /// And the one that is open.
    Read {
        ahead: ReadAhead,
        window: Option<Tensor>,
    },
}

impl Windows {
    pub(super) fn new(samples: &Samples, chunks: &Chunks, mut rng: ChaCha8Rng) -> Self {
        let mut order: Vec<usize> = (0..chunks.len()).collect();
        order.shuffle(&mut rng);
        let (mut windows, mut filled): (Vec<Vec<Range<u32>>>, _) = (vec![], usize::MAX);
        for chunk in order {
            if filled >= chunks.window() {
                windows.push(vec![]);
                filled = 0;
            }
            let range = chunks.get(chunk);
            filled += range.len();
            if let Some(window) = windows.last_mut() {
                window.push(range);
            }
        }
        let rows = if samples.is_stored() {
            Rows::Read {
                ahead: ReadAhead::start(samples.clone(), windows),
                window: None,
            }
        } else {
            Rows::Held {
                samples: samples.clone(),
                windows: windows.into_iter(),
                window: vec![],
            }
        };
        Self {
            rows,
            rng,
            order: vec![].into_iter(),
        }
    }

    /// Adds the next `count` samples to `parts`, those of each window as one.
    pub(super) fn take(&mut self, mut count: usize, parts: &mut Vec<Tensor>) -> Result<()> {
        while count > 0 {
            if self.order.len() == 0 && !self.open()? {
                break;
            }
            let places: Vec<u32> = self.order.by_ref().take(count).collect();
            count -= places.len();
            parts.push(match &self.rows {
                Rows::Held {
                    samples, window, ..
                } => {
                    let ids: Vec<u32> = places.iter().map(|&at| window[at as usize]).collect();
                    samples.gather(&ids)?
                }
                Rows::Read { window, .. } => match window {
                    Some(window) => window.index_select(&Tensor::new(places, &Device::Cpu)?, 0)?,
                    None => break,
                },
            });
        }
        Ok(())
    }

    /// Opens the next window, if there is one.
    fn open(&mut self) -> Result<bool> {
        let len = match &mut self.rows {
            Rows::Held {
                windows, window, ..
            } => {
                let Some(ranges) = windows.next() else {
                    return Ok(false);
                };
                *window = ranges.into_iter().flatten().collect();
                window.len()
            }
            Rows::Read { ahead, window } => {
                // First let go of the one before: two are held at most.
                *window = None;
                let Some(next) = ahead.next()? else {
                    return Ok(false);
                };
                window.insert(next).dim(0)?
            }
        };
        let mut order: Vec<u32> = (0..len as u32).collect();
        order.shuffle(&mut self.rng);
        self.order = order.into_iter();
        Ok(true)
    }
}
