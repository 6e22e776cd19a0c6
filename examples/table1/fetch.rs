//! `--download`.

use std::path::PathBuf;

use puad::data::tasks::PaperDataset;

use crate::args::Args;

/// The data set's folder, after fetching what is missing there.
#[cfg(feature = "download")]
pub fn folder(set: PaperDataset, args: &Args) -> anyhow::Result<PathBuf> {
    use std::ops::ControlFlow;

    use indicatif::{ProgressBar, ProgressStyle};
    use puad::data::download::{Downloader, Fetched};

    let mut downloader = Downloader::from_env()?;
    if let Some(dir) = &args.data_dir {
        downloader.dir = dir.clone();
    }
    let template = "{bar:24} {bytes} of {total_bytes} {bytes_per_sec} {msg}";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(template)?);
    let fetched = downloader.dataset(set, &mut |progress| {
        bar.set_length(progress.total.unwrap_or(progress.bytes));
        bar.set_position(progress.bytes);
        bar.set_message(progress.name.to_string());
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let fetched = fetched?;
    for (name, state) in &fetched.files {
        match state {
            Fetched::Present => {}
            Fetched::Verified => eprintln!("{name}: fetched, checksum verified"),
            Fetched::Unverified => eprintln!("{name}: fetched, unverified: no checksum is known"),
        }
    }
    Ok(fetched.folder)
}

#[cfg(not(feature = "download"))]
pub fn folder(_: PaperDataset, _: &Args) -> anyhow::Result<PathBuf> {
    anyhow::bail!("--download needs a build with `--features download`")
}
