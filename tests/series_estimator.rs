//! Detectors of series: scores, streams, alarms, files, and what is wrong with series in their own points and channels.

use std::sync::OnceLock;

use puad::candle_core::Device;
use puad::data::table::{Column, Group, Table};
use puad::estimator::{IntoInput, Label, RefitConfig, Threshold, Warning};
use puad::method::Method;
use puad::report::ReportConfig;
use puad::series::{
    PointScores, Scored, Series, SeriesConfig, SeriesDetector, SeriesEstimator, Windows,
};
use puad::{Error, FittedDetector, Result};

const HOUR: f64 = 3600.;
const PERIOD: usize = 24;

/// Two channels a point of an hour: a daily wave, and one at double its speed, which is missing now and then. From point 90
/// of each hundred on ten points of the second one are anomalous.
fn values(t: usize) -> [f32; 2] {
    let angle = t as f32 * std::f32::consts::TAU / PERIOD as f32;
    let noise = ((t * 7919 + t * t * 31) % 101) as f32 / 500.;
    let second = match t % 37 {
        0 => f32::NAN,
        _ if is_anomalous(t) => 3.,
        _ => (2. * angle).cos() - noise,
    };
    [angle.sin() + noise, second]
}

fn is_anomalous(t: usize) -> bool {
    t % 100 >= 90
}

fn stretch(points: std::ops::Range<usize>) -> Series {
    let series = Series::with_gaps(points.clone().flat_map(values).collect(), 2).unwrap();
    let series = series.with_names(&["heat", "flow"]).unwrap();
    let times = points.map(|t| t as f64 * HOUR).collect();
    series.with_times(times).unwrap()
}

fn training() -> Series {
    let events = [1, 4, 6, 9, 13].map(|n| n * 100 + 90..n * 100 + 100);
    stretch(0..1600).with_events(events).unwrap()
}

fn config() -> SeriesConfig {
    let mut config = SeriesConfig {
        windows: Some(Windows {
            length: 20,
            suspect: 3,
            stride: 2,
        }),
        hour: true,
        ..SeriesConfig::default()
    };
    config.fit.method = Some(Method::PUAE);
    config.fit.train.epochs = 25;
    config
}

fn detector() -> &'static SeriesDetector {
    static DETECTOR: OnceLock<SeriesDetector> = OnceLock::new();
    DETECTOR.get_or_init(|| SeriesEstimator::new(config()).fit(&[training()]).unwrap())
}

/// All scores of a stream, by points.
fn streamed(detector: &SeriesDetector, series: &Series) -> Vec<Scored> {
    let mut stream = detector.stream();
    let mut all = vec![];
    for (point, &time) in series.times().iter().enumerate() {
        all.extend(stream.push_at(time, series.at(point)).unwrap());
    }
    all.extend(stream.finish().unwrap());
    all
}

fn bits(scores: &PointScores) -> Vec<u64> {
    scores.known().iter().map(|score| score.to_bits()).collect()
}

#[test]
fn a_stream_has_the_scores_of_the_whole_to_the_bit() {
    // Also of lengths at which no window ends, and fewer points than one.
    for points in [1600..2000, 1603..1700, 1600..1620, 1600..1619] {
        let series = stretch(points.clone());
        let told = streamed(detector(), &series);
        if points.len() < 20 {
            assert!(told.is_empty());
            continue;
        }
        let batch = detector().score(&series).unwrap();
        assert_eq!(told[0].points.start, batch.first());
        let mut next = batch.first();
        let mut scores = vec![];
        for scored in told {
            assert_eq!(scored.points.start, next);
            next = scored.points.end;
            let above = scored.score > detector().threshold();
            assert_eq!(scored.anomalous, above);
            scores.resize(scores.len() + scored.points.len(), scored.score.to_bits());
        }
        assert_eq!(scores, bits(&batch));
        assert_eq!(next, series.len());
    }
}

