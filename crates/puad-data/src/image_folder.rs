//! Folders of PNG and JPEG files, `root/class/image.png`; needs the feature `images`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encoded::{check_shape, decode};
use super::file::LIMIT;
use super::{DataError, ImageSet, ImageShape, Place, Result};

/// What images become. Default: RGB of 32 x 32, other sizes are errors.
///
/// ```
/// use puad_data::ImageShape;
/// use puad_data::image_folder::ImageFolderConfig;
///
/// // Grey, whatever size the files have.
/// let shape = ImageShape { channels: 1, height: 64, width: 64 };
/// let config = ImageFolderConfig { shape, resize: true };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFolderConfig {
    /// Shape of every image, with 1 channel (grey; colours by their luma) or 3 (RGB; grey is
    /// repeated). Transparency is dropped.
    pub shape: ImageShape,
    /// Scale images of other sizes, without keeping their aspect ratio (triangle filter,
    /// antialiased).
    pub resize: bool,
}

/// The images of a folder.
///
/// ```no_run
/// use puad_data::image_folder::{self, ImageFolderConfig};
///
/// let folder = image_folder::read("photos", &ImageFolderConfig::default())?;
/// for (path, label) in folder.paths.iter().zip(folder.images.labels()) {
///     println!("{} is of {}", path.display(), folder.classes[usize::from(*label)]);
/// }
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFolder {
    /// Images and labels; a label is a position in `classes`.
    pub images: ImageSet,
    /// Names of the subfolders, sorted.
    pub classes: Vec<String>,
    /// The file of each image, `[n]`.
    pub paths: Vec<PathBuf>,
}

/// Reads every `.png`, `.jpg` and `.jpeg` file (in any case) of every subfolder of `root`, classes
/// and files each sorted by name. Other files, folders within the subfolders and names that start
/// with a dot are left out. A file may lie about its format: its content is what counts.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`] for what cannot be decoded;
/// [`DataError::Shape`] for an image of another size, [`DataError::Unsupported`] for one that is neither
/// PNG nor JPEG; [`DataError::Malformed`] for no class or more than 256, [`DataError::Missing`] for one
/// without an image, [`DataError::Shape`] for more than 2 GiB of pixels; [`DataError::Config`] for a
/// shape that no image has. An image beyond 16,384 pixels a side or
/// 256 MiB is an error.
///
/// ```no_run
/// use puad_data::image_folder::{self, ImageFolderConfig};
///
/// let config = ImageFolderConfig { resize: true, ..ImageFolderConfig::default() };
/// let folder = image_folder::read("photos", &config)?;
/// println!("{} images of {:?}", folder.images.len(), folder.classes);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(root: impl AsRef<Path>, config: &ImageFolderConfig) -> Result<ImageFolder> {
    read_folder(root.as_ref(), config)
}

fn read_folder(root: &Path, config: &ImageFolderConfig) -> Result<ImageFolder, DataError> {
    check_shape(config.shape)?;
    let folders: Vec<PathBuf> = entries(root)?.into_iter().filter(|p| p.is_dir()).collect();
    if folders.is_empty() || folders.len() > 256 {
        return Err(DataError::Malformed {
            path: root.into(),
            place: Place::Whole,
            rule: "there must be 1 to 256 folders of classes",
            found: folders.len().to_string(),
        });
    }
    let (mut pixels, mut labels, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for (label, folder) in (0..=255).zip(&folders) {
        let files = entries(folder)?.into_iter();
        let files: Vec<PathBuf> = files.filter(|p| is_image(p) && p.is_file()).collect();
        if files.is_empty() {
            return Err(DataError::Missing {
                path: folder.clone(),
                name: "*.png or *.jpg".into(),
                present: vec![],
            });
        }
        for path in files {
            let bytes = fs::read(&path).map_err(|e| fail(&path, e))?;
            pixels.extend(decode(&bytes, &path, config.shape, config.resize)?);
            labels.push(label);
            paths.push(path);
            if pixels.len() as u64 > LIMIT {
                let shape = vec![labels.len(), config.shape.volume()?];
                return Err(DataError::too_large(root, shape, 1, LIMIT));
            }
        }
    }
    Ok(ImageFolder {
        images: ImageSet::new(pixels, config.shape, labels)?,
        classes: folders.iter().map(|folder| name(folder)).collect(),
        paths,
    })
}

/// What a folder holds but for hidden names, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| fail(folder, e))? {
        let path = entry.map_err(|e| fail(folder, e))?.path();
        if !name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].iter().any(|known| ending == *known)
}

fn fail(path: &Path, source: io::Error) -> DataError {
    DataError::read(path, 0, source)
}
