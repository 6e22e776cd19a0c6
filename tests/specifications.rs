//! Specifications under names and with settings that would make one detector look like another.

use puad::candle_core::{DType, Device};
use puad::candle_nn::{VarBuilder, VarMap};
use puad::data::toy::{self, Toy, ToyConfig};
use puad::detector::{Autoencoder, AutoencoderSpec, Built, DetectorSpec};
use puad::method::{Method, Registry};
use puad::net::{Mlp, MlpConfig, Network};
use puad::objective::PuSpec;
use puad::spec::Specification;
use puad::testing::Violation;
use puad::{Error, Estimator, FitConfig, FittedDetector, Result};
use serde::{Deserialize, Serialize};

/// A detector of a user's own that is built like the shipped one.
macro_rules! detector {
    ($spec:ident, $name:literal) => {
        impl Specification for $spec {
            const NAME: &'static str = $name;
        }

        impl DetectorSpec for $spec {
            fn network(&self, shape: &[usize]) -> Result<Option<Network>> {
                AutoencoderSpec::default().network(shape)
            }

            fn build(
                &self,
                shape: &[usize],
                network: Option<&Network>,
                vb: VarBuilder<'_>,
            ) -> Result<Built> {
                AutoencoderSpec::default().build(shape, network, vb)
            }
        }
    };
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Impostor {}
detector!(Impostor, "autoencoder");

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Strict {
    share: f64,
    weight: Option<f64>,
}
detector!(Strict, "strict");

impl Default for Strict {
    fn default() -> Self {
        let (share, weight) = (0.5, None);
        Self { share, weight }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct AlsoStrict {}
detector!(AlsoStrict, "strict");

fn data() -> Toy {
    let config = ToyConfig {
        normals: 50,
        unlabeled_anomalies: 5,
        labeled_anomalies: 10,
        ..ToyConfig::default()
    };
    toy::generate(&config, 0).unwrap()
}

fn fit(method: Option<Method>) -> Result<FittedDetector> {
    let mut config = FitConfig {
        method,
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let toy = data();
    Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)
}

fn named(spec: impl DetectorSpec) -> Option<Method> {
    Some(Method::new(spec, PuSpec::default()))
}

fn is_taken(error: &Error, taken: &str) -> bool {
    matches!(error, Error::Config { name: "Specification::NAME", value, .. } if value == taken)
}

#[test]
fn a_name_that_is_taken_is_refused_wherever_it_comes_in() {
    let err = fit(named(Impostor {})).unwrap_err();
    assert!(is_taken(&err, "autoencoder"), "{err}");
    let err = Registry::default()
        .with_detector::<Impostor>()
        .err()
        .unwrap();
    assert!(is_taken(&err, "autoencoder"), "{err}");
    let strict = Registry::default().with_detector::<Strict>().unwrap();
    let err = strict.clone().with_detector::<AlsoStrict>().err().unwrap();
    assert!(is_taken(&err, "strict"), "{err}");
    // Known already, and no other.
    let twice = strict.with_detector::<Strict>().unwrap();
    let twice = twice.with_detector::<AutoencoderSpec>().unwrap();
    assert_eq!(
        twice.detectors().filter(|&name| name == "strict").count(),
        1
    );
    assert_ne!(named(Impostor {}), named(AutoencoderSpec::default()));
    assert_ne!(named(AlsoStrict {}), named(Strict::default()));
}

/// Its encoder is trained, its decoder is nobody's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Half {}

impl Specification for Half {
    const NAME: &'static str = "half";
}

impl DetectorSpec for Half {
    fn build(&self, _: &[usize], _: Option<&Network>, vb: VarBuilder<'_>) -> Result<Built> {
        let encoder = Mlp::new(&MlpConfig::new([2, 8, 4]), vb.pp("encoder"))?;
        let own = VarMap::new();
        let own = VarBuilder::from_varmap(&own, DType::F32, &Device::Cpu);
        let decoder = Mlp::new(&MlpConfig::new([4, 8, 2]), own)?;
        Ok(Built::new(Autoencoder::new(encoder, decoder)))
    }
}

#[test]
fn tensors_that_no_file_would_have_are_refused_before_any_work() {
    let err = fit(named(Half {})).unwrap_err();
    let violation: Option<&Violation> = err.cause();
    assert!(
        matches!(violation, Some(Violation::Rebuilt { .. })),
        "{err}"
    );
    assert!(err.to_string().contains("VarBuilder"), "{err}");
}

/// Without `#[serde(default)]`.
#[test]
fn a_file_has_all_settings() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::default().with_detector::<Strict>().unwrap();
    let changed = Strict {
        weight: Some(2.),
        ..Strict::default()
    };
    for strict in [Strict::default(), changed] {
        let path = dir.path().join("strict");
        let detector = fit(named(strict)).unwrap();
        detector.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = String::from_utf8_lossy(&bytes).replace('\\', "");
        assert!(header.contains(r#""share":0.5"#), "{header}");
        let loaded = FittedDetector::load_with(&path, &Device::Cpu, &registry).unwrap();
        assert_eq!(loaded.method(), detector.method());
        let toy = data();
        assert_eq!(
            loaded.score(&toy.unseen).unwrap(),
            detector.score(&toy.unseen).unwrap()
        );
    }
}

#[test]
fn settings_that_json_would_lose_are_refused_before_any_work() {
    let weight = Some(f64::NAN);
    let err = fit(named(Strict {
        weight,
        ..Strict::default()
    }));
    let err = err.unwrap_err();
    assert!(
        matches!(&err, Error::Settings { name, .. } if name == "strict"),
        "{err}"
    );
    assert!(err.to_string().contains("weight"), "{err}");
}

#[test]
fn a_method_that_was_left_open_stays_open_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for method in [None, Some(Method::PUAE), Some(Method::DAE)] {
        let path = dir.path().join("detector");
        let detector = fit(method.clone()).unwrap();
        detector.save(&path).unwrap();
        let loaded = FittedDetector::load(&path, &Device::Cpu).unwrap();
        assert_eq!(loaded.config(), detector.config());
        assert_eq!(
            *loaded.method(),
            method.unwrap_or(Method::for_samples(&[2], true))
        );
    }
}
