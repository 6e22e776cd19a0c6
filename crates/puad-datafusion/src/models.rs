use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::hash::FileHash;
use crate::model::Model;
use crate::reference::Reference;
use crate::stamp::Stamp;
use crate::{Error, Result};

/// Behind a model's name, the name of its file.
const EXTENSION: &str = "safetensors";

/// Files that were a model's, newest last, kept for queries that were planned with them.
const VERSIONS: usize = 4;

/// The models of a process: files `NAME.safetensors` of one folder, as
/// [`FittedDetector::save`](puad::FittedDetector::save) writes them. Each process of a cluster has its own folder.
///
/// A file is read when a query that names it is planned, and again when it has changed; of each the last four
/// contents are kept, so that running queries go on with what they were planned with. Whatever names a model and
/// however often, one process holds one copy of a file's detector, on the CPU.
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::{Estimator, FitConfig};
/// use puad_datafusion::Models;
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let mut config = FitConfig::default();
/// config.train.epochs = 1;
/// let detector = Estimator::new(config).fit(&toy.normals, &toy.labeled_anomalies)?;
///
/// let folder = tempfile::tempdir()?;
/// detector.save(folder.path().join("pumps.safetensors"))?;
/// let models = Models::new(folder.path())?;
/// let pumps = models.get("pumps")?;
/// println!("{}", pumps.reference()); // pumps@ and 16 digits
/// assert_eq!(models.get(&pumps.reference())?.reference(), pumps.reference());
/// assert!(models.get("valves").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Models {
    /// `None`: of a process that sends queries to others.
    folder: Option<Arc<Folder>>,
}

#[derive(Debug)]
struct Folder {
    root: PathBuf,
    /// Held for as long as it takes to look: running queries do, once a batch.
    known: Mutex<HashMap<String, Known>>,
    /// Held while a file is read.
    reading: Mutex<()>,
}

/// What was found under a name.
#[derive(Clone, Debug)]
struct Known {
    stamp: Stamp,
    /// The newest last.
    versions: Vec<Arc<Model>>,
}

impl Models {
    /// Those of a folder.
    ///
    /// # Errors
    /// [`Error::Folder`] where there is none.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self> {
        let open = || {
            let root = folder.as_ref().canonicalize()?;
            fs::read_dir(&root)?;
            Ok(root)
        };
        let root = open().map_err(|source| Error::Folder { source })?;
        let (known, reading) = Default::default();
        let folder = Folder {
            root,
            known,
            reading,
        };
        Ok(Self {
            folder: Some(Arc::new(folder)),
        })
    }

    /// Of a client that sends its queries to a cluster and has no models itself: names are checked here, and models
    /// and columns by the cluster's planner.
    pub fn elsewhere() -> Self {
        Self { folder: None }
    }

    /// The model of a name, or of `name@hash`.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::UnknownModel`], [`Error::NoFolder`], [`Error::Read`], [`Error::Load`], and
    /// [`Error::OtherModel`] for a file with another hash.
    pub fn get(&self, reference: &str) -> Result<Arc<Model>> {
        self.of(&Reference::parse(reference)?)
    }

    pub(crate) fn of(&self, reference: &Reference) -> Result<Arc<Model>> {
        match &self.folder {
            Some(folder) => folder.of(reference),
            None => Err(Error::NoFolder {
                name: reference.name().into(),
            }),
        }
    }

    /// Whether models are another process's.
    pub(crate) fn are_elsewhere(&self) -> bool {
        self.folder.is_none()
    }

    fn root(&self) -> Option<&Path> {
        self.folder.as_ref().map(|folder| folder.root.as_path())
    }
}

/// Of one folder.
impl PartialEq for Models {
    fn eq(&self, other: &Self) -> bool {
        self.root() == other.root()
    }
}

impl Eq for Models {}

impl Hash for Models {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.root().hash(state);
    }
}

impl Folder {
    fn of(&self, reference: &Reference) -> Result<Arc<Model>> {
        let name = reference.name();
        let Some(pinned) = reference.pinned() else {
            return self.newest(name);
        };
        let kept = self.known(name).map_or(vec![], |known| known.versions);
        if let Some(model) = kept.into_iter().find(|model| model.hash().is(pinned)) {
            return Ok(model);
        }
        let model = self.newest(name)?;
        if model.hash().is(pinned) {
            return Ok(model);
        }
        Err(Error::OtherModel {
            name: name.into(),
            pinned: pinned.into(),
            found: model.hash().to_string(),
        })
    }

    fn known(&self, name: &str) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }

    /// What the file holds now.
    fn newest(&self, name: &str) -> Result<Arc<Model>> {
        let path = self.file(name)?;
        let failed = |source| Error::Read {
            name: name.into(),
            source,
        };
        let _one_at_a_time = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = File::open(path).map_err(failed)?;
        let stamp = Stamp::of(&file).map_err(failed)?;
        let known = self.known(name);
        let before = known.as_ref().filter(|known| known.stamp.holds(&stamp));
        if let Some(model) = before.and_then(|known| known.versions.last()) {
            return Ok(model.clone());
        }
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(failed)?;
        let hash = FileHash::of(&bytes);
        let mut versions = known.map_or(vec![], |known| known.versions);
        let at = versions.iter().position(|model| model.hash() == hash);
        let model = match at {
            Some(at) => versions.remove(at),
            None => Arc::new(Model::read(name, hash, &bytes)?),
        };
        versions.push(model.clone());
        versions.drain(..versions.len().saturating_sub(VERSIONS));
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.into(), Known { stamp, versions });
        Ok(model)
    }

    /// The file of a name, which may be a link to another one of the folder.
    fn file(&self, name: &str) -> Result<PathBuf> {
        let unknown = || Error::UnknownModel { name: name.into() };
        let path = self.root.join(format!("{name}.{EXTENSION}"));
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown()),
            Err(source) => {
                let name = name.into();
                return Err(Error::Read { name, source });
            }
        };
        // What is no file, as a pipe, may never end.
        if path.starts_with(&self.root) && path.is_file() {
            return Ok(path);
        }
        Err(unknown())
    }
}
