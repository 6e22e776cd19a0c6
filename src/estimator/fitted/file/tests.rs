use super::*;
use crate::Estimator;
use crate::checkpoint::{CheckpointError, rewrite};
use crate::data::toy::{self, Toy, ToyConfig};
use crate::data::{ImageSet, ImageShape, Samples};
use crate::estimator::{CalibrationMethod, IntoSamples, Threshold};
use crate::method::Method;
use serde_json::json;
use std::path::PathBuf;

fn data() -> Toy {
    let config = ToyConfig {
        normals: 50,
        unlabeled_anomalies: 10,
        labeled_anomalies: 10,
        ..Default::default()
    };
    toy::generate(&config, 0).unwrap()
}

fn fit(method: Method) -> FittedDetector {
    let mut config = FitConfig {
        method: Some(method),
        ..Default::default()
    };
    config.train.epochs = 2;
    let toy = data();
    Estimator::new(config)
        .fit(&toy.normals, &toy.labeled_anomalies)
        .unwrap()
}

/// A small network, so that a test can look at every byte.
fn small() -> FittedDetector {
    let mut config: FitConfig = serde_json::from_value(json!({
        "network": {"explicit": {"mlp": {"inputs": 2, "hidden": [3], "latent": 2}}},
        "method": "PUSVDD",
    }))
    .unwrap();
    config.train.epochs = 1;
    let toy = data();
    Estimator::new(config)
        .fit(&toy.normals, &toy.labeled_anomalies)
        .unwrap()
}

struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn saved(detector: &FittedDetector) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("detector.safetensors");
    detector.save(&path).unwrap();
    File { _dir: dir, path }
}

fn load(file: &File) -> Result<FittedDetector> {
    FittedDetector::load(&file.path, &Device::Cpu)
}

