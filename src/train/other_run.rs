use std::path::PathBuf;

use crate::Error;
use crate::error::Source;

/// A file holds a training run that this one cannot go on from; the cause of an [`Error::Checkpoint`].
///
/// ```
/// use puad::data::toy::{self, ToyConfig};
/// use puad::method::Method;
/// use puad::train::OtherRun;
/// use puad::{Estimator, FitConfig};
///
/// let toy = toy::generate(&ToyConfig::default(), 0)?;
/// let path = std::env::temp_dir().join(format!("puad-other-run-{}", std::process::id()));
/// let fit = |batch_size| {
///     let mut config = FitConfig { method: Some(Method::PUAE), ..FitConfig::default() };
///     config.train.epochs = 1;
///     config.train.batch_size = batch_size;
///     let estimator = Estimator::new(config).with_checkpoints(&path, 1);
///     estimator.fit(&toy.normals, &toy.labeled_anomalies)
/// };
/// fit(64)?;
/// let error = fit(32).unwrap_err();
/// let other: &OtherRun = error.cause().expect("another run");
/// assert_eq!(other.what, "training configuration");
/// std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[error(
    "{} holds another training run, with a different {what}{}: finish that one or delete the file",
    path.display(),
    because(cause)
)]
#[non_exhaustive]
pub struct OtherRun {
    /// The file.
    pub path: PathBuf,
    /// The first thing that differs.
    pub what: &'static str,
    /// What shows it, where it is more than a comparison.
    #[source]
    pub cause: Option<Source>,
}

fn because(cause: &Option<Source>) -> String {
    let cause = cause.as_ref();
    cause.map_or(String::new(), |cause| format!(" ({cause})"))
}

impl From<OtherRun> for Error {
    fn from(problem: OtherRun) -> Self {
        Self::Checkpoint(problem.into())
    }
}
