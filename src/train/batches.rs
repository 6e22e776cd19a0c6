//! Which samples form each mini-batch.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand::seq::SliceRandom;

use super::Batching;
use crate::Result;
use crate::data::{PuDataset, Samples};
use crate::objective::{GroupCounts, Groups};

/// The samples of one mini-batch, by group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    unlabeled: Vec<u32>,
    anomalies: Vec<u32>,
    normals: Vec<u32>,
}

impl Batch {
    pub(super) fn counts(&self) -> GroupCounts {
        GroupCounts {
            unlabeled: self.unlabeled.len(),
            anomalies: self.anomalies.len(),
            normals: self.normals.len(),
        }
    }

    /// The samples as one tensor `[U; A; N]` on `device`.
    pub(super) fn gather(&self, data: &PuDataset, device: &Device) -> Result<Tensor> {
        let groups = [
            (Some(data.unlabeled()), &self.unlabeled),
            (data.anomalies(), &self.anomalies),
            (data.normals(), &self.normals),
        ];
        let mut parts = Vec::with_capacity(groups.len());
        for (group, ids) in groups {
            if let (Some(group), false) = (group, ids.is_empty()) {
                // Groups may live on different devices.
                parts.push(group.gather(ids)?.to_device(device)?);
            }
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    fn push(&mut self, sample: usize, counts: GroupCounts) {
        let (u, a) = (counts.unlabeled, counts.anomalies);
        match sample {
            i if i < u => self.unlabeled.push(i as u32),
            i if i < u + a => self.anomalies.push((i - u) as u32),
            i => self.normals.push((i - u - a) as u32),
        }
    }
}

/// How many samples of `data` an objective trains on.
pub(super) fn counts(data: &PuDataset, sees: Groups) -> GroupCounts {
    let len = |group: Option<&Samples>, seen: bool| match group {
        Some(samples) if seen => samples.len(),
        _ => 0,
    };
    GroupCounts {
        unlabeled: data.unlabeled().len(),
        anomalies: len(data.anomalies(), sees.anomalies),
        normals: len(data.normals(), sees.normals),
    }
}

/// The mini-batches of one epoch.
pub(super) fn epoch(
    counts: GroupCounts,
    batch_size: usize,
    batching: Batching,
    rng: &mut impl Rng,
) -> Vec<Batch> {
    match batching {
        Batching::Pooled => pooled(counts, batch_size, rng),
        Batching::Stratified => stratified(counts, batch_size, rng),
    }
}

fn pooled(counts: GroupCounts, batch_size: usize, rng: &mut impl Rng) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..counts.total()).collect();
    order.shuffle(rng);
    let mut chunks: Vec<&[usize]> = order.chunks(batch_size).collect();
    // Batch norm cannot take a single sample: it joins the batch before it.
    let n = order.len();
    if let [.., before, last] = chunks.as_mut_slice()
        && last.len() == 1
    {
        *before = &order[n - 1 - before.len()..];
        chunks.pop();
    }
    let batch = |samples: &&[usize]| {
        let mut batch = Batch::default();
        samples.iter().for_each(|&i| batch.push(i, counts));
        batch
    };
    chunks.iter().map(batch).collect()
}

