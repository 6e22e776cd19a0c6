/// The bound on a probability, `z` standard deviations off, of which a sample of `count` shows `share`.
///
/// # References
/// Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
pub(crate) fn wilson(share: f64, count: f64, z: f64) -> f64 {
    let half = z * z / (2. * count);
    let error = (share * (1. - share) / count + half / (2. * count)).sqrt();
    ((share + half + z * error) / (1. + 2. * half)).clamp(0., 1.)
}
