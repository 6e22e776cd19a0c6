//! Training on samples that stay in a file: the bits of training in memory, bounded memory, errors that name the file.

use std::path::{Path, PathBuf};

use puad::candle_core::{DType, Device, Tensor};
use puad::data::stream::StoredTable;
use puad::data::{ImageSet, ImageShape, PuDataset, Samples, Store};
use puad::estimator::{IntoSamples, Scaling};
use puad::method::{Committee, Method};
use puad::train::{Batching, EpochReport};
use puad::{Error, Estimator, FitConfig, FittedDetector};

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn npy(&self, name: &str, descr: &str, shape: &str, values: &[u8]) -> PathBuf {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let len = (dict.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &len[..], dict.as_bytes(), values].concat();
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Rows around 0 in three columns, some of them far out, as f32.
    fn rows(&self, n: usize) -> PathBuf {
        let values: Vec<u8> = rows(n)
            .iter()
            .flatten()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        self.npy("rows.npy", "<f4", &format!("({n}, 3)"), &values)
    }
}

fn rows(n: usize) -> Vec<[f32; 3]> {
    let wave = |i: usize, by: f32| ((i as f32) * by).sin();
    let row = |i: usize| match i % 29 {
        0 => [4. + wave(i, 0.3), 5., wave(i, 1.7)],
        // A gross value now and then, which training clips.
        7 if i % 58 == 7 => [wave(i, 0.9), 3e7, 0.],
        _ => [wave(i, 0.7), 2. * wave(i, 1.1), 100. + wave(i, 2.3)],
    };
    (0..n).map(row).collect()
}

fn stored(path: &Path) -> Samples {
    let samples = Samples::stored(StoredTable::open(path).unwrap()).unwrap();
    assert!(samples.is_stored());
    samples
}

fn labeled() -> Samples {
    let rows: Vec<[f32; 3]> = (0..12).map(|i| [4., 5., 0.1 * i as f32]).collect();
    (&rows).into_samples().unwrap()
}

/// A store whose chunks are small, so that a few hundred rows have several windows.
struct SmallChunks(StoredTable);

impl Store for SmallChunks {
    fn len(&self) -> usize {
        Store::len(&self.0)
    }
    fn sample_shape(&self) -> Vec<usize> {
        Store::sample_shape(&self.0)
    }
    fn dtype(&self) -> DType {
        Store::dtype(&self.0)
    }
    fn names(&self) -> Vec<String> {
        ["x", "y", "z"].map(Into::into).to_vec()
    }
    fn chunk_ends(&self) -> Vec<u32> {
        let n = Store::len(self) as u32;
        (1..=n.div_ceil(16)).map(|i| n.min(i * 16)).collect()
    }
    fn read(&self, first: usize, count: usize) -> puad::Result<Tensor> {
        Store::read(&self.0, first, count)
    }
}

fn small_chunks(path: &Path) -> Samples {
    let store = SmallChunks(StoredTable::open(path).unwrap());
    Samples::stored(store).unwrap().with_window(64).unwrap()
}

fn config(method: Method) -> FitConfig {
    let mut config = FitConfig {
        method: Some(method),
        prior: puad::ClassPrior::new(0.1).unwrap().into(),
        ..FitConfig::default()
    };
    config.train.epochs = 3;
    config.train.batch_size = 32;
    config
}

/// What a fit came to, but for the time it took.
fn outcome(detector: &FittedDetector) -> (Vec<f64>, Vec<(f64, f64)>, f64, String) {
    let epochs = &detector.history().training.epochs;
    let risks = epochs
        .iter()
        .map(|e: &EpochReport| (e.risk, e.validation_risk));
    (
        detector.score(&rows(100)).unwrap(),
        risks.collect(),
        detector.threshold(),
        format!("{:?} {:?}", detector.scaler(), detector.warnings()),
    )
}

#[test]
fn from_a_file_and_from_memory_a_fit_ends_with_the_same_bits() {
    let dir = Dir::new();
    let path = dir.rows(600);
    let mut fits = 0;
    let mut check = |config: FitConfig| {
        let on_disk = small_chunks(&path);
        let held = on_disk.in_memory().unwrap();
        assert!(!held.is_stored());
        let fit = |samples: Samples| {
            Estimator::new(config.clone())
                .fit(samples, labeled())
                .unwrap()
        };
        let (first, second) = (fit(on_disk), fit(held));
        assert_eq!(outcome(&first), outcome(&second), "{config:?}");
        fits += 1;
    };
    for method in [
        Method::PUAE,
        Method::PUSVDD,
        Method::AE,
        Method::PU,
        Method::DEEP_SAD,
    ] {
        check(config(method));
    }
    for scaling in [
        Scaling::Standard,
        Scaling::Robust,
        Scaling::MinMax,
        Scaling::UnitRange,
    ] {
        check(FitConfig {
            scaling,
            ..config(Method::PUAE)
        });
    }
    let mut pooled = config(Method::PUAE);
    pooled.train.batching = Batching::Pooled;
    check(pooled);
    check(FitConfig {
        folds: Some(2),
        ..config(Method::PUAE)
    });
    // The class prior is estimated, of samples that are drawn where there are more than enough.
    check(FitConfig {
        prior: FitConfig::default().prior,
        ..config(Method::PUAE)
    });
    assert_eq!(fits, 12);
}

