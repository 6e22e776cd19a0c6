use candle_core::{Device, Tensor};

use crate::data::{ImageSet, Samples};
use crate::{Error, Result};

/// What samples can be given as: a tensor `[n, ...]`, [`Samples`], an [`ImageSet`] in its own size, rows of numbers (`&[Vec<f32>]`,
/// `&[[f64; 3]]`, `&[&[f32]]`; vectors and arrays of these, or references to them), or the numbers of a
/// single row (`&[f32]`, and references to vectors and arrays of f32 or f64). A tensor of 8-bit images,
/// `[n, channels, height, width]`, is taken as [`Samples::images`].
///
/// ```
/// use puad::estimator::IntoSamples;
///
/// let samples = (&[[0.5f64, 1.], [2., 3.]]).into_samples()?;
/// assert_eq!((samples.len(), samples.sample_shape()), (2, vec![2]));
///
/// let one = [0.5f64, 1.];
/// assert_eq!((&one).into_samples()?.to_tensor()?.dims(), [1, 2]);
/// assert_eq!(vec![one, one].into_samples()?.to_tensor()?.dims(), [2, 2]);
///
/// let ragged = vec![vec![0f32, 1.], vec![2.]];
/// let error = ragged.into_samples().unwrap_err();
/// assert_eq!(error.to_string(), "rows must have as many values as the first, 2, but row 1 has 1");
/// # Ok::<(), puad::Error>(())
/// ```
pub trait IntoSamples {
    /// # Errors
    /// [`Error::Ragged`] for rows of different length; values are not looked at.
    fn into_samples(self) -> Result<Samples>;
}

/// One sample as a row of numbers.
///
/// ```
/// use puad::estimator::{IntoSamples, Row};
///
/// struct Reading {
///     sensors: [f32; 3],
/// }
///
/// impl Row for Reading {
///     type Value = f32;
///     fn values(&self) -> &[f32] {
///         &self.sensors
///     }
/// }
///
/// let readings = [Reading { sensors: [1., 2., 3.] }, Reading { sensors: [4., 5., 6.] }];
/// assert_eq!((&readings[..]).into_samples()?.sample_shape(), [3]);
/// # Ok::<(), puad::Error>(())
/// ```
pub trait Row {
    /// Type of the numbers; f64 keeps its digits until the data is scaled.
    type Value: candle_core::WithDType;

    /// The numbers.
    fn values(&self) -> &[Self::Value];
}

/// Samples one behind the other in one slice, as a buffer of another library has them; the tensor's own copy is the
/// only one made of them. A vector of numbers becomes a tensor without any: [`Tensor::from_vec`].
///
/// ```
/// use puad::estimator::{Contiguous, IntoSamples};
///
/// let buffer = [0.5f32, 1., 2., 3., 4., 5.];
/// let samples = Contiguous::new(&buffer, &[2]).into_samples()?;
/// assert_eq!(samples.to_tensor()?.to_vec2::<f32>()?, [[0.5, 1.], [2., 3.], [4., 5.]]);
/// assert_eq!(Contiguous::new(&buffer, &[1, 2, 3]).into_samples()?.len(), 1);
///
/// let error = Contiguous::new(&buffer, &[4]).into_samples().unwrap_err();
/// assert_eq!(error.to_string(), "samples must have shape [n, 4], one behind the other, got [6]");
/// # Ok::<(), puad::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Contiguous<'a, T> {
    values: &'a [T],
    sample_shape: &'a [usize],
}

impl<'a, T> Contiguous<'a, T> {
    /// Samples of this shape each, `[features]` or `[channels, height, width]`, row by row.
    pub fn new(values: &'a [T], sample_shape: &'a [usize]) -> Self {
        Self {
            values,
            sample_shape,
        }
    }
}

impl<T: candle_core::WithDType> IntoSamples for Contiguous<'_, T> {
    /// # Errors
    /// [`Error::Shape`] unless the values make whole samples.
    fn into_samples(self) -> Result<Samples> {
        let product = |n: usize, &size: &usize| n.checked_mul(size);
        let volume = self.sample_shape.iter().try_fold(1, product);
        let volume = volume.filter(|&n| n > 0 && self.values.len().is_multiple_of(n));
        let Some(volume) = volume else {
            let sizes: Vec<String> = self.sample_shape.iter().map(usize::to_string).collect();
            return Err(Error::Shape {
                what: "samples",
                expected: format!("[n, {}], one behind the other", sizes.join(", ")),
                actual: vec![self.values.len()],
            });
        };
        let dims = [&[self.values.len() / volume], self.sample_shape].concat();
        let tensor = Tensor::from_slice(self.values, dims, &Device::Cpu)?;
        Samples::from(tensor).with_pixels()
    }
}

macro_rules! row {
    ($($value:ty),*) => {$(
        impl Row for Vec<$value> {
            type Value = $value;
            fn values(&self) -> &[$value] {
                self
            }
        }
        impl Row for &[$value] {
            type Value = $value;
            fn values(&self) -> &[$value] {
                self
            }
        }
        impl<const D: usize> Row for [$value; D] {
            type Value = $value;
            fn values(&self) -> &[$value] {
                self
            }
        }
    )*};
}

row!(f32, f64);

impl<R: Row> IntoSamples for &[R] {
    fn into_samples(self) -> Result<Samples> {
        let width = self.first().map_or(0, |row| row.values().len());
        let ragged = |(_, row): &(usize, &R)| row.values().len() != width;
        if let Some((row, values)) = self.iter().enumerate().find(ragged) {
            let actual = values.values().len();
            return Err(Error::Ragged {
                row,
                expected: width,
                actual,
            });
        }
        let values: Vec<R::Value> = self
            .iter()
            .flat_map(|row| row.values().iter().copied())
            .collect();
        Samples::of_rows(values, (self.len(), width))
    }
}

impl<R: Row> IntoSamples for &Vec<R> {
    fn into_samples(self) -> Result<Samples> {
        self.as_slice().into_samples()
    }
}

impl<R: Row, const N: usize> IntoSamples for &[R; N] {
    fn into_samples(self) -> Result<Samples> {
        self.as_slice().into_samples()
    }
}

impl<R: Row> IntoSamples for Vec<R> {
    fn into_samples(self) -> Result<Samples> {
        self.as_slice().into_samples()
    }
}

impl<R: Row, const N: usize> IntoSamples for [R; N] {
    fn into_samples(self) -> Result<Samples> {
        self.as_slice().into_samples()
    }
}

macro_rules! single {
    ($($value:ty),*) => {$(
        impl IntoSamples for &[$value] {
            fn into_samples(self) -> Result<Samples> {
                Samples::of_rows(self.to_vec(), (1, self.len()))
            }
        }
        impl IntoSamples for &Vec<$value> {
            fn into_samples(self) -> Result<Samples> {
                self.as_slice().into_samples()
            }
        }
        impl<const N: usize> IntoSamples for &[$value; N] {
            fn into_samples(self) -> Result<Samples> {
                self.as_slice().into_samples()
            }
        }
    )*};
}

single!(f32, f64);

macro_rules! already {
    ($($form:ty),*) => {$(
        impl IntoSamples for $form {
            fn into_samples(self) -> Result<Samples> {
                Samples::from(self).with_pixels()
            }
        }
    )*};
}

already!(Tensor, &Tensor, Samples, &Samples);

impl IntoSamples for &ImageSet {
    fn into_samples(self) -> Result<Samples> {
        Samples::images(self, self.shape())
    }
}

impl IntoSamples for ImageSet {
    fn into_samples(self) -> Result<Samples> {
        (&self).into_samples()
    }
}
