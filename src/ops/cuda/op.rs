use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};

use super::launch::{Launch, with_inputs};

/// A launch with a backward pass: an operation of one argument, or of three.
pub(super) struct Op<B> {
    pub(super) launch: Launch,
    /// Inputs behind the arguments, without gradient.
    pub(super) held: Vec<Option<Tensor>>,
    /// From the arguments, the output and its gradient (contiguous).
    pub(super) backward: B,
}

/// The two launches of an operation of one tensor.
pub(in crate::ops) struct Launches {
    /// From the input.
    pub(in crate::ops) forward: Launch,
    /// From `reads` and the output's gradient.
    pub(in crate::ops) backward: Launch,
    pub(in crate::ops) reads: &'static [Operand],
}

/// What a backward pass may read.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) enum Operand {
    Input,
    Output,
}

/// The output of `launches` for `xs` (contiguous), with its backward pass.
pub(in crate::ops) fn run(launches: Launches, xs: &Tensor) -> Result<Tensor> {
    let Launches {
        forward,
        backward,
        reads,
    } = launches;
    xs.apply_op1(Op {
        launch: forward,
        held: Vec::new(),
        backward: move |xs: &Tensor, ys: &Tensor, grad: &Tensor| {
            let read = |operand: &Operand| {
                Some(match operand {
                    Operand::Input => xs,
                    Operand::Output => ys,
                })
            };
            let inputs: Vec<_> = reads.iter().map(read).chain([Some(grad)]).collect();
            backward.apply(&inputs)
        },
    })
}

pub(super) type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

impl<B> Op<B> {
    fn rest(&self) -> Vec<Option<&Tensor>> {
        self.held.iter().map(Option::as_ref).collect()
    }
}

impl<B: Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>> CustomOp1 for Op<B> {
    fn name(&self) -> &'static str {
        self.launch.kernel
    }

    fn cpu_fwd(&self, xs: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        with_inputs!(
            self.launch,
            self.rest(),
            vec![Some((xs, layout))],
            Cpu,
            on_cpu
        )
    }

    fn cuda_fwd(&self, xs: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        with_inputs!(
            self.launch,
            self.rest(),
            vec![Some((xs, layout))],
            Cuda,
            on_cuda
        )
    }

    fn bwd(&self, xs: &Tensor, ys: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        (self.backward)(xs, ys, &grad.contiguous()?).map(Some)
    }
}

impl<B: Fn([&Tensor; 3], &Tensor, &Tensor) -> Result<Gradients>> CustomOp3 for Op<B> {
    fn name(&self) -> &'static str {
        self.launch.kernel
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let first = vec![
            Some((a, a_layout)),
            Some((b, b_layout)),
            Some((c, c_layout)),
        ];
        with_inputs!(self.launch, self.rest(), first, Cpu, on_cpu)
    }

    fn cuda_fwd(
        &self,
        a: &CudaStorage,
        a_layout: &Layout,
        b: &CudaStorage,
        b_layout: &Layout,
        c: &CudaStorage,
        c_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let first = vec![
            Some((a, a_layout)),
            Some((b, b_layout)),
            Some((c, c_layout)),
        ];
        with_inputs!(self.launch, self.rest(), first, Cuda, on_cuda)
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        ys: &Tensor,
        grad: &Tensor,
    ) -> Result<Gradients> {
        (self.backward)([a, b, c], ys, &grad.contiguous()?)
    }
}
