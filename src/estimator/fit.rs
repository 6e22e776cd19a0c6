use std::path::PathBuf;

use candle_core::{DType, Device};

use super::calibration::{Calibration, CalibrationMethod};
use super::fitted::{Parts, ValidationScores};
use super::{FitConfig, FittedDetector, IntoSamples, Scaler, Threshold};
use crate::data::{PuDataset, Samples};
use crate::method::{Assembly, Network};
use crate::train::{Checkpoints, Observer, Trainer};
use crate::{Error, Params, Result};

/// Trains a detector from data to decisions.
///
/// ```
/// use puad::candle_core::Device;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig, FittedDetector};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("detector.safetensors");
/// # let mut config = FitConfig::default();
/// # config.train.epochs = 2;
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
///
/// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// let scores = detector.score(&toy.unseen)?;      // larger = more anomalous
/// let flagged = detector.predict(&toy.unseen)?;   // score above the threshold
/// detector.save(&path)?;
/// let same = FittedDetector::load(&path, &Device::Cpu)?;
/// assert_eq!(same.score(&toy.unseen)?, scores);
/// # assert_eq!((scores.len(), flagged.len()), (2, 2));
/// # Ok::<(), puad::Error>(())
/// ```
pub struct Estimator<'a> {
    config: FitConfig,
    device: Device,
    observer: Option<&'a mut dyn Observer>,
    checkpoints: Option<Checkpoints>,
}

impl<'a> Estimator<'a> {
    /// Trains on the CPU, unobserved.
    pub fn new(config: FitConfig) -> Self {
        Self {
            config,
            device: Device::Cpu,
            observer: None,
            checkpoints: None,
        }
    }

    /// Trains on this device; data may live on another. [`device`](crate::device()) reads one from
    /// its name.
    pub fn with_device(self, device: &Device) -> Self {
        Self {
            device: device.clone(),
            ..self
        }
    }

