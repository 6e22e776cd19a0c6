use candle_core::{DType, Tensor};

use crate::Result;

/// Where samples stay that are too many for memory: a file, by [`StoredTable`](crate::data::stream::StoredTable), or
/// a store of one's own. [`Samples::stored`](super::Samples::stored) makes samples of it.
///
/// ```
/// use puad::candle_core::{DType, Device, Tensor};
/// use puad::data::{Samples, Store};
///
/// /// A million numbers that nobody wrote down.
/// struct Squares;
///
/// impl Store for Squares {
///     fn len(&self) -> usize {
///         1_000_000
///     }
///     fn sample_shape(&self) -> Vec<usize> {
///         vec![1]
///     }
///     fn dtype(&self) -> DType {
///         DType::F64
///     }
///     fn chunk_ends(&self) -> Vec<u32> {
///         (1..=100).map(|chunk| chunk * 10_000).collect()
///     }
///     fn read(&self, first: usize, count: usize) -> puad::Result<Tensor> {
///         let values: Vec<f64> = (first..first + count).map(|i| (i as f64).powi(2)).collect();
///         Ok(Tensor::from_vec(values, (count, 1), &Device::Cpu)?)
///     }
/// }
///
/// let samples = Samples::stored(Squares)?;
/// assert_eq!(samples.gather(&[3, 999_999])?.to_vec2::<f64>()?, [[9.], [999_998_000_001.]]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Store: Send + Sync {
    /// Number of samples, below 2^32.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimensions of one sample.
    fn sample_shape(&self) -> Vec<usize>;

    /// The type of the values: floats, or U8 of images of 8 bits `[channels, height, width]`, which become floats in [0, 1].
    fn dtype(&self) -> DType;

    /// Names of the values of a vector; none where they are not known.
    fn names(&self) -> Vec<String> {
        vec![]
    }

    /// Where the chunks end that are read in one go, ascending, the last the number of samples: training reads chunks whole
    /// and in random order.
    fn chunk_ends(&self) -> Vec<u32>;

    /// The samples `first .. first + count`, all there, `[count, ...]` on the CPU, the same ones whenever asked.
    ///
    /// # Errors
    /// Of the store; they end the training that meets them.
    fn read(&self, first: usize, count: usize) -> Result<Tensor>;
}