fn problem(file: &File) -> CheckpointError {
    match load(file) {
        Err(Error::Checkpoint(problem)) => *problem.downcast().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_are_the_file_and_their_errors_name_no_file() {
    let detector = small();
    let file = saved(&detector);
    let bytes = detector.to_bytes().unwrap();
    assert_eq!(bytes, std::fs::read(&file.path).unwrap());
    let same = FittedDetector::from_bytes(&bytes, &Device::Cpu).unwrap();
    assert_eq!(same.to_bytes().unwrap(), bytes);
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (wrong, says) in [
        (
            &bytes[..bytes.len() - 1],
            "must be a whole safetensors file",
        ),
        (&[][..], "must be a whole safetensors file"),
        (&damaged[..], "the detector's bytes"),
    ] {
        let error = FittedDetector::from_bytes(wrong, &Device::Cpu).unwrap_err();
        assert!(
            error.to_string().starts_with("the detector's bytes "),
            "{error}"
        );
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_loaded_detector_is_the_saved_one() {
    let toy = data();
    for (name, method) in Method::NAMED {
        let mut detector = fit(method.clone());
        let check = |detector: &FittedDetector| {
            let file = saved(detector);
            let loaded = load(&file).unwrap();
            let xs = &toy.unlabeled_anomalies;
            assert_eq!(
                loaded.score(xs).unwrap(),
                detector.score(xs).unwrap(),
                "{name}"
            );
            let p = (
                loaded.predict_proba(xs).unwrap(),
                detector.predict_proba(xs).unwrap(),
            );
            assert_eq!(p.0, p.1, "{name}");
            assert_eq!(loaded.threshold().to_bits(), detector.threshold().to_bits());
            assert_eq!(loaded.threshold_rule(), detector.threshold_rule());
            assert_eq!(loaded.config(), detector.config());
            assert_eq!(loaded.sample_shape(), detector.sample_shape());
            assert_eq!(loaded.history(), detector.history());
            assert_eq!(loaded.scaler(), detector.scaler());
            assert_eq!(loaded.validation_scores(), detector.validation_scores());
            assert_eq!(loaded.inputs(), detector.inputs());
            assert_eq!(loaded.warnings(), detector.warnings());
            // Deterministic, and nothing of a pre-training decoder.
            assert_eq!(
                std::fs::read(&file.path).unwrap(),
                std::fs::read(&saved(&loaded).path).unwrap()
            );
        };
        check(&detector);
        detector
            .set_threshold(Threshold::Value(f64::INFINITY))
            .unwrap();
        detector
            .calibrate(CalibrationMethod::Isotonic, None)
            .unwrap();
        check(&detector);
    }
}

#[test]
fn an_unlabeled_fit_without_a_scaler_round_trips() {
    let mut config = FitConfig {
        method: Some(Method::AE),
        scaling: crate::estimator::Scaling::None,
        ..Default::default()
    };
    config.train.epochs = 1;
    let toy = data();
    let unlabeled = (&toy.normals).into_samples().unwrap();
    let set = crate::data::PuDataset::new(unlabeled).unwrap();
    let detector = Estimator::new(config).fit_dataset(&set).unwrap();
    let loaded = load(&saved(&detector)).unwrap();
    assert!(loaded.scaler().is_none() && loaded.calibration().is_none());
    let xs = &toy.labeled_anomalies;
    assert_eq!(loaded.score(xs).unwrap(), detector.score(xs).unwrap());
    assert!(matches!(
        loaded.predict_proba(xs),
        Err(Error::NotCalibrated)
    ));
}

#[test]
fn cut_off_anywhere_is_an_error() {
    let file = saved(&small());
    let bytes = std::fs::read(&file.path).unwrap();
    for len in 0..bytes.len() {
        std::fs::write(&file.path, &bytes[..len]).unwrap();
        let problem = problem(&file);
        assert!(
            matches!(problem, CheckpointError::Malformed { .. }),
            "{len}: {problem}"
        );
    }
    std::fs::write(&file.path, [bytes, vec![0]].concat()).unwrap();
    assert!(matches!(problem(&file), CheckpointError::Malformed { .. }));
}

/// Any changed byte is an error, or changes nothing that is read.
#[test]
fn damage_anywhere_is_found() {
    let detector = small();
    let xs = data().normals;
    let scores = detector.score(&xs).unwrap();
    let file = saved(&detector);
    let bytes = std::fs::read(&file.path).unwrap();
    for i in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[i] ^= 1 << (i % 8);
        std::fs::write(&file.path, &damaged).unwrap();
        match load(&file) {
            Ok(loaded) => assert_eq!(loaded.score(&xs).unwrap(), scores, "{i}"),
            Err(Error::Checkpoint(_)) => {}
            Err(other) => panic!("{i}: {other}"),
        }
    }
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&file.path, &damaged).unwrap();
    assert!(matches!(problem(&file), CheckpointError::Checksum { .. }));
}

#[test]
fn headers_that_promise_too_much_are_errors() {
    let file = saved(&small());
    let header = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let huge = r#"{"a":{"dtype":"F32","shape":[1000000000,1000000000],"data_offsets":[0,4]}}"#;
    let past = r#"{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}"#;
    for bytes in [
        u64::MAX.to_le_bytes().to_vec(),
        (1u64 << 40).to_le_bytes().to_vec(),
        header(huge),
        header(past),
        header("not json"),
        b"PK\x03\x04 something else".to_vec(),
    ] {
        std::fs::write(&file.path, bytes).unwrap();
        assert!(matches!(problem(&file), CheckpointError::Malformed { .. }));
    }
}

#[test]
fn files_of_others_and_of_later_releases_are_told() {
    let file = saved(&small());
    let foreign = header_only(r#"{"__metadata__":{"format":"pt"}}"#);
    for bytes in [foreign, header_only("{}")] {
        std::fs::write(&file.path, bytes).unwrap();
        assert!(matches!(problem(&file), CheckpointError::Foreign { .. }));
    }
    let file = saved(&small());
    rewrite(&file.path, |text, _| {
        text["format"] = json!("puad training")
    });
    assert!(
        matches!(problem(&file), CheckpointError::Kind { actual, .. } if actual == "puad training")
    );
    let file = saved(&small());
    rewrite(&file.path, |text, _| {
        text["format_version"] = json!(8);
        text["puad_version"] = json!("9.0.0");
        text["content"] = json!("unheard of");
    });
    match problem(&file) {
        CheckpointError::NewerFormat {
            found,
            supported,
            writer,
            ..
        } => {
            assert_eq!((found, supported, writer.as_str()), (8, 7, "9.0.0"));
        }
        other => panic!("{other}"),
    }
    let absent = File {
        path: file.path.with_file_name("absent"),
        ..file
    };
    assert!(matches!(problem(&absent), CheckpointError::Read { .. }));
}

/// It had the method in the configuration alone.
#[test]
fn files_of_version_2_load() {
    for method in [None, Some(json!("PUSVDD"))] {
        let detector = small();
        let file = saved(&detector);
        rewrite(&file.path, |text, _| {
            text["format_version"] = json!(2);
            let content = text["content"].as_object_mut().unwrap();
            content.remove("method");
            content.remove("inputs");
            content.remove("warnings");
            text["content"]["config"]["method"] = method.clone().unwrap_or(json!(null));
            text["content"]["config"]["prior"] = json!(0.1);
        });
        let loaded = load(&file);
        match method {
            // The default for vectors, whose tensors are others.
            None => assert!(loaded.is_err()),
            Some(_) => {
                let loaded = loaded.unwrap();
                assert_eq!(loaded.method(), detector.method());
                let xs = &data().unseen;
                assert_eq!(loaded.score(xs).unwrap(), detector.score(xs).unwrap());
            }
        }
    }
}

/// It did not say what the fit saw.
#[test]
fn files_of_version_3_load() {
    let detector = small();
    let file = saved(&detector);
    rewrite(&file.path, |text, _| {
        text["format_version"] = json!(3);
        let content = text["content"].as_object_mut().unwrap();
        content.remove("inputs");
        content.remove("warnings");
        text["content"]["config"]["prior"] = json!(0.1);
    });
    let loaded = load(&file).unwrap();
    assert!(loaded.inputs().is_none());
    assert_eq!(loaded.warnings(), [Warning::Unchecked]);
    let xs = &data().unseen;
    assert_eq!(loaded.score(xs).unwrap(), detector.score(xs).unwrap());
    // Saved again it is of the current format, and still does not say.
    let again = load(&saved(&loaded)).unwrap();
    assert!(again.inputs().is_none());
    assert_eq!(again.warnings(), [Warning::Unchecked]);
}

/// Then bytes of an array were numbers up to 255, which are taken as [0, 1] today.
#[test]
fn images_of_version_3_are_not_mistaken() {
    let (shape, n) = (
        ImageShape {
            channels: 1,
            height: 8,
            width: 8,
        },
        30,
    );
    let pixels: Vec<u8> = (0..64 * n).map(|i| (i * 37 % 256) as u8).collect();
    let set = ImageSet::new(pixels, shape, vec![0; n]).unwrap();
    let images = Samples::images(&set, shape).unwrap();
    let unit = images.to_tensor().unwrap();
    let wide = (&unit * 255.).unwrap();
    let fit_then = |samples: &Tensor| {
        let mut config: FitConfig = serde_json::from_value(json!({"method": "PUSVDD"})).unwrap();
        config.train.epochs = 1;
        let detector = Estimator::new(config).fit(samples, samples.narrow(0, 0, 3).unwrap());
        let file = saved(&detector.unwrap());
        rewrite(&file.path, |text, _| {
            text["format_version"] = json!(3);
            let content = text["content"].as_object_mut().unwrap();
            content.remove("inputs");
            content.remove("warnings");
            text["content"]["config"]["prior"] = json!(0.1);
        });
        load(&file).unwrap()
    };
    let mut detector = fit_then(&wide);
    let err = detector.score(&images).unwrap_err();
    assert!(matches!(err, Error::ElementType { .. }), "{err}");
    assert!(detector.score(&wide).is_ok());
    detector.set_input_check(InputCheck::Warn);
    let found = detector.detect(&images).unwrap();
    assert!(matches!(found.warnings[0], Warning::ElementType { .. }));
    // In [0, 1] they were what they are.
    let detector = fit_then(&unit);
    assert_eq!(
        detector.score(&images).unwrap(),
        detector.score(&unit).unwrap()
    );
}

fn header_only(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

#[test]
fn tensors_must_be_those_of_the_network() {
    let detector = small();
    let weight = "parameters.encoder.layers.0.weight";
    for name in [
        weight,
        "parameters.center",
        "threshold",
        "validation.unlabeled",
        "scaler.scale",
    ] {
        let file = saved(&detector);
        rewrite(&file.path, |_, tensors| {
            tensors.remove(name).unwrap();
        });
        assert!(
            matches!(problem(&file), CheckpointError::MissingTensor { name: n, .. } if n == name)
        );
    }
    for name in ["parameters.encoder.layers.7.weight", "other"] {
        let file = saved(&detector);
        rewrite(&file.path, |_, tensors| {
            tensors.insert(name.into(), Stored::f32s(&[2], 0.));
        });
        assert!(
            matches!(problem(&file), CheckpointError::ExtraTensor { name: n, .. } if n == name)
        );
    }
    let file = saved(&detector);
    rewrite(&file.path, |_, tensors| {
        assert_eq!(tensors[weight].shape(), [3, 2]);
        tensors.insert(weight.into(), Stored::f32s(&[2, 3], 0.));
    });
    match problem(&file) {
        CheckpointError::TensorShape {
            name,
            expected,
            actual,
            ..
        } => {
            assert_eq!(
                (name.as_str(), expected, actual),
                (weight, vec![3, 2], vec![2, 3])
            );
        }
        other => panic!("{other}"),
    }
    for (name, stored) in [
        (weight, Stored::f64s(&[0.; 6])),
        ("threshold", Stored::f32s(&[1], 0.)),
    ] {
        let file = saved(&detector);
        rewrite(&file.path, |_, tensors| {
            tensors.insert(name.into(), stored);
        });
        assert!(matches!(problem(&file), CheckpointError::TensorType { name: n, .. } if n == name));
    }
}

/// Networks of half a gigabyte and of terabytes, promised by a file of a few kilobytes.
#[test]
fn sizes_in_the_metadata_allocate_nothing() {
    let file = saved(&small());
    rewrite(&file.path, |text, _| {
        text["content"]["model"]["mlp"]["hidden"] = json!([8192, 8192]);
    });
    assert!(matches!(
        problem(&file),
        CheckpointError::TensorShape { .. }
    ));
    for hidden in [json!([1 << 20, 1 << 20]), json!([u64::MAX])] {
        rewrite(&file.path, |text, _| {
            text["content"]["model"]["mlp"]["hidden"] = hidden;
        });
        assert!(matches!(problem(&file), CheckpointError::Content { .. }));
    }
}

#[test]
fn metadata_that_make_no_sense_are_errors() {
    type Change = fn(&mut serde_json::Value, &mut BTreeMap<String, Stored>);
    let changes: [Change; 18] = [
        |text, _| text["content"]["inputs"]["low"] = json!([0.]),
        |text, _| text["content"]["inputs"]["high"][0] = json!(-1e9),
        |text, _| text["content"]["inputs"]["names"] = json!(["a"]),
        |text, _| text["content"]["model"] = json!(null),
        |text, _| text["content"]["config"]["method"] = json!("DeepSAD"),
        |text, _| text["content"]["model"]["mlp"]["inputs"] = json!(3),
        |text, _| text["content"]["sample_shape"] = json!([3]),
        |text, _| text["content"]["sample_shape"] = json!([0]),
        |text, _| text["content"]["sample_shape"] = json!([u64::MAX, 2]),
        |text, _| *text = json!([1]),
        |text, _| text["format_version"] = json!(-1),
        |text, _| text["content"]["more"] = json!(1),
        |text, _| text["content"]["config"]["prior"] = json!(1.5),
        |text, _| text["content"]["config"]["train"]["epochs"] = json!(0),
        |text, _| text["content"]["calibration"] = json!({"constant": 2.0}),
        |_, tensors| {
            tensors.insert("scaler.scale".into(), Stored::f64s(&[0., 1.]));
        },
        |_, tensors| {
            tensors.insert("threshold".into(), Stored::f64s(&[f64::NAN]));
        },
        |_, tensors| {
            tensors.insert("validation.unlabeled".into(), Stored::f64s(&[2., 1.]));
        },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let file = saved(&small());
        rewrite(&file.path, change);
        let problem = problem(&file);
        assert!(
            matches!(problem, CheckpointError::Content { .. }),
            "{i}: {problem}"
        );
    }
}

#[test]
fn a_forest_or_reference_rows_that_cannot_have_been_stored_are_errors() {
    type Change = fn(&mut serde_json::Value, &mut BTreeMap<String, Stored>);
    let changes: [Change; 8] = [
        |text, _| text["content"]["model"]["samples"] = json!(0),
        |_, tensors| {
            tensors.insert("parameters.right".into(), Stored::f64s(&[0.]));
        },
        |_, tensors| {
            tensors.insert("parameters.sizes".into(), Stored::f64s(&[0.5]));
        },
        |_, tensors| {
            tensors.insert("reference.rows".into(), Stored::f32s(&[33, 2], 1.));
        },
        |_, tensors| {
            tensors.insert("reference.rows".into(), Stored::f32s(&[0, 2], 1.));
        },
        |_, tensors| {
            tensors.insert("reference.rows".into(), Stored::f32s(&[4, 3], 1.));
        },
        |_, tensors| {
            tensors.insert("reference.rows".into(), Stored::f32s(&[4, 2], f32::NAN));
        },
        |_, tensors| {
            tensors.insert("reference.more".into(), Stored::f32s(&[4, 2], 1.));
        },
    ];
    let forest = fit(Method::ISOLATION_FOREST);
    load(&saved(&forest)).unwrap();
    for (i, change) in changes.into_iter().enumerate() {
        let file = saved(&forest);
        rewrite(&file.path, change);
        let problem = problem(&file);
        assert!(
            matches!(problem, CheckpointError::Content { .. }),
            "{i}: {problem}"
        );
    }
}
