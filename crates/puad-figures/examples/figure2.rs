//! Figure 2 of the paper: AUROC of PUSVDD and SOEL against the class prior alpha.
//!
//! ```text
//! cargo run --release -p puad-figures --example figure2
//! cargo run --release -p puad-figures --example figure2 -- --dataset mnist --data-dir DIR --out alpha.jsonl --resume
//! ```
//!
//! The first draws the rows that are kept in `results/`. The second takes the arguments of `table1`, which runs what
//! is missing (normal class 1, eight values of alpha from 0.01 to 0.5, five seeds) and goes on where it was stopped;
//! `--merge FILES` draws rows of other files. A panel a data set: the mean as a line, one standard deviation as a
//! band. Writes `target/figure2.svg` and `target/figure2.png`.

use std::error::Error;

use puad_figures::{Axis, auroc_figure};

fn main() -> Result<(), Box<dyn Error>> {
    let axis = Axis {
        title: "class prior alpha",
        ticks: &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
        line: Some((250. / 4750., "true share, 0.053")),
    };
    auroc_figure(2, &axis)
}
