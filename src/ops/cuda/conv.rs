//! Convolutions by cuDNN, with the algorithms whose reruns give the same bits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as DataAlgo, cudnnConvolutionBwdFilterAlgo_t as FilterAlgo,
    cudnnConvolutionFwdAlgo_t as ForwardAlgo, cudnnConvolutionMode_t, cudnnMathType_t,
    cudnnTensorFormat_t,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnDataType,
    FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr};
use candle_core::cuda_backend::{CudaDType, CudaDevice};
use candle_core::{CudaStorage, DType, Error, Layout, Result, WithDType};

use super::super::ConvAlgorithm;
use super::super::conv2d::Role;
use super::super::im2col::ConvShape;

thread_local! {
    // A handle may not change threads. By GPU and stream: candle's devices of one GPU share them.
    static STATES: RefCell<HashMap<(usize, usize), State>> = RefCell::default();
}

/// Bytes of scratch above which the plain algorithm is taken.
const LARGEST_WORKSPACE: usize = 1 << 30;

struct State {
    cudnn: Arc<Cudnn>,
    choices: HashMap<(Role, ConvShape, DType, ConvAlgorithm), Choice>,
}

#[derive(Clone, Copy)]
struct Choice {
    algorithm: Algorithm,
    /// Bytes.
    workspace: usize,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Forward(ForwardAlgo),
    Data(DataAlgo),
    Filter(FilterAlgo),
}

/// The tensor of `role` from the two others, in the order of [`Role`].
pub(in crate::ops) fn convolve(
    shape: &ConvShape,
    (role, algorithm): (Role, ConvAlgorithm),
    a: (&CudaStorage, &Layout),
    b: (&CudaStorage, &Layout),
) -> Result<CudaStorage> {
    match a.0.dtype() {
        DType::F32 => convolve_as::<f32>(shape, (role, algorithm), a, b),
        DType::F64 => convolve_as::<f64>(shape, (role, algorithm), a, b),
        other => Err(Error::UnsupportedDTypeForOp(other, "conv2d").bt()),
    }
}

fn convolve_as<T: WithDType + CudaDType + CudnnDataType + DeviceRepr>(
    shape: &ConvShape,
    key: (Role, ConvAlgorithm),
    a: (&CudaStorage, &Layout),
    b: (&CudaStorage, &Layout),
) -> Result<CudaStorage> {
    let device = a.0.device.clone();
    let (a, b) = (view::<T>(a)?, view::<T>(b)?);
    // SAFETY: cuDNN writes every value; with beta 0 it reads none.
    let mut output = unsafe { device.alloc::<T>(key.0.shape(shape).elem_count()) }?;
    let stream = device.cuda_stream();
    let place = (stream.context().ordinal(), stream.cu_stream() as usize);
    STATES.with_borrow_mut(|states| {
        let state = match states.entry(place) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(State {
                cudnn: Cudnn::new(stream)?,
                choices: HashMap::new(),
            }),
        };
        let descriptors = Descriptors::<T>::new(&state.cudnn, shape, key.1)?;
        let known = (key.0, *shape, T::DTYPE, key.1);
        let choice = match state.choices.get(&known) {
            Some(&choice) => choice,
            None => {
                let choice = descriptors.choose(key)?;
                state.choices.insert(known, choice);
                choice
            }
        };
        descriptors.launch(&device, choice, (&a, &b), &mut output)
    })?;
    Ok(CudaStorage::wrap_cuda_slice(output, device))
}

fn view<'a, T: CudaDType>(
    (storage, layout): (&'a CudaStorage, &Layout),
) -> Result<CudaView<'a, T>> {
    let (start, end) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::RequiresContiguous { op: "conv2d" }.bt())?;
    Ok(storage.as_cuda_slice::<T>()?.slice(start..end))
}

/// A convolution's tensors, as cuDNN sees them.
struct Descriptors<T: CudnnDataType> {
    conv: ConvDescriptor<T>,
    input: TensorDescriptor<T>,
    kernel: FilterDescriptor<T>,
    output: TensorDescriptor<T>,
}