#[test]
fn a_refused_point_leaves_the_stream_as_it_was() {
    let series = stretch(1600..1700);
    let mut stream = detector().stream();
    let mut told = vec![];
    for (point, &time) in series.times().iter().enumerate() {
        for (time, wrong) in [
            (Some(time), &[1f32][..]),
            (Some(time), &[f32::NEG_INFINITY, f32::NAN]),
            (Some(time), &[1., f32::INFINITY]),
            (Some(f64::NAN), &[1., 1.]),
            (Some(time - 2. * HOUR), &[1., 1.]),
            (None, &[1., 1.]),
        ] {
            // Nothing is before the first.
            if point == 0 && time.is_some_and(|t| t.is_finite()) && wrong == [1., 1.] {
                continue;
            }
            let refused = match time {
                Some(time) => stream.push_at(time, wrong),
                None => stream.push(wrong),
            };
            let error = refused.unwrap_err();
            match &error {
                Error::Shape { .. } | Error::Config { name: "times", .. } => {}
                Error::NonFiniteFeature { row, .. } => assert_eq!(*row, point),
                _ => panic!("{error}"),
            }
        }
        told.extend(stream.push_at(time, series.at(point)).unwrap());
    }
    told.extend(stream.finish().unwrap());
    assert_eq!(told, streamed(detector(), &series));
}

#[test]
fn events_are_found_and_the_channel_is_named() {
    let series = stretch(1600..2400);
    let mut detector = detector().clone();
    detector.set_threshold(Threshold::Quantile(0.85)).unwrap();
    let alarms = detector.alarms(&series).unwrap();
    let found = |event: usize| {
        let points = event * 100 + 90..event * 100 + 100;
        alarms
            .iter()
            .any(|alarm| alarm.points.start < points.end && alarm.points.end > points.start)
    };
    assert!((0..8).all(found), "{alarms:?}");
    let scores = detector.score(&series).unwrap();
    for alarm in &alarms {
        assert!(alarm.points.contains(&alarm.peak));
        assert_eq!(scores.get(alarm.peak), Some(alarm.score));
        let highest = alarm
            .points
            .clone()
            .filter_map(|t| scores.get(t))
            .fold(0., f64::max);
        assert_eq!(alarm.score, highest);
        if is_anomalous(alarm.peak) {
            let channel = alarm.channel.as_ref().unwrap();
            assert_eq!((channel.index, channel.name.as_deref()), (1, Some("flow")));
        }
    }
    let mut strict = detector.clone();
    strict.set_threshold(Threshold::Value(1e9)).unwrap();
    assert!(strict.alarms(&series).unwrap().is_empty());
}

#[test]
fn a_file_has_the_same_scores_and_is_no_other_detectors() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("series.safetensors");
    detector().save(&path).unwrap();
    let read = SeriesDetector::load(&path, &Device::Cpu).unwrap();
    let series = stretch(1600..1800);
    assert_eq!(
        bits(&read.score(&series).unwrap()),
        bits(&detector().score(&series).unwrap())
    );
    assert_eq!(
        read.alarms(&series).unwrap(),
        detector().alarms(&series).unwrap()
    );
    assert_eq!(read.windows(), detector().windows());
    // As a detector of windows it can be read; one of rows is none of series.
    let rows = FittedDetector::load(&path, &Device::Cpu).unwrap();
    assert_eq!(rows.sample_shape(), detector().detector().sample_shape());
    let other = dir.path().join("rows.safetensors");
    detector().detector().save(&other).unwrap();
    let error = SeriesDetector::load(&other, &Device::Cpu)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("that of a detector of series") && error.contains("rows.safetensors"),
        "{error}"
    );
}

