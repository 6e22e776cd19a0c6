//! Which methods differ on the tables of ADBench: mean ranks with their critical difference (Demsar 2006).
//!
//! ```text
//! cargo run --release -p puad-figures --example critical_difference -- --merge rows.jsonl --peers tests/fixtures/peers.csv
//! ```
//!
//! Takes the arguments of `adbench`, which is run for the ranks. A diagram a setting, and one for all of them together.
//! Writes `target/ranks-auroc.svg`, `target/ranks-average_precision.svg`, and a PNG of each.

use std::error::Error;
use std::path::PathBuf;

use puad_figures::critical_differences;
use puad_figures::ranks::{Ranking, rankings};

fn main() -> Result<(), Box<dyn Error>> {
    let all = rankings(std::env::args_os().skip(1).collect())?;
    if all.is_empty() {
        return Err("no two methods have numbers on the same cells of two sets".into());
    }
    for metric in ["auroc", "average_precision"] {
        let own = all.iter().filter(|ranking| ranking.metric == metric);
        let path = PathBuf::from(format!("target/ranks-{metric}"));
        critical_differences(&own.cloned().collect::<Vec<Ranking>>()).save(&path)?;
        println!("{0}.svg, {0}.png", path.display());
    }
    Ok(())
}
