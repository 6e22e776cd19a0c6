//! The training curves of a saved detector.
//!
//! `cargo run --release -p puad-figures --example curves -- target/quickstart/detector.safetensors`, at once.
//! Draws training and validation risk over the epochs, and the epoch that was kept, beside the file:
//! `detector.svg` and `detector.png`.

use std::error::Error;
use std::path::PathBuf;

use puad::FittedDetector;
use puad::candle_core::Device;
use puad_figures::training_curves;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.ok_or("usage: curves DETECTOR.safetensors")?;
    let detector = FittedDetector::load(&path, &Device::Cpu)?;
    let name = detector.method().to_string();
    training_curves(&name, &detector.history().training).save(&path.with_extension(""))?;
    println!("{}, and .png", path.with_extension("svg").display());
    Ok(())
}
