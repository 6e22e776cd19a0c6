use super::*;
use crate::data::Store;
use crate::rng::{Purpose, substream};
use crate::train::Batching;
use crate::{Error, data::Chunks};
use candle_core::DType;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows `(i, -i)` in chunks of a size; reading one from `broken` on fails.
struct Rows {
    len: usize,
    chunk: usize,
    broken: usize,
    read: Arc<AtomicUsize>,
}

impl Rows {
    fn new(len: usize, chunk: usize) -> Self {
        Self {
            len,
            chunk,
            broken: usize::MAX,
            read: Arc::default(),
        }
    }
}

impl Store for Rows {
    fn len(&self) -> usize {
        self.len
    }
    fn sample_shape(&self) -> Vec<usize> {
        vec![2]
    }
    fn dtype(&self) -> DType {
        DType::F32
    }
    fn chunk_ends(&self) -> Vec<u32> {
        let chunks = 1..=self.len.div_ceil(self.chunk);
        chunks
            .map(|i| self.len.min(i * self.chunk) as u32)
            .collect()
    }
    fn read(&self, first: usize, count: usize) -> Result<Tensor> {
        if first + count > self.broken {
            return Err(Error::config("rows", "there", "gone"));
        }
        self.read.fetch_add(count, Ordering::Relaxed);
        let values = (first..first + count).flat_map(|i| [i as f32, -(i as f32)]);
        let values: Vec<f32> = values.collect();
        Ok(Tensor::from_vec(values, (count, 2), &Device::Cpu)?)
    }
}

fn stored(len: usize, chunk: usize, window: usize) -> Samples {
    let samples = Samples::stored(Rows::new(len, chunk)).unwrap();
    samples.with_window(window).unwrap()
}

fn anomalies(n: usize) -> Tensor {
    let values: Vec<f32> = (0..n).flat_map(|i| [1e6 + i as f32, 0.]).collect();
    Tensor::from_vec(values, (n, 2), &Device::Cpu).unwrap()
}

type Batches = Vec<(Vec<f32>, GroupCounts)>;

fn batches(data: &PuDataset, config: &TrainConfig, rng: &mut ChaCha8Rng) -> Batches {
    let counts = GroupCounts {
        unlabeled: data.unlabeled().len(),
        anomalies: data.anomalies().map_or(0, Samples::len),
        normals: 0,
    };
    let mut epoch = Epoch::new(data, counts, config, rng);
    let (mut all, promised) = (vec![], epoch.len());
    while let Some((xs, counts)) = epoch.next(&Device::Cpu).unwrap() {
        assert_eq!(xs.dims(), [counts.total(), 2]);
        let rows = xs.to_vec2::<f32>().unwrap();
        all.push((rows.iter().map(|row| row[0]).collect(), counts));
    }
    assert_eq!((all.len(), epoch.len()), (promised, 0));
    all
}

