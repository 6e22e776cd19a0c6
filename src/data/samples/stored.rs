//! Samples that stay where they are stored.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::chunks::{Chunks, WINDOW};
use super::runs::Runs;
use super::{Form, Samples, Store};
use crate::{Error, Result};

/// Values of a chunk, of which several are held.
const LARGEST: usize = 1 << 28;

/// What is made of samples when they are read, `[n, ...]` each time, whatever `n`.
type Step = Arc<dyn Fn(&Tensor) -> Result<Tensor> + Send + Sync>;

/// Samples of a store and what is to be made of them.
#[derive(Clone)]
pub(super) struct Stored {
    store: Arc<dyn Store>,
    runs: Runs,
    steps: Vec<Step>,
    /// As it is stored.
    element: DType,
    /// After the steps.
    dtype: DType,
    /// Whether all values were found finite.
    checked: bool,
}

impl Stored {
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn sample_shape(&self) -> Vec<usize> {
        self.store.sample_shape()
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    /// Whether they are 8-bit images as they were stored.
    pub(super) fn is_8_bit(&self) -> bool {
        self.element == DType::U8 && self.steps.is_empty()
    }

    /// A range of them as they are stored.
    fn raw(&self, samples: Range<u32>) -> Result<Tensor> {
        let read = |rows: Range<u32>| self.read(rows.start as usize, rows.len());
        let parts = self.runs.rows(samples).map(read);
        match &parts.collect::<Result<Vec<Tensor>>>()?[..] {
            [] => self.read(0, 0),
            [one] => Ok(one.clone()),
            several => Ok(Tensor::cat(several, 0)?),
        }
    }

    /// `[samples, ...]`.
    pub(super) fn range(&self, samples: Range<u32>) -> Result<Tensor> {
        let mut tensor = self.raw(samples)?;
        if tensor.dtype() == DType::U8 {
            tensor = Samples::from(tensor).with_pixels()?.to_tensor()?;
        }
        self.steps
            .iter()
            .try_fold(tensor, |tensor, step| step(&tensor))
    }

    /// What the store gives, if it is what it promised.
    fn read(&self, first: usize, count: usize) -> Result<Tensor> {
        let tensor = self.store.read(first, count)?;
        let expected = [vec![count], self.sample_shape()].concat();
        if tensor.dims() != expected {
            return Err(Error::shape(
                "stored samples",
                format!("{expected:?}"),
                &tensor,
            ));
        }
        if tensor.dtype() != self.element {
            return Err(Error::DType {
                what: "stored samples",
                expected: format!("the store's {:?}", self.element),
                actual: tensor.dtype(),
            });
        }
        Ok(tensor)
    }

    /// In the order asked for, each row read once, those behind each other together.
    pub(super) fn gather(&self, indices: &[u32]) -> Result<Tensor> {
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let runs = self.runs.select(&as_ranges(&sorted));
        let read = Self {
            runs,
            ..self.clone()
        };
        let tensor = read.range(0..sorted.len() as u32)?;
        let place = |index: &u32| sorted.partition_point(|other| other < index) as u32;
        let places: Vec<u32> = indices.iter().map(place).collect();
        let places = Tensor::new(places, &Device::Cpu)?;
        Ok(tensor.index_select(&places, 0)?)
    }

    pub(super) fn select(&self, ranges: &[Range<u32>]) -> Self {
        Self {
            runs: self.runs.select(ranges),
            ..self.clone()
        }
    }
}

/// Indices as ranges of neighbours, in their order.
pub(in crate::data) fn as_ranges(indices: &[u32]) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = vec![];
    for &index in indices {
        match ranges.last_mut() {
            Some(last) if last.end == index => last.end += 1,
            _ => ranges.push(index..index + 1),
        }
    }
    ranges
}

