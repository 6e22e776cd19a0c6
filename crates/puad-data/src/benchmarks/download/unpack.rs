use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tar::Archive;

use super::DownloadError;
use crate::{DataError, Result};

/// The most bytes of one member: CIFAR-100's training file has 154 million.
const LIMIT: u64 = 1 << 30;

/// Takes the files `names` out of a `.tar.gz`, from whatever folder within it, into its folder. Each
/// is renamed when it is whole.
pub(super) fn unpack(archive: &Path, names: &[String]) -> Result<()> {
    let broken = |source| DownloadError::Write {
        path: archive.into(),
        source,
    };
    let dir = archive.parent().unwrap_or(Path::new("."));
    let file = File::open(archive).map_err(broken)?;
    let mut tar = Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    let mut missing: Vec<&String> = names.iter().collect();
    let mut present = vec![];
    for entry in tar.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let found = |name: &&String| path.file_name() == Some(name.as_ref());
        let Some(at) = missing.iter().position(found) else {
            present.push(path.display().to_string());
            continue;
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let target = dir.join(missing.swap_remove(at));
        write(entry, &target).map_err(broken)?;
    }
    match missing.first() {
        None => Ok(()),
        Some(member) => Err(DataError::Missing {
            path: archive.into(),
            name: member.to_string(),
            present,
        }),
    }
}

fn write(entry: impl Read, target: &Path) -> io::Result<()> {
    let part = target.with_added_extension("part");
    let mut out = File::create(&part)?;
    let n = io::copy(&mut entry.take(LIMIT + 1), &mut out)?;
    if n > LIMIT {
        return Err(io::Error::other("a member has more than 1 GiB"));
    }
    out.sync_all()?;
    fs::rename(part, target)
}
