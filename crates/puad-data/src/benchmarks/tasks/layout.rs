//! Which files a data set's folder holds.

use std::path::Path;

use super::PaperDataset;
use crate::benchmarks::published::find;
use crate::benchmarks::{cifar, medmnist, mnist, svhn};
use crate::{Result, TrainTest};

/// How a data set of the paper lies in its folder.
///
/// ```no_run
/// use puad_data::benchmarks::FileLayout;
/// use puad_data::benchmarks::tasks::PaperDataset;
///
/// match PaperDataset::Cifar10.layout("data/cifar10") {
///     Some(FileLayout::Published) => println!("data_batch_1.bin and so on"),
///     Some(layout) => println!("{layout:?}"),
///     None => println!("not all there"),
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileLayout {
    /// The publisher's own files, each plain or gzipped.
    Published,
    /// CIFAR as Parquet: `train.parquet` and `test.parquet`, or each with the hub's ending
    /// `-00000-of-00001.parquet`; needs the features `images` and `parquet`.
    Parquet,
}

impl PaperDataset {
    /// The layout in which the whole set is in its folder `dir`: as published, or else as Parquet,
    /// or `None` if files are missing in each. Only names are looked at.
    ///
    /// ```
    /// use puad_data::benchmarks::FileLayout;
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// let dir = std::env::temp_dir().join(format!("svhn-{}", std::process::id()));
    /// std::fs::create_dir_all(&dir)?;
    /// std::fs::write(dir.join("train_32x32.mat"), "")?;
    /// assert_eq!(PaperDataset::Svhn.layout(&dir), None);
    /// std::fs::write(dir.join("test_32x32.mat.gz"), "")?;
    /// assert_eq!(PaperDataset::Svhn.layout(&dir), Some(FileLayout::Published));
    /// std::fs::remove_dir_all(dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn layout(self, dir: impl AsRef<Path>) -> Option<FileLayout> {
        let dir = dir.as_ref();
        if self.is_published(dir) {
            return Some(FileLayout::Published);
        }
        #[cfg(all(feature = "images", feature = "parquet"))]
        if self.is_cifar()
            && crate::benchmarks::cifar_parquet::files(dir)
                .iter()
                .all(|p| p.exists())
        {
            return Some(FileLayout::Parquet);
        }
        None
    }

    /// Reads the set's files from its folder `dir`: those of [`mnist::load`], [`svhn::load`],
    /// [`cifar::load_10`] and [`cifar::load_100`], or `NAME.npz` of MedMNIST. With the features
    /// `images` and `parquet`, CIFAR is read as Parquet where it is not all there as published but a file
    /// is there as Parquet; see [`layout`](Self::layout).
    ///
    /// # Errors
    /// As these.
    ///
    /// ```no_run
    /// use puad_data::benchmarks::tasks::PaperDataset;
    ///
    /// let images = PaperDataset::PathMnist.load("data/pathmnist")?;
    /// assert_eq!(images.train.len(), 89_996);
    /// # Ok::<(), puad_data::DataError>(())
    /// ```
    pub fn load(self, dir: impl AsRef<Path>) -> Result<TrainTest> {
        let dir = dir.as_ref();
        #[cfg(all(feature = "images", feature = "parquet"))]
        if self.is_parquet(dir) {
            return match self {
                Self::Cifar10 => crate::benchmarks::cifar_parquet::load_10(dir),
                _ => crate::benchmarks::cifar_parquet::load_100(dir),
            };
        }
        match self {
            Self::Mnist | Self::FashionMnist => mnist::load(dir),
            Self::Svhn => svhn::load(dir),
            Self::Cifar10 => cifar::load_10(dir),
            Self::Cifar100 => cifar::load_100(dir),
            Self::PathMnist | Self::OctMnist | Self::TissueMnist => {
                medmnist::load(dir.join(format!("{}.npz", self.name())), self.classes())
            }
        }
    }

    /// Whether to read Parquet: what is not all there as published, and at least begun as Parquet,
    /// whose reader then names the missing file.
    #[cfg(all(feature = "images", feature = "parquet"))]
    fn is_parquet(self, dir: &Path) -> bool {
        self.is_cifar()
            && self.layout(dir) != Some(FileLayout::Published)
            && crate::benchmarks::cifar_parquet::files(dir)
                .iter()
                .any(|p| p.exists())
    }

    #[cfg(all(feature = "images", feature = "parquet"))]
    fn is_cifar(self) -> bool {
        matches!(self, Self::Cifar10 | Self::Cifar100)
    }

    fn is_published(self, dir: &Path) -> bool {
        let names: &[&str] = match self {
            Self::Mnist | Self::FashionMnist => &mnist::FILES,
            Self::Svhn => &svhn::FILES,
            Self::Cifar10 => &cifar::FILES_10,
            Self::Cifar100 => &cifar::FILES_100,
            // An archive is packed already.
            Self::PathMnist | Self::OctMnist | Self::TissueMnist => {
                return dir.join(format!("{}.npz", self.name())).exists();
            }
        };
        names.iter().all(|name| find(dir, name).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataError;
    use std::fs;

    #[test]
    fn a_set_is_there_when_all_its_files_are() {
        for (set, names) in [
            (PaperDataset::Mnist, &mnist::FILES[..]),
            (PaperDataset::FashionMnist, &mnist::FILES),
            (PaperDataset::Svhn, &svhn::FILES),
            (PaperDataset::Cifar10, &cifar::FILES_10),
            (PaperDataset::Cifar100, &cifar::FILES_100),
            (PaperDataset::PathMnist, &["pathmnist.npz"]),
            (PaperDataset::OctMnist, &["octmnist.npz"]),
            (PaperDataset::TissueMnist, &["tissuemnist.npz"]),
        ] {
            let dir = tempfile::tempdir().unwrap();
            assert_eq!(set.layout(dir.path().join("absent")), None);
            for (i, name) in names.iter().enumerate() {
                assert_eq!(set.layout(dir.path()), None, "{set:?} without {name}");
                let ending = if i % 2 == 1 { ".gz" } else { "" };
                fs::write(dir.path().join(format!("{name}{ending}")), "").unwrap();
            }
            assert_eq!(set.layout(dir.path()), Some(FileLayout::Published));
        }
    }

    /// What `load` opens, one file after the other, is what `layout` looks for.
    #[test]
    fn loading_names_the_first_file_that_is_missing() {
        for set in PaperDataset::ALL {
            let dir = tempfile::tempdir().unwrap();
            match set.load(dir.path()).unwrap_err() {
                DataError::MissingFile { path } => {
                    assert_eq!(path.parent(), Some(dir.path()), "{set:?}");
                }
                error => panic!("{error}"),
            }
        }
    }
}
