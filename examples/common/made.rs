//! How a row came to be, of runs whose scoring is timed beside the fit.

use serde::{Deserialize, Serialize};

use crate::common::place::place;

/// How a row came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub puad_version: String,
    /// Of the checkout that the program was built in, with `-dirty` where it was changed since.
    pub commit: Option<String>,
    /// Kind of processor.
    pub host: String,
    /// Threads of the run.
    pub threads: usize,
    /// Seconds of the fit, the estimate of the class prior included.
    pub seconds: f64,
    /// Seconds of scoring the test rows.
    pub scoring_seconds: f64,
}

impl Made {
    pub fn now(threads: usize, seconds: f64, scoring_seconds: f64) -> Self {
        let (commit, host) = place();
        Self {
            puad_version: env!("CARGO_PKG_VERSION").into(),
            commit,
            host,
            threads,
            seconds,
            scoring_seconds,
        }
    }
}