#[test]
fn channels_are_matched_by_name() {
    let series = stretch(1600..1700);
    let turned = (0..series.len()).flat_map(|t| [series.at(t)[1], series.at(t)[0]]);
    let turned = Series::with_gaps(turned.collect(), 2).unwrap();
    let turned = turned.with_times(series.times().to_vec()).unwrap();
    let by_name = turned.clone().with_names(&["flow", "heat"]).unwrap();
    let expected = bits(&detector().score(&series).unwrap());
    assert_eq!(bits(&detector().score(&by_name).unwrap()), expected);
    // With another channel among them.
    let three = (0..series.len()).flat_map(|t| [series.at(t)[1], 7., series.at(t)[0]]);
    let three = Series::with_gaps(three.collect(), 3).unwrap();
    let three = three.with_times(series.times().to_vec()).unwrap();
    let three = three.with_names(&["flow", "other", "heat"]).unwrap();
    assert_eq!(bits(&detector().score(&three).unwrap()), expected);
    let other = turned.with_names(&["flow", "weight"]).unwrap();
    match detector().score(&other).unwrap_err() {
        Error::Columns {
            missing, surplus, ..
        } => {
            assert_eq!(
                (missing, surplus),
                (vec!["heat".to_string()], vec!["weight".to_string()])
            );
        }
        error => panic!("{error}"),
    }
}

#[test]
fn what_is_wrong_is_said_in_points_and_channels() {
    let fit = |config: SeriesConfig, series: &[Series]| SeriesEstimator::new(config).fit(series);
    let text = |result: Result<SeriesDetector>| result.unwrap_err().to_string();
    assert!(matches!(fit(config(), &[]), Err(Error::EmptyGroup { .. })));
    // No times, for hours.
    let plain = Series::new((0..400).map(|t| t as f32).collect(), 2).unwrap();
    assert!(
        text(fit(config(), std::slice::from_ref(&plain)))
            .starts_with("times must be known for hour")
    );
    // A channel without a value.
    let blind = Series::with_gaps(
        (0..400)
            .map(|t| if t % 2 == 1 { f32::NAN } else { 1. })
            .collect(),
        2,
    );
    let no_hour = || SeriesConfig {
        hour: false,
        ..config()
    };
    let error = text(fit(no_hour(), &[blind.unwrap()]));
    assert!(error.contains("none of channel 1"), "{error}");
    // Another number of channels.
    let one = Series::new(vec![0.; 100], 1).unwrap();
    assert!(matches!(
        fit(no_hour(), &[plain.clone(), one]),
        Err(Error::Shape { what: "series", .. })
    ));
    // Shorter than a window.
    let short = plain.part(0..19).unwrap();
    assert!(text(fit(no_hour(), &[short])).contains("got 20"));
    // Events before any window.
    let early = plain.with_events(std::iter::once(2..5)).unwrap();
    assert!(text(fit(no_hour(), &[early])).contains("all before point 17"));
    // Shorter than a window, when scoring.
    let error = detector().score(&stretch(0..19)).unwrap_err().to_string();
    assert!(error.contains("20, and the series has 19"), "{error}");
    let mut gap: Vec<f32> = (1600..1700).flat_map(values).collect();
    gap[2 * 41] = f32::NAN;
    let gap = Series::with_gaps(gap, 2).unwrap();
    // Windows by themselves take no gaps.
    let windows = Windows::of(10);
    assert!(matches!(
        windows.samples(&gap),
        Err(Error::NonFiniteFeature {
            row: 28,
            column: 1,
            ..
        })
    ));
    assert!(matches!(
        windows.dataset(&[gap]),
        Err(Error::NonFiniteFeature {
            row: 28,
            column: 1,
            ..
        })
    ));
}

#[test]
fn one_event_is_learned_from_and_warned_of() {
    let one = stretch(0..1200)
        .with_events(std::iter::once(490..500))
        .unwrap();
    let detector = SeriesEstimator::new(config()).fit(&[one]).unwrap();
    let is_one_block = |warning: &Warning| matches!(warning, Warning::OneBlock { samples, .. } if samples == "anomalous samples");
    assert!(
        detector.warnings().iter().any(is_one_block),
        "{:?}",
        detector.warnings()
    );
    assert!(detector.report(&ReportConfig::default()).is_ok());
    let alone = stretch(0..1200);
    let mut unlabeled = config();
    unlabeled.fit.method = Some(Method::ISOLATION_FOREST);
    let detector = SeriesEstimator::new(unlabeled).fit(&[alone]).unwrap();
    assert!(!detector.warnings().iter().any(is_one_block));
}

