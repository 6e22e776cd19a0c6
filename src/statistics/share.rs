use crate::{Error, Result};

/// # Errors
/// [`Error::Config`] for one that is not strictly between 0 and 1.
pub(crate) fn check_share(name: &'static str, share: f64) -> Result<()> {
    if share > 0. && share < 1. {
        return Ok(());
    }
    Err(Error::config(name, "strictly between 0 and 1", share))
}
