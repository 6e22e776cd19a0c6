use std::path::Path;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::channels::Channels;
use super::{Alarm, PointScores, Series, SeriesDetections, Stream, Windows};
use crate::data::Samples;
use crate::estimator::{Column, FittedDetector, InputCheck, Threshold, Warning};
use crate::method::Registry;
use crate::report::{Report, ReportConfig};
use crate::{Error, Result};

/// Windows that are scored at a time, so that those of a long series are never held together.
const AT_ONCE: usize = 4096;

/// A detector of time series; see [`SeriesEstimator`](super::SeriesEstimator) for an example.
#[derive(Clone, Debug)]
pub struct SeriesDetector {
    pub(super) detector: FittedDetector,
    pub(super) windows: Windows,
    pub(super) channels: Channels,
    pub(super) merge: usize,
}

/// What of a file is not the detector of windows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    windows: Windows,
    channels: Channels,
    merge: usize,
}

impl SeriesDetector {
    pub(super) fn new(
        mut detector: FittedDetector,
        windows: Windows,
        channels: Channels,
        merge: usize,
    ) -> Self {
        // Of windows that come one by one none would be refused.
        detector.set_input_check(InputCheck::Warn);
        let warnings = channels.of_channels(detector.warnings());
        let detector = detector.with_warnings(warnings);
        Self {
            detector,
            windows,
            channels,
            merge,
        }
    }

    /// The anomaly score of each point, larger = more anomalous: that of the window whose suspect part holds it. A series
    /// in another unit than the fit's is scored as it is, since all of it is unusual; [`detect`](Self::detect) says so.
    /// Channels with names are put in the order of the fit, and may have others among them.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Columns`] for a series without the fit's channels; [`Error::Config`] for a series
    /// shorter than a window, and without times that are needed; as [`FittedDetector::score`].
    pub fn score(&self, series: &Series) -> Result<PointScores> {
        let whole = self.channels.of(series)?;
        let mut scores = Vec::new();
        for samples in self.windows.batches(&whole, AT_ONCE)? {
            scores.extend(self.detector.score(samples?)?);
        }
        self.windows.points(series, &scores)
    }

