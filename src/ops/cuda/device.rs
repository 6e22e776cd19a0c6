use std::sync::OnceLock;

use candle_core::backend::{BackendDevice, BackendStorage};
use candle_core::cuda_backend::cudarc::driver::{
    CudaStream, DevicePtr, DevicePtrMut, DeviceRepr, LaunchConfig, PushKernelArg, SyncOnDrop,
};
use candle_core::cuda_backend::cudarc::nvrtc::{CompileOptions, compile_ptx_with_opts};
use candle_core::cuda_backend::{CudaDType, CudaDevice, CudaStorageSlice};
use candle_core::{CudaStorage, DType, Error, Layout, Result};

use super::in_place::InPlace;
use super::launch::{Given, Launch, THREADS};

/// Runs `launch` into a new storage.
pub(super) fn run(launch: &Launch, inputs: &[Given<'_, CudaStorage>]) -> Result<CudaStorage> {
    let Some((first, _)) = inputs.iter().flatten().next() else {
        candle_core::bail!("{} has no input", launch.kernel)
    };
    match launch.output.1 {
        DType::F32 => run_to::<f32>(launch, inputs, &first.device),
        DType::F64 => run_to::<f64>(launch, inputs, &first.device),
        other => Err(Error::UnsupportedDTypeForOp(other, launch.kernel).bt()),
    }
}

fn run_to<T: CudaDType + DeviceRepr>(
    launch: &Launch,
    inputs: &[Given<'_, CudaStorage>],
    device: &CudaDevice,
) -> Result<CudaStorage> {
    let stream = device.cuda_stream();
    // SAFETY: the kernel writes every value of its output.
    let mut output = unsafe { device.alloc::<T>(launch.output.0.elem_count()) }?;
    {
        let (mut words, _reads) = addresses(inputs, device, &stream)?;
        let (address, _write) = output.device_ptr_mut(&stream);
        words.push(address);
        words.extend(&launch.numbers);
        call(device, launch.real, (launch.kernel, launch.blocks), &words)?;
    }
    Ok(CudaStorage::wrap_cuda_slice(output, device.clone()))
}

/// Runs `op` on `out` and `inputs`.
pub(super) fn run_in_place(
    op: &InPlace,
    (out, layout): (&mut CudaStorage, &Layout),
    inputs: &[Given<'_, CudaStorage>],
) -> Result<()> {
    let device = out.device.clone();
    let stream = device.cuda_stream();
    let start = start(layout)?;
    let (address, _write) = match &mut out.slice {
        CudaStorageSlice::F32(slice) => at(slice.device_ptr_mut(&stream), 4 * start),
        CudaStorageSlice::F64(slice) => at(slice.device_ptr_mut(&stream), 8 * start),
        _ => candle_core::bail!("{} needs f32 or f64", op.kernel),
    };
    let (inputs, _reads) = addresses(inputs, &device, &stream)?;
    let words: Vec<u64> = [address]
        .into_iter()
        .chain(inputs)
        .chain(op.numbers.iter().copied())
        .collect();
    call(&device, op.real, (op.kernel, op.blocks), &words)
}

fn start(layout: &Layout) -> Result<u64> {
    let (start, _) = layout
        .contiguous_offsets()
        .ok_or_else(|| Error::RequiresContiguous { op: "puad kernel" }.bt())?;
    Ok(start as u64)
}

fn at((address, guard): (u64, SyncOnDrop<'_>), bytes: u64) -> (u64, SyncOnDrop<'_>) {
    (address + bytes, guard)
}

/// Where the inputs lie, and the guards that must live until the launch.
fn addresses<'a>(
    inputs: &[Given<'a, CudaStorage>],
    device: &CudaDevice,
    stream: &'a CudaStream,
) -> Result<(Vec<u64>, Vec<SyncOnDrop<'a>>)> {
    let (mut words, mut guards) = (Vec::new(), Vec::new());
    for input in inputs {
        let Some((storage, layout)) = input else {
            words.push(0);
            continue;
        };
        if storage.device.location() != device.location() {
            candle_core::bail!("the inputs of a kernel lie on two GPUs")
        }
        let start = start(layout)?;
        let (address, guard) = match &storage.slice {
            CudaStorageSlice::F32(slice) => at(slice.device_ptr(stream), 4 * start),
            CudaStorageSlice::F64(slice) => at(slice.device_ptr(stream), 8 * start),
            _ => candle_core::bail!(
                "a kernel of puad needs f32 or f64, got {:?}",
                storage.dtype()
            ),
        };
        words.push(address);
        guards.push(guard);
    }
    Ok((words, guards))
}

/// The kernels for f32 or f64, compiled for any GPU that this NVRTC knows: the driver finishes the work.
fn ptx(real: DType) -> Result<&'static str> {
    static SINGLE: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    static DOUBLE: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let (cell, real) = match real {
        DType::F32 => (&SINGLE, "-DREAL=float"),
        _ => (&DOUBLE, "-DREAL=double"),
    };
    let compile = || {
        let options = CompileOptions {
            options: vec![real.into()],
            // What the CPU's kernels and the emulation round, the GPU rounds too; they all wait for
            // memory.
            fmad: Some(false),
            ..Default::default()
        };
        let ptx = compile_ptx_with_opts(include_str!("kernels.cu"), options);
        ptx.map(|ptx| ptx.to_src()).map_err(|e| e.to_string())
    };
    match cell.get_or_init(compile) {
        Ok(ptx) => Ok(ptx),
        Err(e) => Err(Error::Cuda(format!("puad's kernels do not compile: {e}").into()).bt()),
    }
}

fn call(
    device: &CudaDevice,
    real: DType,
    (kernel, blocks): (&str, [u32; 2]),
    words: &[u64],
) -> Result<()> {
    // candle keeps modules by name, and two versions of this crate may share a device.
    let module = match real {
        DType::F32 => concat!("puad-f32-", env!("CARGO_PKG_VERSION")),
        _ => concat!("puad-f64-", env!("CARGO_PKG_VERSION")),
    };
    let function = device.get_or_load_custom_func(kernel, module, ptx(real)?)?;
    let mut builder = function.builder();
    words.iter().for_each(|word| {
        builder.arg(word);
    });
    let config = LaunchConfig {
        grid_dim: (blocks[0], blocks[1], 1),
        block_dim: (THREADS, 1, 1),
        shared_mem_bytes: 0,
    };
    // SAFETY: the words are the kernel's parameters, 8 bytes each; the tests' emulation checks their
    // number and meaning.
    unsafe { builder.launch(config) }.map_err(Error::wrap)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NVRTC needs no GPU.
    #[test]
    fn kernels_compile() {
        let kernels = include_str!("kernels.cu").matches("\nKERNEL ").count();
        for real in [DType::F32, DType::F64] {
            assert_eq!(
                ptx(real).unwrap().matches(".visible .entry").count(),
                kernels
            );
        }
    }
}
