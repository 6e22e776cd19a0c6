use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use md5::{Digest, Md5};

use super::transfer::{Outcome, Transfer};
use super::{DownloadError, RemoteFile, cache_dir, manifest, unpack};
use crate::benchmarks::tasks::PaperDataset;
#[cfg(all(feature = "images", feature = "parquet"))]
use crate::benchmarks::{FileLayout, cifar_parquet};
use crate::{DataError, Result};

/// Fetches published files into folders below one folder.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use puad_data::benchmarks::download::Downloader;
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let downloader = Downloader::from_env()?;
/// let set = downloader.dataset(PaperDataset::Svhn, &mut |progress| {
///     eprintln!("{} {} of {:?}", progress.name, progress.bytes, progress.total);
///     ControlFlow::Continue(())
/// })?;
/// println!("{:?}", set.files);
/// let images = PaperDataset::Svhn.load(set.folder)?;
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Downloader {
    /// Holds a folder a data set.
    pub dir: PathBuf,
    /// Whether no connection may be opened.
    pub offline: bool,
    /// The longest time without a byte, and for a connection to open.
    pub patience: Duration,
    /// How often an address is tried again after a failure, each time from where it stopped.
    /// Attempts that brought new bytes are not counted.
    pub retries: u32,
}

/// How far a download is.
///
/// ```
/// use puad_data::benchmarks::download::Progress;
///
/// fn percent(progress: &Progress<'_>) -> Option<u64> {
///     progress.total.map(|total| 100 * progress.bytes / total)
/// }
/// assert_eq!(percent(&Progress { name: "train.mat", bytes: 50, total: Some(200) }), Some(25));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file's name.
    pub name: &'a str,
    /// Number of bytes there are, with those of earlier runs.
    pub bytes: u64,
    /// Number of bytes it will have, where the server or the manifest says so.
    pub total: Option<u64>,
}

/// What became of a file.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use puad_data::benchmarks::download::{Downloader, Fetched};
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let set = Downloader::from_env()?
///     .dataset(PaperDataset::OctMnist, &mut |_| ControlFlow::Continue(()))?;
/// let unchecked = set.files.iter().filter(|(_, fetched)| *fetched == Fetched::Unverified);
/// println!("{} files without a checksum", unchecked.count());
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there; its content has not been looked at.
    Present,
    /// It was fetched, and has the manifest's checksum.
    Verified,
    /// It was fetched, and nobody states a checksum.
    Unverified,
}

/// The files of a data set, all there.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use puad_data::benchmarks::download::Downloader;
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// let (set, mut watch) = (PaperDataset::Mnist, |_: puad_data::benchmarks::download::Progress<'_>| ControlFlow::Continue(()));
/// let fetched = Downloader::new("data").dataset(set, &mut watch)?;
/// let images = set.load(fetched.folder)?;
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedSet {
    /// Their folder.
    pub folder: PathBuf,
    /// What became of each file of the [`manifest`], or that the Parquet files are there.
    pub files: Vec<(String, Fetched)>,
}

pub(super) type Observer<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

