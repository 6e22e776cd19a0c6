mod kinds;
mod prior;
mod table;

use std::path::PathBuf;

use candle_core::Device;

pub use kinds::{LeftOut, kinds_by_cluster};

use super::inputs::Made;
use super::prepared::{Customize, Settled};
use super::{FitConfig, FittedDetector, InputCheck, IntoSamples};
use crate::Result;
use crate::data::PuDataset;
use crate::method::Registry;
use crate::train::{Checkpoints, Observer, Trainer};

/// Trains a detector from data to decisions.
///
/// ```
/// use puad::candle_core::Device;
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig, FittedDetector};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let unlabeled = [toy.normals, toy.unlabeled_anomalies].concat();
/// let mut config = FitConfig::default();
/// config.train.epochs = 2;
///
/// let detector = Estimator::new(config).fit(&unlabeled, &toy.labeled_anomalies)?;
/// let scores = detector.score(&toy.unseen)?; // larger = more anomalous
/// let flagged = detector.predict(&toy.unseen)?; // score above the threshold
/// assert_eq!((scores.len(), flagged.len()), (2, 2));
///
/// let path = std::env::temp_dir().join(format!("puad-detector-{}", std::process::id()));
/// detector.save(&path)?;
/// let same = FittedDetector::load(&path, &Device::Cpu)?;
/// assert_eq!(same.score(&toy.unseen)?, scores);
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Estimator<'a> {
    config: FitConfig,
    device: Device,
    observer: Option<&'a mut dyn Observer>,
    checkpoints: Option<Checkpoints>,
    customize: Option<Box<Customize<'a>>>,
    registry: Registry,
    check: InputCheck,
}

impl<'a> Estimator<'a> {
    /// Trains on the CPU, unobserved.
    pub fn new(config: FitConfig) -> Self {
        Self {
            config,
            device: Device::Cpu,
            observer: None,
            checkpoints: None,
            customize: None,
            registry: Registry::default(),
            check: InputCheck::Refuse,
        }
    }

    /// With the specifications that the configuration's method may name beside the shipped ones, as one
    /// read from JSON does.
    pub fn with_registry(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }

