mod blocks;
mod chunks;
mod rows;
mod runs;
mod store;
mod stored;
mod units;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use rayon::prelude::*;

use super::{ImageSet, ImageShape, Resize, check_float};
use crate::{Error, Result};

pub(crate) use chunks::{Chunks, HeldOut};
use rows::Rows;
pub use store::Store;
use stored::Stored;
pub(super) use stored::as_ranges;
pub(crate) use units::Units;

/// The samples of one group in their stored form, from which mini-batches are made on demand.
///
/// A tensor `[n, ...]` on any device; a few rows of numbers, of which one is made when it is asked for; 8-bit images with the shape they are to have as
/// floats: 60,000 images of 28 x 28 take 47 MB, not the 737 MB of their `[3, 32, 32]` floats; or what stays in a file
/// and is read as it is needed ([`stored`](Self::stored)).
/// Clones and subsets of images share their pixels.
///
/// ```
/// use puad::candle_core::{Device, Tensor};
/// use puad::data::Samples;
///
/// let samples = Samples::from(Tensor::new(&[[0f32, 1.], [2., 3.], [4., 5.]], &Device::Cpu)?);
/// assert_eq!((samples.len(), samples.sample_shape()), (3, vec![2]));
/// assert_eq!(samples.gather(&[2, 0])?.to_vec2::<f32>()?, [[4., 5.], [0., 1.]]);
/// # Ok::<(), puad::Error>(())
/// ```
///
/// Columns may have names, which the readers of files hand on: groups of a [`PuDataset`](super::PuDataset)
/// are then matched by name.
#[derive(Clone)]
pub struct Samples {
    form: Form,
    /// Of the values of a vector; empty where they are not known.
    names: Option<Arc<[String]>>,
    /// Of each sample; `None` where each is by itself.
    blocks: Option<Arc<[u32]>>,
    /// Of samples that are stored, or were.
    chunks: Option<Chunks>,
}

#[derive(Clone)]
enum Form {
    Tensor(Tensor),
    Rows(Arc<Rows>),
    Images(Images),
    Stored(Stored),
}

#[derive(Clone)]
struct Images {
    pixels: Arc<[u8]>,
    ids: Arc<[u32]>,
    /// Values of a stored image.
    size: usize,
    resize: Arc<Resize>,
}

impl Samples {
    /// The images of `set` as floats of shape `output`, as [`Resize`] makes them: scaled to [0, 1], resized
    /// bilinearly with antialiasing, and grey repeated over the channels. Batches are f32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Data`] for an `output` without pixels, or if the number of channels differs and the images
    /// are not grey.
    pub fn images(set: &ImageSet, output: ImageShape) -> Result<Self> {
        let resize = Resize::new(set.shape(), output)?;
        Ok(Self::unnamed(Form::Images(Images {
            pixels: set.storage(),
            ids: (0..set.len() as u32).collect(),
            size: set.shape().volume()?,
            resize: Arc::new(resize),
        })))
    }

    fn unnamed(form: Form) -> Self {
        Self {
            form,
            names: None,
            blocks: None,
            chunks: None,
        }
    }

