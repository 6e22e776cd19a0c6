//! `--download`.

use std::path::PathBuf;

use puad::data::tasks::PaperDataset;

use crate::args::Args;

/// The data set's folder, after fetching what is missing there.
#[cfg(feature = "download")]
pub fn folder(set: PaperDataset, args: &Args) -> anyhow::Result<PathBuf> {
    use std::ops::ControlFlow;
    use std::time::{Duration, Instant};

    use crate::progress::Line;
    use puad::data::download::{Downloader, Fetched};

    let mut downloader = Downloader::from_env()?;
    if let Some(dir) = &args.data_dir {
        downloader.dir = dir.clone();
    }
    let line = Line::new();
    let mut shown = Instant::now();
    let fetched = downloader.dataset(set, &mut |progress| {
        if shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
            let total = progress.total.map_or("?".into(), megabytes);
            let (name, bytes) = (progress.name, megabytes(progress.bytes));
            line.show(&format!("{name}: {bytes} of {total} MB"));
        }
        ControlFlow::Continue(())
    });
    line.clear();
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
