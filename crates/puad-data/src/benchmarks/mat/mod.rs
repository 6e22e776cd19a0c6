//! Numeric arrays of MATLAB files of version 5 (saved by versions 5 to 7.2, or by SciPy); needs the
//! feature `benchmarks`.
//!
//! A file starts with 128 bytes: text, the version, and `MI` in the writer's byte order. Then come
//! elements, each a tag of type and size with its data, padded to 8 bytes; up to 4 bytes of data fit
//! into the tag. A variable is a `miMATRIX` of flags, dimensions, name and values in column-major
//! order, alone or packed by zlib in a `miCOMPRESSED`. Values may be stored in a smaller type than
//! the variable's class.
//!
//! # References
//! MathWorks, MAT-File Format, chapter "Level 5 MAT-File Format".

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;

use self::element::{COMPRESSED, MATRIX, tag_of, u16_of};
use self::matrix::Matrix;
use crate::array::Array;
use crate::file::Source;
use crate::{DataError, Result};

mod element;
mod matrix;

const HEADER: u64 = 128;

/// Reads the variables `keys`, in their order. Others are read over. At most 2 GiB of values of each
/// are read. The arrays are column-major, as the file holds them.
///
/// # Errors
/// [`DataError::MissingFile`], [`DataError::Read`], [`DataError::FileSize`], [`DataError::Malformed`],
/// [`DataError::Unsupported`] (version 7.3, which is HDF5; text, structures, sparse or complex values),
/// [`DataError::Shape`] for more than 2 GiB or [`DataError::Missing`]. In
/// a packed variable, the path is `file.mat/#n` for the `n`-th variable, and offsets are those of its
/// unpacked bytes.
///
/// ```
/// use puad_data::{DataError, benchmarks::mat};
///
/// let path = std::env::temp_dir().join(format!("hdf5-{}.mat", std::process::id()));
/// // As MATLAB saves with `-v7.3`: HDF5 behind a header of its own.
/// let mut header = [b' '; 128];
/// header[124..].copy_from_slice(b"\x00\x02IM");
/// std::fs::write(&path, header)?;
/// match mat::read(&path, ["X"]) {
///     Err(DataError::Unsupported { found, .. }) => {
///         println!("saved as version {found}: save it again with -v7");
///     }
///     other => panic!("{other:?}"),
/// }
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```no_run
/// let [images, labels] = puad_data::benchmarks::mat::read("train_32x32.mat", ["X", "y"])?;
/// assert_eq!(images.shape(), [32, 32, 3, 73_257]);
/// assert_eq!(labels.shape(), [73_257, 1]);
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn read<const N: usize>(path: impl AsRef<Path>, keys: [&str; N]) -> Result<[Array; N]> {
    let path = path.as_ref();
    let mut file = Source::open(path)?;
    let big_endian = header(&mut file)?;
    let mut found: [Option<Array>; N] = std::array::from_fn(|_| None);
    let mut names = BTreeSet::new();
    while let Some((name, array)) = variable(&mut file, big_endian, names.len(), &keys)? {
        if names.contains(&name) {
            let rule = "names of variables must differ";
            return Err(file.malformed(file.offset(), rule, format!("{name:?} twice")));
        }
        if let Some(at) = keys.iter().position(|key| *key == name) {
            found[at] = array;
        }
        names.insert(name);
    }
    if let Some(at) = found.iter().position(Option::is_none) {
        return Err(DataError::Missing {
            path: path.into(),
            name: keys[at].into(),
            present: names.into_iter().collect(),
        });
    }
    Ok(found.map(|array| array.expect("every key was found")))
}

/// Reads the 128 bytes; whether the file is big endian.
fn header(file: &mut Source<'_>) -> Result<bool> {
    let bytes = file.read_bytes(HEADER)?;
    let big_endian = match &bytes[126..] {
        b"IM" => false,
        b"MI" => true,
        other => {
            let rule = "MATLAB 5 files must have 'MI' or 'IM' at byte 126";
            return Err(file.malformed(126, rule, format!("{other:?}")));
        }
    };
    let version = u16_of([bytes[124], bytes[125]], big_endian);
    if version != 0x100 {
        let rule = "MATLAB files must be of version 5 (0x0100)";
        return Err(file.unsupported(rule, format!("{version:#06x}")));
    }
    Ok(big_endian)
}

/// Reads the next variable, or `None` at the end. Its values only if it is one of `keys`.
fn variable(
    file: &mut Source<'_>,
    big_endian: bool,
    number: usize,
    keys: &[&str],
) -> Result<Option<(String, Option<Array>)>> {
    let at = file.offset();
    let Some(tag) = file.next::<8>()? else {
        return Ok(None);
    };
    let (kind, size) = tag_of(tag, big_endian);
    let path = || file.path().to_path_buf();
    match kind {
        MATRIX => {
            let (path, start) = (path(), file.offset());
            let part = Source::new(path, file.part(size.into()), start);
            let variable = Matrix::new(part, big_endian, size).read(keys)?;
            let rest = start + u64::from(size) - file.offset();
            file.skip(rest)?;
            Ok(Some(variable))
        }
        COMPRESSED => {
            let path = path().join(format!("#{number}"));
            let start = file.offset();
            let variable = packed(path, file, big_endian, size, keys)?;
            let rest = start + u64::from(size) - file.offset();
            file.skip(rest)?;
            Ok(Some(variable))
        }
        _ => {
            let rule = "MATLAB files must be made of elements of type 14 or 15";
            Err(file.malformed(at, rule, format!("type {kind}")))
        }
    }
}

/// Reads a variable out of `size` bytes of zlib.
fn packed(
    path: PathBuf,
    file: &mut Source<'_>,
    big_endian: bool,
    size: u32,
    keys: &[&str],
) -> Result<(String, Option<Array>)> {
    let unpacked = ZlibDecoder::new(file.part(size.into()));
    let mut source = Source::new(path, unpacked, 0);
    let (kind, len) = tag_of(source.array()?, big_endian);
    if kind != MATRIX {
        let rule = "packed MATLAB elements must hold an element of type 14";
        return Err(source.malformed(0, rule, format!("type {kind}")));
    }
    Matrix::new(source, big_endian, len).read(keys)
}

#[cfg(test)]
mod tests {
    use super::element::{INT8, INT32, UINT32};
    use super::matrix::COMPLEX;
    use super::*;
    use crate::Place;
    use crate::file::LIMIT;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    /// Writes files by the format's description, in both byte orders.
    #[derive(Clone, Copy)]
    struct Writer {
        big: bool,
    }

    impl Writer {
        fn word(self, value: u32) -> [u8; 4] {
            if self.big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        }

        fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
            let size = data.len() as u32;
            let mut bytes = [self.word(kind), self.word(size)].concat();
            bytes.extend(data);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        }

        fn small(self, kind: u32, data: &[u8]) -> Vec<u8> {
            let mut bytes = self.word((data.len() as u32) << 16 | kind).to_vec();
            bytes.extend(data);
            bytes.resize(8, 0);
            bytes
        }

        fn matrix(self, flags: u32, dims: &[i32], name: &str, values: Vec<u8>) -> Vec<u8> {
            let flags = [self.word(flags), [0; 4]].concat();
            let dims: Vec<[u8; 4]> = dims.iter().map(|d| self.word(d.cast_unsigned())).collect();
            let name = match name.len() {
                0..=4 => self.small(INT8, name.as_bytes()),
                _ => self.element(INT8, name.as_bytes()),
            };
            let parts = [
                self.element(UINT32, &flags),
                self.element(INT32, &dims.concat()),
                name,
            ];
            self.element(MATRIX, &[parts.concat(), values].concat())
        }

        fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
            let mut bytes = vec![b' '; 124];
            bytes.extend(if self.big {
                [1, 0, b'M', b'I']
            } else {
                [0, 1, b'I', b'M']
            });
            bytes.extend(elements.concat());
            bytes
        }

        fn packed(self, matrix: &[u8]) -> Vec<u8> {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(matrix).unwrap();
            let data = encoder.finish().unwrap();
            // Without padding, as MATLAB writes it.
            [
                &self.word(COMPRESSED)[..],
                &self.word(data.len() as u32),
                &data,
            ]
            .concat()
        }

        /// A 2x3 int16 `X` stored as int16, and a double `y` stored as bytes.
        fn variables(self) -> [Vec<u8>; 2] {
            let values = [1i16, -2, 3, 400, 5, 6];
            let values = values.map(|v| {
                if self.big {
                    v.to_be_bytes()
                } else {
                    v.to_le_bytes()
                }
            });
            [
                self.matrix(10, &[2, 3], "X", self.element(3, &values.concat())),
                self.matrix(6, &[3, 1], "y", self.small(2, &[10, 1, 2])),
            ]
        }
    }

    const LITTLE: Writer = Writer { big: false };

    fn load<const N: usize>(bytes: &[u8], keys: [&str; N]) -> Result<[Array; N]> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mat");
        std::fs::write(&path, bytes).unwrap();
        read(path, keys)
    }

    fn error(bytes: &[u8]) -> DataError {
        load(bytes, ["X", "y"]).unwrap_err()
    }

    /// `X` alone, which is at fault, and a good `y`.
    fn with_x(x: Vec<u8>) -> DataError {
        let [_, y] = LITTLE.variables();
        let plain = error(&LITTLE.file(&[x.clone(), y.clone()]));
        let packed = error(&LITTLE.file(&[LITTLE.packed(&x), y]));
        assert_eq!(
            std::mem::discriminant(&plain),
            std::mem::discriminant(&packed)
        );
        plain
    }

    #[test]
    fn both_byte_orders_plain_and_packed_in_any_order() {
        for big in [false, true] {
            let writer = Writer { big };
            let [x, y] = writer.variables();
            // A cell array and a long name are read over.
            let other = writer.matrix(1, &[2, 3], "a_long_name", vec![]);
            for elements in [
                vec![x.clone(), y.clone(), other.clone()],
                vec![writer.packed(&y), writer.packed(&other), writer.packed(&x)],
                vec![other, y, writer.packed(&x)],
            ] {
                let [a, b] = load(&writer.file(&elements), ["X", "y"]).unwrap();
                assert_eq!((a.shape(), b.shape()), (&[2, 3][..], &[3, 1][..]));
                // Rows of the column-major values.
                assert_eq!(a.to_f64(), [1., 3., 5., -2., 400., 6.]);
                assert_eq!(b.to_f64(), [10., 1., 2.]);
            }
        }
    }

    #[test]
    fn truncated_at_every_byte() {
        let [x, y] = LITTLE.variables();
        for elements in [
            [x.clone(), y.clone()],
            [LITTLE.packed(&x), LITTLE.packed(&y)],
        ] {
            let whole = LITTLE.file(&elements);
            for len in 0..whole.len() {
                match error(&whole[..len]) {
                    DataError::FileSize {
                        actual: Some(_), ..
                    }
                    | DataError::Read { .. } => {}
                    // Whole variables less, which only the names can tell.
                    DataError::Missing { .. } => {
                        assert!(len == 128 || len == 128 + elements[0].len(), "{len}")
                    }
                    error => panic!("{len}: {error}"),
                }
            }
        }
    }

    #[test]
    fn other_files_and_versions() {
        let good = LITTLE.file(&LITTLE.variables());
        let mut hdf5 = good.clone();
        hdf5[124..126].copy_from_slice(&[0, 2]);
        let err = error(&hdf5);
        assert!(
            matches!(&err, DataError::Unsupported { found, .. } if found == "0x0200"),
            "{err}"
        );
        let mut other = good.clone();
        other[127] = b'?';
        let err = error(&other);
        assert!(
            matches!(
                &err,
                DataError::Malformed {
                    place: Place::Byte(126),
                    ..
                }
            ),
            "{err}"
        );
        let mut kind = good;
        kind[128] = 13;
        let err = error(&kind);
        assert!(
            matches!(
                &err,
                DataError::Malformed {
                    place: Place::Byte(128),
                    ..
                }
            ),
            "{err}"
        );
    }

    #[test]
    fn elements_must_keep_their_rules() {
        let values = || LITTLE.element(2, &[1; 6]);
        for x in [
            // Dimensions: too few, negative, more than the values fill, fewer.
            LITTLE.matrix(9, &[6], "X", values()),
            LITTLE.matrix(9, &[-1, 6], "X", values()),
            LITTLE.matrix(9, &[2, 4], "X", values()),
            LITTLE.matrix(9, &[2, 2], "X", values()),
            LITTLE.matrix(9, &[1; 33], "X", values()),
            // A size beyond the matrix.
            LITTLE.matrix(9, &[2, 3], "X", [2, 0, 0, 0, 255, 0, 0, 0].into()),
            // A small element of five bytes.
            LITTLE.matrix(9, &[1, 5], "X", [2, 0, 5, 0, 1, 1, 1, 1].into()),
            LITTLE.matrix(9, &[2, 3], &"X".repeat(1025), values()),
        ] {
            let err = with_x(x);
            assert!(matches!(err, DataError::Malformed { .. }), "{err}");
        }
        let [x, y] = LITTLE.variables();
        let err = error(&LITTLE.file(&[x.clone(), y, x.clone()]));
        assert!(
            matches!(&err, DataError::Malformed { found, .. } if found == "\"X\" twice"),
            "{err}"
        );
        let err = error(&LITTLE.file(&[x]));
        assert!(
            matches!(&err, DataError::Missing { name, present, .. }
                if name == "y" && *present == ["X"]),
            "{err}"
        );
    }

    #[test]
    fn only_real_numbers_are_read() {
        // Cell, structure, text, sparse; complex; then storage types of text and matrices.
        for class in [1, 2, 4, 5, 6 | COMPLEX] {
            let err = with_x(LITTLE.matrix(class, &[2, 3], "X", LITTLE.element(2, &[1; 6])));
            assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
        }
        for kind in [8, 14, 16, 0xffff] {
            let err = with_x(LITTLE.matrix(9, &[2, 3], "X", LITTLE.element(kind, &[1; 6])));
            assert!(matches!(err, DataError::Unsupported { .. }), "{err}");
        }
    }

    #[test]
    fn absurd_dimensions() {
        let max = i32::MAX;
        for dims in [[max, max, max], [max, 2, 1], [1 << 20, 1 << 20, 1 << 20]] {
            let err = with_x(LITTLE.matrix(9, &dims, "X", LITTLE.element(2, &[1; 6])));
            assert!(
                matches!(&err, DataError::Shape { expected, .. } if expected.contains(&LIMIT.to_string())),
                "{err}"
            );
        }
        // 2 GB are promised within the limit, by a file of 200 bytes.
        let mut x = LITTLE.matrix(9, &[max, 1], "X", LITTLE.element(2, &[1; 6]));
        let at = x.len() - 12;
        x[at..at + 4].copy_from_slice(&LITTLE.word(max as u32));
        x[4..8].copy_from_slice(&LITTLE.word(u32::MAX));
        for x in [LITTLE.packed(&x), x] {
            let err = error(&LITTLE.file(&[x]));
            assert!(
                matches!(
                    err,
                    DataError::FileSize {
                        actual: Some(_),
                        ..
                    }
                ),
                "{err}"
            );
        }
    }

    #[test]
    fn what_follows_packed_values_and_wrong_checksums_are_errors() {
        let [x, y] = LITTLE.variables();
        let long = LITTLE.packed(&[x.as_slice(), &[0; 8]].concat());
        let err = error(&LITTLE.file(&[long, y.clone()]));
        assert!(
            matches!(&err, DataError::FileSize { path, actual: None, .. } if path.ends_with("#0")),
            "{err}"
        );
        let mut wrong = LITTLE.packed(&x);
        let last = wrong.len() - 1;
        wrong[last] ^= 1;
        let err = error(&LITTLE.file(&[wrong, y]));
        assert!(matches!(err, DataError::Read { .. }), "{err}");
    }

    /// 100 MB of zeros behind a name that nobody asked for cost nothing.
    #[test]
    fn a_bomb_in_another_variable_is_read_over() {
        let [x, y] = LITTLE.variables();
        let bomb = LITTLE.matrix(
            9,
            &[100_000_000, 1],
            "z",
            LITTLE.element(2, &vec![0; 100_000_000]),
        );
        let file = LITTLE.file(&[LITTLE.packed(&bomb), x, y]);
        assert!(file.len() < 1_000_000);
        assert!(load(&file, ["X", "y"]).is_ok());
    }

    proptest::proptest! {
        /// No changed byte makes the reader panic or give arrays of a size that is not promised.
        #[test]
        fn any_changed_byte_is_read_or_refused(at in 120usize..400, value: u8, pack: bool) {
            let [mut x, y] = LITTLE.variables();
            if pack {
                x = LITTLE.packed(&x);
            }
            let mut bytes = LITTLE.file(&[x, y]);
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(arrays) = load(&bytes, ["X", "y"]) { for a in arrays {
                assert_eq!(a.len(), a.shape().iter().product::<usize>());
            } }
        }
    }
}