impl Downloader {
    /// Fetches into `dir`, with 30 s of patience and 5 retries.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            offline: false,
            patience: Duration::from_secs(30),
            retries: 5,
        }
    }

    /// Fetches into [`cache_dir`], unless `PUAD_OFFLINE` is set (to anything but nothing or `0`).
    ///
    /// # Errors
    /// As [`cache_dir`].
    pub fn from_env() -> Result<Self> {
        let offline = std::env::var_os("PUAD_OFFLINE");
        Ok(Self {
            offline: offline.is_some_and(|value| !value.is_empty() && value != "0"),
            ..Self::new(cache_dir()?)
        })
    }

    /// Fetches the files of a data set's [`manifest`] that are missing in its folder; none if the
    /// whole set is there as Parquet ([`FileLayout::Parquet`](crate::benchmarks::FileLayout::Parquet)).
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn dataset(
        &self,
        set: PaperDataset,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<FetchedSet> {
        let folder = self.dir.join(set.name());
        #[cfg(all(feature = "images", feature = "parquet"))]
        if set.layout(&folder) == Some(FileLayout::Parquet) {
            let name = |path: PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
            let names = cifar_parquet::files(&folder).into_iter().filter_map(name);
            let files = names.map(|name| (name, Fetched::Present)).collect();
            return Ok(FetchedSet { folder, files });
        }
        let files = manifest(set).into_iter().map(|file| {
            let fetched = self.fetch(set.name(), &file, observe)?;
            Ok((file.name, fetched))
        });
        let files = files.collect::<Result<_>>()?;
        Ok(FetchedSet { folder, files })
    }

    /// Makes sure that `file` is in the folder `folder` of [`dir`](Self::dir), plain or, for a name
    /// that ends in `.gz`, unpacked. What is there is taken as it is.
    ///
    /// A part left by an earlier run is gone on with where a checksum can tell whether the whole fits
    /// together; with a wrong checksum after that, the file is fetched once more from its start.
    /// Another process that fetches the same file is waited for.
    ///
    /// # Errors
    /// Every [`DownloadError`], in [`DataError::Download`]: [`DownloadError::Offline`] names the file and
    /// its place, [`DownloadError::Failed`] has the error of each address. [`DataError::Config`] for a name
    /// that would leave the folder, [`DataError::Missing`] for an archive without a file that is needed.
    pub fn fetch(
        &self,
        folder: &str,
        file: &RemoteFile,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Fetched> {
        for name in [folder, &file.name]
            .into_iter()
            .chain(file.unpack.iter().map(|n| &**n))
        {
            plain_name(name)?;
        }
        let dir = self.dir.join(folder);
        if is_there(&dir, file) {
            return Ok(Fetched::Present);
        }
        let path = dir.join(&file.name);
        if self.offline {
            let (urls, unpack) = (file.urls.clone(), file.unpack.clone());
            return Err(DownloadError::Offline { path, urls, unpack }.into());
        }
        let write = |path: &Path, source| DownloadError::Write {
            path: path.into(),
            source,
        };
        fs::create_dir_all(&dir).map_err(|e| write(&dir, e))?;
        let lock_path = with_ending(&path, "lock");
        let lock = File::create(&lock_path).map_err(|e| write(&lock_path, e))?;
        // Held until the file is closed, however this process ends.
        lock.lock().map_err(|e| write(&lock_path, e))?;
        if is_there(&dir, file) {
            return Ok(Fetched::Present);
        }
        self.fetch_locked(&path, file, observe)?;
        if !file.unpack.is_empty() {
            unpack::unpack(&path, &file.unpack)?;
            fs::remove_file(&path).map_err(|e| write(&path, e))?;
        }
        Ok(match file.checksum {
            Some(_) => Fetched::Verified,
            None => Fetched::Unverified,
        })
    }

    /// Tries each address, and renames what has passed its checks.
    fn fetch_locked(
        &self,
        path: &Path,
        file: &RemoteFile,
        observe: &mut Observer<'_>,
    ) -> Result<(), DownloadError> {
        let part = with_ending(path, "part");
        let write = |source| DownloadError::Write {
            path: part.clone(),
            source,
        };
        if file.checksum.is_none() {
            // Nothing would tell whether the new bytes continue these.
            remove(&part).map_err(write)?;
        }
        let mut errors = Vec::new();
        for url in &file.urls {
            let mut transfer = Transfer::new(self, url, &part, path, file);
            let verified = transfer.run(observe).and_then(|outcome| {
                let error = match verify(&part, url, file) {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                };
                remove(&part).map_err(write)?;
                // The fault may be in the bytes of an earlier run.
                if outcome == Outcome::Resumed {
                    transfer.run(observe)?;
                    return verify(&part, url, file).inspect_err(|_| {
                        let _ = fs::remove_file(&part);
                    });
                }
                Err(error)
            });
            match verified {
                Ok(()) => return fs::rename(&part, path).map_err(write),
                Err(error @ (DownloadError::Stopped { .. } | DownloadError::Write { .. })) => {
                    return Err(error);
                }
                Err(error) => errors.push(error),
            }
        }
        Err(DownloadError::Failed {
            path: path.into(),
            errors,
        })
    }
}

/// The file, or all that is to come out of it.
fn is_there(dir: &Path, file: &RemoteFile) -> bool {
    if !file.unpack.is_empty() {
        // The readers take each gzipped, too.
        let there =
            |name: &String| dir.join(name).exists() || dir.join(format!("{name}.gz")).exists();
        return file.unpack.iter().all(there);
    }
    let plain = file.name.strip_suffix(".gz");
    dir.join(&file.name).exists() || plain.is_some_and(|name| dir.join(name).exists())
}

fn plain_name(name: &str) -> Result<()> {
    let mut parts = Path::new(name).components();
    let first = parts.next();
    match (first, parts.next()) {
        (Some(std::path::Component::Normal(part)), None) if part == name => Ok(()),
        _ => {
            let name = format!("{name:?}");
            Err(DataError::config("names", "plain file names", name))
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Size and checksum, where they are known.
fn verify(part: &Path, url: &str, file: &RemoteFile) -> Result<(), DownloadError> {
    let write = |source| DownloadError::Write {
        path: part.into(),
        source,
    };
    let mut bytes = File::open(part).map_err(write)?;
    let actual = bytes.metadata().map_err(write)?.len();
    if let Some(expected) = file.bytes.filter(|&expected| expected != actual) {
        return Err(DownloadError::size(url, expected, actual));
    }
    let Some(checksum) = &file.checksum else {
        return Ok(());
    };
    let mut hash = Md5::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match bytes.read(&mut buffer).map_err(write)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    let digest = hash.finalize();
    let actual = digest.iter().map(|b| format!("{b:02x}"));
    let actual: String = actual.collect();
    if actual.eq_ignore_ascii_case(&checksum.md5) {
        return Ok(());
    }
    Err(DownloadError::Answer {
        url: url.into(),
        rule: format!("have the MD5 {} ({})", checksum.md5, checksum.stated_by),
        found: actual,
    })
}
