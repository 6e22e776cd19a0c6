use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, DType, Device, Tensor, WithDType};

use super::{Form, Samples};
use crate::Result;
use crate::ops::Numbers;

/// Values up to which rows wait for somebody to ask for a tensor.
const FEW_VALUES: usize = 1 << 12;

/// A few rows of numbers, which become a tensor when one is asked for: each tensor takes its number from one
/// counter, for which threads that score a row at a time would wait.
#[derive(Debug)]
pub(super) struct Rows {
    values: Values,
    len: usize,
    width: usize,
    tensor: OnceLock<Tensor>,
}

#[derive(Debug)]
enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Samples {
    /// Rows of `width` values one behind the other.
    pub(crate) fn of_rows<T: WithDType>(
        values: Vec<T>,
        (len, width): (usize, usize),
    ) -> Result<Self> {
        let floats = matches!(T::DTYPE, DType::F32 | DType::F64);
        let few = (1..=FEW_VALUES).contains(&values.len()) && values.len() == len * width;
        if !(floats && few) {
            return Ok(Tensor::from_vec(values, (len, width), &Device::Cpu)?.into());
        }
        let values = match T::to_cpu_storage_owned(values) {
            CpuStorage::F32(values) => Values::F32(values),
            CpuStorage::F64(values) => Values::F64(values),
            _ => return Err(candle_core::Error::UnsupportedDTypeForOp(T::DTYPE, "rows").into()),
        };
        Ok(Self::unnamed(Form::Rows(Arc::new(Rows {
            values,
            len,
            width,
            tensor: OnceLock::new(),
        }))))
    }

    /// The numbers of a few rows that are no tensor yet, and the width of a row. Whoever has the tensor may have changed it.
    pub(crate) fn few_rows(&self) -> Option<(Numbers<'_>, usize)> {
        match &self.form {
            Form::Rows(rows) if rows.tensor.get().is_none() => Some((rows.numbers(), rows.width)),
            _ => None,
        }
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn dtype(&self) -> DType {
        match self.values {
            Values::F32(_) => DType::F32,
            Values::F64(_) => DType::F64,
        }
    }

    fn numbers(&self) -> Numbers<'_> {
        match &self.values {
            Values::F32(values) => Numbers::F32(values),
            Values::F64(values) => Numbers::F64(values),
        }
    }

    /// All of them as a tensor, `[len, width]`.
    pub(super) fn tensor(&self) -> Result<&Tensor> {
        if let Some(tensor) = self.tensor.get() {
            return Ok(tensor);
        }
        let shape = (self.len, self.width);
        let tensor = match &self.values {
            Values::F32(values) => Tensor::from_slice(values, shape, &Device::Cpu),
            Values::F64(values) => Tensor::from_slice(values, shape, &Device::Cpu),
        }?;
        Ok(self.tensor.get_or_init(|| tensor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows, and the tensor of the same numbers.
    fn both() -> [Samples; 2] {
        let values = vec![1f64, 2., 3., 4., 5., 6.];
        let tensor = Tensor::from_slice(&values, (3, 2), &Device::Cpu).unwrap();
        [Samples::of_rows(values, (3, 2)).unwrap(), tensor.into()]
    }

    fn numbers(t: &Tensor) -> Vec<Vec<f64>> {
        t.to_vec2().unwrap()
    }

    #[test]
    fn rows_are_what_their_tensor_is() {
        let [rows, tensor] = both();
        let named = rows.clone().with_names(&["a", "b"]).unwrap();
        assert!(rows.few_rows().is_some() && named.few_rows().is_some());
        assert!(tensor.few_rows().is_none());
        assert_eq!((rows.len(), rows.sample_shape()), (3, vec![2]));
        assert_eq!(
            (rows.dtype(), rows.is_8_bit(), rows.is_stored()),
            (DType::F64, false, false)
        );
        assert!(rows.device().is_cpu());
        let same = |f: &dyn Fn(&Samples) -> Result<Tensor>| {
            assert_eq!(numbers(&f(&rows).unwrap()), numbers(&f(&tensor).unwrap()));
        };
        same(&|s| s.to_tensor());
        same(&|s| s.gather(&[2, 0, 2]));
        same(&|s| s.range(1, 2));
        same(&|s| s.spread(2));
        same(&|s| s.select(&[1])?.to_tensor());
        same(&|s| s.mapped(|t| Ok((t * 2.)?))?.to_tensor());
        same(&|s| s.in_memory()?.to_tensor());
        same(&|s| s.clone().contiguous()?.with_pixels()?.to_tensor());
        same(&|s| s.with_columns(&["a", "b"])?.to_tensor());
        // The tensor is the one to go by.
        assert!(rows.few_rows().is_none() && named.few_rows().is_none());
        let swapped = named.with_columns(&["b", "a"]).unwrap();
        assert_eq!(numbers(&swapped.to_tensor().unwrap())[0], [2., 1.]);
        assert!(rows.gather(&[3]).is_err() && rows.range(2, 2).is_err());
        assert!(rows.tensor().is_some());
    }

    #[test]
    fn many_rows_none_and_other_types_are_tensors() {
        for (len, few) in [(FEW_VALUES / 2, true), (FEW_VALUES / 2 + 1, false)] {
            let rows = Samples::of_rows(vec![0f32; 2 * len], (len, 2)).unwrap();
            assert_eq!((rows.few_rows().is_some(), rows.len()), (few, len));
        }
        let none = Samples::of_rows(Vec::<f32>::new(), (0, 2)).unwrap();
        assert!(none.few_rows().is_none() && none.is_empty());
        let bytes = Samples::of_rows(vec![1u8, 2], (1, 2)).unwrap();
        assert!(bytes.few_rows().is_none() && bytes.dtype() == DType::U8);
        assert!(Samples::of_rows(vec![1f32; 3], (2, 2)).is_err());
    }
}
