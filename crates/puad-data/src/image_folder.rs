//! Folders of PNG and JPEG files, `root/class/image.png` or `root/image.png`; needs the feature `images`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encoded::Decoder;
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
/// let config = ImageFolderConfig { shape, resize: true, ..ImageFolderConfig::default() };
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
    /// Of images of 16 bits, how many count: 12 where white is 4095. `None`: all, but it is an error if no
    /// value is above half of 65535, since images of 10 to 14 bits are often stored so.
    pub bits: Option<u8>,
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
    /// Images and labels; a label is a position in `classes`, and 0 where there are none.
    pub images: ImageSet,
    /// Names of the subfolders, sorted; none if the images lie in the folder itself.
    pub classes: Vec<String>,
    /// The file of each image, `[n]`.
    pub paths: Vec<PathBuf>,
    /// What was left out: other files, folders within subfolders, images beside subfolders.
    pub left_out: Vec<PathBuf>,
}

/// Reads every `.png`, `.jpg` and `.jpeg` file (in any case) of every subfolder of `root`, classes
/// and files each sorted by name; without subfolders those of `root` itself. Other files and folders within
/// the subfolders are left out and told, names that start with a dot are left out. A file may lie about its
/// format: its content is what counts. Images are turned as their camera was held (EXIF).
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`] for what cannot be decoded;
/// [`DataError::Shape`] for an image of another size, [`DataError::Unsupported`] for one that is neither
/// PNG nor JPEG; [`DataError::Malformed`] for neither a class nor an image, for more than 256 classes, and for
/// a JPEG that is cut; [`DataError::Missing`] for a class
/// without an image, [`DataError::Shape`] for more than 2 GiB of pixels; [`DataError::Config`] for a
/// shape that no image has; [`DataError::Ambiguous`] for images of 16 bits without a bright value. An image beyond 16,384 pixels a side or
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
    let mut reading = Reading {
        decoder: Decoder::new(config.shape, config.resize, config.bits)?,
        pixels: vec![],
        labels: vec![],
        paths: vec![],
    };
    let (folders, files): (Vec<_>, Vec<_>) = entries(root)?.into_iter().partition(|p| p.is_dir());
    let (images, mut left_out): (Vec<_>, Vec<_>) = files.into_iter().partition(|p| is_image(p));
    let flat = folders.is_empty() && !images.is_empty();
    if flat {
        reading.add(root, config.shape, images, 0)?;
    } else if folders.is_empty() || folders.len() > 256 {
        return Err(DataError::Malformed {
            path: root.into(),
            place: Place::Whole,
            rule: "there must be images, or 1 to 256 folders of classes",
            found: format!("{} folders and no image", folders.len()),
        });
    } else {
        left_out.extend(images);
    }
    for (label, folder) in (0..=255).zip(&folders) {
        let all = entries(folder)?.into_iter();
        let (images, others): (Vec<_>, Vec<_>) = all.partition(|p| is_image(p) && p.is_file());
        if images.is_empty() {
            return Err(DataError::Missing {
                path: folder.clone(),
                name: "*.png or *.jpg".into(),
                present: others.iter().take(10).map(|path| name(path)).collect(),
            });
        }
        left_out.extend(others);
        reading.add(root, config.shape, images, label)?;
    }
    left_out.sort();
    reading.decoder.finish(root)?;
    Ok(ImageFolder {
        images: ImageSet::new(reading.pixels, config.shape, reading.labels)?,
        classes: folders.iter().map(|folder| name(folder)).collect(),
        paths: reading.paths,
        left_out,
    })
}

/// The images so far.
struct Reading {
    decoder: Decoder,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    paths: Vec<PathBuf>,
}

impl Reading {
    /// Decodes images of one class.
    fn add(
        &mut self,
        root: &Path,
        shape: ImageShape,
        images: Vec<PathBuf>,
        label: u8,
    ) -> Result<(), DataError> {
        for path in images {
            let bytes = fs::read(&path).map_err(|e| fail(&path, e))?;
            self.pixels.extend(self.decoder.decode(&bytes, &path)?);
            self.labels.push(label);
            self.paths.push(path);
            if self.pixels.len() as u64 > LIMIT {
                let shape = vec![self.labels.len(), shape.volume()?];
                return Err(DataError::too_large(root, shape, 1, LIMIT));
            }
        }
        Ok(())
    }
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
