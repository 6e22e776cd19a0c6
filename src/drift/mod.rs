//! Whether new scores are still those of the fit.
