//! Runs `kernels.cu` on the CPU: the same source, compiled as C++, with the same arguments. What is left
//! for a machine with a GPU is memory and the launch itself (`device.rs`).

use std::cell::Cell;
use std::ffi::{CString, c_char, c_int};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, DType, Layout, Result, WithDType};
use libloading::Library;

use super::in_place::InPlace;
use super::launch::{Given, Launch};
use crate::ops::cpu::contiguous_mut;

type Run = unsafe extern "C" fn(*const c_char, u32, u32, u32, *const u64, usize) -> c_int;

/// The emulation has one grid.
static GRID: Mutex<()> = Mutex::new(());

thread_local! {
    /// Threads a block; the kernels' sums take another order with each.
    static THREADS: Cell<u32> = const { Cell::new(1) };
}

/// `ON(name);` for each kernel of the file.
fn kernels() -> String {
    let source = include_str!("kernels.cu").split("\nKERNEL ").skip(1);
    let name = |rest: &str| rest.split_once('(').map(|(name, _)| format!("ON({name});"));
    source.filter_map(name).collect()
}

/// The kernels for `real`, compiled once a process.
fn library(real: DType) -> &'static Library {
    static SINGLE: OnceLock<Library> = OnceLock::new();
    static DOUBLE: OnceLock<Library> = OnceLock::new();
    let (cell, name) = match real {
        DType::F32 => (&SINGLE, "float"),
        _ => (&DOUBLE, "double"),
    };
    cell.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kernels.so");
        let done = Command::new("c++")
            .args([
                "-std=c++20",
                "-O1",
                "-shared",
                "-fPIC",
                "-pthread",
                "-Wall",
                "-Werror",
            ])
            .arg(format!("-DREAL={name}"))
            .arg(format!("-DKERNELS={}", kernels()))
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/src/ops/cuda/emulated.cpp"
            ))
            .arg("-o")
            .arg(&path)
            .status()
            .expect("a C++ compiler, c++, is needed");
        assert!(done.success());
        // SAFETY: a library without initialisers.
        unsafe { Library::new(path) }.unwrap()
    })
}

fn call(real: DType, (kernel, blocks): (&str, [u32; 2]), words: &[u64]) {
    let name = CString::new(kernel).unwrap();
    let threads = THREADS.get();
    let _grid = GRID.lock().unwrap();
    // SAFETY: the words are addresses of live storages, and numbers; `run` checks their count.
    let code = unsafe {
        let run = library(real).get::<Run>(b"run").unwrap();
        run(
            name.as_ptr(),
            blocks[0],
            blocks[1],
            threads,
            words.as_ptr(),
            words.len(),
        )
    };
    assert_eq!(
        code,
        0,
        "{kernel}: 1 for no such kernel, 2 for {} arguments",
        words.len()
    );
}

/// Runs `f` with blocks of `threads`.
pub(in crate::ops) fn with_threads<T>(threads: u32, f: impl FnOnce() -> T) -> T {
    THREADS.set(threads);
    let result = f();
    THREADS.set(1);
    result
}

fn addresses(inputs: &[Given<'_, CpuStorage>]) -> Vec<u64> {
    let address = |given: &Given<'_, CpuStorage>| {
        let Some((storage, layout)) = given else {
            return 0;
        };
        let (start, _) = layout.contiguous_offsets().expect("contiguous inputs");
        match storage {
            CpuStorage::F32(values) => values[start..].as_ptr() as u64,
            CpuStorage::F64(values) => values[start..].as_ptr() as u64,
            _ => panic!("f32 or f64"),
        }
    };
    inputs.iter().map(address).collect()
}