#[test]
fn a_split_of_ones_own_labels_in_a_file_and_labeled_normals() {
    let dir = Dir::new();
    let path = dir.rows(400);
    let of = |samples: &Samples| {
        let part =
            |range: std::ops::Range<u32>| samples.select(&range.collect::<Vec<_>>()).unwrap();
        let train = PuDataset::new(part(0..250)).unwrap();
        let train = train.with_anomalies(part(250..260)).unwrap();
        let train = train.with_normals(part(260..300)).unwrap();
        let validation = PuDataset::new(part(300..380)).unwrap();
        let validation = validation.with_anomalies(part(380..390)).unwrap();
        let validation = validation.with_normals(part(390..400)).unwrap();
        let config = config(
            serde_json::from_str(
                r#"{"detector": "autoencoder", "objective": {"pu": {"pnu_weight": 0.5}}}"#,
            )
            .unwrap(),
        );
        Estimator::new(config)
            .fit_split(&train, &validation)
            .unwrap()
    };
    let samples = small_chunks(&path);
    assert_eq!(
        outcome(&of(&samples)),
        outcome(&of(&samples.in_memory().unwrap()))
    );
}

#[test]
fn f64_and_images_of_8_bits() {
    let dir = Dir::new();
    // Values that f32 cannot tell apart before they are scaled.
    let wide: Vec<[f64; 3]> = (0..300)
        .map(|i| [1e9 + (i % 17) as f64 * 0.01, (i % 5) as f64, 0.5])
        .collect();
    let bytes: Vec<u8> = wide
        .iter()
        .flatten()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let samples = stored(&dir.npy("wide.npy", "<f8", "(300, 3)", &bytes));
    assert_eq!(samples.dtype(), DType::F64);
    let anomalies = [[1e9, 9., 0.5]; 8];
    let fit = |samples: Samples| {
        Estimator::new(config(Method::PUAE))
            .fit(samples, &anomalies)
            .unwrap()
    };
    let (first, second) = (fit(samples.clone()), fit(samples.in_memory().unwrap()));
    assert_eq!(first.score(&wide).unwrap(), second.score(&wide).unwrap());
    assert!(
        first
            .score(&wide[..17])
            .unwrap()
            .windows(2)
            .all(|pair| pair[0] != pair[1])
    );

    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let pixels: Vec<u8> = (0..64 * 40).map(|i| (i * 31 % 251) as u8).collect();
    let samples = stored(&dir.npy("images.npy", "|u1", "(40, 1, 8, 8)", &pixels));
    let images =
        Samples::images(&ImageSet::new(pixels, shape, vec![0; 40]).unwrap(), shape).unwrap();
    let values = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(
        values(samples.to_tensor().unwrap()),
        values(images.to_tensor().unwrap())
    );
    let labeled = images.select(&[0, 1, 2, 3]).unwrap();
    let detector = Estimator::new(config(Method::PUAE))
        .fit(&samples, &labeled)
        .unwrap();
    assert_eq!(
        detector.score(&samples).unwrap(),
        detector.score(&images).unwrap()
    );
    assert_eq!(
        detector.inputs().unwrap().element_type(),
        puad::estimator::ElementType::Bits8
    );
}