    /// Shows every epoch to `observer`, which may stop training; the detector is then the best
    /// epoch's. A DeepSVDD has two phases, each counted from 1; stopping in its pre-training is
    /// [`Error::PretrainingStopped`](crate::Error::PretrainingStopped).
    pub fn with_observer(self, observer: &'a mut dyn Observer) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Saves training to `path` every so many epochs (>= 1), and goes on from a file that is there:
    /// killed at any moment the fit loses at most that many epochs, and ends as one that was never
    /// interrupted, bit for bit. A DeepSVDD's pre-training has a second file, `path.pretraining`.
    pub fn with_checkpoints(self, path: impl Into<PathBuf>, every: usize) -> Self {
        let checkpoints = Some(Checkpoints {
            every,
            ..Checkpoints::new(path)
        });
        Self {
            checkpoints,
            ..self
        }
    }

    /// Trains on unlabeled samples, some of which are anomalies, and labeled anomalies.
    ///
    /// Samples are vectors `[n, features]` or images `[n, channels, height, width]`: finite floats of
    /// one type, or 8-bit [`Samples`].
    ///
    /// # Errors
    /// As [`fit_dataset`](Self::fit_dataset), and what [`PuDataset::new`] and
    /// [`PuDataset::with_anomalies`] say of the data.
    pub fn fit(
        self,
        unlabeled: impl IntoSamples,
        anomalies: impl IntoSamples,
    ) -> Result<FittedDetector> {
        self.config.check()?;
        let data = PuDataset::new(unlabeled.into_samples()?)?;
        self.fit_dataset(&data.with_anomalies(anomalies.into_samples()?)?)
    }

    /// As [`fit`](Self::fit), for data without labeled anomalies (an unsupervised method) or with
    /// labeled normals.
    ///
    /// # Errors
    /// Before anything is computed: [`Error::Config`](crate::Error::Config) for a setting outside
    /// its range, [`Error::SampleRank`](crate::Error::SampleRank) and
    /// [`Error::ImageSize`](crate::Error::ImageSize) for samples no network suits,
    /// [`Error::Shape`](crate::Error::Shape) for samples without values,
    /// [`Error::TooFewSamples`](crate::Error::TooFewSamples) for a group of one, [`Error::EmptyGroup`](crate::Error::EmptyGroup) if the method needs labeled anomalies
    /// and there are none. Then as [`Assembly::fit`].
    pub fn fit_dataset(self, data: &PuDataset) -> Result<FittedDetector> {
        self.check(data)?;
        let (fraction, seed) = (self.config.validation_fraction, self.config.train.seed);
        let (train, validation) = data.split(fraction, seed)?;
        self.fit_split(&train, &validation)
    }

    /// As [`fit_dataset`](Self::fit_dataset), with a validation set of your own choice: a split by
    /// time or by machine, say, where a random one would be too easy.
    ///
    /// # Errors
    /// As [`fit_dataset`](Self::fit_dataset), but for the split.
    pub fn fit_split(self, train: &PuDataset, validation: &PuDataset) -> Result<FittedDetector> {
        self.check(train)?;
        let shape = train.unlabeled().sample_shape();
        let actual = validation.unlabeled().sample_shape();
        if actual != shape {
            return Err(Error::Shape {
                what: "validation samples",
                expected: format!("{shape:?} as the training samples"),
                actual,
            });
        }
        let network = self.config.network(&shape)?;
        let config = self.config;
        let seed = config.train.seed;
        let mut trainer = Trainer::new(config.train.clone())?;
        if let Some(checkpoints) = self.checkpoints {
            let label = label(&config, &network);
            trainer = trainer.with_checkpoints(Checkpoints {
                label,
                ..checkpoints
            })?;
        }

        let params = Params::new(seed, DType::F32, &self.device);
        let (method, prior) = (config.method_for(&shape), config.prior);
        let assembly = Assembly::new(method, &network, prior, &config.options, params)?;

        let scaler = Scaler::fit(config.scaling, train.unlabeled())?;
        let scaled = |data: &PuDataset| scale(data, scaler.as_ref());
        let (train, held_out) = (scaled(train)?, scaled(validation)?);

        let mut unobserved = ();
        let observer = self.observer.unwrap_or(&mut unobserved);
        let history = assembly.fit(&trainer, &train, &held_out, observer)?;
        let mut detector = FittedDetector::from_parts(Parts {
            config,
            network,
            scaler,
            params: assembly.detector_params(),
            detector: assembly.detector().clone(),
            history,
            validation: ValidationScores::default(),
            calibration: None,
            threshold: f64::INFINITY,
            rule: None,
        });
        detector.decide(validation)?;
        Ok(detector)
    }

    /// What can be known to be wrong before any work is done.
    fn check(&self, data: &PuDataset) -> Result<()> {
        self.config.check()?;
        let shape = data.unlabeled().sample_shape();
        if shape.contains(&0) {
            return Err(Error::Shape {
                what: "samples",
                expected: "[values, ...] without a 0".into(),
                actual: shape,
            });
        }
        self.config.network(&shape).map(|_| ())
    }
}

impl FittedDetector {
    /// Sets threshold and calibration from the validation part.
    fn decide(&mut self, validation: &PuDataset) -> Result<()> {
        let sorted = |samples: &Samples| -> Result<Vec<f64>> {
            let mut scores = self.score(samples)?;
            scores.sort_unstable_by(f64::total_cmp);
            Ok(scores)
        };
        let anomalies = validation.anomalies().map(sorted).transpose()?;
        let scores = ValidationScores {
            unlabeled: sorted(validation.unlabeled())?,
            anomalies: anomalies.unwrap_or_default(),
        };
        if !scores.anomalies.is_empty() {
            let prior = self.config().prior;
            let method = CalibrationMethod::Auto;
            let (u, a) = (&scores.unlabeled, &scores.anomalies);
            self.parts.calibration = Some(Calibration::fit(method, u, a, prior)?);
        }
        self.parts.validation = scores;
        self.set_threshold(Threshold::Contamination)
    }
}

/// What tells a run from others on the same data with the same training settings.
fn label(config: &FitConfig, network: &Network) -> String {
    let method = config.method_for(&network.sample_shape());
    let (prior, options) = (config.prior, &config.options);
    format!("{method} {prior:?} {options:?} {network:?}")
}

/// The data as the network sees it; without a scaler 8-bit images keep their compact form.
fn scale(data: &PuDataset, scaler: Option<&Scaler>) -> Result<PuDataset> {
    let scaled = |samples: &Samples| -> Result<Samples> {
        match (scaler, samples.tensor()) {
            (Some(scaler), _) => Ok(scaler.apply(&samples.to_tensor()?)?.into()),
            (None, Some(tensor)) => Ok(tensor.to_dtype(DType::F32)?.into()),
            (None, None) => Ok(samples.clone()),
        }
    };
    let mut result = PuDataset::new(scaled(data.unlabeled())?)?;
    if let Some(anomalies) = data.anomalies() {
        result = result.with_anomalies(scaled(anomalies)?)?;
    }
    if let Some(normals) = data.normals() {
        result = result.with_normals(scaled(normals)?)?;
    }
    Ok(result)
}