impl Samples {
    /// Samples that stay in a file, or wherever a [`Store`] has them, and are read as they are needed: while a network is
    /// trained two windows of them are held ([`with_window`](Self::with_window)), the next of which a thread reads.
    ///
    /// Ranges of neighbours take the place of single samples where data are parted: a split holds out thirty or more. A labeled
    /// group of fewer values than a window is read into memory. Choose samples ([`select`](Self::select)) in ascending order:
    /// in another one each is read by itself.
    ///
    /// ```
    /// use puad::data::Samples;
    /// use puad::data::stream::StoredTable;
    ///
    /// # let path = std::env::temp_dir().join(format!("puad-stored-{}.npy", std::process::id()));
    /// # let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
    /// # let mut bytes = [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    /// # bytes.extend([1f32, 2., 3., 4.].iter().flat_map(|x| x.to_le_bytes()));
    /// # std::fs::write(&path, bytes)?;
    /// let samples = Samples::stored(StoredTable::open(&path)?)?;
    /// assert_eq!((samples.len(), samples.sample_shape()), (2, vec![2]));
    /// assert_eq!(samples.gather(&[1])?.to_vec2::<f32>()?, [[3., 4.]]);
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for 2^32 samples or more, and for chunks that do not end one behind the other with the last
    /// sample; [`Error::DType`] for values that are no floats; [`Error::Length`] for names unless there is one a value.
    pub fn stored(store: impl Store + 'static) -> Result<Self> {
        let rule = "fewer than 2^32 in one store";
        let len = u32::try_from(store.len());
        let len = len.map_err(|_| Error::config("samples", rule, store.len()))?;
        let ends = store.chunk_ends();
        let ascending =
            ends.first().is_none_or(|&first| first > 0) && ends.is_sorted_by(|a, b| a < b);
        if !ascending || ends.last().copied().unwrap_or(0) != len {
            let rule = "ascending, the last the number of samples";
            let wrong = ends.windows(2).find(|pair| pair[0] >= pair[1]);
            let wrong = wrong.map(<[u32]>::to_vec);
            let wrong = wrong.unwrap_or_else(|| {
                ends.iter()
                    .copied()
                    .take(1)
                    .chain(ends.last().copied())
                    .collect()
            });
            return Err(Error::config(
                "chunk_ends",
                rule,
                format!("{wrong:?} of {len} samples"),
            ));
        }
        let values = store.sample_shape().iter().product::<usize>();
        let chunks = ends
            .iter()
            .scan(0, |start, &end| Some(end - std::mem::replace(start, end)));
        if let Some(large) = chunks
            .map(|rows| rows as usize * values)
            .find(|&n| n > LARGEST)
        {
            let rule = "of at most 2^28 values; of a Parquet file they are its row groups";
            return Err(Error::config("chunks", rule, large));
        }
        let (names, element) = (store.names(), store.dtype());
        let images = store.sample_shape().len() == 3;
        if !(element.is_float() || element == DType::U8 && images) {
            return Err(Error::DType {
                what: "stored samples",
                expected: "floats, or U8 of images".into(),
                actual: element,
            });
        }
        let chunks = Chunks::new(ends, values);
        let stored = Stored {
            store: Arc::new(store),
            runs: Runs::all(len),
            steps: vec![],
            element,
            checked: false,
            dtype: if element == DType::U8 {
                DType::F32
            } else {
                element
            },
        };
        let samples = Self::unnamed(Form::Stored(stored)).with_names(&names)?;
        let chunks = Some(chunks);
        Ok(Self { chunks, ..samples })
    }

    /// Whether they stay where they are stored.
    pub fn is_stored(&self) -> bool {
        matches!(self.form, Form::Stored(_))
    }

    /// Stored samples read into memory, all at once; others as they are. They are parted and shuffled as when they were
    /// stored, and so a named method trains to the same bits; where none is named, [`Method::Auto`](crate::method::Method::for_samples)
    /// is a committee for samples in memory.
    ///
    /// # Errors
    /// Of the store.
    pub fn in_memory(&self) -> Result<Self> {
        if !self.is_stored() {
            return Ok(self.clone());
        }
        let form = match &self.form {
            // Which keep their compact form.
            Form::Stored(stored) if stored.is_8_bit() && stored.len() > 0 => {
                Self::from(stored.raw(0..stored.len() as u32)?)
                    .with_pixels()?
                    .form
            }
            _ => Form::Tensor(self.to_tensor()?),
        };
        Ok(Self {
            form,
            ..self.clone()
        })
    }

    /// Stored samples of fewer values than a window in memory; others as they are.
    pub(crate) fn in_memory_if_small(self) -> Result<Self> {
        let values = self.sample_shape().iter().product::<usize>();
        if self.is_stored() && self.len().saturating_mul(values) <= WINDOW {
            return self.in_memory();
        }
        Ok(self)
    }

    /// Whether all values of stored samples were found finite.
    pub(crate) fn is_checked(&self) -> bool {
        matches!(&self.form, Form::Stored(stored) if stored.checked)
    }

    /// The same, of which all values were found finite, or are yet to be looked at.
    pub(crate) fn with_checked(mut self, checked: bool) -> Self {
        if let Form::Stored(stored) = &mut self.form {
            stored.checked = checked;
        }
        self
    }

    /// Samples as `step` makes them, of which it gets `[n, ...]`, any `n`: tensors and images now, stored ones whenever
    /// they are read. Their shape stays.
    pub(crate) fn mapped(
        &self,
        step: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Result<Self> {
        let form = match &self.form {
            Form::Stored(stored) => {
                let mut steps = stored.steps.clone();
                steps.push(Arc::new(step));
                let mut stored = Stored {
                    steps,
                    ..stored.clone()
                };
                if stored.len() > 0 {
                    stored.dtype = stored.range(0..1)?.dtype();
                }
                Form::Stored(stored)
            }
            Form::Tensor(_) | Form::Rows(_) | Form::Images(_) => {
                Form::Tensor(step(&self.to_tensor()?)?)
            }
        };
        Ok(Self {
            form,
            ..self.clone()
        })
    }

    /// Of samples in a file, or that were, at most `most` in memory, drawn at random by `rng` and in their order; others as
    /// they are.
    pub(crate) fn drawn(&self, most: usize, rng: &mut impl rand::Rng) -> Result<Self> {
        if self.chunks().is_none() {
            return Ok(self.clone());
        }
        let n = self.len();
        if n <= most {
            return self.in_memory();
        }
        let mut drawn: Vec<u32> = rand::seq::index::sample(rng, n, most)
            .into_iter()
            .map(|index| index as u32)
            .collect();
        drawn.sort_unstable();
        self.select(&drawn)?.in_memory()
    }
}
