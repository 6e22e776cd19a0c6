//! The mini-batches of one epoch.

mod plan;
mod read_ahead;
mod source;
mod windows;

use candle_core::{Device, Tensor};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::TrainConfig;
use super::batches::{self, Batch};
use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::objective::GroupCounts;
use plan::Plan;
use source::Source;

/// Mini-batches that are made one after another, of samples in memory by a list of their numbers, of those that are
/// stored by windows of them.
pub(super) struct Epoch<'a>(Form<'a>);

enum Form<'a> {
    Listed {
        data: &'a PuDataset,
        batches: std::vec::IntoIter<Batch>,
    },
    Streamed {
        plan: Plan,
        /// Unlabeled samples, labeled anomalies, labeled normals, where they are trained on.
        groups: Box<[Option<Source>; 3]>,
    },
}

impl<'a> Epoch<'a> {
    /// `counts`: samples of each group that are trained on; 0 of one that is not.
    pub(super) fn new(
        data: &'a PuDataset,
        counts: GroupCounts,
        config: &TrainConfig,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let (size, batching) = (config.batch_size, config.batching);
        let counts_of = [counts.unlabeled, counts.anomalies, counts.normals];
        let groups = [Some(data.unlabeled()), data.anomalies(), data.normals()];
        let seen = groups.into_iter().zip(counts_of);
        let seen = seen.map(|(group, count)| group.filter(|_| count > 0));
        let groups: Vec<Option<&Samples>> = seen.collect();
        if groups
            .iter()
            .flatten()
            .all(|group| group.chunks().is_none())
        {
            let batches = batches::epoch(counts, size, batching, rng).into_iter();
            return Self(Form::Listed { data, batches });
        }
        // A stream for each, so that none waits for what another draws.
        let mut stream = || ChaCha8Rng::seed_from_u64(rng.next_u64());
        let plan = Plan::new(counts_of, size, batching, stream());
        let mut source = |group: usize| {
            let rng = stream();
            let draws = plan.draws(group);
            groups[group].map(|samples| Source::new(samples, draws, rng))
        };
        let groups = Box::new([source(0), source(1), source(2)]);
        Self(Form::Streamed { plan, groups })
    }

    /// Number of batches that are left.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Form::Listed { batches, .. } => batches.len(),
            Form::Streamed { plan, .. } => plan.len(),
        }
    }

    /// The samples of the next one, `[U; A; N]` on `device`.
    ///
    /// # Errors
    /// As the samples are read.
    pub(super) fn next(&mut self, device: &Device) -> Result<Option<(Tensor, GroupCounts)>> {
        let (plan, groups) = match &mut self.0 {
            Form::Listed { data, batches } => {
                let batch = batches.next();
                let made = batch.map(|batch| Ok((batch.gather(data, device)?, batch.counts())));
                return made.transpose();
            }
            Form::Streamed { plan, groups } => (plan, groups),
        };
        let Some(counts) = plan.next() else {
            return Ok(None);
        };
        let mut parts = vec![];
        for (source, count) in groups.iter_mut().zip(counts) {
            if let Some(source) = source {
                source.take(count, &mut parts)?;
            }
        }
        // Groups may live on different devices.
        let parts = parts.iter().map(|part| part.to_device(device));
        let xs = Tensor::cat(&parts.collect::<candle_core::Result<Vec<_>>>()?, 0)?;
        let [unlabeled, anomalies, normals] = counts;
        let counts = GroupCounts {
            unlabeled,
            anomalies,
            normals,
        };
        Ok(Some((xs, counts)))
    }
}

#[cfg(test)]
mod tests;