fn stratified(counts: GroupCounts, batch_size: usize, rng: &mut impl Rng) -> Vec<Batch> {
    // At most one batch for two samples: batch norm cannot take a single one.
    let total = counts.total();
    let batches = total.div_ceil(batch_size).min((total / 2).max(1));
    let mut share = |n: usize| -> Vec<Vec<u32>> {
        if n < batches {
            // Too few to go round: one each, with replacement, or none where there are none.
            let draw = |_| {
                (0..n.min(1))
                    .map(|_| rng.random_range(0..n as u32))
                    .collect()
            };
            return (0..batches).map(draw).collect();
        }
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.shuffle(rng);
        let cut = |i: usize| i * n / batches;
        (0..batches)
            .map(|i| order[cut(i)..cut(i + 1)].to_vec())
            .collect()
    };
    let (u, a, n) = (
        share(counts.unlabeled),
        share(counts.anomalies),
        share(counts.normals),
    );
    let groups = u.into_iter().zip(a).zip(n);
    let batch = |((unlabeled, anomalies), normals)| Batch {
        unlabeled,
        anomalies,
        normals,
    };
    groups.map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ImageSet, ImageShape};
    use crate::rng::{Purpose, substream};
    use proptest::prelude::*;

    fn counts(unlabeled: usize, anomalies: usize, normals: usize) -> GroupCounts {
        GroupCounts {
            unlabeled,
            anomalies,
            normals,
        }
    }

    fn run(c: GroupCounts, size: usize, batching: Batching, seed: u64) -> Vec<Batch> {
        epoch(c, size, batching, &mut substream(seed, Purpose::Shuffle, 0))
    }

    fn sorted(batches: &[Batch], group: impl Fn(&Batch) -> &Vec<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = batches.iter().flat_map(|b| group(b).clone()).collect();
        all.sort_unstable();
        all
    }

    proptest! {
        #[test]
        fn pooled_uses_every_sample_once_and_leaves_no_single_one(
            u in 1usize..300, a in 0usize..40, n in 0usize..10, size in 2usize..64, seed in 0u64..9,
        ) {
            let c = counts(u, a, n);
            let batches = run(c, size, Batching::Pooled, seed);
            prop_assert_eq!(sorted(&batches, |b| &b.unlabeled), (0..u as u32).collect::<Vec<_>>());
            prop_assert_eq!(sorted(&batches, |b| &b.anomalies), (0..a as u32).collect::<Vec<_>>());
            prop_assert_eq!(sorted(&batches, |b| &b.normals), (0..n as u32).collect::<Vec<_>>());
            for b in &batches {
                let total = b.counts().total();
                prop_assert!(total <= size + 1 && (total >= 2 || c.total() == 1), "{}", total);
            }
            prop_assert_eq!(&batches, &run(c, size, Batching::Pooled, seed));
        }

        #[test]
        fn stratified_gives_every_batch_its_share(
            u in 1usize..300, a in 0usize..40, size in 2usize..64, seed in 0u64..9,
        ) {
            let c = counts(u, a, 0);
            let batches = run(c, size, Batching::Stratified, seed);
            let k = c.total().div_ceil(size).min((c.total() / 2).max(1));
            prop_assert_eq!(batches.len(), k);
            for b in &batches {
                prop_assert!(b.counts().total() >= 2 || c.total() == 1);
                let share = b.counts().anomalies;
                if a == 0 { prop_assert_eq!(share, 0) }
                else if a < k { prop_assert_eq!(share, 1) }
                else { prop_assert!(share == a / k || share == a / k + 1) }
            }
            if a >= k {
                prop_assert_eq!(sorted(&batches, |b| &b.anomalies), (0..a as u32).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn seeds_differ() {
        let c = counts(100, 10, 0);
        for batching in [Batching::Pooled, Batching::Stratified] {
            assert_ne!(run(c, 16, batching, 1), run(c, 16, batching, 2));
        }
    }

    #[test]
    fn gather_lays_the_groups_side_by_side() {
        let rows = |values: &[f32]| {
            Tensor::new(values, &Device::Cpu)
                .unwrap()
                .unsqueeze(1)
                .unwrap()
        };
        let data = PuDataset::new(rows(&[0., 1., 2., 3.])).unwrap();
        let data = data.with_anomalies(rows(&[10., 11.])).unwrap();
        let batch = Batch {
            unlabeled: vec![3, 0],
            anomalies: vec![1],
            normals: vec![],
        };
        let xs = batch.gather(&data, &Device::Cpu).unwrap();
        assert_eq!(
            xs.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            [3., 0., 11.]
        );
    }

    #[test]
    fn images_and_tensors_make_one_batch() {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        };
        let set = ImageSet::new(vec![0, 255, 51, 102], shape, vec![0, 0]).unwrap();
        let anomaly = Tensor::new(&[[[[7f32, 8.]]]], &Device::Cpu).unwrap();
        let data = PuDataset::new(Samples::images(&set, shape).unwrap()).unwrap();
        let data = data.with_anomalies(anomaly).unwrap();
        let batch = Batch {
            unlabeled: vec![1, 0],
            anomalies: vec![0],
            normals: vec![],
        };
        let xs = batch.gather(&data, &Device::Cpu).unwrap();
        assert_eq!(xs.dims(), [3, 1, 1, 2]);
        let values = xs.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values, [0.2, 0.4, 0., 1., 7., 8.]);
    }
}
