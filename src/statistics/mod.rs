//! Quantiles, counts, shares and runs, for all that estimates.

mod binomial;
mod quantile;
mod runs;
mod share;
mod wilson;

pub(crate) use binomial::{at_most, lower_end, marked_at_most, more_than};
pub(crate) use quantile::{midway, quantile, value_at};
pub(crate) use runs::runs;
pub(crate) use share::check_share;
pub(crate) use wilson::wilson;
