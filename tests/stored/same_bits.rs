//! What comes of samples in a file is what comes of them in memory.

use super::*;

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
            .fit(samples, anomalies)
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
