#[cfg(feature = "parquet")]
use std::ops::Range;
use std::path::Path;

use crate::Result;
use crate::labeled_rows::check_finite;

/// Some samples of a file, in its order.
///
/// ```
/// use puad_data::stream::{TableReader, Values};
///
/// let path = std::env::temp_dir().join(format!("batch-{}.csv", std::process::id()));
/// std::fs::write(&path, "1,2\n3,4\n")?;
/// let all = TableReader::open(&path)?.read()?;
/// assert_eq!((all.shape, all.values), (vec![2, 2], Values::F64(vec![1., 2., 3., 4.])));
/// std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[n, ...]`.
    pub shape: Vec<usize>,
    /// In row-major order.
    pub values: Values,
    /// The rows' own names, `[n]`; empty where the file has none.
    pub ids: Vec<String>,
}

/// Numbers of the type that holds all of the file's.
///
/// ```
/// use puad_data::stream::Values;
///
/// let sum = |values: Values| match values {
///     Values::U8(values) => values.into_iter().map(f64::from).sum::<f64>(),
///     Values::F32(values) => values.into_iter().map(f64::from).sum(),
///     Values::F64(values) => values.into_iter().sum(),
/// };
/// assert_eq!(sum(Values::F32(vec![1., 2.])), 3.);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 8-bit integers without a sign, such as pixels.
    U8(Vec<u8>),
    /// 32 bits.
    F32(Vec<f32>),
    /// 64 bits.
    F64(Vec<f64>),
}

impl Batch {
    /// An error for the first value that is no finite number, of rows from `first` of the file on.
    pub(crate) fn check_finite(&self, path: &Path, names: &[String], first: u64) -> Result<()> {
        let Some((at, value)) = self.values.first_not_finite() else {
            return Ok(());
        };
        let width: usize = self.shape[1..].iter().product();
        let row = first as usize + at / width;
        let values = std::iter::repeat_n(0., at % width).chain([value]);
        check_finite(Some(path), names, row, width, values)
    }
}

impl Values {
    /// Behind these others of one type; of two types all become f64.
    pub(crate) fn extend(&mut self, others: Self) {
        match (&mut *self, others) {
            (Self::U8(all), Self::U8(others)) => all.extend(others),
            (Self::F32(all), Self::F32(others)) if all.is_empty() => *all = others,
            (Self::F32(all), Self::F32(others)) => all.extend(others),
            (Self::F64(all), Self::F64(others)) if all.is_empty() => *all = others,
            (Self::F64(all), Self::F64(others)) => all.extend(others),
            (all, others) => {
                let first = std::mem::replace(all, Self::F64(vec![]));
                *all = Self::F64([first.into_f64(), others.into_f64()].concat());
            }
        }
    }

    /// Some of the values, copied.
    #[cfg(feature = "parquet")]
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::U8(values) => Self::U8(values[range].to_vec()),
            Self::F32(values) => Self::F32(values[range].to_vec()),
            Self::F64(values) => Self::F64(values[range].to_vec()),
        }
    }

    pub(crate) fn into_f64(self) -> Vec<f64> {
        match self {
            Self::U8(values) => values.into_iter().map(f64::from).collect(),
            Self::F32(values) => values.into_iter().map(f64::from).collect(),
            Self::F64(values) => values,
        }
    }

    /// The position of the first value that is NaN or infinite, and what it is.
    pub(crate) fn first_not_finite(&self) -> Option<(usize, f64)> {
        let found = |at: Option<usize>, value: &dyn Fn(usize) -> f64| at.map(|at| (at, value(at)));
        match self {
            Self::U8(_) => None,
            Self::F32(values) => {
                let at = values.iter().position(|value| !value.is_finite());
                found(at, &|at| values[at].into())
            }
            Self::F64(values) => {
                let at = values.iter().position(|value| !value.is_finite());
                found(at, &|at| values[at])
            }
        }
    }

    /// As f32 where that holds every value of the file's type, else as f64.
    pub(crate) fn new(values: Vec<f64>, fits_f32: bool) -> Self {
        if fits_f32 {
            Self::F32(values.into_iter().map(|v| v as f32).collect())
        } else {
            Self::F64(values)
        }
    }
}