#[test]
fn constant_channels_and_several_series_are_no_trouble() {
    let part = |start: usize| {
        let points = start..start + 500;
        let values = points.clone().flat_map(|t| [values(t)[0], 5.]).collect();
        let events = points
            .clone()
            .filter(|t| t % 100 == 90)
            .map(|t| t - start..t - start + 5);
        Series::new(values, 2).unwrap().with_events(events).unwrap()
    };
    let mut config = SeriesConfig {
        hour: false,
        ..config()
    };
    config.fit.method = Some(Method::ISOLATION_FOREST);
    let detector = SeriesEstimator::new(config)
        .fit(&[part(0), part(700)])
        .unwrap();
    assert!(
        detector
            .score(&part(1500))
            .unwrap()
            .known()
            .iter()
            .all(|s| s.is_finite())
    );
}

#[test]
fn a_series_that_falls_silent_is_scored_and_not_refused() {
    let series = stretch(1600..2400);
    let quiet =
        (0..series.len()).flat_map(|t| series.at(t).iter().map(|v| v * 1e-3).collect::<Vec<_>>());
    let quiet = Series::with_gaps(quiet.collect(), 2).unwrap();
    let quiet = quiet.with_times(series.times().to_vec()).unwrap();
    let batch = detector().score(&quiet).unwrap();
    let told = streamed(detector(), &quiet);
    assert_eq!(told[0].score, batch.known()[0]);
    // As labels a thousand times as high as all else.
    let loud = (0..1200).map(|t| if t % 300 > 280 { 4e3 } else { (t as f32).sin() });
    let loud = Series::new(loud.collect(), 1)
        .unwrap()
        .with_events([281..300, 581..600, 881..900]);
    let mut config = SeriesConfig {
        hour: false,
        ..config()
    };
    config.fit.train.epochs = 2;
    assert!(SeriesEstimator::new(config).fit(&[loud.unwrap()]).is_ok());
}

#[test]
fn the_table_of_a_file_is_a_series() {
    let times: Vec<f64> = (0..4).map(|t| f64::from(t) * HOUR).collect();
    let table = Table::new([
        ("at", Column::Times(times.clone())),
        (
            "heat",
            Column::numbers([Some(1.), None, Some(3.), Some(4.)]),
        ),
        ("open", Column::from(vec![true, false, false, true])),
    ]);
    let labels = [0, 1, 1, 0].map(|label| [Group::Unlabeled, Group::Anomalous][label]);
    let table = table.unwrap().with_labels(labels.to_vec()).unwrap();
    let series = Series::of_table(&table).unwrap();
    assert_eq!(series.names(), ["heat", "open"]);
    assert_eq!(series.times(), times);
    assert_eq!(series.events(), std::slice::from_ref(&(1..3)));
    assert!(series.at(1)[0].is_nan() && series.at(3) == [4., 1.]);
    let words = Table::new([("state", Column::from(vec!["on", "off"]))]).unwrap();
    let error = Series::of_table(&words).unwrap_err().to_string();
    assert!(
        error.contains("\"state\" of kind") && error.contains("Kind::Ignored"),
        "{error}"
    );
    let back = Series::new(vec![0.; 3], 1)
        .unwrap()
        .with_times(vec![0., 2., 1.]);
    let error = back.unwrap_err().to_string();
    assert!(error.contains("1 at point 2 after 2"), "{error}");
}

/// One channel: a wave with a spike every hundred points.
fn plain(points: usize) -> Series {
    let value = |t: usize| (t as f32 / 3.).sin() + if t % 100 >= 95 { 2. } else { 0. };
    Series::new((0..points).map(value).collect(), 1).unwrap()
}

