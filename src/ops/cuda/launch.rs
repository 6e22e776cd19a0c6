use candle_core::{CpuStorage, CudaStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

/// Threads a block on a GPU.
pub(super) const THREADS: u32 = 256;

/// Blocks that keep any GPU busy; what is left goes round.
const BLOCKS: usize = 1 << 14;

/// One launch of a kernel of `kernels.cu` that fills one tensor. The kernel's parameters are the
/// inputs, the output, and the numbers.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(any(test, feature = "cuda")),
    expect(dead_code, reason = "nothing to launch on")
)]
pub(in crate::ops) struct Launch {
    pub(in crate::ops) kernel: &'static str,
    pub(in crate::ops) blocks: [u32; 2],
    /// `REAL`: f32 or f64.
    pub(in crate::ops) real: DType,
    pub(in crate::ops) output: (Shape, DType),
    /// As bits: `long long` and `double`.
    pub(in crate::ops) numbers: Vec<u64>,
}

/// A `long long` parameter.
pub(in crate::ops) fn int(value: usize) -> u64 {
    value as u64
}

/// A `double` parameter.
pub(in crate::ops) fn real(value: f64) -> u64 {
    value.to_bits()
}

/// Blocks for a kernel that goes over `n` values.
pub(super) fn blocks_for(n: usize) -> [u32; 2] {
    [n.div_ceil(THREADS as usize).min(BLOCKS) as u32, 1]
}

impl Launch {
    /// A kernel over the `n` values of its output, whose first number that is.
    pub(in crate::ops) fn each(
        kernel: &'static str,
        real: DType,
        output: impl Into<Shape>,
    ) -> Self {
        let output = output.into();
        let n = output.elem_count();
        Self {
            kernel,
            blocks: blocks_for(n),
            real,
            output: (output, real),
            numbers: vec![int(n)],
        }
    }

    /// With more numbers behind those it has.
    pub(in crate::ops) fn with(mut self, numbers: impl IntoIterator<Item = u64>) -> Self {
        self.numbers.extend(numbers);
        self
    }

    /// Runs it, without gradient. Inputs are contiguous; the first is there.
    pub(super) fn apply(&self, inputs: &[Option<&Tensor>]) -> Result<Tensor> {
        let [Some(first), rest @ ..] = inputs else {
            candle_core::bail!("{} needs a first input", self.kernel)
        };
        first.apply_op1_no_bwd(&Unrecorded { launch: self, rest })
    }

    /// Runs it on storages of the CPU: in tests alone.
    pub(super) fn on_cpu(&self, inputs: &[Given<'_, CpuStorage>]) -> Result<(CpuStorage, Shape)> {
        #[cfg(test)]
        return Ok((super::emulated::run(self, inputs), self.output.0.clone()));
        #[cfg(not(test))]
        candle_core::bail!(
            "{} runs on CUDA, got {} inputs elsewhere",
            self.kernel,
            inputs.len()
        )
    }

    pub(super) fn on_cuda(
        &self,
        inputs: &[Given<'_, CudaStorage>],
    ) -> Result<(CudaStorage, Shape)> {
        #[cfg(feature = "cuda")]
        return Ok((super::device::run(self, inputs)?, self.output.0.clone()));
        #[cfg(not(feature = "cuda"))]
        candle_core::bail!(
            "{} needs the feature cuda, for {} inputs",
            self.kernel,
            inputs.len()
        )
    }
}

/// An argument of a kernel; a null pointer where there is none.
pub(super) type Given<'a, S> = Option<(&'a S, &'a Layout)>;

/// A launch as an operation of its first input, which candle then finds the device of.
struct Unrecorded<'a> {
    launch: &'a Launch,
    rest: &'a [Option<&'a Tensor>],
}

/// Calls `$run` with the first input and those of `$rest`, all of `Storage::$device`.
macro_rules! with_inputs {
    ($launch:expr, $rest:expr, $first:expr, $device:ident, $run:ident) => {{
        let guards: Vec<_> = $rest
            .iter()
            .map(|t| t.map(|t| t.storage_and_layout()))
            .collect();
        let mut inputs = $first;
        for guard in &guards {
            inputs.push(match guard {
                None => None,
                Some((storage, layout)) => match &**storage {
                    candle_core::Storage::$device(storage) => Some((storage, *layout)),
                    _ => candle_core::bail!("{}: inputs on two devices", $launch.kernel),
                },
            });
        }
        $launch.$run(&inputs)
    }};
}
pub(super) use with_inputs;

impl CustomOp1 for Unrecorded<'_> {
    fn name(&self) -> &'static str {
        self.launch.kernel
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        with_inputs!(
            self.launch,
            self.rest,
            vec![Some((storage, layout))],
            Cpu,
            on_cpu
        )
    }

    fn cuda_fwd(&self, storage: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        with_inputs!(
            self.launch,
            self.rest,
            vec![Some((storage, layout))],
            Cuda,
            on_cuda
        )
    }
}
