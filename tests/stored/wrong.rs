//! What cannot be trained on is named.

use super::*;

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
fn bad_files_are_named() {
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
}

/// That may say one thing and give another.
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

#[test]
fn bad_stores_are_named() {
    let odd = || Odd {
        ends: vec![4, 10],
        dtype: DType::F32,
        gives: DType::F32,
        columns: 2,
    };
    let refused = |store| Samples::stored(store).unwrap_err();
    let refused_values = |store| PuDataset::new(Samples::stored(store).unwrap()).unwrap_err();
    assert!(PuDataset::new(Samples::stored(odd()).unwrap()).is_ok());
    for ends in [&[][..], &[4], &[4, 4, 10], &[0, 10], &[4, 11], &[10, 4]] {
        let ends = ends.to_vec();
        let error = refused(Odd { ends, ..odd() }).to_string();
        assert!(error.starts_with("chunk_ends must be ascending"), "{error}");
    }
    let others = [
        refused(Odd {
            dtype: DType::U8,
            ..odd()
        }),
        refused(Odd {
            dtype: DType::I64,
            ..odd()
        }),
        refused_values(Odd {
            gives: DType::F64,
            ..odd()
        }),
        refused_values(Odd {
            columns: 3,
            ..odd()
        }),
    ];
    for error in others {
        let of_type = matches!(error, Error::DType { .. } | Error::Shape { .. });
        assert!(
            of_type && error.to_string().starts_with("stored samples must"),
            "{error}"
        );
    }
    let error = Samples::stored(odd()).unwrap().with_window(0).unwrap_err();
    assert!(
        error.to_string().starts_with("window must be at least 1"),
        "{error}"
    );
}

#[test]
fn a_file_without_rows_is_no_group() {
    let dir = Dir::new();
    let empty = stored(&dir.npy("empty.npy", "<f4", "(0, 3)", &[]));
    assert!(matches!(
        PuDataset::new(empty).unwrap_err(),
        Error::EmptyGroup { .. }
    ));
}

#[test]
fn what_a_narrower_type_does_not_hold_is_told() {
    let dir = Dir::new();
    let bytes: Vec<u8> = [1f64, 2., 1e300, 4.]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let samples = stored(&dir.npy("wide.npy", "<f8", "(4, 1)", &bytes));
    // They were looked through as f64.
    let data = PuDataset::new(samples).unwrap();
    let narrow = data.unlabeled().to_dtype(DType::F32).unwrap();
    let error = PuDataset::new(narrow).unwrap_err();
    assert!(
        matches!(error, Error::NonFiniteFeature { row: 2, .. }),
        "{error}"
    );
}
