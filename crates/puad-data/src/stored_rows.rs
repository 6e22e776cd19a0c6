//! What a format of tables is where rows are read at any place.

use crate::Result;
use crate::batch::Batch;

/// What a format of tables is where rows are read at any place; see
/// [`TableOptions::stored`](crate::stream::TableOptions::stored). Threads may read at once.
pub trait StoredRows: Send + Sync {
    /// The dimensions of one row.
    fn sample_shape(&self) -> Vec<usize>;

    /// The number of all rows.
    fn count(&self) -> u64;

    /// Names of the values of a row; none where the format has none.
    fn columns(&self) -> Vec<String> {
        vec![]
    }

    /// Where the chunks of rows end that are read in one go, so that a part of one costs as much: rows from the first on,
    /// ascending, the last the number of all.
    fn chunk_ends(&self) -> Vec<u64>;

    /// The rows from `first` on, `count` of them and all there: `[count, ...]`, of one type of values always.
    ///
    /// # Errors
    /// Stated by the format's options.
    fn read(&self, first: u64, count: usize) -> Result<Batch>;
}
