use std::collections::BTreeMap;
use std::path::Path;

use super::Series;
use crate::data::csv::{self, CsvConfig};
use crate::data::stream::CsvOptions;
use crate::data::table::{Column, TableFile, Value, parse_time};
use crate::data::{DataError, Place, npy};
use crate::{Error, Result};

/// Reads a series of the Numenta Anomaly Benchmark: a CSV of `timestamp,value`, and its labeled windows from the JSON file of
/// all (`combined_windows.json`), where they stand under `key`, `realKnownCause/nyc_taxi.csv`, say. Points from the first to
/// the last time of a window are an event. Some files have times that go back, by a clock that was set: the series has none
/// then.
///
/// ```
/// let path = |name| std::env::temp_dir().join(format!("nab-{}-{name}", std::process::id()));
/// let (series, windows) = (path("taxi.csv"), path("windows.json"));
/// let rows = (0..9).map(|hour| format!("2014-07-01 0{hour}:00:00,{}.5\n", 100 + hour));
/// std::fs::write(&series, format!("timestamp,value\n{}", rows.collect::<String>()))?;
/// std::fs::write(&windows, r#"{"a/taxi.csv": [["2014-07-01 02:00:00.000000", "2014-07-01 04:30:00.000000"]]}"#)?;
/// let read = puad::series::read_nab(&series, &windows, "a/taxi.csv")?;
/// assert_eq!((read.len(), read.events()), (9, &[2..5][..]));
/// # std::fs::remove_file(series)?;
/// # std::fs::remove_file(windows)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Data`] for files that cannot be read, or hold something else, and a key that is not there; [`Error::Config`] for other columns than one of times and
/// one of numbers, and a window without a point.
pub fn read_nab(csv: impl AsRef<Path>, windows: impl AsRef<Path>, key: &str) -> Result<Series> {
    let file = TableFile::open(csv)?;
    let table = file.read(&file.schema()?)?;
    let (mut times, mut values) = (None, None);
    for (name, column) in table.columns() {
        match column {
            Column::Times(seconds) if times.is_none() => times = Some(seconds),
            Column::Numbers(numbers) if values.is_none() => values = Some((name, numbers)),
            _ => {}
        }
    }
    let (Some(times), Some((name, values))) = (times, values) else {
        let rule = "one of times and one of numbers";
        let found = format!("{:?}", table.names());
        return Err(Error::config("columns of a series", rule, found));
    };
    let series = Series::with_gaps(values.iter().map(|&value| value as f32).collect(), 1)?;
    let series = series.with_names(&[name])?;
    let mut events = vec![];
    for (start, end) in spans(windows.as_ref(), key)? {
        let within = |time: &f64| (start..=end).contains(time);
        let ends = times
            .iter()
            .position(within)
            .zip(times.iter().rposition(within));
        let (first, last) = ends.ok_or_else(|| {
            let found = format!("{} to {}", Value::Time(start), Value::Time(end));
            Error::config(
                "windows of a series",
                "around one of its points at least",
                found,
            )
        })?;
        events.push(first..last + 1);
    }
    let series = series.with_events(events)?;
    if times.is_sorted() {
        series.with_times(times.clone())
    } else {
        Ok(series)
    }
}

/// First and last time of each of a key's windows.
fn spans(path: &Path, key: &str) -> Result<Vec<(f64, f64)>> {
    let wrong = |rule, found| {
        Error::Data(DataError::Malformed {
            path: path.into(),
            place: Place::Whole,
            rule,
            found,
        })
    };
    let text = std::fs::read_to_string(path).map_err(|source| DataError::Read {
        path: path.into(),
        offset: 0,
        source,
    })?;
    let all: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_str(&text)
        .map_err(|error| wrong("must hold pairs of times by file", error.to_string()))?;
    let missing = || {
        wrong(
            "must hold windows of the series",
            format!("none of {key:?}"),
        )
    };
    let pairs = all.get(key).ok_or_else(missing)?;
    let time = |text: &String| {
        parse_time(text).ok_or_else(|| wrong("windows must be pairs of times", text.clone()))
    };
    let span = |[start, end]: &[String; 2]| Ok((time(start)?, time(end)?));
    pairs.iter().map(span).collect()
}

/// Reads a series of the TSB-UAD benchmark: text, plain or gzipped, without a head, one point a line, its values and 1 for an
/// anomalous or 0 for a normal point.
///
/// ```
/// let path = std::env::temp_dir().join(format!("ecg-{}.out", std::process::id()));
/// std::fs::write(&path, "0.32,0\n0.37,1\n0.48,1\n")?;
/// let series = puad::series::read_value_label(&path)?;
/// assert_eq!((series.at(1), series.events()), (&[0.37][..], &[1..3][..]));
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`csv::read`].
pub fn read_value_label(path: impl AsRef<Path>) -> Result<Series> {
    let config = CsvConfig {
        table: CsvOptions {
            header: Some(false),
            ..CsvOptions::default()
        },
        ..CsvConfig::default()
    };
    let rows = csv::read(path, &config)?;
    let values = rows.values().iter().map(|&value| value as f32).collect();
    let anomalous = rows.labels().iter().map(|&label| label == Some(1));
    Series::new(values, rows.width())?.with_labels(&anomalous.collect::<Vec<_>>())
}

/// Reads a series from `.npy` files: values `[points, channels]` or `[points]`, in which NaN is a gap, and labels
/// `[points]`, of which all but 0 are anomalous; without labels no event is labeled.
///
/// ```no_run
/// use std::path::Path;
///
/// let labels = Path::new("machine-1_labels.npy");
/// let series = puad::series::read_npy("machine-1_train.npy", Some(labels))?;
/// # Ok::<(), puad::Error>(())
/// ```
///
/// # Errors
/// [`Error::Data`] for files that cannot be read; [`Error::Shape`] for values of another rank; as [`Series::with_gaps`] and
/// [`Series::with_labels`].
pub fn read_npy(values: impl AsRef<Path>, labels: Option<&Path>) -> Result<Series> {
    let array = npy::read(values)?;
    let channels = match *array.shape() {
        [_] => 1,
        [_, channels] => channels,
        _ => {
            return Err(Error::Shape {
                what: "values of a series",
                expected: "[points, channels] or [points]".into(),
                actual: array.shape().to_vec(),
            });
        }
    };
    let values = array.to_f64().into_iter().map(|value| value as f32);
    let series = Series::with_gaps(values.collect(), channels)?;
    let Some(labels) = labels else {
        return Ok(series);
    };
    let labels = npy::read(labels)?.to_f64();
    series.with_labels(&labels.iter().map(|&label| label != 0.).collect::<Vec<_>>())
}
