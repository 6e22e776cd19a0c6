//! The settings of pen-L1, AlphaMax, KM1 and KM2: ranges and files.

use puad::Error;
use puad::prior::{
    AlphaMax, AlphaMaxConfig, KernelMean, KernelMeanConfig, PenL1, PenL1Config, SlopeThreshold,
};

fn named<T: std::fmt::Debug>(result: Result<T, Error>, wrong: &str) {
    match result {
        Err(Error::Config { name, .. }) => assert_eq!(name, wrong),
        other => panic!("{wrong}: {other:?}"),
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let pen_l1 = PenL1Config::default;
    named(
        PenL1::new(PenL1Config {
            widths: vec![],
            ..pen_l1()
        }),
        "widths",
    );
    named(
        PenL1::new(PenL1Config {
            widths: vec![0.],
            ..pen_l1()
        }),
        "widths",
    );
    let regularizations = vec![1., f64::NAN];
    named(
        PenL1::new(PenL1Config {
            regularizations,
            ..pen_l1()
        }),
        "regularizations",
    );
    named(
        PenL1::new(PenL1Config {
            centers: 1,
            ..pen_l1()
        }),
        "centers",
    );
    named(
        PenL1::new(PenL1Config {
            folds: 1,
            ..pen_l1()
        }),
        "folds",
    );
    named(
        PenL1::new(PenL1Config {
            grid: 1,
            ..pen_l1()
        }),
        "grid",
    );
    named(
        PenL1::new(PenL1Config {
            rows: 0,
            ..pen_l1()
        }),
        "rows",
    );
    named(
        PenL1::new(PenL1Config {
            resamples: 0,
            ..pen_l1()
        }),
        "resamples",
    );
    named(
        PenL1::new(PenL1Config {
            level: 1.,
            ..pen_l1()
        }),
        "level",
    );
    let alpha_max = AlphaMaxConfig::default;
    named(
        AlphaMax::new(AlphaMaxConfig {
            bins: 1,
            ..alpha_max()
        }),
        "bins",
    );
    named(
        AlphaMax::new(AlphaMaxConfig {
            drop: 0.,
            ..alpha_max()
        }),
        "drop",
    );
    named(
        AlphaMax::new(AlphaMaxConfig {
            resamples: 0,
            ..alpha_max()
        }),
        "resamples",
    );
    named(
        AlphaMax::new(AlphaMaxConfig {
            level: 0.,
            ..alpha_max()
        }),
        "level",
    );
    let km = || KernelMeanConfig::new(SlopeThreshold::Km1);
    named(
        KernelMean::with_config(KernelMeanConfig { points: 1, ..km() }),
        "points",
    );
    named(
        KernelMean::with_config(KernelMeanConfig {
            widths: vec![],
            ..km()
        }),
        "widths",
    );
    named(
        KernelMean::with_config(KernelMeanConfig {
            widths: vec![-1.],
            ..km()
        }),
        "widths",
    );
    named(
        KernelMean::with_config(KernelMeanConfig {
            resamples: 0,
            ..km()
        }),
        "resamples",
    );
    named(
        KernelMean::with_config(KernelMeanConfig { level: 2., ..km() }),
        "level",
    );
}

#[test]
fn settings_round_trip_and_unknown_ones_are_refused() {
    let pen_l1 = PenL1Config {
        folds: 3,
        ..Default::default()
    };
    let text = serde_json::to_string(&pen_l1).unwrap();
    assert_eq!(serde_json::from_str::<PenL1Config>(&text).unwrap(), pen_l1);
    assert_eq!(
        serde_json::from_str::<PenL1Config>("{}").unwrap(),
        PenL1Config::default()
    );
    assert!(serde_json::from_str::<PenL1Config>(r#"{"width": [1.0]}"#).is_err());
    let alpha_max = AlphaMaxConfig {
        bins: 9,
        ..Default::default()
    };
    let text = serde_json::to_string(&alpha_max).unwrap();
    assert_eq!(
        serde_json::from_str::<AlphaMaxConfig>(&text).unwrap(),
        alpha_max
    );
    assert!(serde_json::from_str::<AlphaMaxConfig>(r#"{"bin": 9}"#).is_err());
    let km = KernelMeanConfig::new(SlopeThreshold::Km2);
    let text = serde_json::to_string(&km).unwrap();
    assert!(text.contains(r#""threshold":"km2""#), "{text}");
    assert_eq!(serde_json::from_str::<KernelMeanConfig>(&text).unwrap(), km);
    let unknown = text.replace("points", "rows");
    assert!(serde_json::from_str::<KernelMeanConfig>(&unknown).is_err());
}
