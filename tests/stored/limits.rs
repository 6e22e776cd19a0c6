//! A file is read in order, a few times, and never all at once.

use super::*;

/// Groups that are decoded whole, the last of which is held, as those of a Parquet file.
struct Groups {
    rows: usize,
    group: usize,
    held: std::sync::Mutex<Option<usize>>,
    decoded: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Store for Groups {
    fn len(&self) -> usize {
        self.rows
    }
    fn sample_shape(&self) -> Vec<usize> {
        vec![16]
    }
    fn dtype(&self) -> DType {
        DType::F32
    }
    fn chunk_ends(&self) -> Vec<u32> {
        (1..=self.rows / self.group)
            .map(|i| (i * self.group) as u32)
            .collect()
    }
    fn read(&self, first: usize, count: usize) -> puad::Result<Tensor> {
        let mut held = self.held.lock().unwrap();
        for group in first / self.group..(first + count).div_ceil(self.group) {
            if *held != Some(group) {
                self.decoded
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                *held = Some(group);
            }
        }
        let value = |i: usize| ((i as f32) * 0.37).sin();
        let values: Vec<f32> = (first * 16..(first + count) * 16).map(value).collect();
        Ok(Tensor::from_vec(values, (count, 16), &Device::Cpu)?)
    }
}

#[test]
fn groups_are_decoded_a_few_times_whatever_is_done_with_them() {
    let decoded = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let store = Groups {
        rows: 40_000,
        group: 2000,
        held: None.into(),
        decoded: decoded.clone(),
    };
    let samples = Samples::stored(store).unwrap();
    let count = || decoded.swap(0, std::sync::atomic::Ordering::Relaxed);
    count();
    let mut config = config(Method::PUAE);
    config.train.epochs = 1;
    let labels = samples.select(&(0..100).collect::<Vec<_>>()).unwrap();
    let data = PuDataset::new(&samples)
        .unwrap()
        .with_anomalies(labels)
        .unwrap();
    assert!(
        !data.anomalies().unwrap().is_stored(),
        "a few are read into memory"
    );
    let estimator = Estimator::new(config);
    let detector = estimator.fit_dataset(&data).unwrap();
    // Twenty groups: six looks, an epoch, the part held out, thirty rows to explain by.
    assert!(count() <= 20 * 16, "a fit");
    detector.score(&samples).unwrap();
    assert!(count() <= 2 * 20, "scores");
    detector.detect(&samples).unwrap();
    assert!(count() <= 3 * 20, "what is noticed, too");
}

#[test]
fn within_a_pool_of_one_thread_a_fit_ends() {
    let dir = Dir::new();
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let pixels: Vec<u8> = (0..64 * 40).map(|i| (i * 31 % 251) as u8).collect();
    let path = dir.npy("images.npy", "|u1", "(40, 1, 8, 8)", &pixels);
    let images =
        Samples::images(&ImageSet::new(pixels, shape, vec![0; 40]).unwrap(), shape).unwrap();
    let labels = images.select(&[0, 1, 2, 3]).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        let fit = pool.install(|| {
            let mut config = config(Method::PUAE);
            config.train.epochs = 1;
            Estimator::new(config)
                .fit(stored(&path), labels)
                .map(|_| ())
        });
        sender.send(fit).unwrap();
    });
    let fit = receiver.recv_timeout(std::time::Duration::from_secs(120));
    fit.expect("a fit that waits for itself").unwrap();
    drop(dir);
}

#[test]
fn what_would_read_all_of_a_file_says_so() {
    let dir = Dir::new();
    let path = dir.rows(300);
    let samples = small_chunks(&path);
    let forest = config(Method::PU_FOREST);
    let detector = Estimator::new(forest)
        .fit(samples.in_memory().unwrap(), labeled())
        .unwrap();
    let of = |samples: Samples| {
        PuDataset::new(samples)
            .unwrap()
            .with_anomalies(labeled())
            .unwrap()
    };
    let feedback = detector.feedback(&of(samples.clone()), []).unwrap();
    let error = detector
        .refit(&feedback, &puad::estimator::RefitConfig::default())
        .unwrap_err();
    assert!(error.to_string().contains("Samples::in_memory"), "{error}");
    // A network goes on with what stays in its file.
    let detector = Estimator::new(config(Method::PUAE))
        .fit(samples.clone(), labeled())
        .unwrap();
    // Nor from memory are gross values among the rows held out, which a fit clips, other rows.
    assert!(
        detector
            .feedback(&of(samples.in_memory().unwrap()), [])
            .is_ok()
    );
    let feedback = detector
        .feedback(&of(samples), [(3, puad::estimator::Label::Anomaly)])
        .unwrap();
    let again = detector.refit(&feedback, &puad::estimator::RefitConfig::default());
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn what_a_fit_takes_where_no_method_is_named_and_what_is_refused() {
    let dir = Dir::new();
    let path = dir.rows(400);
    let mut auto = config(Method::Auto);
    let fit = |config: &FitConfig, labels| {
        let data = PuDataset::new(stored(&path)).unwrap();
        let data = if labels {
            data.with_anomalies(labeled()).unwrap()
        } else {
            data
        };
        Estimator::new(config.clone()).fit_dataset(&data)
    };
    assert_eq!(fit(&auto, true).unwrap().method(), &Method::PUAE);
    assert_eq!(fit(&auto, false).unwrap().method(), &Method::AE);
    let detector = fit(&config(Method::ISOLATION_FOREST), true).unwrap();
    let scores = detector.score([[0f32, 0., 100.], [40., -50., 0.]]).unwrap();
    assert!(scores[1] > scores[0]);
    for method in [
        Method::PU_FOREST,
        Committee::of([Method::AE, Method::PUAE]).into(),
    ] {
        auto.method = Some(method.clone());
        let error = fit(&auto, true).unwrap_err().to_string();
        assert!(
            error.contains("Samples::in_memory") && error.contains(&method.to_string()),
            "{error}"
        );
    }
}