    /// With names of the columns, `[features]`; none takes them away.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::Samples;
    ///
    /// let samples = Samples::from(Tensor::new(&[[21.5f32, 1013.]], &Device::Cpu)?);
    /// let samples = samples.with_names(&["heat", "pressure"])?;
    /// let swapped = samples.with_columns(&["pressure", "heat"])?;
    /// assert_eq!(swapped.to_tensor()?.to_vec2::<f32>()?, [[1013., 21.5]]);
    /// assert!(samples.with_columns(&["pressure", "humidity"]).is_err());
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] unless there is a name for each value of a vector.
    pub fn with_names<S: AsRef<str>>(self, names: &[S]) -> Result<Self> {
        let width: usize = self.sample_shape().iter().product();
        let vectors = self.sample_shape().len() == 1;
        if !(names.is_empty() || vectors && width == names.len()) {
            return Err(Error::Length {
                left_name: "names of columns",
                right_name: "values of a vector",
                left: names.len(),
                right: if vectors { width } else { 0 },
            });
        }
        let all = names.iter().map(|name| name.as_ref().into());
        let names = (!names.is_empty()).then(|| all.collect());
        Ok(Self { names, ..self })
    }

    /// With values of this type of floats, names and [blocks](Self::with_blocks) as they are: labeled samples that were read
    /// as f64 beside unlabeled ones of f32, say. 8-bit images become floats.
    ///
    /// ```
    /// use puad::candle_core::{DType, Device, Tensor};
    /// use puad::data::{PuDataset, Samples};
    ///
    /// let unlabeled = Tensor::new(&[[21.5f32], [22.]], &Device::Cpu)?;
    /// let labeled = Samples::from(Tensor::new(&[[90f64]], &Device::Cpu)?);
    /// assert!(PuDataset::new(&unlabeled)?.with_anomalies(&labeled).is_err());
    /// assert!(PuDataset::new(&unlabeled)?.with_anomalies(labeled.to_dtype(DType::F32)?).is_ok());
    /// # Ok::<(), puad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DType`] for a type of integers; of a store that is read.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self> {
        check_float(dtype, "samples")?;
        if dtype == self.dtype() && !self.is_8_bit() {
            return Ok(self.clone());
        }
        // A narrower type may not hold a number.
        let converted = self.mapped(move |tensor| Ok(tensor.to_dtype(dtype)?))?;
        Ok(converted.with_checked(false))
    }

    /// Names of the columns, `[features]`; empty where they are not known.
    pub fn names(&self) -> &[String] {
        self.names.as_deref().unwrap_or_default()
    }

    /// The columns of these names in this order, as those of other data that these samples are to go with.
    /// Where names are not known, here or there, the samples as they are.
    ///
    /// # Errors
    /// [`Error::Columns`] if names are missing, too many, or more than once in another order.
    pub fn with_columns<S: AsRef<str>>(&self, names: &[S]) -> Result<Self> {
        self.in_columns(names, "samples")
    }

    /// As [`with_columns`](Self::with_columns); `what`: who they are in errors.
    pub(crate) fn in_columns<S: AsRef<str>>(
        &self,
        names: &[S],
        what: &'static str,
    ) -> Result<Self> {
        let own = self.names();
        let here = own.iter().map(String::as_str);
        let there = names.iter().map(AsRef::as_ref);
        if names.is_empty() || own.is_empty() || there.clone().eq(here.clone()) {
            return Ok(self.clone());
        }
        let position = |name: &str| {
            let mut at = (0..own.len()).filter(|&i| own[i] == name);
            at.next().filter(|_| at.next().is_none())
        };
        let order: Option<Vec<u32>> = there
            .clone()
            .map(|name| Some(position(name)? as u32))
            .collect();
        let Some(order) = order.filter(|order| order.len() == own.len()) else {
            return Err(Error::columns(what, there, here));
        };
        let ordered = self.mapped(move |tensor| {
            let order = Tensor::new(order.as_slice(), tensor.device())?;
            Ok(tensor.contiguous()?.index_select(&order, 1)?)
        });
        ordered?.with_names(names)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Tensor(t) => t.dims().first().copied().unwrap_or(0),
            Form::Rows(rows) => rows.len(),
            Form::Images(images) => images.ids.len(),
            Form::Stored(stored) => stored.len(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimensions of one sample as it comes in a batch.
    pub fn sample_shape(&self) -> Vec<usize> {
        match &self.form {
            Form::Tensor(t) => t.dims().iter().skip(1).copied().collect(),
            Form::Rows(rows) => vec![rows.width()],
            Form::Images(images) => {
                let shape = images.resize.output();
                vec![shape.channels, shape.height, shape.width]
            }
            Form::Stored(stored) => stored.sample_shape(),
        }
    }

    /// Where batches are made.
    pub(crate) fn device(&self) -> &Device {
        match &self.form {
            Form::Tensor(t) => t.device(),
            Form::Rows(_) | Form::Images(_) | Form::Stored(_) => &Device::Cpu,
        }
    }

    /// The type of the batches' values.
    pub fn dtype(&self) -> DType {
        match &self.form {
            Form::Tensor(t) => t.dtype(),
            Form::Rows(rows) => rows.dtype(),
            Form::Images(_) => DType::F32,
            Form::Stored(stored) => stored.dtype(),
        }
    }

    /// The samples `indices`, which may repeat, in their order: `[indices, ...]`.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond the end; what a store says.
    pub fn gather(&self, indices: &[u32]) -> Result<Tensor> {
        self.check(indices)?;
        let of = |t: &Tensor| {
            let ids = Tensor::new(indices, t.device())?;
            Ok(t.contiguous()?.index_select(&ids, 0)?)
        };
        match &self.form {
            Form::Tensor(t) => of(t),
            Form::Rows(rows) => of(rows.tensor()?),
            Form::Images(images) => {
                let ids: Vec<u32> = indices.iter().map(|&i| images.ids[i as usize]).collect();
                images.tensor(&ids)
            }
            Form::Stored(stored) => stored.gather(indices),
        }
    }

    /// At most `most` samples, spread evenly over all: `[at most most, ...]` on the host.
    pub(crate) fn spread(&self, most: usize) -> Result<Tensor> {
        let (n, taken) = (self.len(), self.len().min(most));
        let ids: Vec<u32> = (0..taken).map(|i| (i * n / taken) as u32).collect();
        Ok(self.gather(&ids)?.to_device(&Device::Cpu)?)
    }

    /// The samples `start .. start + len`: `[len, ...]`.
    ///
    /// # Errors
    /// [`Error::Index`] if the range ends beyond the last sample.
    pub fn range(&self, start: usize, len: usize) -> Result<Tensor> {
        let n = self.len();
        let end = start.saturating_add(len);
        if end > n {
            let (index, len) = (end - 1, n);
            return Err(Error::Index { index, len });
        }
        match &self.form {
            Form::Tensor(t) => Ok(t.narrow(0, start, len)?),
            Form::Rows(rows) => Ok(rows.tensor()?.narrow(0, start, len)?),
            Form::Images(images) => images.tensor(&images.ids[start..end]),
            Form::Stored(stored) => stored.range(start as u32..end as u32),
        }
    }

    /// All samples in order, `size` at a time on `device`: each `[size, ...]`, the last one perhaps
    /// smaller. One batch at a time is made.
    ///
    /// # Errors
    /// [`Error::Config`] for a size of 0; items only as the tensor operations give.
    ///
    /// ```
    /// use puad::candle_core::{Device, Tensor};
    /// use puad::data::Samples;
    ///
    /// let samples = Samples::from(Tensor::new(&[[0f32], [1.], [2.]], &Device::Cpu)?);
    /// let batches = samples.batches(2, &Device::Cpu)?.collect::<puad::Result<Vec<_>>>()?;
    /// assert_eq!(batches[0].to_vec2::<f32>()?, [[0.], [1.]]);
    /// assert_eq!(batches[1].to_vec2::<f32>()?, [[2.]]);
    /// # Ok::<(), puad::Error>(())
    /// ```
    pub fn batches(
        &self,
        size: usize,
        device: &Device,
    ) -> Result<impl ExactSizeIterator<Item = Result<Tensor>>> {
        if size == 0 {
            return Err(Error::config("batch_size", "at least 1", size));
        }
        let n = self.len();
        Ok((0..n).step_by(size).map(move |start| {
            let batch = self.range(start, size.min(n - start))?;
            Ok(batch.to_device(device)?)
        }))
    }

    /// The samples `indices`, which may repeat, in their stored form.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    pub fn select(&self, indices: &[u32]) -> Result<Self> {
        self.check(indices)?;
        let form = match &self.form {
            Form::Stored(stored) => Form::Stored(stored.select(&as_ranges(indices))),
            Form::Tensor(_) | Form::Rows(_) => Form::Tensor(self.gather(indices)?),
            Form::Images(images) => Form::Images(Images {
                ids: indices.iter().map(|&i| images.ids[i as usize]).collect(),
                ..images.clone()
            }),
        };
        let of = |blocks: &Arc<[u32]>| indices.iter().map(|&i| blocks[i as usize]).collect();
        Ok(Self {
            form,
            names: self.names.clone(),
            blocks: self.blocks.as_ref().map(of),
            chunks: self
                .chunks
                .as_ref()
                .map(|chunks| chunks.select(&as_ranges(indices))),
        })
    }

    /// As [`select`](Self::select), of ranges, all within.
    pub(crate) fn select_ranges(&self, ranges: &[Range<u32>]) -> Result<Self> {
        let (Form::Stored(stored), None) = (&self.form, &self.blocks) else {
            return self.select(&ranges.iter().cloned().flatten().collect::<Vec<_>>());
        };
        Ok(Self {
            form: Form::Stored(stored.select(ranges)),
            names: self.names.clone(),
            blocks: None,
            chunks: self.chunks.as_ref().map(|chunks| chunks.select(ranges)),
        })
    }

    /// All samples: `[n, ...]`.
    ///
    /// # Errors
    /// Only what the tensor operations give.
    pub fn to_tensor(&self) -> Result<Tensor> {
        match &self.form {
            Form::Tensor(t) => Ok(t.clone()),
            Form::Rows(rows) => Ok(rows.tensor()?.clone()),
            Form::Images(images) => images.tensor(&images.ids),
            Form::Stored(_) => self.range(0, self.len()),
        }
    }

    /// Tensors of 8-bit images, `[n, channels, height, width]`, as [`images`](Self::images).
    pub(crate) fn with_pixels(self) -> Result<Self> {
        let Form::Tensor(tensor) = &self.form else {
            return Ok(self);
        };
        let (DType::U8, &[n, channels, height, width]) = (tensor.dtype(), tensor.dims()) else {
            return Ok(self);
        };
        let pixels = tensor
            .to_device(&Device::Cpu)?
            .flatten_all()?
            .to_vec1::<u8>()?;
        let shape = ImageShape {
            channels,
            height,
            width,
        };
        let images = Self::images(&ImageSet::new(pixels, shape, vec![0; n])?, shape)?;
        Ok(images.in_blocks_of(&self))
    }

    /// With a tensor laid out row by row, so that gathering copies nothing else.
    pub(super) fn contiguous(self) -> Result<Self> {
        let form = match self.form {
            Form::Tensor(t) => Form::Tensor(t.contiguous()?),
            form => form,
        };
        Ok(Self { form, ..self })
    }

    /// The tensor, where the samples are one, which is made of rows now.
    pub(crate) fn tensor(&self) -> Option<&Tensor> {
        match &self.form {
            Form::Tensor(t) => Some(t),
            Form::Rows(rows) => rows.tensor().ok(),
            Form::Images(_) | Form::Stored(_) => None,
        }
    }

    /// Whether they are images of 8 bits, taken as numbers in [0, 1].
    pub(crate) fn is_8_bit(&self) -> bool {
        match &self.form {
            Form::Tensor(_) | Form::Rows(_) => false,
            Form::Images(_) => true,
            Form::Stored(stored) => stored.is_8_bit(),
        }
    }

    fn check(&self, indices: &[u32]) -> Result<()> {
        let len = self.len();
        match indices.iter().find(|&&i| i as usize >= len) {
            Some(&index) => Err(Error::Index {
                index: index as usize,
                len,
            }),
            None => Ok(()),
        }
    }
}