impl<T: WithDType + CudaDType + CudnnDataType + DeviceRepr> Descriptors<T> {
    fn new(cudnn: &Arc<Cudnn>, s: &ConvShape, algorithm: ConvAlgorithm) -> Result<Self> {
        let format = cudnnTensorFormat_t::CUDNN_TENSOR_NCHW;
        let mode = cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        let dims = |role: Role| -> Result<[i32; 4]> {
            let shape = role.shape(s);
            let dims: Vec<i32> = shape.dims().iter().map(|&d| d as i32).collect();
            let [a, b, c, d] = dims[..] else {
                candle_core::bail!("a convolution has four dimensions, got {shape:?}")
            };
            Ok([a, b, c, d])
        };
        let padding = [s.padding as i32; 2];
        let mut conv = cudnn.create_conv2d::<T>(padding, [1, 1], [1, 1], mode)?;
        // The default would round f32 to TensorFloat-32.
        conv.set_math_type(match algorithm {
            ConvAlgorithm::Tf32 => cudnnMathType_t::CUDNN_DEFAULT_MATH,
            ConvAlgorithm::Fast | ConvAlgorithm::Exact => cudnnMathType_t::CUDNN_FMA_MATH,
        })?;
        Ok(Self {
            conv,
            input: cudnn.create_4d_tensor::<T>(format, dims(Role::Input)?)?,
            kernel: cudnn.create_4d_filter::<T>(format, dims(Role::Kernel)?)?,
            output: cudnn.create_4d_tensor::<T>(format, dims(Role::Output)?)?,
        })
    }

    fn forward(&self) -> ConvForward<'_, T, T, T> {
        ConvForward {
            conv: &self.conv,
            x: &self.input,
            w: &self.kernel,
            y: &self.output,
        }
    }

    fn data(&self) -> ConvBackwardData<'_, T, T, T> {
        ConvBackwardData {
            conv: &self.conv,
            dx: &self.input,
            w: &self.kernel,
            dy: &self.output,
        }
    }

    fn filter(&self) -> ConvBackwardFilter<'_, T, T, T> {
        ConvBackwardFilter {
            conv: &self.conv,
            x: &self.input,
            dw: &self.kernel,
            dy: &self.output,
        }
    }

    /// What cuDNN thinks quickest, with a fixed order of sums and bounded scratch; for `Exact` and f64 a
    /// plain sum of products.
    fn choose(&self, (role, algorithm): (Role, ConvAlgorithm)) -> Result<Choice> {
        let plain = match role {
            Role::Output => {
                Algorithm::Forward(ForwardAlgo::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
            }
            Role::Input => Algorithm::Data(DataAlgo::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1),
            Role::Kernel => Algorithm::Filter(FilterAlgo::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1),
        };
        if algorithm != ConvAlgorithm::Exact && T::DTYPE == DType::F32 {
            let choice = self.with_workspace(self.quickest(role)?.unwrap_or(plain))?;
            if choice.workspace <= LARGEST_WORKSPACE {
                return Ok(choice);
            }
        }
        self.with_workspace(plain)
    }

    /// cuDNN's own choice; `None` if its sums have no fixed order.
    fn quickest(&self, role: Role) -> Result<Option<Algorithm>> {
        use DataAlgo::CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 as DATA_0;
        use FilterAlgo::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 as FILTER_0;
        use FilterAlgo::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3 as FILTER_3;
        Ok(match role {
            Role::Output => Some(Algorithm::Forward(self.forward().pick_algorithm()?)),
            Role::Input => match self.data().pick_algorithm()? {
                DATA_0 => None,
                algorithm => Some(Algorithm::Data(algorithm)),
            },
            Role::Kernel => match self.filter().pick_algorithm()? {
                FILTER_0 | FILTER_3 => None,
                algorithm => Some(Algorithm::Filter(algorithm)),
            },
        })
    }

    fn with_workspace(&self, algorithm: Algorithm) -> Result<Choice> {
        let workspace = match algorithm {
            Algorithm::Forward(algorithm) => self.forward().get_workspace_size(algorithm),
            Algorithm::Data(algorithm) => self.data().get_workspace_size(algorithm),
            Algorithm::Filter(algorithm) => self.filter().get_workspace_size(algorithm),
        }?;
        Ok(Choice {
            algorithm,
            workspace,
        })
    }

    fn launch(
        &self,
        device: &CudaDevice,
        choice: Choice,
        (a, b): (&CudaView<'_, T>, &CudaView<'_, T>),
        out: &mut CudaSlice<T>,
    ) -> Result<()> {
        // SAFETY: cuDNN uses it as scratch.
        let mut workspace = unsafe { device.alloc::<u8>(choice.workspace.max(1)) }?;
        let (workspace, scaling) = (Some(&mut workspace), (T::one(), T::zero()));
        // SAFETY: the slices are of the shapes that the descriptors give: `Role::shape`.
        unsafe {
            match choice.algorithm {
                Algorithm::Forward(algorithm) => self
                    .forward()
                    .launch(algorithm, workspace, scaling, a, b, out),
                Algorithm::Data(algorithm) => {
                    self.data().launch(algorithm, workspace, scaling, out, b, a)
                }
                Algorithm::Filter(algorithm) => self
                    .filter()
                    .launch(algorithm, workspace, scaling, a, out, b),
            }
        }?;
        Ok(())
    }
}
