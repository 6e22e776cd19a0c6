//! Real series, where they are: `PUAD_DATA_DIR` names a folder with `series/` in it.
//!
//! `PUAD_DATA_DIR=... cargo test --release --test real_series -- --ignored`

use std::path::PathBuf;

use puad::series::{Series, SeriesConfig, SeriesEstimator, read_nab, read_value_label};

fn folder() -> PathBuf {
    let dir = std::env::var_os("PUAD_DATA_DIR")
        .expect("PUAD_DATA_DIR must name the folder that holds the data sets");
    PathBuf::from(dir).join("series")
}

/// All electrocardiograms, then all series of NAB.
fn all() -> Vec<(String, Series)> {
    let ecg = ["805", "806", "820"].map(|name| {
        let path = folder().join(format!("ecg/MBA_ECG{name}_data.out.gz"));
        (name.to_string(), read_value_label(path).unwrap())
    });
    let nab = folder().join("nab");
    let mut names: Vec<String> = std::fs::read_dir(&nab)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    names.sort();
    let windows = nab.join("combined_windows.json");
    let nab = names.into_iter().map(|name| {
        let key = name.replacen("__", "/", 1);
        let series = read_nab(nab.join(&name), &windows, &key).unwrap();
        (name, series)
    });
    ecg.into_iter().chain(nab).collect()
}

#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn series_are_read_as_their_publishers_describe_them() {
    let all = all();
    assert_eq!(all.len(), 3 + 47);
    for ((_, series), beats) in all.iter().zip([208, 61, 191]) {
        assert_eq!((series.len(), series.events().len()), (230_400, beats));
        // A beat lasts some hundredths of a second to a second, of 128 points.
        assert!((60..150).contains(&series.period().unwrap()));
    }
    let of = |part: &str| &all.iter().find(|(name, _)| name.contains(part)).unwrap().1;
    let taxi = of("nyc_taxi");
    assert_eq!((taxi.len(), taxi.events().len()), (10_320, 5));
    // A day of half hours.
    assert_eq!(taxi.period(), Some(48));
    assert_eq!(taxi.times()[1] - taxi.times()[0], 1800.);
    assert!(
        all.iter()
            .skip(3)
            .all(|(_, series)| series.events().len() <= 5)
    );
}

/// The default method, hardly trained: which weights they are makes no difference.
#[test]
#[ignore = "needs PUAD_DATA_DIR"]
fn streams_have_the_scores_of_every_series() {
    for (name, series) in all() {
        let series = series.part(0..series.len().min(20_000)).unwrap();
        let mut config = SeriesConfig::default();
        config.fit.train.epochs = 1;
        let training = series.part(0..series.len() / 2).unwrap();
        let detector = SeriesEstimator::new(config).fit(&[training]).unwrap();
        let batch = detector.score(&series).unwrap();
        let mut stream = detector.stream();
        let mut told = vec![];
        for point in 0..series.len() {
            told.extend(stream.push(series.at(point)).unwrap());
        }
        told.extend(stream.finish().unwrap());
        let mut streamed = vec![];
        for scored in told {
            streamed.resize(streamed.len() + scored.points.len(), scored.score.to_bits());
        }
        let batch: Vec<u64> = batch.known().iter().map(|score| score.to_bits()).collect();
        assert!(streamed == batch, "{name}");
    }
}