impl Images {
    fn tensor(&self, ids: &[u32]) -> Result<Tensor> {
        let shape = self.resize.output();
        let volume = shape.volume()?;
        let mut values = vec![0f32; ids.len() * volume];
        let rows = values.par_chunks_exact_mut(volume).zip(ids);
        rows.try_for_each(|(out, &id)| {
            let image = &self.pixels[id as usize * self.size..][..self.size];
            self.resize.apply(image, out)
        })?;
        let dims = (ids.len(), shape.channels, shape.height, shape.width);
        Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
    }
}

/// A tensor `[n, ...]`, without its gradients.
impl From<Tensor> for Samples {
    fn from(samples: Tensor) -> Self {
        Self::unnamed(Form::Tensor(samples.detach()))
    }
}

/// A tensor `[n, ...]`, without its gradients.
impl From<&Tensor> for Samples {
    fn from(samples: &Tensor) -> Self {
        Self::unnamed(Form::Tensor(samples.detach()))
    }
}

impl From<&Samples> for Samples {
    fn from(samples: &Samples) -> Self {
        samples.clone()
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match &self.form {
            Form::Tensor(_) => "tensor",
            Form::Rows(_) => "rows",
            Form::Images(_) => "images",
            Form::Stored(_) => "stored",
        };
        let (n, shape, dtype) = (self.len(), self.sample_shape(), self.dtype());
        write!(f, "Samples({form}, {n} x {shape:?}, {dtype:?})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Samples {
        let shape = ImageShape {
            channels: 1,
            height: 3,
            width: 2,
        };
        let set = ImageSet::new((0..30).collect::<Vec<u8>>(), shape, vec![0; 5]).unwrap();
        let output = ImageShape {
            channels: 3,
            height: 4,
            width: 5,
        };
        Samples::images(&set, output).unwrap()
    }

    fn values(t: &Tensor) -> Vec<f32> {
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Both forms must give the same batches; a transposed tensor is not contiguous.
    fn both() -> [Samples; 3] {
        let t = images().to_tensor().unwrap();
        let strided = t.transpose(0, 3).unwrap().contiguous().unwrap();
        [images(), t.into(), strided.transpose(0, 3).unwrap().into()]
    }

    #[test]
    fn every_form_gives_the_same_batches() {
        let all = images().to_tensor().unwrap();
        let row = |i: usize| values(&all.get(i).unwrap());
        assert_eq!(all.dims(), [5, 3, 4, 5]);
        for s in both() {
            assert_eq!((s.len(), s.is_empty(), s.dtype()), (5, false, DType::F32));
            assert_eq!(s.sample_shape(), [3, 4, 5]);
            let batch = s.gather(&[4, 1, 1]).unwrap();
            assert_eq!(batch.dims(), [3, 3, 4, 5]);
            assert_eq!(values(&batch), [row(4), row(1), row(1)].concat());
            assert_eq!(values(&s.range(3, 2).unwrap()), [row(3), row(4)].concat());
            assert_eq!(s.range(5, 0).unwrap().dims(), [0, 3, 4, 5]);
            assert_eq!(s.gather(&[]).unwrap().dims(), [0, 3, 4, 5]);
            let part = s.select(&[3, 0, 2]).unwrap().select(&[2, 0]).unwrap();
            assert_eq!(
                values(&part.to_tensor().unwrap()),
                [row(2), row(3)].concat()
            );
        }
    }

    #[test]
    fn batches_are_all_samples_in_order() {
        let all = values(&images().to_tensor().unwrap());
        for s in both() {
            for (size, sizes) in [
                (1, &[1, 1, 1, 1, 1][..]),
                (2, &[2, 2, 1]),
                (5, &[5]),
                (usize::MAX, &[5]),
            ] {
                let batches = s.batches(size, s.device()).unwrap();
                assert_eq!(batches.len(), sizes.len());
                let batches: Vec<Tensor> = batches.map(Result::unwrap).collect();
                let lens: Vec<usize> = batches.iter().map(|b| b.dims()[0]).collect();
                assert_eq!(lens, sizes);
                let joined: Vec<f32> = batches.iter().flat_map(values).collect();
                assert_eq!(joined, all);
            }
            let none = s.select(&[]).unwrap();
            assert_eq!(none.batches(3, &Device::Cpu).unwrap().len(), 0);
            let err = s.batches(0, &Device::Cpu).err().unwrap();
            let rule = matches!(
                err,
                Error::Config {
                    name: "batch_size",
                    ..
                }
            );
            assert!(rule, "{err}");
        }
    }

    #[test]
    fn subsets_of_images_share_their_pixels() {
        let all = images();
        let part = all.select(&[1, 2]).unwrap();
        let (Form::Images(a), Form::Images(b)) = (&all.form, &part.form) else {
            panic!("{all:?} {part:?}");
        };
        assert!(Arc::ptr_eq(&a.pixels, &b.pixels));
    }

    #[test]
    fn columns_are_matched_by_name_or_refused() {
        let rows = Tensor::new(&[[1f32, 2., 3.], [4., 5., 6.]], &Device::Cpu).unwrap();
        let samples = Samples::from(&rows).with_names(&["a", "b", "c"]).unwrap();
        let rows = |s: &Samples| s.to_tensor().unwrap().to_vec2::<f32>().unwrap();
        let swapped = samples.with_columns(&["c", "a", "b"]).unwrap();
        assert_eq!(rows(&swapped), [[3., 1., 2.], [6., 4., 5.]]);
        assert_eq!(swapped.names(), ["c", "a", "b"]);
        assert_eq!(swapped.select(&[1]).unwrap().names(), ["c", "a", "b"]);
        // Nothing to go by.
        let unnamed = Samples::from(samples.to_tensor().unwrap());
        assert_eq!(
            rows(&unnamed.with_columns(&["c", "a", "b"]).unwrap()),
            rows(&samples)
        );
        assert_eq!(
            rows(&samples.with_columns::<&str>(&[]).unwrap()),
            rows(&samples)
        );
        for (names, missing, surplus) in [
            (&["a", "b", "d"][..], &["d"][..], &["c"][..]),
            (&["a", "b"], &[], &["c"]),
            (&["a", "b", "c", "c"], &[], &[]),
        ] {
            match samples.with_columns(names).unwrap_err() {
                Error::Columns {
                    missing: m,
                    surplus: s,
                    what: "samples",
                } => assert_eq!(
                    (&m[..], &s[..]),
                    (
                        &missing.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                        &surplus.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                    )
                ),
                err => panic!("{err}"),
            }
        }
        // The same names twice are no order to go by, but fine in the same order.
        let twice = samples.clone().with_names(&["a", "a", "b"]).unwrap();
        assert!(twice.with_columns(&["a", "a", "b"]).is_ok());
        assert!(twice.with_columns(&["a", "b", "a"]).is_err());
        assert!(samples.with_names(&["a", "b"]).is_err());
        assert!(images().with_names(&["a"]).is_err());
    }

    #[test]
    fn indices_beyond_the_end_are_errors() {
        for s in both() {
            let errors = [
                s.gather(&[0, 5]).unwrap_err(),
                s.select(&[5]).unwrap_err(),
                s.range(4, 2).unwrap_err(),
            ];
            for err in errors {
                assert!(matches!(err, Error::Index { index: 5, len: 5 }), "{err}");
            }
            assert!(s.range(usize::MAX, 2).is_err());
        }
    }
}
