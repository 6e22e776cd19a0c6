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
use std::path::Path;

use puad_figures::{Axis, auroc_panels, runs};

fn main() -> Result<(), Box<dyn Error>> {
    let (points, told) = runs::of_figure(4, std::env::args_os().skip(1).collect())?;
    if points.is_empty() {
        return Err(
            "no rows of Figure 4: pass table1's arguments, such as --dataset mnist --data-dir DIR"
                .into(),
        );
    }
    told.iter().for_each(|line| println!("{line}"));
    let axis = Axis {
        title: "unlabeled anomalies",
        ticks: &[50., 125., 250., 500., 1000.],
        line: None,
    };
    auroc_panels(&points, &axis).save(Path::new("target/figure4"))?;
    println!("target/figure4.svg, target/figure4.png");
    Ok(())
}
