//! CIFAR-10 and CIFAR-100 as Parquet with encoded images, as the Hugging Face hub has them; needs the
//! feature `parquet`.
//!
//! A file has the column `img`, a structure of `bytes` (PNG or JPEG) and `path`, and integer columns
//! of labels: `label` in CIFAR-10, `fine_label` and `coarse_label` (the superclass) in CIFAR-100.
//!
//! The crate `parquet` decodes the file, and takes memory for what headers promise. What they promise is
//! checked before: the footer has at most 2 MiB, the fields of the format, and a schema of at most 1000
//! columns and groups, 8 deep; a page unpacks to at most 256 MiB, and its values and a dictionary's are no
//! more than the group's rows. A file made to that end may still cost a few hundred MiB for its footer or
//! a page, and 2 GiB of pixels; and the decoder is a third party's, whose every step these checks do not
//! foresee: they are no proof against hostile files.
//!
//! Pages must be encoded plainly or by dictionary, as most writers do unasked, not by differences.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::Result;
use crate::encoded::decode;
use crate::file::LIMIT;
use crate::{DataError, ImageSet, ImageShape, Place, TrainTest};
use crate::{parquet_footer, parquet_pages};

const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// Rows that are read at a time.
const CHUNK: usize = 256;

/// Reads CIFAR-10 from the folder that holds `train.parquet` and `test.parquet`, or the hub's
/// `train-00000-of-00001.parquet` and `test-00000-of-00001.parquet`.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`] for what cannot be decoded,
/// [`DataError::Missing`] for a column, [`DataError::Unsupported`] for one of another type or what is no
/// image, [`DataError::Malformed`] (no Parquet, or a missing value), [`DataError::Value`] for a label,
/// [`DataError::Shape`] or [`DataError::TooLarge`]. An image's path is `file.parquet/#row`.
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar_parquet::load_10("data/cifar10")?;
/// assert_eq!((images.train.len(), images.test.len()), (50_000, 10_000));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_10(dir: impl AsRef<Path>) -> Result<TrainTest> {
    load(dir.as_ref(), "label", 10)
}

/// Reads CIFAR-100, labeled by its 20 superclasses, from files of the same names.
///
/// # Errors
/// As [`load_10`].
///
/// ```no_run
/// let images = puad_data::benchmarks::cifar_parquet::load_100("data/cifar100")?;
/// assert!(images.test.labels().iter().all(|&superclass| superclass < 20));
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn load_100(dir: impl AsRef<Path>) -> Result<TrainTest> {
    load(dir.as_ref(), "coarse_label", 20)
}

fn load(dir: &Path, label: &str, classes: u8) -> Result<TrainTest> {
    let [train, test] = files(dir);
    Ok(TrainTest {
        train: read(train, label, classes)?,
        test: read(test, label, classes)?,
    })
}

/// The files of the two parts: those of the hub's names where they are, or else plain ones.
pub(crate) fn files(dir: &Path) -> [PathBuf; 2] {
    ["train", "test"].map(|part| {
        let hub = dir.join(format!("{part}-00000-of-00001.parquet"));
        match hub.exists() {
            true => hub,
            false => dir.join(format!("{part}.parquet")),
        }
    })
}

/// Reads one file, whose labels are the column `label` and lie below `classes`.
///
/// # Errors
/// As [`load_10`].
///
/// ```no_run
/// let fine = puad_data::benchmarks::cifar_parquet::read("data/cifar100/test.parquet", "fine_label", 100)?;
/// assert_eq!(fine.len(), 10_000);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read(path: impl AsRef<Path>, label: &str, classes: u8) -> Result<ImageSet> {
    let path = path.as_ref();
    // The crate asserts where a damaged file breaks its rules.
    let outcome = catch_unwind(AssertUnwindSafe(|| read_file(path, label, classes)));
    let panicked = || io::Error::new(io::ErrorKind::InvalidData, "the Parquet decoder panicked");
    Ok(outcome.unwrap_or_else(|_| Err(broken(path, panicked())))?)
}

fn broken(path: &Path, source: io::Error) -> DataError {
    DataError::read(path, 0, source)
}

fn read_file(path: &Path, label: &str, classes: u8) -> Result<ImageSet, DataError> {
    let fail = |error: ParquetError| broken(path, error.into());
    let file = File::open(path).map_err(|e| broken(path, e))?;
    parquet_footer::check(&file, path)?;
    let second = file.try_clone().map_err(|e| broken(path, e))?;
    let reader = SerializedFileReader::new(second).map_err(fail)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> = schema.columns().iter().map(|c| c.path().string()).collect();
    let column = |key: &str| {
        let at = names.iter().position(|name| name == key);
        at.ok_or_else(|| DataError::Missing {
            path: path.into(),
            name: key.into(),
            present: names.clone(),
        })
    };
    let (image_column, label_column) = (column("img.bytes")?, column(label)?);
    let mut rows = Rows {
        path,
        file,
        classes,
        pixels: vec![],
        labels: vec![],
    };
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(fail)?;
        let n = rows.promised(group.metadata().num_rows())?;
        rows.labels_of(&*group, label_column, n)?;
        rows.images_of(&*group, image_column, n)?;
    }
    ImageSet::new(rows.pixels, SHAPE, rows.labels)
}

