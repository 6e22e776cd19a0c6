//! Quantiles, counts and shares, for all that estimates.

mod binomial;
mod quantile;
mod share;
mod wilson;

pub(crate) use binomial::{at_most, lower_end, marked_at_most, more_than};
pub(crate) use quantile::{midway, quantile, value_at};
pub(crate) use share::check_share;
pub(crate) use wilson::wilson;
