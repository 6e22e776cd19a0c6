//! A figure of AUROC against one setting, from its arguments to its files.

use std::error::Error;
use std::path::PathBuf;

use crate::{Axis, auroc_panels, runs};

/// Draws figure `number` of the paper from the rows that the program's arguments name, to `target/figureN.svg`
/// and `.png`.
///
/// # Errors
/// If there are no rows, `table1` ends with an error, or the files cannot be written.
pub fn auroc_figure(number: u32, axis: &Axis<'_>) -> Result<(), Box<dyn Error>> {
    let (points, told) = runs::of_figure(number, std::env::args_os().skip(1).collect())?;
    if points.is_empty() {
        let rows = "pass table1's arguments, such as --dataset mnist --data-dir DIR";
        return Err(format!("no rows of Figure {number}: {rows}").into());
    }
    told.iter().for_each(|line| println!("{line}"));
    let path = PathBuf::from(format!("target/figure{number}"));
    auroc_panels(&points, axis).save(&path)?;
    println!("{0}.svg, {0}.png", path.display());
    Ok(())
}