    /// The stretches whose scores are above the threshold, in order; those with at most
    /// [`SeriesConfig::merge`](super::SeriesConfig::merge) points between them are one.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn alarms(&self, series: &Series) -> Result<Vec<Alarm>> {
        Ok(self.detect(series)?.alarms)
    }

    /// Scores and alarms in one pass, with what it noticed of the series.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn detect(&self, series: &Series) -> Result<SeriesDetections> {
        let arranged = self.channels.arranged(series)?;
        let whole = self.channels.whole(&arranged)?;
        let mut warnings = self.channels.survey(&arranged);
        let mut scores = Vec::new();
        for samples in self.windows.batches(&whole, AT_ONCE)? {
            let found = self.detector.detect(samples?)?;
            scores.extend(found.scores);
            // A column of windows is one point of each, of which nothing is told: what lies far outside, points are
            // surveyed for.
            let of_windows = |warning: &Warning| {
                !matches!(
                    warning,
                    Warning::FarOutside { .. } | Warning::OtherUnit { .. }
                )
            };
            warnings.extend(found.warnings.into_iter().filter(of_windows));
        }
        let scores = self.windows.points(series, &scores)?;
        let mut alarms = Alarm::of(&scores, series.times(), self.threshold(), self.merge);
        if self.channels.raw() > 1 {
            for alarm in &mut alarms {
                alarm.channel = self.blamed(&whole, alarm.peak)?;
            }
        }
        Ok(SeriesDetections {
            scores,
            alarms,
            warnings,
        })
    }

    /// The channel without which the score of a point would fall furthest; `None` if it would fall without none.
    fn blamed(&self, whole: &Series, point: usize) -> Result<Option<Column>> {
        let window = self.windows.around(whole, point)?;
        let sources = self.channels.sources();
        let columns = sources
            .iter()
            .cycle()
            .take(sources.len() * self.windows.length);
        let explanation = self
            .detector
            .explain_parts(window, columns.copied().collect())?;
        let falls = explanation.attribution.flatten_all()?.to_vec1::<f32>()?;
        let highest = (0..falls.len()).max_by(|&a, &b| falls[a].total_cmp(&falls[b]));
        let highest = highest.filter(|&source| falls[source] > 0.);
        Ok(highest.map(|source| self.channels.column(source)))
    }

    /// The score above which a point counts as anomalous.
    pub fn threshold(&self) -> f64 {
        self.detector.threshold()
    }

    /// Sets another threshold, of windows' scores; nothing is trained again.
    ///
    /// # Errors
    /// As [`FittedDetector::set_threshold`].
    pub fn set_threshold(&mut self, threshold: Threshold) -> Result<()> {
        self.detector.set_threshold(threshold)
    }

    /// What to expect of the detector, window by window: see [`FittedDetector::report`]. Neighbouring windows are alike, so
    /// that its intervals, which take them for independent, are too narrow where events are few.
    ///
    /// # Errors
    /// As there.
    pub fn report(&self, config: &ReportConfig) -> Result<Report> {
        self.detector.report(config)
    }

    /// What the fit noticed without failing.
    pub fn warnings(&self) -> &[Warning] {
        self.detector.warnings()
    }

    /// The windows of a series as they are scored, for what takes rows: a threshold by an alarm budget, say.
    ///
    /// ```
    /// use puad::estimator::{IntoInput, Threshold};
    /// use puad::method::Method;
    /// use puad::series::{Series, SeriesConfig, SeriesEstimator};
    ///
    /// let wave = |t: usize| (t as f32 / 4.).sin() + if t % 90 > 84 { 1.5 } else { 0. };
    /// let series = Series::new((0..900).map(wave).collect(), 1)?;
    /// let later = Series::new((900..1800).map(wave).collect(), 1)?;
    /// let mut config = SeriesConfig::default();
    /// config.fit.method = Some(Method::ISOLATION_FOREST);
    /// let mut detector = SeriesEstimator::new(config).fit(std::slice::from_ref(&series))?;
    /// // Of windows as in a later stretch at most 5% above the threshold.
    /// let unlabeled = detector.samples(&later)?.into_input()?;
    /// detector.set_threshold(Threshold::UnlabeledRate { rate: 0.05, unlabeled })?;
    /// let scores = detector.score(&later)?;
    /// let above = scores.known().iter().filter(|&&score| score > detector.threshold()).count();
    /// assert!(above <= later.len() / 20);
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn samples(&self, series: &Series) -> Result<Samples> {
        self.windows.samples(&self.channels.of(series)?)
    }

    /// A series with its channels in the order of the fit and without others: what a [`stream`](Self::stream) takes point by
    /// point.
    ///
    /// # Errors
    /// As [`score`](Self::score), but for the series' length.
    pub fn arranged(&self, series: &Series) -> Result<Series> {
        self.channels.arranged(series)
    }

    /// Names of the channels in the order of the fit; empty where they were not known.
    pub fn channels(&self) -> &[String] {
        self.channels.names()
    }

    /// How series are cut.
    pub fn windows(&self) -> Windows {
        self.windows
    }

    /// The detector of windows: their scores, probabilities, class prior and reasons.
    pub fn detector(&self) -> &FittedDetector {
        &self.detector
    }

    /// A series that comes a point at a time.
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    /// Writes the detector to one file, as [`FittedDetector::save`].
    ///
    /// # Errors
    /// As there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let content = Content {
            windows: self.windows,
            channels: self.channels.clone(),
            merge: self.merge,
        };
        let detector = self.detector.clone();
        detector.with_annex(serde_json::json!(content)).save(path)
    }

    /// Reads a detector that [`save`](Self::save) wrote, onto `device`: its scores are the same, bit for bit, on the kind of
    /// device that it was saved from.
    ///
    /// # Errors
    /// As [`FittedDetector::load`]; [`Error::Config`] for the file of a detector of rows.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::load_with(path, device, &Registry::default())
    }

    /// As [`load`](Self::load), with a registry that knows more specifications.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(path: impl AsRef<Path>, device: &Device, registry: &Registry) -> Result<Self> {
        let detector = FittedDetector::load_with(&path, device, registry)?;
        let wrong = |found: String| {
            let value = format!("{} with {found}", path.as_ref().display());
            Error::config("file", "that of a detector of series", value)
        };
        let annex = detector.annex().ok_or_else(|| wrong("none".into()))?;
        let content = Content::deserialize(annex).map_err(|error| wrong(error.to_string()))?;
        let Content {
            windows,
            channels,
            merge,
        } = content;
        let checked = windows.check().and_then(|()| channels.check());
        checked.map_err(|error| wrong(error.to_string()))?;
        let values = windows.length.checked_mul(channels.width());
        let shape = detector.sample_shape();
        if values.is_none_or(|values| shape != [values]) {
            let (length, width) = (windows.length, channels.width());
            return Err(wrong(format!(
                "windows of {length} points of {width} channels and a model of {shape:?}"
            )));
        }
        Ok(Self::new(detector, windows, channels, merge))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::method::Method;
    use crate::series::{SeriesConfig, SeriesEstimator};

    #[test]
    fn what_a_file_cannot_hold_is_named_with_the_file() {
        let values = (0..400).map(|t| if t == 7 { f32::NAN } else { (t as f32).sin() });
        let series = Series::with_gaps(values.collect(), 2).unwrap();
        let mut config = SeriesConfig::default();
        config.fit.method = Some(Method::ISOLATION_FOREST);
        let series = series.with_names(&["heat", "flow"]).unwrap();
        let detector = SeriesEstimator::new(config).fit(&[series]).unwrap();
        let whole = json!(Content {
            windows: detector.windows,
            channels: detector.channels.clone(),
            merge: detector.merge,
        });
        let path = tempfile::NamedTempFile::new().unwrap();
        let load = |annex: Value| {
            let other = detector.detector.clone().with_annex(annex);
            other.save(path.path()).unwrap();
            SeriesDetector::load(path.path(), &Device::Cpu)
        };
        assert_eq!(load(whole.clone()).unwrap().windows, detector.windows);
        for (part, name, value, said) in [
            ("windows", "length", json!(u64::MAX), "and a model of"),
            (
                "windows",
                "length",
                json!(7),
                "windows of 7 points of 3 channels",
            ),
            ("windows", "length", json!(0), "length must be at least 1"),
            ("windows", "suspect", json!(1000), "suspect must be"),
            ("channels", "names", json!(["heat"]), "1 of 2"),
            (
                "channels",
                "names",
                json!(["flow", "flow"]),
                "\"flow\" twice",
            ),
            ("channels", "seen", json!([]), "at least one"),
            (
                "channels",
                "seen",
                json!([{"mean": 1e39, "low": 0, "high": 1, "gaps": false}]),
                "with",
            ),
            ("channels", "hour", json!(3), "invalid type"),
        ] {
            let mut annex = whole.clone();
            annex[part][name] = value;
            let error = load(annex).unwrap_err().to_string();
            let file = path.path().display().to_string();
            assert!(error.contains(said) && error.contains(&file), "{error}");
        }
    }
}
