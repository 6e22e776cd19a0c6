use serde::{Deserialize, Serialize};

/// How a CSV file is read.
///
/// ```
/// use puad_data::stream::{CsvOptions, TableReader};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("machines.csv");
/// std::fs::write(&path, "id;pressure;heat\n17;0.5;80\n18;0.7;85\n").unwrap();
/// let options = CsvOptions { delimiter: b';', columns: Some(vec![1, 2]), ..Default::default() };
/// let mut table = TableReader::csv(&path, &options)?;
/// let batch = table.next_batch(100)?.expect("the file has lines");
/// assert_eq!(batch.values, puad_data::stream::Values::F64(vec![0.5, 80., 0.7, 85.]));
/// # Ok::<(), puad_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// Between the fields of a line.
    pub delimiter: u8,
    /// Whether the first line holds names. `None`: if one of its fields is no number.
    pub header: Option<bool>,
    /// The columns that are features, counted from 0, in the order they are to have. `None`: all.
    pub columns: Option<Vec<usize>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: None,
            columns: None,
        }
    }
}
