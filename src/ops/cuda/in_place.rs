use candle_core::{CpuStorage, CudaStorage, DType, InplaceOp2, InplaceOp3, Layout, Result};

use super::launch::Given;

/// A launch of a kernel that changes its first argument.
#[cfg_attr(
    not(any(test, feature = "cuda")),
    expect(dead_code, reason = "nothing to launch on")
)]
pub(super) struct InPlace {
    pub(super) kernel: &'static str,
    pub(super) blocks: [u32; 2],
    /// `REAL`: f32 or f64.
    pub(super) real: DType,
    pub(super) numbers: Vec<u64>,
}

impl InPlace {
    fn on_cpu(
        &self,
        out: (&mut CpuStorage, &Layout),
        inputs: &[Given<'_, CpuStorage>],
    ) -> Result<()> {
        #[cfg(test)]
        return super::emulated::run_in_place(self, out, inputs);
        #[cfg(not(test))]
        candle_core::bail!(
            "{} runs on CUDA, got {:?} and {} inputs elsewhere",
            self.kernel,
            out.1.shape(),
            inputs.len()
        )
    }

    fn on_cuda(
        &self,
        out: (&mut CudaStorage, &Layout),
        inputs: &[Given<'_, CudaStorage>],
    ) -> Result<()> {
        #[cfg(feature = "cuda")]
        return super::device::run_in_place(self, out, inputs);
        #[cfg(not(feature = "cuda"))]
        candle_core::bail!(
            "{} needs the feature cuda, for {:?} and {} inputs",
            self.kernel,
            out.1.shape(),
            inputs.len()
        )
    }
}

impl InplaceOp2 for InPlace {
    fn name(&self) -> &'static str {
        self.kernel
    }

    fn cpu_fwd(
        &self,
        out: &mut CpuStorage,
        out_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
    ) -> Result<()> {
        self.on_cpu((out, out_layout), &[Some((a, a_layout))])
    }

    fn cuda_fwd(
        &self,
        out: &mut CudaStorage,
        out_layout: &Layout,
        a: &CudaStorage,
        a_layout: &Layout,
    ) -> Result<()> {
        self.on_cuda((out, out_layout), &[Some((a, a_layout))])
    }
}

impl InplaceOp3 for InPlace {
    fn name(&self) -> &'static str {
        self.kernel
    }

    fn cpu_fwd(
        &self,
        out: &mut CpuStorage,
        out_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<()> {
        self.on_cpu(
            (out, out_layout),
            &[Some((a, a_layout)), Some((b, b_layout))],
        )
    }

    fn cuda_fwd(
        &self,
        out: &mut CudaStorage,
        out_layout: &Layout,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
    ) -> Result<()> {
        self.on_cuda(
            (out, out_layout),
            &[Some((a, a_layout)), Some((b, b_layout))],
        )
    }
}
