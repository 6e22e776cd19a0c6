use std::collections::{HashMap, HashSet};
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use puad::FittedDetector;
use puad::candle_core::Device;
use puad::estimator::{InputCheck, Warning};

use crate::hash::FileHash;
use crate::takes::Takes;
use crate::{Error, Result};

/// A detector of the model folder, under its name.
///
/// Its samples are taken in whatever type and scale they come ([`InputCheck::Warn`]): the batches of a query are
/// no sets that somebody chose, and what was refused in one would depend on how the rows were parted.
#[derive(Debug)]
pub struct Model {
    name: String,
    loaded: Arc<Loaded>,
}

/// What is made of one file, once a process.
#[derive(Debug)]
struct Loaded {
    hash: FileHash,
    detector: FittedDetector,
    takes: Takes,
    /// What was warned of.
    told: Mutex<HashSet<(Discriminant<Warning>, Option<usize>)>>,
}

/// All that the process holds.
static LOADED: LazyLock<Mutex<HashMap<FileHash, Weak<Loaded>>>> = LazyLock::new(Mutex::default);

impl Model {
    /// # Errors
    /// [`Error::Load`] for bytes that are no detector.
    pub(crate) fn read(name: &str, hash: FileHash, bytes: &[u8]) -> Result<Self> {
        // Held while a file is loaded: two would be two copies.
        let mut all = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, loaded| loaded.strong_count() > 0);
        let loaded = match all.get(&hash).and_then(Weak::upgrade) {
            Some(loaded) => loaded,
            None => {
                let loaded = Loaded::read(hash, bytes).map_err(|source| Error::Load {
                    name: name.into(),
                    source: Box::new(source),
                })?;
                let loaded = Arc::new(loaded);
                all.insert(hash, Arc::downgrade(&loaded));
                loaded
            }
        };
        let name = name.into();
        Ok(Self { name, loaded })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `name@hash`, which stands for this file alone: the first 16 hexadecimal digits of its SHA-256.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.hash())
    }

    /// What scores.
    pub fn detector(&self) -> &FittedDetector {
        &self.loaded.detector
    }

    pub(crate) fn hash(&self) -> FileHash {
        self.loaded.hash
    }

    pub(crate) fn takes(&self) -> &Takes {
        &self.loaded.takes
    }

    /// Logs what a batch was warned of, each kind of warning once a column.
    pub(crate) fn tell(&self, warnings: &[Warning]) {
        if warnings.is_empty() {
            return;
        }
        let mut told = self
            .loaded
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for warning in warnings {
            if told.insert((discriminant(warning), column(warning))) {
                log::warn!("model {}, in one batch: {warning}", self.reference());
            }
        }
    }
}

impl Loaded {
    fn read(hash: FileHash, bytes: &[u8]) -> puad::Result<Self> {
        let mut detector = FittedDetector::from_bytes(bytes, &Device::Cpu)?;
        detector.set_input_check(InputCheck::Warn);
        Ok(Self {
            hash,
            takes: Takes::of(&detector)?,
            detector,
            told: Mutex::default(),
        })
    }
}

fn column(warning: &Warning) -> Option<usize> {
    match warning {
        Warning::FarOutside { column, .. }
        | Warning::OtherUnit { column, .. }
        | Warning::NewLevels { column, .. } => Some(column.index),
        _ => None,
    }
}
