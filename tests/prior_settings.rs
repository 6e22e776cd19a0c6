//! The settings of pen-L1, AlphaMax, KM1 and KM2: ranges and files.

use puad::Error;
use puad::prior::{
    AlphaMax, AlphaMaxConfig, KernelMean, KernelMeanConfig, PenL1, PenL1Config, SlopeThreshold,
};

/// A setting's name, and what puts it out of its range.
type Change<C> = (&'static str, fn(&mut C));

/// Each change breaks a rule of the setting that it is named by.
fn breaks<C: Clone, T: std::fmt::Debug>(
    config: &C,
    new: fn(C) -> Result<T, Error>,
    changes: &[Change<C>],
) {
    for (wrong, change) in changes {
        let mut config = config.clone();
        change(&mut config);
        match new(config) {
            Err(Error::Config { name, .. }) => assert_eq!(name, *wrong),
            other => panic!("{wrong}: {other:?}"),
        }
    }
}

#[test]
fn settings_of_pen_l1_out_of_range_are_named() {
    breaks(
        &PenL1Config::default(),
        PenL1::new,
        &[
            ("widths", |c| c.widths = vec![]),
            ("widths", |c| c.widths = vec![0.]),
            ("regularizations", |c| {
                c.regularizations = vec![1., f64::NAN]
            }),
            ("centers", |c| c.centers = 1),
            ("folds", |c| c.folds = 1),
            ("grid", |c| c.grid = 1),
            ("rows", |c| c.rows = 0),
            ("resamples", |c| c.resamples = 0),
            ("level", |c| c.level = 1.),
        ],
    );
}

#[test]
fn settings_of_alpha_max_out_of_range_are_named() {
    breaks(
        &AlphaMaxConfig::default(),
        AlphaMax::new,
        &[
            ("bins", |c| c.bins = 1),
            ("drop", |c| c.drop = 0.),
            ("resamples", |c| c.resamples = 0),
            ("level", |c| c.level = 0.),
        ],
    );
}

#[test]
fn settings_of_kernel_means_out_of_range_are_named() {
    breaks(
        &KernelMeanConfig::new(SlopeThreshold::Km1),
        KernelMean::with_config,
        &[
            ("points", |c| c.points = 1),
            ("widths", |c| c.widths = vec![]),
            ("widths", |c| c.widths = vec![-1.]),
            ("resamples", |c| c.resamples = 0),
            ("level", |c| c.level = 2.),
        ],
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
