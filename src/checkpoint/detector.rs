use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};

use super::container::{self, Contents, Format, Stored};
use super::sealed::Sealed;
use crate::estimator::{
    Calibration, FitConfig, FittedDetector, Parts, Scaler, ThresholdRule, ValidationScores,
};
use crate::method::{AnyDetector, FitHistory, Network};
use crate::{Error, Result};

const FORMAT: Format = Format {
    name: "puad detector",
    version: 1,
};

const PARAMETERS: &str = "parameters.";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    config: FitConfig,
    network: Network,
    history: FitHistory,
    threshold_rule: ThresholdRule,
    calibration: Option<Calibration>,
}

impl FittedDetector {
    /// Writes the detector to one safetensors file: settings, network sizes, history, threshold
    /// and calibration as metadata; parameters, batch-norm statistics, center, scaler and
    /// validation scores as tensors. An old file is replaced in one step, so a crash leaves it or
    /// the new one, nothing between.
    ///
    /// # Errors
    /// [`CheckpointError::Write`](crate::checkpoint::CheckpointError::Write).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let parts = self.parts();
        let content = Content {
            config: parts.config.clone(),
            network: parts.network.clone(),
            history: parts.history.clone(),
            threshold_rule: self.threshold_rule(),
            calibration: parts.calibration.clone(),
        };
        let mut tensors = BTreeMap::new();
        for (name, var) in parts
            .params
            .parameters()
            .iter()
            .chain(&parts.params.buffers())
        {
            tensors.insert(format!("{PARAMETERS}{name}"), Stored::tensor(var)?);
        }
        let mut numbers = |name: &str, values: &[f64]| {
            tensors.insert(name.into(), Stored::f64s(values));
        };
        if let Some(scaler) = &parts.scaler {
            numbers("scaler.shift", scaler.shift());
            numbers("scaler.scale", scaler.scale());
        }
        // As a tensor, because JSON has no infinity.
        numbers("threshold", &[parts.threshold]);
        numbers("validation.unlabeled", &parts.validation.unlabeled);
        numbers("validation.anomalies", &parts.validation.anomalies);
        container::write(path.as_ref(), &FORMAT, content, tensors)
    }

    /// Reads a detector that [`save`](Self::save) wrote, onto `device`. On the kind of device that
    /// it was saved from its scores are the same, bit for bit.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with the
    /// [`CheckpointError`](crate::checkpoint::CheckpointError) that says what is wrong with the
    /// file: absent, cut off, damaged, another's, of a later release, or with tensors missing, too
    /// many, or of the wrong shape or type.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let mut file: Contents<Content> = container::read(path, &FORMAT)?;
        file.content.check().map_err(|e| file.wrong(e))?;
        let features = file.content.network.sample_shape().iter().product();
        let scaler = scaler(&mut file, features)?;
        let threshold = threshold(&mut file)?;
        let validation = validation(&mut file)?;

        let tensors = file.take_tensors(PARAMETERS, DType::F32, device)?;
        file.finish()?;
        let sealed = Sealed::new(path, PARAMETERS, tensors, DType::F32, device)?;
        let Content {
            config,
            network,
            history,
            threshold_rule,
            calibration,
        } = file.content;
        let kind = config.method_for(&network.sample_shape()).detector;
        let (detector, params) =
            sealed.build(|vb| AnyDetector::new(kind, &network, &config.options, vb))?;
        Ok(Self::from_parts(Parts {
            config,
            network,
            scaler,
            params,
            detector,
            history,
            validation,
            calibration,
            threshold,
            rule: Some(threshold_rule),
        }))
    }
}

impl Content {
    fn check(&self) -> Result<()> {
        self.config.check()?;
        self.network.check()?;
        self.calibration.as_ref().map_or(Ok(()), Calibration::check)
    }
}

fn scaler(file: &mut Contents<Content>, features: usize) -> Result<Option<Scaler>> {
    let Some(shift) = file.take_optional_f64s("scaler.shift")? else {
        return Ok(None);
    };
    let scale = file.take_f64s("scaler.scale")?;
    let scaler = Scaler::from_parts(shift, scale);
    scaler.check(features).map_err(|e| file.wrong(e))?;
    Ok(Some(scaler))
}

fn threshold(file: &mut Contents<Content>) -> Result<f64> {
    match file.take_f64s("threshold")?[..] {
        [value] if !value.is_nan() => Ok(value),
        ref other => {
            let got = format!("{other:?}");
            Err(file
                .wrong(Error::config("threshold", "one number", got))
                .into())
        }
    }
}

fn validation(file: &mut Contents<Content>) -> Result<ValidationScores> {
    let mut scores = |name| -> Result<Vec<f64>> {
        let scores = file.take_f64s(name)?;
        let good = scores.is_sorted() && scores.iter().all(|s| s.is_finite());
        match good {
            true => Ok(scores),
            false => {
                let error = Error::config("validation", "finite and in order", name);
                Err(file.wrong(error).into())
            }
        }
    };
    let unlabeled = scores("validation.unlabeled")?;
    let anomalies = scores("validation.anomalies")?;
    if unlabeled.is_empty() {
        let error = Error::EmptyGroup {
            what: "a detector's file",
            group: "unlabeled",
        };
        return Err(file.wrong(error).into());
    }
    Ok(ValidationScores {
        unlabeled,
        anomalies,
    })
}

#[cfg(test)]
mod tests {
    use super::super::CheckpointError;
    use super::super::container::tests::rewrite;
    use super::*;
    use crate::Estimator;
    use crate::data::toy::{self, Toy, ToyConfig};
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
            Err(Error::Checkpoint(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_loaded_detector_is_the_saved_one() {
        let toy = data();
        for (name, method) in Method::NAMED {
            let mut detector = fit(*method);
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
                assert_eq!(loaded.network(), detector.network());
                assert_eq!(loaded.history(), detector.history());
                assert_eq!(loaded.scaler(), detector.scaler());
                assert_eq!(loaded.validation_scores(), detector.validation_scores());
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
            text["format_version"] = json!(2);
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
                assert_eq!((found, supported, writer.as_str()), (2, 1, "9.0.0"));
            }
            other => panic!("{other}"),
        }
        let absent = File {
            path: file.path.with_file_name("absent"),
            ..file
        };
        assert!(matches!(problem(&absent), CheckpointError::Read { .. }));
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
            assert!(
                matches!(problem(&file), CheckpointError::TensorType { name: n, .. } if n == name)
            );
        }
    }

    /// A network of terabytes, promised by a file of a few kilobytes.
    #[test]
    fn sizes_in_the_metadata_allocate_nothing() {
        let file = saved(&small());
        rewrite(&file.path, |text, _| {
            text["content"]["network"]["mlp"]["hidden"] = json!([1 << 20, 1 << 20]);
        });
        assert!(matches!(
            problem(&file),
            CheckpointError::TensorShape { .. }
        ));
        rewrite(&file.path, |text, _| {
            text["content"]["network"]["mlp"]["hidden"] = json!([u64::MAX]);
        });
        assert!(matches!(problem(&file), CheckpointError::Content { .. }));
    }

    #[test]
    fn metadata_that_make_no_sense_are_errors() {
        type Change = fn(&mut serde_json::Value, &mut BTreeMap<String, Stored>);
        let changes: [Change; 9] = [
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
}