fn shuffle() -> ChaCha8Rng {
    substream(3, Purpose::Shuffle, 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_sample_once_and_the_same_from_a_store_and_from_memory(
        u in 2usize..200, a in 0usize..30, chunk in 1usize..40, window in 1usize..90, size in 2usize..40,
        pooled: bool,
    ) {
        let batching = if pooled { Batching::Pooled } else { Batching::Stratified };
        let config = TrainConfig { batch_size: size, batching, ..TrainConfig::default() };
        let of = |unlabeled: Samples| {
            let data = PuDataset::new(unlabeled).unwrap();
            if a == 0 { data } else { data.with_anomalies(anomalies(a)).unwrap() }
        };
        let samples = stored(u, chunk, window);
        let (on_disk, held) = (of(samples.clone()), of(samples.in_memory().unwrap()));
        let (mut rng, mut other) = (shuffle(), shuffle());
        let first = batches(&on_disk, &config, &mut rng);
        prop_assert_eq!(&first, &batches(&held, &config, &mut other));
        // The next epoch is another one, and again the same from both.
        let second = batches(&on_disk, &config, &mut rng);
        prop_assert_eq!(&second, &batches(&held, &config, &mut other));
        let unlabeled = |batches: &Batches| -> Vec<f32> {
            batches.iter().flat_map(|(rows, n)| rows[..n.unlabeled].to_vec()).collect()
        };
        for epoch in [&first, &second] {
            let mut rows = unlabeled(epoch);
            if pooled || u >= epoch.len() {
                rows.sort_unstable_by(f32::total_cmp);
                prop_assert_eq!(rows, (0..u).map(|i| i as f32).collect::<Vec<_>>());
            } else {
                // Too few to go round are drawn with replacement, one a batch.
                prop_assert_eq!(rows.len(), epoch.len());
                prop_assert!(rows.iter().all(|row| (0..u).any(|i| *row == i as f32)));
            }
            for (rows, counts) in epoch {
                prop_assert!(counts.total() >= 2 && counts.total() <= size + 2, "{:?}", counts);
                prop_assert!(rows[counts.unlabeled..].iter().all(|x| *x >= 1e6));
            }
        }
        if u >= 40 { prop_assert_ne!(unlabeled(&first), unlabeled(&second)); }
        // As many of each group in a batch as from memory without chunks, and all labeled ones where they go round.
        let plain = of(held.unlabeled().to_tensor().unwrap().into());
        let plain = batches(&plain, &config, &mut shuffle());
        prop_assert_eq!(plain.len(), first.len());
        if !pooled {
            let counts = |batches: &Batches| batches.iter().map(|(_, n)| *n).collect::<Vec<_>>();
            prop_assert_eq!(counts(&plain), counts(&first));
        }
        if pooled || a >= first.len() {
            let labeled: usize = first.iter().map(|(_, n)| n.anomalies).sum();
            prop_assert_eq!(labeled, a);
        }
    }
}

#[test]
fn pooled_batches_mix_the_groups_as_a_shuffle_does() {
    let config = TrainConfig {
        batch_size: 10,
        batching: Batching::Pooled,
        ..TrainConfig::default()
    };
    let data = PuDataset::new(stored(900, 50, 100)).unwrap();
    let data = data.with_anomalies(anomalies(100)).unwrap();
    let mut rng = shuffle();
    let mut sums = [0.; 2];
    let epochs = 200;
    for _ in 0..epochs {
        for (_, counts) in batches(&data, &config, &mut rng) {
            let labeled = counts.anomalies as f64;
            sums[0] += labeled;
            sums[1] += labeled * labeled;
        }
    }
    let n = f64::from(epochs) * 100.;
    let (mean, square) = (sums[0] / n, sums[1] / n);
    // Hypergeometric: 10 of 1000, 100 of them labeled.
    let variance = 10. * 0.1 * 0.9 * (990. / 999.);
    assert!((mean - 1.).abs() < 1e-9, "{mean}");
    assert!(
        (square - mean * mean - variance).abs() < 0.03,
        "{}",
        square - mean * mean
    );
}

#[test]
fn a_window_mixes_its_chunks_and_a_larger_one_more() {
    let config = TrainConfig {
        batch_size: 50,
        ..TrainConfig::default()
    };
    let chunks_a_batch = |window| {
        let data = PuDataset::new(stored(10_000, 100, window)).unwrap();
        let batches = batches(&data, &config, &mut shuffle());
        let chunks = |rows: &Vec<f32>| {
            let mut chunks: Vec<usize> = rows.iter().map(|x| *x as usize / 100).collect();
            chunks.sort_unstable();
            chunks.dedup();
            chunks.len()
        };
        batches.iter().map(|(rows, _)| chunks(rows)).sum::<usize>() as f64 / batches.len() as f64
    };
    let (one, ten, all) = (
        chunks_a_batch(100),
        chunks_a_batch(1000),
        chunks_a_batch(10_000),
    );
    assert!(
        one < 2.1 && (9. ..=11.).contains(&ten) && all > 35.,
        "{one} {ten} {all}"
    );
}

#[test]
fn what_cannot_be_read_ends_the_epoch_with_its_error_and_a_dropped_one_ends_the_thread() {
    let rows = Rows::new(1000, 10);
    let read = Arc::clone(&rows.read);
    let good = Samples::stored(rows).unwrap().with_window(10).unwrap();
    let counts = GroupCounts {
        unlabeled: 1000,
        ..GroupCounts::default()
    };
    let data = PuDataset::new(good).unwrap();
    read.store(0, Ordering::Relaxed);
    let mut epoch = Epoch::new(&data, counts, &TrainConfig::default(), &mut shuffle());
    epoch.next(&Device::Cpu).unwrap();
    drop(epoch);
    // A batch of 128 is of 13 windows, and one or two more were begun.
    assert!(read.load(Ordering::Relaxed) <= 160, "{read:?}");

    let broken = Rows {
        broken: 500,
        ..Rows::new(1000, 10)
    };
    let broken = Samples::stored(broken).unwrap();
    assert!(PuDataset::new(&broken).is_err());
    let chunks: &Chunks = broken.chunks().unwrap();
    let mut windows = windows::Windows::new(&broken, chunks, shuffle());
    let mut parts = vec![];
    let error = windows.take(1000, &mut parts).unwrap_err().to_string();
    assert!(error.contains("gone"), "{error}");
}
