//! The defaults, to the letter. Runs that are resumed are told apart by what differs from them.
//!
//! Who changes one raises `SETTINGS_VERSION` (`src/train/run/file.rs`) for a value of the configuration, or
//! the specification's `VERSION`, and then the number here.

use puad::FitConfig;
use puad::estimator::PriorEstimation;
use puad::method::{Method, Registry};
use puad::optim::AdamConfig;
use puad::spec::AnySpecification;
use puad::train::TrainConfig;
use serde_json::{Value, json};

fn header(path: &std::path::Path) -> Value {
    let bytes = std::fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let text = header["__metadata__"]["puad"].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

#[test]
fn of_the_configurations() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let mut config = FitConfig {
        method: Some(Method::PUAE),
        ..FitConfig::default()
    };
    config.train.epochs = 1;
    let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![i as f64, 1.]).collect();
    let estimator = puad::Estimator::new(config).with_checkpoints(&path, 1);
    estimator.fit(&rows, &rows).unwrap();
    let content = &header(&path)["content"];
    // Raised, if the following had to be changed.
    assert_eq!(content["settings_version"], 3);

    let adam = json!({
        "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": {"l2": 1e-4},
    });
    let mut train = json!({
        "epochs": 200, "batch_size": 128, "adam": adam, "patience": 20, "batching": "stratified",
        "selection": "risk", "seed": 0,
    });
    assert_eq!(json!(TrainConfig::default()), train);
    // One set of defaults, wherever one is mentioned.
    assert_eq!(json!(AdamConfig::default()), adam);
    assert_eq!(FitConfig::default().train, TrainConfig::default());
    train["patience"] = json!(null);
    train["batching"] = json!("pooled");
    train["adam"]["learning_rate"] = json!(1e-4);
    train["adam"]["weight_decay"] = json!({"l2": 1e-3});
    assert_eq!(json!(TrainConfig::paper()), train);
    let expected = json!({
        "method": null, "prior": "estimated", "folds": null, "network": "auto", "scaling": "auto", "validation_fraction": 0.2,
        "encoding": {"columns": {}, "all": {
            "gaps": "refuse", "one_hot": 20, "beyond": "frequency", "logarithm": false,
            "instant": true, "hour": false, "weekday": false,
        }},
    });
    let estimation = json!({
        "folds": 5, "classifier": {"model": "extra-trees"}, "epochs": 50, "patience": 10, "rows": 20_000,
        "estimator": {"bandwidth": 0.5, "tolerance": 2., "level": 0.95},
    });
    assert_eq!(json!(PriorEstimation::default()), estimation);
    let mut config = json!(FitConfig::default());
    config.as_object_mut().unwrap().remove("train");
    assert_eq!(config, expected);
}

#[test]
fn of_the_specifications() {
    let expected = [
        ("autoencoder", 1, json!({})),
        ("denoising", 1, json!({"noise": 0.1})),
        ("deep-svdd", 1, json!({})),
        ("classifier", 1, json!({"loss": "logistic"})),
        ("rotation", 1, json!({})),
        (
            "neutral",
            1,
            json!({"transformations": 11, "transformation": "residual", "temperature": 0.1}),
        ),
        (
            "icl",
            1,
            json!({"window": null, "hidden": 128, "code": 64, "temperature": 0.01}),
        ),
    ];
    let registry = Registry::default();
    let detectors = registry.detectors().map(|name| {
        let method = registry.parse(&format!("{name}/pu")).unwrap();
        let detector = method.pair().unwrap().detector().unwrap();
        (name, detector.version(), detector.settings().unwrap())
    });
    assert_eq!(detectors.collect::<Vec<_>>(), expected);

    let expected = [
        ("unsupervised", 1, json!({})),
        ("loe", 1, json!({"labels": "hard"})),
        ("semi-supervised", 1, json!({"weighting": "pooled"})),
        ("soel", 1, json!({"labels": "hard"})),
        ("pu", 1, json!({"correction": "absolute", "pnu_weight": 1.})),
    ];
    let objectives = registry.objectives().map(|name| {
        let method = registry.parse(&format!("autoencoder/{name}")).unwrap();
        let objective = method.pair().unwrap().objective().unwrap();
        (name, objective.version(), objective.settings().unwrap())
    });
    assert_eq!(objectives.collect::<Vec<_>>(), expected);

    let Method::Model(forest) = Method::ISOLATION_FOREST else {
        panic!("a forest is no network");
    };
    assert_eq!(forest.changes().unwrap(), json!({}));
    assert_eq!(
        registry.models().collect::<Vec<_>>(),
        ["isolation-forest", "extra-trees", "pu-forest", "pca"]
    );
    let forest = puad::baseline::IsolationForestConfig::default();
    let expected = json!({"trees": 100, "max_samples": 256});
    assert_eq!(
        (forest.version(), forest.settings().unwrap()),
        (1, expected)
    );
    let trees = puad::baseline::ExtraTreesConfig::default();
    let expected = json!({"trees": 100, "min_leaf": 3, "features": null});
    assert_eq!((trees.version(), trees.settings().unwrap()), (1, expected));
    let trees = puad::baseline::PuForestConfig::default();
    let expected =
        json!({"trees": 300, "bag": 256, "min_leaf": 1, "features": null, "smoothing": 1.});
    assert_eq!((trees.version(), trees.settings().unwrap()), (2, expected));
    let forest = json!({"model": {"pu-forest": {"trees": 100}}});
    let pretrained =
        json!({"detector": {"autoencoder": {"pretraining_epochs": 200}}, "objective": "pu"});
    let members = json!([
        {"method": forest, "weight": 1.},
        {"method": "PUAE", "weight": 1., "prior": 0.1},
        {"method": pretrained, "weight": 1., "prior": 0.1},
    ]);
    let expected = json!({"committee": {"members": members, "folds": 5}});
    assert_eq!(json!(Method::for_samples(&[2], true)), expected);
    let members = json!([
        {"method": "AE", "weight": 1., "fits": 2},
        {"method": "IF", "weight": 1.},
    ]);
    let expected = json!({"committee": {"members": members, "folds": 5}});
    assert_eq!(json!(Method::for_samples(&[2], false)), expected);
}
