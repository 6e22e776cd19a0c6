//! Measures of detection quality.
/// STUB
pub fn auroc(_: &[f64], _: &[bool]) -> crate::Result<f64> {
    Ok(0.)
}