#[test]
fn long_series_are_scored_in_parts_and_weekdays_are_channels() {
    let times = |points: usize| (0..points).map(|t| t as f64 * HOUR).collect::<Vec<_>>();
    let training = plain(1200).with_times(times(1200)).unwrap();
    let mut config = SeriesConfig {
        windows: Some(Windows {
            length: 6,
            suspect: 1,
            stride: 1,
        }),
        weekday: true,
        ..SeriesConfig::default()
    };
    config.fit.method = Some(Method::ISOLATION_FOREST);
    let detector = SeriesEstimator::new(config).fit(&[training]).unwrap();
    assert_eq!(detector.detector().sample_shape(), [6 * 3]);
    // Three batches of windows.
    let long = plain(10_000).with_times(times(10_000)).unwrap();
    let told = streamed(&detector, &long);
    let batch = detector.score(&long).unwrap();
    let told: Vec<u64> = told.iter().map(|scored| scored.score.to_bits()).collect();
    assert_eq!(told, bits(&batch));
    let other = long
        .clone()
        .with_times((0..10_000).map(|t| (t + 84) as f64 * HOUR).collect());
    assert_ne!(bits(&detector.score(&other.unwrap()).unwrap()), told);
}

#[test]
fn scores_of_labels_are_of_fits_without_their_event() {
    let events = [295..300, 495..500, 895..900];
    let series = plain(1200).with_events(events).unwrap();
    let windows = Windows {
        length: 12,
        suspect: 2,
        stride: 1,
    };
    let data = windows.dataset(std::slice::from_ref(&series)).unwrap();
    let mut fit = puad::FitConfig::default();
    fit.train.epochs = 2;
    let detector = puad::Estimator::new(fit.clone())
        .fit_dataset(&data)
        .unwrap();
    // A fold an event, and not five of windows.
    let folds = detector
        .out_of_fold()
        .map(|kept| (kept.folds, kept.anomalies.len()));
    assert_eq!(folds, Some((3, data.anomalies().unwrap().len())));
    // Two events are in two folds of a committee, and one is parted.
    for (n, expected) in [(2, 2), (1, 5)] {
        let events = series.events()[..n].to_vec();
        let data = windows
            .dataset(&[series.clone().with_events(events).unwrap()])
            .unwrap();
        let detector = puad::Estimator::new(fit.clone())
            .fit_dataset(&data)
            .unwrap();
        assert_eq!(
            detector.out_of_fold().map(|kept| kept.folds),
            Some(expected)
        );
    }
    // Reviewed rows are the ones that were named.
    fit.method = Some(Method::PUAE);
    let detector = puad::Estimator::new(fit).fit_dataset(&data).unwrap();
    let feedback = detector
        .feedback(&data, [(40, Label::Anomaly), (700, Label::Normal)])
        .unwrap();
    assert_eq!(feedback.confirmed(), 1);
    assert!(detector.refit(&feedback, &RefitConfig::default()).is_ok());
}

/// The training's wave with `change` made of each point's values.
fn changed(change: impl Fn(usize, [f32; 2]) -> [f32; 2]) -> Series {
    let points = 1600..2000;
    let values = points.clone().flat_map(|t| change(t - 1600, values(t)));
    let series = Series::with_gaps(values.collect(), 2).unwrap();
    let series = series.with_names(&["heat", "flow"]).unwrap();
    series
        .with_times(points.map(|t| t as f64 * HOUR).collect())
        .unwrap()
}

