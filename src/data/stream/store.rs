use candle_core::{DType, Device, Tensor};
use puad_data::stream::{StoredTable, Values};

use crate::Result;
use crate::data::Store;

/// Images of 8 bits stay such; other integers are the numbers that a [`TableReader`](super::TableReader) makes of them.
impl Store for StoredTable {
    fn len(&self) -> usize {
        StoredTable::len(self) as usize
    }

    fn sample_shape(&self) -> Vec<usize> {
        StoredTable::sample_shape(self)
    }

    fn dtype(&self) -> DType {
        // Of one that cannot be read the first reader hears.
        let none = StoredTable::read(self, 0, 0);
        match none.map(|batch| (batch.values, batch.shape.len())) {
            Ok((Values::F64(_), _)) => DType::F64,
            Ok((Values::U8(_), 4)) => DType::U8,
            _ => DType::F32,
        }
    }

    fn names(&self) -> Vec<String> {
        self.columns()
    }

    fn chunk_ends(&self) -> Vec<u32> {
        // `Samples::stored` refuses more.
        let ends = StoredTable::chunk_ends(self).into_iter();
        ends.map(|end| u32::try_from(end).unwrap_or(u32::MAX))
            .collect()
    }

    fn read(&self, first: usize, count: usize) -> Result<Tensor> {
        let batch = StoredTable::read(self, first as u64, count)?;
        let shape = batch.shape;
        Ok(match batch.values {
            Values::U8(pixels) if shape.len() == 4 => {
                Tensor::from_vec(pixels, shape, &Device::Cpu)?
            }
            Values::U8(values) => {
                let values: Vec<f32> = values.into_iter().map(f32::from).collect();
                Tensor::from_vec(values, shape, &Device::Cpu)?
            }
            Values::F32(values) => Tensor::from_vec(values, shape, &Device::Cpu)?,
            Values::F64(values) => Tensor::from_vec(values, shape, &Device::Cpu)?,
        })
    }
}
