use std::path::Path;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::channels::Channels;
use super::{Alarm, PointScores, Series, Stream, Windows};
use crate::estimator::{FittedDetector, Threshold, Warning};
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
    /// The anomaly score of each point, larger = more anomalous: that of the window whose suspect part holds it. Channels with
    /// names are put in the order of the fit, and may have others among them.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Columns`] for a series without the fit's channels; [`Error::Config`] for a series shorter than
    /// a window, and without times that are needed; [`Error::NonFiniteFeature`] for a gap in a channel that had none in the
    /// fit; as [`FittedDetector::score`].
    pub fn score(&self, series: &Series) -> Result<PointScores> {
        let scores = self.window_scores(&self.channels.of(series)?)?;
        self.windows.points(series, &scores)
    }

    fn window_scores(&self, whole: &Series) -> Result<Vec<f64>> {
        let mut scores = Vec::new();
        for samples in self.windows.batches(whole, AT_ONCE)? {
            scores.extend(self.detector.score(samples?)?);
        }
        Ok(scores)
    }

    /// The stretches whose scores are above the threshold, in order; those with at most
    /// [`SeriesConfig::merge`](super::SeriesConfig::merge) points between them are one.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn alarms(&self, series: &Series) -> Result<Vec<Alarm>> {
        let whole = self.channels.of(series)?;
        let scores = self.window_scores(&whole)?;
        let points = self.windows.points(series, &scores)?;
        let mut alarms = Alarm::of(&points, self.threshold(), self.merge);
        if self.channels.raw() > 1 {
            for alarm in &mut alarms {
                alarm.channel = self.blamed(&whole, alarm.peak)?;
            }
        }
        Ok(alarms)
    }

    /// The channel without which the score of a point would fall furthest; `None` if it would fall without none.
    fn blamed(&self, whole: &Series, point: usize) -> Result<Option<crate::estimator::Column>> {
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
        windows.check()?;
        if detector.sample_shape() != [windows.length * channels.width()] {
            return Err(wrong(format!("windows of {} points", windows.length)));
        }
        Ok(Self {
            detector,
            windows,
            channels,
            merge,
        })
    }
}
