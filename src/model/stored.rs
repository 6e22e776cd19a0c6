use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::sealed::Sealed;
use crate::checkpoint::{CheckpointError, Contents, Stored};
use crate::{Params, Result};

/// In front of a model's tensors in a file.
const PREFIX: &str = "parameters.";

/// What a [`Fitted`](super::Fitted) model writes of itself.
///
/// ```
/// use puad::model::ModelState;
///
/// let state = ModelState::default();
/// assert!(state.content.is_null() && state.tensors.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ModelState {
    /// Whatever is no tensor.
    pub content: Value,
    /// Of type f32 or f64, by name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl ModelState {
    /// The tensors under the names that a file has them by.
    pub(crate) fn stored(&self) -> Result<impl Iterator<Item = (String, Stored)>> {
        let stored = |(name, tensor)| Ok((format!("{PREFIX}{name}"), Stored::tensor(tensor)?));
        let all: Result<Vec<_>> = self.tensors.iter().map(stored).collect();
        Ok(all?.into_iter())
    }
}

/// A [`ModelState`] as a file has it, which a [`ModelSpec`](super::ModelSpec) makes a model of
/// again. Errors name the file.
pub struct StoredModel {
    path: PathBuf,
    /// In front of the tensors' names in the file.
    prefix: String,
    content: Value,
    tensors: BTreeMap<String, Tensor>,
}

impl StoredModel {
    pub(crate) fn take_from<C>(file: &mut Contents<C>, content: Value) -> Result<Self> {
        Ok(Self {
            path: file.path().into(),
            prefix: PREFIX.into(),
            content,
            tensors: file.take_floats(PREFIX)?,
        })
    }

    /// A model within this one: the tensors whose names begin with `prefix`, by the rest of it.
    pub(crate) fn part(&mut self, prefix: &str, content: Value) -> Self {
        let all = std::mem::take(&mut self.tensors);
        let (own, others): (BTreeMap<_, _>, _) = all
            .into_iter()
            .partition(|(name, _)| name.starts_with(prefix));
        self.tensors = others;
        let own = own.into_iter();
        Self {
            path: self.path.clone(),
            prefix: format!("{}{prefix}", self.prefix),
            content,
            tensors: own
                .map(|(name, tensor)| (name[prefix.len()..].into(), tensor))
                .collect(),
        }
    }

    /// The content.
    ///
    /// # Errors
    /// [`CheckpointError::Content`] if it is not that of a `C`.
    pub fn content<C: DeserializeOwned>(&self) -> Result<C> {
        let content = serde_json::from_value(self.content.clone());
        content.map_err(|cause| self.wrong(cause))
    }

    /// The tensor of this name and type (f32 or f64), on the host.
    ///
    /// # Errors
    /// [`CheckpointError::MissingTensor`] if there is none, [`CheckpointError::TensorType`] for one of
    /// another type.
    pub fn take(&mut self, name: &str, dtype: DType) -> Result<Tensor> {
        let (path, full) = (self.path.clone(), format!("{}{name}", self.prefix));
        match self.tensors.remove(name) {
            Some(tensor) if tensor.dtype() == dtype => Ok(tensor),
            Some(tensor) => Err(wrong_type(path, full, dtype, &tensor).into()),
            None => Err(CheckpointError::MissingTensor { path, name: full }.into()),
        }
    }

    /// An error about the content.
    pub fn wrong(&self, cause: impl std::error::Error + Send + Sync + 'static) -> crate::Error {
        let (path, cause) = (self.path.clone(), Box::new(cause));
        CheckpointError::Content { path, cause }.into()
    }

    /// Every tensor must have been taken.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.tensors.keys().next() {
            Some(name) => Err(CheckpointError::ExtraTensor {
                path: self.path.clone(),
                name: format!("{}{name}", self.prefix),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// What `build` makes of the f32 tensors, all of which it must use, on `device`.
    pub(crate) fn build<T>(
        &mut self,
        device: &Device,
        build: impl FnOnce(VarBuilder<'static>) -> Result<T>,
    ) -> Result<(T, Params)> {
        let moved = std::mem::take(&mut self.tensors).into_iter();
        let moved = moved.map(|(name, tensor)| {
            if tensor.dtype() != DType::F32 {
                let (path, name) = (self.path.clone(), format!("{}{name}", self.prefix));
                return Err(wrong_type(path, name, DType::F32, &tensor).into());
            }
            Ok((name, tensor.to_device(device)?))
        });
        let tensors = moved.collect::<Result<_>>()?;
        Sealed::new(&self.path, &self.prefix, tensors, DType::F32, device)?.build(build)
    }
}

fn wrong_type(path: PathBuf, name: String, wanted: DType, tensor: &Tensor) -> CheckpointError {
    let expected = match wanted {
        DType::F64 => "F64",
        _ => "F32",
    };
    CheckpointError::TensorType {
        path,
        name,
        expected,
        actual: format!("{:?}", tensor.dtype()),
    }
}