pub(super) fn run(launch: &Launch, inputs: &[Given<'_, CpuStorage>]) -> CpuStorage {
    let n = launch.output.0.elem_count();
    let call_with = |output: u64| {
        let mut words = addresses(inputs);
        words.push(output);
        words.extend(&launch.numbers);
        call(launch.real, (launch.kernel, launch.blocks), &words);
    };
    // What a kernel leaves unwritten is seen.
    match launch.output.1 {
        DType::F32 => {
            let mut values = vec![f32::NAN; n];
            call_with(values.as_mut_ptr() as u64);
            f32::to_cpu_storage_owned(values)
        }
        _ => {
            let mut values = vec![f64::NAN; n];
            call_with(values.as_mut_ptr() as u64);
            f64::to_cpu_storage_owned(values)
        }
    }
}

pub(super) fn run_in_place(
    op: &InPlace,
    (out, layout): (&mut CpuStorage, &Layout),
    inputs: &[Given<'_, CpuStorage>],
) -> Result<()> {
    let address = match out.dtype() {
        DType::F32 => contiguous_mut::<f32>(out, layout)?.as_mut_ptr() as u64,
        _ => contiguous_mut::<f64>(out, layout)?.as_mut_ptr() as u64,
    };
    let words: Vec<u64> = [address]
        .into_iter()
        .chain(addresses(inputs))
        .chain(op.numbers.iter().copied())
        .collect();
    call(op.real, (op.kernel, op.blocks), &words);
    Ok(())
}

mod tests {
    use candle_core::{Device, Tensor};

    use super::*;
    use crate::detector::Autoencoder;
    use crate::loss::{Noise, Pass};
    use crate::net::{LeNetConfig, LeNetDecoder, LeNetEncoder};
    use crate::objective::{GroupCounts, GroupLosses, Objective, PuObjective};
    use crate::ops::backend::{Mode, in_mode};
    use crate::ops::gradcheck;
    use crate::optim::{Adam, AdamConfig};
    use crate::prior::ClassPrior;
    use crate::{NonNegativeLoss, Params};

    /// Every check of an operation, on the kernels for CUDA.
    #[test]
    #[ignore = "needs a C++ compiler"]
    fn operations() {
        for threads in [1, 8] {
            let checks = [
                gradcheck::batch_norm_of_batch_statistics,
                gradcheck::batch_norm_of_given_statistics,
                gradcheck::batch_norm_keeps_its_digits_beside_a_large_mean,
                gradcheck::pooling_and_upsampling,
                gradcheck::large_tensors,
                gradcheck::the_first_maximum_takes_all,
                gradcheck::nan_is_a_maximum,
                gradcheck::elementwise_operations,
                gradcheck::gradients_at_zero_are_finite,
                gradcheck::log1mexp_keeps_its_digits_at_both_ends,
            ];
            let run = || checks.iter().for_each(|check| check());
            with_threads(threads, || in_mode(Mode::Emulated, run));
        }
    }

    /// Parameters and running statistics after three steps of PUAE, and then the scores.
    fn trained(mode: Mode, dtype: DType) -> crate::Result<Vec<f64>> {
        in_mode(mode, || {
            let config = LeNetConfig {
                height: 16,
                width: 16,
                blocks: vec![4, 6, 8],
                latent: 8,
                ..Default::default()
            };
            let params = Params::new(0, dtype, &Device::Cpu);
            let vb = params.var_builder();
            let encoder = LeNetEncoder::new(&config, vb.pp("encoder"))?;
            let decoder = LeNetDecoder::new(&config, vb.pp("decoder"))?;
            let detector = Autoencoder::new(encoder, decoder);
            let objective = PuObjective::new(&detector, ClassPrior::new(0.1)?);
            let values: Vec<f64> = (0..8 * 3 * 256)
                .map(|i| (f64::from(i) * 0.37).sin().abs())
                .collect();
            let xs = Tensor::from_vec(values, (8, 3, 16, 16), &Device::Cpu)?.to_dtype(dtype)?;
            let counts = GroupCounts {
                unlabeled: 6,
                anomalies: 2,
                normals: 0,
            };
            let mut adam = Adam::new(params.parameters(), AdamConfig::default())?;
            let mut noise = Noise::new(0);
            for _ in 0..3 {
                let losses = detector.losses(&xs, &mut Pass::training(&mut noise))?;
                let risk = objective.risk(&GroupLosses::split(&losses, counts)?)?;
                adam.step(&risk.backward()?)?;
            }
            let tensors = params.parameters().into_iter().chain(params.buffers());
            let tensors = tensors.map(|(_, var)| var.as_detached_tensor());
            let all: Vec<Tensor> = tensors.chain([detector.score(&xs)?]).collect();
            let flat = |t: Tensor| Ok(t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?);
            Ok(all
                .into_iter()
                .map(flat)
                .collect::<crate::Result<Vec<_>>>()?
                .concat())
        })
    }

    #[test]
    #[ignore = "needs a C++ compiler"]
    fn a_network_trains_as_on_the_cpu() {
        let cpu = trained(Mode::Kernels, DType::F64).unwrap();
        let cuda = trained(Mode::Emulated, DType::F64).unwrap();
        assert!(cpu.iter().all(|v| v.is_finite()));
        for (a, b) in cpu.iter().zip(&cuda) {
            approx::assert_relative_eq!(a, b, max_relative = 1e-9, epsilon = 1e-9);
        }
        // A rerun gives the same bits.
        let single = trained(Mode::Emulated, DType::F32).unwrap();
        assert_eq!(single, trained(Mode::Emulated, DType::F32).unwrap());
    }
}
