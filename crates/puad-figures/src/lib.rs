//! The drawings of this repository, each as SVG and as PNG: figures of the paper are examples of this crate.
//! It is no part of the library, and has what draws, so that the library's own examples need not build it.
//!
//! ```text
//! cargo run --release -p puad-figures --example toy2d
//! cargo run --release -p puad-figures --example figure2
//! cargo run --release -p puad-figures --example figure3
//! cargo run --release -p puad-figures --example figure4
//! cargo run --release -p puad-figures --example critical_difference -- --merge rows.jsonl
//! cargo run --release -p puad-figures --example explain
//! cargo run --release -p puad-figures --example curves -- target/quickstart/detector.safetensors
//! ```

mod auroc;
pub mod colour;
mod contour;
mod critical_difference;
mod curves;
mod figure;
mod panels;
pub mod ranks;
pub mod runs;

pub use auroc::auroc_figure;
pub use contour::contour;
pub use critical_difference::critical_differences;
pub use curves::training_curves;
pub use figure::{Anchor, Figure};
pub use panels::{Axis, auroc_panels};