/// What has been read.
struct Rows<'a> {
    path: &'a Path,
    /// For a look at what the crate is about to read.
    file: File,
    classes: u8,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Rows<'_> {
    /// The number of rows of a group, if there is room for them.
    fn promised(&self, rows: i64) -> Result<usize, DataError> {
        let n = usize::try_from(rows).unwrap_or(usize::MAX);
        let all = self.labels.len().saturating_add(n);
        let volume = SHAPE.volume()?;
        if all.saturating_mul(volume) as u64 > LIMIT {
            return Err(DataError::TooLarge {
                path: self.path.into(),
                shape: vec![all, SHAPE.channels, SHAPE.height, SHAPE.width],
                element_bytes: 1,
                limit: LIMIT,
            });
        }
        Ok(n)
    }

    fn labels_of(
        &mut self,
        group: &dyn RowGroupReader,
        column: usize,
        n: usize,
    ) -> Result<(), DataError> {
        let values = match self.reader(group, column, n)? {
            ColumnReader::Int64ColumnReader(reader) => self.column(reader, n)?,
            ColumnReader::Int32ColumnReader(reader) => {
                let values = self.column(reader, n)?;
                values.into_iter().map(i64::from).collect()
            }
            _ => return Err(self.wrong_type("labels must be integers")),
        };
        for value in values {
            let label = u8::try_from(value).ok();
            let Some(label) = label.filter(|&label| label < self.classes) else {
                return Err(DataError::Value {
                    path: self.path.into(),
                    place: Place::Row(self.labels.len()),
                    rule: format!("labels must lie below {}", self.classes),
                    found: value.to_string(),
                });
            };
            self.labels.push(label);
        }
        Ok(())
    }

    /// Decodes the images of a group, of which the labels have been read.
    fn images_of(
        &mut self,
        group: &dyn RowGroupReader,
        column: usize,
        n: usize,
    ) -> Result<(), DataError> {
        let ColumnReader::ByteArrayColumnReader(mut reader) = self.reader(group, column, n)? else {
            return Err(self.wrong_type("img.bytes must be byte arrays"));
        };
        let first = self.labels.len() - n;
        let mut row = 0;
        while row < n {
            let images: Vec<ByteArray> = self.chunk(&mut reader, (n - row).min(CHUNK))?;
            for (i, image) in images.iter().enumerate() {
                let name = self.name(first + row + i);
                let pixels = decode(image.data(), &name, SHAPE, false)?;
                self.pixels.extend(pixels);
            }
            row += images.len();
        }
        Ok(())
    }

    fn name(&self, row: usize) -> PathBuf {
        self.path.join(format!("#{row}"))
    }

    fn wrong_type(&self, rule: &'static str) -> DataError {
        DataError::Unsupported {
            path: self.path.into(),
            rule,
            found: "another type".into(),
        }
    }

    fn malformed(&self, rule: &'static str, found: String) -> DataError {
        DataError::Malformed {
            path: self.path.into(),
            place: Place::Whole,
            rule,
            found,
        }
    }

    fn reader(
        &self,
        group: &dyn RowGroupReader,
        column: usize,
        rows: usize,
    ) -> Result<ColumnReader, DataError> {
        // The crate asserts these.
        let chunk = group.metadata().column(column);
        let places = [
            chunk.compressed_size(),
            chunk.data_page_offset(),
            chunk.dictionary_page_offset().unwrap_or(0),
        ];
        if places.iter().any(|&place| place < 0) {
            let rule = "offsets and sizes of columns must not be negative";
            return Err(self.malformed(rule, format!("{places:?}")));
        }
        parquet_pages::check(&self.file, self.path, chunk.byte_range(), rows)?;
        let reader = group.get_column_reader(column);
        reader.map_err(|e| broken(self.path, e.into()))
    }

    fn column<T: DataType>(
        &self,
        mut reader: ColumnReaderImpl<T>,
        n: usize,
    ) -> Result<Vec<T::T>, DataError> {
        let mut values = Vec::new();
        while values.len() < n {
            let most = (n - values.len()).min(CHUNK);
            values.append(&mut self.chunk(&mut reader, most)?);
        }
        Ok(values)
    }

    /// Up to `most` values, at least one; none may be missing.
    fn chunk<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        most: usize,
    ) -> Result<Vec<T::T>, DataError> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let read = reader.read_records(most, Some(&mut levels), None, &mut values);
        let (records, found, _) = read.map_err(|e| broken(self.path, e.into()))?;
        if records == 0 || found != records || values.len() != records {
            let rule = "every row must have an image and a label";
            return Err(self.malformed(rule, format!("{found} values of {most} rows")));
        }
        Ok(values)
    }
}
