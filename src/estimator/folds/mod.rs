//! Scores of samples by models that were fitted without them.

mod class_prior;
mod cut;
mod scale;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use candle_core::Device;

use super::decision::saturated_scores;
use crate::data::{PuDataset, Samples};
use crate::model::Fitted;
use crate::score::collect_scores;
use crate::{Error, Result};

pub(super) use class_prior::prior_scores;
pub(super) use scale::onto_scale;

/// The scores of one fold's samples, by the model fitted on the others.
pub(super) struct FoldScores {
    pub(super) unlabeled: Vec<f64>,
    pub(super) anomalies: Vec<f64>,
}

/// Fits a model to a training and a validation part.
pub(super) type Fit<'a> = dyn Fn(&PuDataset, &PuDataset) -> Result<Arc<dyn Fitted>> + Sync + 'a;

/// Transformed data, cut into folds: each has its share of every group of both parts.
pub(super) struct Folds<'a> {
    pub(super) train: &'a PuDataset,
    pub(super) validation: &'a PuDataset,
    /// At least 2.
    pub(super) folds: usize,
    pub(super) seed: u64,
    /// Unlabeled samples to train on at most.
    pub(super) rows: usize,
}

impl Folds<'_> {
    /// As many folds as `wanted` and the labeled anomalies allow.
    ///
    /// # Errors
    /// [`Error::TooFewSamples`] where they allow fewer than two.
    pub(super) fn cut(wanted: usize, train: &PuDataset, what: &'static str) -> Result<usize> {
        let anomalies = train.anomalies().map_or(0, Samples::len);
        let folds = wanted.min(anomalies).min(train.unlabeled().len());
        if folds >= 2 {
            return Ok(folds);
        }
        Err(Error::TooFewSamples {
            what,
            group: "anomalous training",
            classes: vec![],
            needed: 2,
            available: anomalies,
        })
    }

    /// Fits each fold's model, several at once on the CPU, and scores what it did not see. The result depends on
    /// neither the number of threads nor their order.
    pub(super) fn scores(
        &self,
        device: &Device,
        batch_size: usize,
        fit: &Fit<'_>,
    ) -> Result<Vec<FoldScores>> {
        let fold = |index: usize| -> Result<FoldScores> {
            let (train, held) = cut::fold(self.train, self, cut::TRAIN, index)?;
            let (validation, held_too) = cut::fold(self.validation, self, cut::VALIDATION, index)?;
            let model = fit(&train, &validation)?;
            let scores = |samples: &[Samples]| -> Result<Vec<f64>> {
                let mut all = Vec::new();
                for samples in samples {
                    all.extend(collect_scores(samples, batch_size, device, |_, xs| {
                        saturated_scores(model.score(xs)?, xs)
                    })?);
                }
                Ok(all)
            };
            Ok(FoldScores {
                unlabeled: scores(&[held.unlabeled, held_too.unlabeled].concat())?,
                anomalies: scores(&[held.anomalies, held_too.anomalies].concat())?,
            })
        };
        // A thread of a pool that waits for threads of ours, which wait for the pool, would wait for ever.
        let in_pool = rayon::current_thread_index().is_some();
        let at_once = if device.is_cpu() && !in_pool {
            thread::available_parallelism().map_or(1, usize::from)
        } else {
            1
        };
        run(self.folds, at_once, &fold)
    }
}

/// Calls `of` with each index below `n`, on `at_once` threads of its own: what a model computes on the shared pool
/// must not be interrupted by another model's fit.
fn run<T: Send>(
    n: usize,
    at_once: usize,
    of: &(dyn Fn(usize) -> Result<T> + Sync),
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, Result<T>)> {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= n {
                return done;
            }
            done.push((index, of(index)));
        }
    };
    let mut done: Vec<(usize, Result<T>)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..at_once.min(n)).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for thread in threads {
            match thread.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// # Errors
/// [`Error::Config`] for fewer than two folds.
pub(super) fn check_folds(folds: usize) -> Result<()> {
    if folds < 2 {
        return Err(Error::config("folds", "at least 2", folds));
    }
    Ok(())
}
