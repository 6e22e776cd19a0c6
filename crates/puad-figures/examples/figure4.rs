//! Figure 4 of the paper: AUROC of PUSVDD and SOEL against the number of unlabeled anomalies, alpha the true one.
//!
//! ```text
//! cargo run --release -p puad-figures --example figure4
//! cargo run --release -p puad-figures --example figure4 -- --dataset mnist --data-dir DIR --out number.jsonl --resume
//! ```
//!
//! The first draws the rows that are kept in `results/`. The second takes the arguments of `table1`, which runs what
//! is missing (normal class 1, 50 to 1000 unlabeled anomalies, five seeds) and goes on where it was stopped;
//! `--merge FILES` draws rows of other files. A panel a data set: the mean as a line, one standard deviation as a
//! band. Writes `target/figure4.svg` and `target/figure4.png`.

use std::error::Error;

use puad_figures::{Axis, auroc_figure};

fn main() -> Result<(), Box<dyn Error>> {
    let axis = Axis {
        title: "unlabeled anomalies",
        ticks: &[50., 125., 250., 500., 1000.],
        line: None,
    };
    auroc_figure(4, &axis)
}
