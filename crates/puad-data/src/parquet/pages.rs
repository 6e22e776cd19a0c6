//! The pages of a Parquet column, looked at before they are unpacked and before they are decoded.
//!
//! The crate `parquet` makes room for what a page's header promises, up to 2 GiB for the page, and for
//! as many values as it states of a dictionary; a file of a few kilobytes can promise that.
//!
//! # References
//! Apache Parquet, `parquet.thrift`, `PageHeader`; "Encodings".

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression, Encoding, Type};
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::reader::{ChunkReader, Length};
use ::parquet::file::serialized_reader::SerializedPageReader;

use super::gzip::Gzip;
use super::thrift::Walk;
use super::{broken, bytes_at, malformed};
use crate::{DataError, Place};

/// The largest page: 256 MiB, where writers aim at one.
const LARGEST: i64 = 1 << 28;

/// The longest header. Only the least and greatest value of the page can make it long, and writers
/// keep those short.
const HEADER: u64 = 1 << 16;

/// A file whose page headers are checked as they are read.
pub(super) struct Headers {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Headers {
    pub(super) fn new(file: File, path: &Path) -> std::io::Result<Self> {
        let (path, len) = (path.into(), file.metadata()?.len());
        Ok(Self { file, path, len })
    }

    /// The header that starts there, its end found and its sizes within the limit.
    fn header(&self, start: u64) -> crate::Result<Vec<u8>> {
        let mut bytes = bytes_at(&self.file, &self.path, start, HEADER)?;
        let mut walk = Walk::new(&bytes);
        let mut sizes = [0; 2];
        let mut outcome = walk.structure("Page", 0, &mut |id, value| match id {
            2 | 3 => sizes[usize::from(id) - 2] = value,
            _ => {}
        });
        if sizes.iter().any(|size| !(0..=LARGEST).contains(size)) {
            let rule = "Parquet pages must have 0 to 2^28 bytes, packed and unpacked";
            outcome = Err(walk.fault(rule, format!("{sizes:?}")));
        }
        outcome.map_err(|fault| fault.of(&self.path, start))?;
        bytes.truncate(walk.at());
        Ok(bytes)
    }
}

/// The pages of a column within a group.
struct Chunk {
    file: Arc<Headers>,
    gzip: Option<Gzip>,
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.file.len
    }
}

impl ChunkReader for Chunk {
    type T = Cursor<Vec<u8>>;

    /// The crate reads headers this way, and then their pages by the other.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let header = self.file.header(start).map_err(external)?;
        if let Some(gzip) = &self.gzip {
            gzip.promise(&header, &self.file.path, start)
                .map_err(external)?;
        }
        Ok(Cursor::new(header))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        let page = self.file.file.get_bytes(start, length)?;
        if let Some(gzip) = &self.gzip {
            gzip.check(&page, &self.file.path, start)
                .map_err(external)?;
        }
        Ok(page)
    }
}

fn external(error: DataError) -> ParquetError {
    ParquetError::External(error.into())
}

/// The pages of a column within a group of `rows` rows.
pub(super) fn pages(
    file: &Arc<Headers>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
) -> crate::Result<Box<dyn PageReader>> {
    // The crate asserts that none is negative.
    let places = [
        chunk.dictionary_page_offset().unwrap_or(0),
        chunk.data_page_offset(),
        chunk.compressed_size(),
    ];
    let inside = |&place: &i64| u64::try_from(place).is_ok_and(|place| place <= file.len);
    if !places.iter().all(inside) || chunk.num_values() != rows as i64 {
        let rule = "Parquet columns must lie in the file and have a value for each row";
        let found = format!("{places:?}, {} values of {rows}", chunk.num_values());
        return Err(malformed(&file.path, Place::Whole, rule, found));
    }
    let packing = chunk.compression();
    let known = matches!(
        packing,
        Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::ZSTD(_)
            | Compression::GZIP(_)
    );
    if !known {
        let (packing, column) = (packing.to_string(), chunk.column_path().string());
        let packing = packing.split('(').next().unwrap_or_default();
        return Err(DataError::Unsupported {
            path: file.path.clone(),
            rule: "Parquet columns must be packed by snappy, zstd or gzip, or not at all",
            found: format!("{packing} in column {column:?}"),
        });
    }
    let gzip = matches!(packing, Compression::GZIP(_)).then(Gzip::default);
    let file = Arc::clone(file);
    let path = file.path.clone();
    let inner = SerializedPageReader::new(Arc::new(Chunk { file, gzip }), chunk, rows, None);
    Ok(Box::new(Pages {
        inner: inner.map_err(|error| broken(&path, error))?,
        path,
        kind: chunk.column_type(),
    }))
}

struct Pages {
    inner: SerializedPageReader<Chunk>,
    path: PathBuf,
    kind: Type,
}

impl Pages {
    fn check(&self, page: &Page) -> crate::Result<()> {
        let encoding = page.encoding();
        let readable = match encoding {
            Encoding::PLAIN
            | Encoding::PLAIN_DICTIONARY
            | Encoding::RLE
            | Encoding::RLE_DICTIONARY => true,
            Encoding::DELTA_BINARY_PACKED | Encoding::BYTE_STREAM_SPLIT => {
                self.kind != Type::BYTE_ARRAY
            }
            // Values that say themselves how many they are.
            _ => false,
        };
        if !readable {
            return Err(DataError::Unsupported {
                path: self.path.clone(),
                rule: "Parquet pages must be plain or by dictionary, numbers also delta or split",
                found: encoding.to_string(),
            });
        }
        // A value of bytes has its length before it.
        let width = match self.kind {
            Type::INT64 | Type::DOUBLE => 8,
            _ => 4,
        };
        match page {
            Page::DictionaryPage {
                buf, num_values, ..
            } if *num_values as usize > buf.len() / width => {
                let rule = "Parquet dictionaries must have the bytes of their values";
                let found = format!("{} bytes for {num_values} values", buf.len());
                Err(malformed(&self.path, Place::Whole, rule, found))
            }
            _ => Ok(()),
        }
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        let outcome = page.iter().try_for_each(|page| self.check(page));
        outcome.map_err(external)?;
        Ok(page)
    }

    // Only skipping and columns of lists ask for these; the first would read a header twice.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.get_next_page().map(drop)
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}
