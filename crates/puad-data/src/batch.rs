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
}

/// Numbers of the type that holds all of the file's.
///
/// ```
/// use puad_data::stream::Values;
///
/// let sum = |values: Values| match values {
///     Values::F32(values) => values.into_iter().map(f64::from).sum::<f64>(),
///     Values::F64(values) => values.into_iter().sum(),
/// };
/// assert_eq!(sum(Values::F32(vec![1., 2.])), 3.);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32 bits.
    F32(Vec<f32>),
    /// 64 bits.
    F64(Vec<f64>),
}

impl Values {
    pub(crate) fn into_f64(self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.into_iter().map(f64::from).collect(),
            Self::F64(values) => values,
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
