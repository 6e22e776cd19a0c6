use std::fs::{File, Metadata};
use std::io;
use std::time::{Duration, SystemTime};

/// Steps of a file system's clock at most, by far.
const STEP: Duration = Duration::from_secs(2);

/// By what a file that was read is told from one that was written since, without reading it again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stamp {
    len: u64,
    modified: SystemTime,
    identity: Option<[i64; 4]>,
    /// Whether it was taken so soon behind a change that the next one may have the same time.
    fresh: bool,
}

impl Stamp {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let modified = metadata.modified()?;
        let fresh = match SystemTime::now().duration_since(modified) {
            Ok(age) => age < STEP,
            Err(_) => true,
        };
        Ok(Self {
            len: metadata.len(),
            modified,
            identity: identity(&metadata),
            fresh,
        })
    }

    /// Whether what was read then is what a file of this stamp holds.
    pub(crate) fn holds(&self, now: &Self) -> bool {
        let same =
            (self.len, self.modified, self.identity) == (now.len, now.modified, now.identity);
        same && !self.fresh
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<[i64; 4]> {
    use std::os::unix::fs::MetadataExt;
    let (device, file) = (metadata.dev().cast_signed(), metadata.ino().cast_signed());
    Some([device, file, metadata.ctime(), metadata.ctime_nsec()])
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<[i64; 4]> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_just_written_is_read_again() {
        let file = tempfile::tempfile().unwrap();
        let fresh = Stamp::of(&file).unwrap();
        assert!(!fresh.holds(&fresh));
        let old = SystemTime::now() - Duration::from_secs(60);
        file.set_modified(old).unwrap();
        let kept = Stamp::of(&file).unwrap();
        assert!(kept.holds(&Stamp::of(&file).unwrap()));
        file.set_len(1).unwrap();
        assert!(!kept.holds(&Stamp::of(&file).unwrap()));
    }
}
