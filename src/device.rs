use candle_core::Device;

use crate::{Error, Result};

/// The device of this name: `cpu`, `cuda`, `cuda:1`, `metal` or `metal:0`.
///
/// # Errors
/// [`Error::NoDevice`] for another name, a device that is not there, or one whose feature (`cuda`,
/// `metal`) this crate was built without.
///
/// ```
/// assert!(puad::device("cpu")?.is_cpu());
/// assert!(matches!(puad::device("gpu"), Err(puad::Error::NoDevice { .. })));
/// # Ok::<(), puad::Error>(())
/// ```
pub fn device(name: &str) -> Result<Device> {
    let missing = |reason: String| Error::NoDevice {
        name: name.into(),
        reason,
    };
    let lacks = |feature| missing(format!("build puad with its feature {feature}"));
    let (kind, index) = name.split_once(':').unwrap_or((name, "0"));
    let rule = "it must be cpu, cuda, cuda:N, metal or metal:N";
    let index: usize = index.parse().map_err(|_| missing(rule.into()))?;
    match kind {
        "cpu" if !name.contains(':') => Ok(Device::Cpu),
        "cuda" if !cfg!(feature = "cuda") => Err(lacks("cuda")),
        "metal" if !cfg!(feature = "metal") => Err(lacks("metal")),
        "cuda" => Device::new_cuda(index).map_err(|e| missing(e.to_string())),
        "metal" => Device::new_metal(index).map_err(|e| missing(e.to_string())),
        _ => Err(missing(rule.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_errors() {
        for name in ["", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "tpu", "CPU"] {
            match device(name).unwrap_err() {
                Error::NoDevice { name: n, .. } => assert_eq!(n, name),
                err => panic!("{err}"),
            }
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn devices_this_build_lacks_are_errors() {
        assert!(matches!(device("cuda:7"), Err(Error::NoDevice { .. })));
    }
}