    /// Trains with another optimiser, selection or stopping rule: `customize` gets the trainer that the
    /// configuration and [`with_checkpoints`](Self::with_checkpoints) ask for, and gives the one to train
    /// with. A run that is saved is known by its method, class prior and network too, wherever its
    /// checkpoints were set.
    ///
    /// ```
    /// use puad::data::toy::{self, ToyConfig};
    /// use puad::train::{EpochReport, Stop};
    /// use puad::{Estimator, FitConfig};
    ///
    /// struct Third;
    /// impl Stop for Third {
    ///     fn stops(&self, epochs: &[EpochReport], _: usize) -> bool {
    ///         epochs.len() == 3
    ///     }
    /// }
    ///
    /// let toy = toy::generate(&ToyConfig::default(), 0)?;
    /// let estimator = Estimator::new(FitConfig::default());
    /// let estimator = estimator.with_trainer(|trainer| Ok(trainer.with_stopping(Third)));
    /// let detector = estimator.fit(&toy.normals, &toy.labeled_anomalies)?;
    /// assert_eq!(detector.history().training.epochs.len(), 3);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn with_trainer(self, customize: impl FnOnce(Trainer) -> Result<Trainer> + 'a) -> Self {
        Self {
            customize: Some(Box::new(customize)),
            ..self
        }
    }

    /// What becomes of labeled or validation samples in another type or scale than the unlabeled ones, and
    /// of what looks like images `[height, width, channels]` under a method without a network;
    /// [`FittedDetector::set_input_check`] decides on samples to score.
    pub fn with_input_check(self, check: InputCheck) -> Self {
        Self { check, ..self }
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
    /// epoch's. A detector with a pre-training has two phases, each counted from 1; stopping in the
    /// first is [`Error::PretrainingStopped`](crate::Error::PretrainingStopped).
    pub fn with_observer(self, observer: &'a mut dyn Observer) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Saves training to `path` every so many epochs (>= 1), and goes on from a file that is there:
    /// killed at any moment the fit loses at most that many epochs, and ends as one that was never
    /// interrupted, bit for bit. A pre-training has a second file, `path.pretraining`.
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
    /// one type, or 8-bit [`Samples`](crate::data::Samples) or tensors of images. Columns with names are
    /// matched by them.
    ///
    /// # Errors
    /// As [`fit_dataset`](Self::fit_dataset), and what [`PuDataset::new`] and
    /// [`PuDataset::with_anomalies`] say of the data.
    pub fn fit(
        self,
        unlabeled: impl IntoSamples,
        anomalies: impl IntoSamples,
    ) -> Result<FittedDetector> {
        let data = PuDataset::new(unlabeled.into_samples()?)?;
        self.fit_dataset(&data.with_anomalies(anomalies.into_samples()?)?)
    }

    /// As [`fit`](Self::fit), for data without labeled anomalies (an unsupervised method) or with
    /// labeled normals.
    ///
    /// # Errors
    /// Before anything is computed: [`Error::Config`](crate::Error::Config) for a setting outside
    /// its range, [`Error::UnknownSpecification`](crate::Error::UnknownSpecification) for a method known
    /// by name alone, [`Error::SampleRank`](crate::Error::SampleRank) and
    /// [`Error::ImageSize`](crate::Error::ImageSize) for samples that no automatic network suits (also
    /// [`Error::Config`](crate::Error::Config), if a batch of them would take too much memory),
    /// [`Error::Shape`](crate::Error::Shape) for samples without values,
    /// [`Error::Config`](crate::Error::Config) for what looks like images with their channels last, unless an
    /// explicit network says that they are not,
    /// [`Error::ElementType`](crate::Error::ElementType) and
    /// [`Error::OtherScale`](crate::Error::OtherScale) for labeled samples in another type or scale (see
    /// [`with_input_check`](Self::with_input_check)),
    /// [`Error::HugeFeature`](crate::Error::HugeFeature) for a value too large to train on unscaled,
    /// [`Error::TooFewSamples`](crate::Error::TooFewSamples) for a group of one,
    /// [`Error::EmptyGroup`](crate::Error::EmptyGroup) if the method needs labeled anomalies
    /// and there are none, [`Error::NotResumable`](crate::Error::NotResumable) for checkpoints of a model
    /// that has none. Then as [`Method::fit`](crate::method::Method::fit).
    pub fn fit_dataset(self, data: &PuDataset) -> Result<FittedDetector> {
        let (mut settled, run) = self.settle(data, vec![])?;
        let (train, validation) = settled.split(data)?;
        run.fit(settled, &train, &validation)
    }

    /// As [`fit_dataset`](Self::fit_dataset), with a validation set of your own choice: a split by
    /// time or by machine, say, where a random one would be too easy.
    ///
    /// # Errors
    /// As [`fit_dataset`](Self::fit_dataset), but for the split; of the validation set, too, whose samples are
    /// then called `anomalous validation samples`, say, with the row in the group as it was given.
    ///
    /// ```
    /// use puad::data::PuDataset;
    /// use puad::estimator::{IntoSamples, Scaling};
    /// use puad::{Estimator, FitConfig};
    ///
    /// let rows = [[0f64, 1.], [2., 3.], [4., 5.], [6., 7.]].into_samples()?;
    /// let train = PuDataset::new(rows.clone())?.with_anomalies(rows.clone())?;
    /// let validation = PuDataset::new(rows)?.with_anomalies([[9f64, 9.], [1e20, 9.]].into_samples()?)?;
    /// let config = FitConfig { scaling: Scaling::None, ..FitConfig::default() };
    /// let error = Estimator::new(config).fit_split(&train, &validation).unwrap_err().to_string();
    /// assert!(error.starts_with("anomalous validation samples must lie within 1e15 of 0"));
    /// assert!(error.contains("row 1, column 0"));
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn fit_split(self, train: &PuDataset, validation: &PuDataset) -> Result<FittedDetector> {
        let (mut settled, run) = self.settle(train, vec![])?;
        let validation = settled.accept(validation)?;
        run.fit(settled, train, &validation)
    }

    /// What is wrong with the settings is said here, and nowhere later.
    fn settle(self, data: &PuDataset, made: Vec<Made>) -> Result<(Settled, Run<'a>)> {
        let mut config = self.config;
        if let Some(method) = &config.method {
            config.method = Some(self.registry.resolve(method)?);
        }
        let (checkpoints, check) = (self.checkpoints, self.check);
        let settled = Settled::new(config, checkpoints, self.customize, check, data, made)?;
        let (device, observer) = (self.device, self.observer);
        Ok((settled, Run { device, observer }))
    }
}

/// Where a fit runs, and who watches.
struct Run<'a> {
    device: Device,
    observer: Option<&'a mut dyn Observer>,
}

impl Run<'_> {
    fn fit(
        self,
        settled: Settled,
        train: &PuDataset,
        validation: &PuDataset,
    ) -> Result<FittedDetector> {
        let mut unobserved = ();
        let observer = self.observer.unwrap_or(&mut unobserved);
        let prepared = settled.prepare(train, validation)?;
        prepared.train(&self.device, observer)?.decide()
    }
}