#[test]
fn another_scale_is_told_of_a_file_too() {
    let dir = Dir::new();
    let path = dir.rows(400);
    let small = small_chunks(&path);
    let fit = |labels: Samples| {
        Estimator::new(config(Method::PUAE)).fit(small.in_memory().unwrap(), labels)
    };
    let detector = fit(labeled()).unwrap();
    let large: Vec<u8> = rows(400)
        .iter()
        .flatten()
        .flat_map(|x| (x * 1e4).to_le_bytes())
        .collect();
    let large = small_chunks(&dir.npy("large.npy", "<f4", "(400, 3)", &large));
    for samples in [large.clone(), large.in_memory().unwrap()] {
        let error = detector.score(&samples).unwrap_err();
        assert!(matches!(error, Error::OtherScale { .. }), "{error}");
        assert!(matches!(
            fit(samples.clone()).unwrap_err(),
            Error::OtherScale { .. }
        ));
        let train = PuDataset::new(&small)
            .unwrap()
            .with_anomalies(labeled())
            .unwrap();
        let validation = PuDataset::new(samples)
            .unwrap()
            .with_anomalies(labeled())
            .unwrap();
        let error = Estimator::new(config(Method::PUAE))
            .fit_split(&train, &validation)
            .unwrap_err();
        assert!(matches!(error, Error::OtherScale { .. }), "{error}");
    }
}

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
fn blocks_stay_whole_and_selections_are_those_of_memory() {
    let dir = Dir::new();
    let samples = small_chunks(&dir.rows(300));
    let held = samples.in_memory().unwrap();
    let values = |s: &Samples| s.to_tensor().unwrap().to_vec2::<f32>().unwrap();
    for ids in [
        vec![7, 3, 3, 299, 0, 4, 5],
        vec![],
        (50..250).rev().collect(),
        (10..200).collect(),
    ] {
        assert_eq!(
            values(&samples.select(&ids).unwrap()),
            values(&held.select(&ids).unwrap())
        );
        let gathered = samples.gather(&ids).unwrap();
        assert_eq!(
            gathered.to_vec2::<f32>().unwrap(),
            values(&held.select(&ids).unwrap())
        );
        let again: Vec<u32> = (0..ids.len() as u32).step_by(2).collect();
        let twice = samples.select(&ids).unwrap().select(&again).unwrap();
        assert_eq!(
            values(&twice),
            values(&held.select(&ids).unwrap().select(&again).unwrap())
        );
    }
    assert!(samples.select(&[300]).is_err() && samples.gather(&[300]).is_err());

    let blocks: Vec<u32> = (0..300).map(|row| row / 20).collect();
    let blocked = samples.clone().with_blocks(&blocks).unwrap();
    let (train, validation) = PuDataset::new(&blocked).unwrap().split(0.2, 1).unwrap();
    assert!(train.unlabeled().is_stored());
    assert_eq!(validation.unlabeled().len(), 60);
    let of = |part: &PuDataset| part.unlabeled().blocks().unwrap().to_vec();
    assert!(
        of(&train)
            .iter()
            .all(|block| !of(&validation).contains(block))
    );
    let fit = |samples: Samples| {
        let config = FitConfig {
            prior: FitConfig::default().prior,
            folds: Some(2),
            ..config(Method::PUAE)
        };
        Estimator::new(config).fit(samples, labeled()).unwrap()
    };
    assert_eq!(
        outcome(&fit(blocked.clone())),
        outcome(&fit(blocked.in_memory().unwrap()))
    );
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
fn names_do_not_hide_what_is_no_number() {
    struct Hole;
    impl Store for Hole {
        fn len(&self) -> usize {
            4
        }
        fn sample_shape(&self) -> Vec<usize> {
            vec![2]
        }
        fn dtype(&self) -> DType {
            DType::F32
        }
        fn names(&self) -> Vec<String> {
            vec!["x".into(), "y".into()]
        }
        fn chunk_ends(&self) -> Vec<u32> {
            vec![4]
        }
        fn read(&self, first: usize, count: usize) -> puad::Result<Tensor> {
            let values = [1f32, 2., 3., f32::NAN, 5., 6., 7., 8.];
            Ok(Tensor::from_slice(
                &values[2 * first..2 * (first + count)],
                (count, 2),
                &Device::Cpu,
            )?)
        }
    }
    let samples = Samples::stored(Hole).unwrap();
    for samples in [samples.clone(), samples.with_columns(&["y", "x"]).unwrap()] {
        let error = PuDataset::new(samples).unwrap_err();
        assert!(
            matches!(error, Error::NonFiniteFeature { row: 1, .. }),
            "{error}"
        );
    }
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
    let scores = detector
        .score(&[[0f32, 0., 100.], [40., -50., 0.]])
        .unwrap();
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

#[test]
fn a_killed_run_goes_on_with_the_same_batches() {
    let dir = Dir::new();
    let path = dir.rows(500);
    let run = |file: &str, epochs: usize, window: usize| {
        let mut config = config(Method::PUAE);
        config.train.epochs = epochs;
        let samples = small_chunks(&path).with_window(window).unwrap();
        let estimator = Estimator::new(config).with_checkpoints(dir.0.path().join(file), 1);
        estimator.fit(samples, labeled())
    };
    let whole = outcome(&run("whole", 4, 64).unwrap());
    run("parts", 2, 64).unwrap();
    assert_eq!(outcome(&run("parts", 4, 64).unwrap()), whole);
    let other = run("parts", 5, 300).unwrap_err().to_string();
    assert!(other.contains("data set"), "{other}");
}

#[test]
fn samples_of_a_file_are_scored_where_they_are() {
    let dir = Dir::new();
    let samples = small_chunks(&dir.rows(500));
    let detector = Estimator::new(config(Method::PUAE))
        .fit(&samples, labeled())
        .unwrap();
    let expected = detector.score(samples.to_tensor().unwrap()).unwrap();
    assert_eq!(detector.score(&samples).unwrap(), expected);
    // Columns with names in another order.
    let swapped = samples.with_columns(&["z", "x", "y"]).unwrap();
    assert!(swapped.is_stored());
    assert_eq!(swapped.names(), ["z", "x", "y"]);
    assert_eq!(detector.score(&swapped).unwrap(), expected);
    let (train, validation) = PuDataset::new(&samples).unwrap().split(0.2, 3).unwrap();
    assert!(train.unlabeled().is_stored() && validation.unlabeled().is_stored());
    let mut all = [train.unlabeled(), validation.unlabeled()]
        .map(|part| detector.score(part).unwrap())
        .concat();
    let mut sorted = expected;
    sorted.sort_by(f64::total_cmp);
    all.sort_by(f64::total_cmp);
    assert_eq!(all, sorted);
}

#[test]
fn bad_files_and_stores_are_named() {
    let dir = Dir::new();
    let mut values = rows(100);
    values[42][1] = f32::NAN;
    let bytes: Vec<u8> = values
        .iter()
        .flatten()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let path = dir.npy("bad.npy", "<f4", "(100, 3)", &bytes);
    let error = PuDataset::new(stored(&path)).unwrap_err().to_string();
    assert!(
        error.contains("bad.npy") && error.contains("row 42, column \"1\""),
        "{error}"
    );

    // Cut while it is trained on.
    let path = dir.rows(600);
    let mut cut = |report: &EpochReport| {
        if report.epoch == 1 {
            std::fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(4000)
                .unwrap();
        }
        std::ops::ControlFlow::Continue(())
    };
    let estimator = Estimator::new(config(Method::PUAE)).with_observer(&mut cut);
    let error = estimator
        .fit(small_chunks(&path), labeled())
        .unwrap_err()
        .to_string();
    assert!(error.contains("rows.npy must hold"), "{error}");

    struct Odd {
        ends: Vec<u32>,
        dtype: DType,
        gives: DType,
        columns: usize,
    }
    impl Store for Odd {
        fn len(&self) -> usize {
            10
        }
        fn sample_shape(&self) -> Vec<usize> {
            vec![2]
        }
        fn dtype(&self) -> DType {
            self.dtype
        }
        fn chunk_ends(&self) -> Vec<u32> {
            self.ends.clone()
        }
        fn read(&self, _: usize, count: usize) -> puad::Result<Tensor> {
            Ok(Tensor::zeros(
                (count, self.columns),
                self.gives,
                &Device::Cpu,
            )?)
        }
    }
    let odd = || Odd {
        ends: vec![4, 10],
        dtype: DType::F32,
        gives: DType::F32,
        columns: 2,
    };
    assert!(PuDataset::new(Samples::stored(odd()).unwrap()).is_ok());
    for ends in [
        vec![],
        vec![4],
        vec![4, 4, 10],
        vec![0, 10],
        vec![4, 11],
        vec![10, 4],
    ] {
        let error = Samples::stored(Odd { ends, ..odd() }).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Config {
                    name: "chunk_ends",
                    ..
                }
            ),
            "{error}"
        );
    }
    for dtype in [DType::U8, DType::I64] {
        let error = Samples::stored(Odd { dtype, ..odd() }).unwrap_err();
        assert!(
            matches!(
                error,
                Error::DType {
                    what: "stored samples",
                    ..
                }
            ),
            "{error}"
        );
    }
    let error = PuDataset::new(
        Samples::stored(Odd {
            gives: DType::F64,
            ..odd()
        })
        .unwrap(),
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::DType {
                what: "stored samples",
                ..
            }
        ),
        "{error}"
    );
    let error = PuDataset::new(
        Samples::stored(Odd {
            columns: 3,
            ..odd()
        })
        .unwrap(),
    )
    .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Shape {
                what: "stored samples",
                ..
            }
        ),
        "{error}"
    );
    let error = Samples::stored(odd()).unwrap().with_window(0).unwrap_err();
    assert!(
        matches!(error, Error::Config { name: "window", .. }),
        "{error}"
    );
    let empty = stored(&dir.npy("empty.npy", "<f4", "(0, 3)", &[]));
    assert!(matches!(
        PuDataset::new(empty).unwrap_err(),
        Error::EmptyGroup { .. }
    ));
}
