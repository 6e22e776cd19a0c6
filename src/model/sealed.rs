//! A network built on the tensors of a file, and on no others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use crate::checkpoint::CheckpointError;
use crate::{Error, Params, Result};

/// Hands out the tensors of a file by name, and remembers what was asked for.
#[derive(Clone)]
pub(crate) struct Sealed {
    path: PathBuf,
    prefix: String,
    params: Params,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: BTreeSet<String>,
    /// candle's errors cannot carry ours.
    problem: Option<CheckpointError>,
}

impl Sealed {
    /// `tensors` by their name without `prefix`.
    pub(crate) fn new(
        path: &Path,
        prefix: &str,
        tensors: BTreeMap<String, Tensor>,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        Ok(Self {
            path: path.into(),
            prefix: prefix.into(),
            params: Params::from_tensors(tensors, dtype, device)?,
            state: Arc::default(),
        })
    }

    /// What `build` makes of the tensors, and the tensors: it must use all of them, in their shape.
    pub(crate) fn build<T>(
        self,
        build: impl FnOnce(VarBuilder<'static>) -> Result<T>,
    ) -> Result<(T, Params)> {
        let (dtype, device) = (self.params.dtype(), self.params.device().clone());
        let vb = VarBuilder::from_backend(Box::new(self.clone()), dtype, device);
        let built = build(vb);
        let mut state = self.lock();
        if let Some(problem) = state.problem.take() {
            return Err(problem.into());
        }
        let built = built?;
        let vars = self
            .params
            .parameters()
            .into_iter()
            .chain(self.params.buffers());
        for (name, _) in vars {
            if !state.asked.contains(&name) {
                let name = format!("{}{name}", self.prefix);
                let path = self.path.clone();
                return Err(CheckpointError::ExtraTensor { path, name }.into());
            }
        }
        Ok((built, self.params.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, problem: CheckpointError) -> candle_core::Error {
        let message = problem.to_string();
        self.lock().problem.get_or_insert(problem);
        candle_core::Error::Msg(message)
    }
}

impl SimpleBackend for Sealed {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        let (path, full) = (self.path.clone(), format!("{}{name}", self.prefix));
        let Ok(var) = self.params.get(name) else {
            return Err(self.fail(CheckpointError::MissingTensor { path, name: full }));
        };
        if var.dims() != shape.dims() {
            return Err(self.fail(CheckpointError::TensorShape {
                path,
                name: full,
                expected: shape.dims().to_vec(),
                actual: var.dims().to_vec(),
            }));
        }
        self.lock().asked.insert(name.into());
        Ok(var.into_inner())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        let var = self.params.get(name);
        let var = var.map_err(|e: Error| candle_core::Error::Msg(e.to_string()))?;
        Ok(var.into_inner())
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.params.get(name).is_ok()
    }
}
