/// Some samples of a file, in its order.
///
/// ```
/// use puad_data::stream::{TableReader, Values};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("table.csv");
/// std::fs::write(&path, "1,2\n3,4\n").unwrap();
/// let all = TableReader::open(&path)?.read()?;
/// assert_eq!((all.shape, all.values), (vec![2, 2], Values::F64(vec![1., 2., 3., 4.])));
/// # Ok::<(), puad_data::DataError>(())
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