#[test]
fn what_is_odd_about_a_series_is_told_by_channel() {
    let told = |series: &Series| {
        let warnings = detector().detect(series).unwrap().warnings;
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told(&changed(|_, values| values)), [""; 0]);
    // One channel in another unit.
    let unit = told(&changed(|_, [heat, flow]| [heat * 1000., flow]));
    assert!(
        unit.len() == 1 && unit[0].starts_with("channel 0 (\"heat\") of "),
        "{unit:?}"
    );
    // A sensor that dies; one that had gaps in the fit, at most points.
    let dead = told(&changed(|t, [heat, flow]| {
        [if t < 100 { heat } else { f32::NAN }, flow]
    }));
    assert!(
        dead.len() == 1 && dead[0].contains("no value at 300 of 400 points"),
        "{dead:?}"
    );
    let most = told(&changed(|t, [heat, flow]| {
        [heat, if t < 150 { flow } else { f32::NAN }]
    }));
    assert!(
        most.len() == 1 && most[0].starts_with("channel 1 (\"flow\") has no value"),
        "{most:?}"
    );
    // Rows that are not there.
    let whole = changed(|_, values| values);
    let hole = whole
        .times()
        .iter()
        .enumerate()
        .map(|(t, time)| if t < 200 { *time } else { time + 90. * HOUR });
    let hole = whole.clone().with_times(hole.collect()).unwrap();
    let hole = told(&hole);
    assert!(
        hole.len() == 1 && hole[0].contains("the longest is 327600 seconds"),
        "{hole:?}"
    );
    // The fit says it, too, and says nothing of windows' columns.
    let events = std::iter::once(90..100);
    let series = stretch(0..700).with_events(events).unwrap();
    let times = series.times().iter().map(|time| {
        if *time < 400. * HOUR {
            *time
        } else {
            time + 9. * HOUR
        }
    });
    let series = series.clone().with_times(times.collect()).unwrap();
    let mut config = config();
    config.fit.train.epochs = 2;
    let fitted = SeriesEstimator::new(config).fit(&[series]).unwrap();
    assert!(
        fitted
            .warnings()
            .iter()
            .any(|w| matches!(w, Warning::UnevenTimes { count: 1, .. }))
    );
    for warning in fitted.warnings() {
        if let Warning::FarOutside { column, .. } | Warning::Sentinel { column, .. } = warning {
            assert!(column.channel && column.index < 2, "{warning}");
        }
    }
}

#[test]
fn gaps_in_a_channel_that_had_none_are_filled_in_streams_too() {
    let series = changed(|t, [heat, flow]| [if t % 11 == 3 { f32::NAN } else { heat }, flow]);
    let told: Vec<u64> = streamed(detector(), &series)
        .iter()
        .flat_map(|scored| vec![scored.score.to_bits(); scored.points.len()])
        .collect();
    assert_eq!(told, bits(&detector().score(&series).unwrap()));
}

#[test]
fn a_series_in_another_order_is_arranged_for_a_stream() {
    let series = stretch(1600..1700);
    let turned = (0..series.len()).flat_map(|t| [9., series.at(t)[1], series.at(t)[0]]);
    let turned = Series::with_gaps(turned.collect(), 3).unwrap();
    let turned = turned.with_names(&["other", "flow", "heat"]).unwrap();
    let turned = turned.with_times(series.times().to_vec()).unwrap();
    let arranged = detector().arranged(&turned).unwrap();
    assert_eq!(arranged.names(), detector().channels());
    assert_eq!(
        streamed(detector(), &arranged),
        streamed(detector(), &series)
    );
    let alarms = detector().alarms(&stretch(1600..2400)).unwrap();
    let first = &alarms[0];
    let at = |point: usize| (1600 + point) as f64 * HOUR;
    assert_eq!(
        first.times,
        Some((at(first.points.start), at(first.points.end - 1)))
    );
}

#[test]
fn thresholds_that_take_rows_take_windows_of_a_series() {
    let mut detector = detector().clone();
    let rows = detector.samples(&stretch(1600..2400)).unwrap();
    let rows = rows.into_input().unwrap();
    detector
        .set_threshold(Threshold::UnlabeledRate {
            rate: 0.05,
            unlabeled: rows,
        })
        .unwrap();
    assert!(detector.threshold().is_finite());
}
