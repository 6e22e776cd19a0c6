//! Writing a file so that at any moment either the old or the new one is there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CheckpointError;
use super::target::Target;

/// Where a crash may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Created,
    HalfWritten,
    Written,
    Synchronised,
    Moved,
}

/// Replaces the file at `path` by `bytes`: a partial file beside it, synchronised, moved, and the
/// folder synchronised. A crash leaves the old file, and perhaps a `.partial` that is in nobody's
/// way. Symbolic links are followed, and the file's mode is kept; a hard link stays with the old file.
///
/// # Errors
/// [`CheckpointError::Write`], also for what is no regular file or read-only.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let failed = |source| CheckpointError::Write {
        path: path.into(),
        source,
    };
    let target = Target::of(path).map_err(failed)?;
    let (partial, file) = create_partial(&target).map_err(failed)?;
    let outcome = replace(&target, (&partial, file), bytes, &mut crash);
    if outcome.is_err() && !cfg!(test) {
        let _ = fs::remove_file(&partial);
    }
    outcome.map_err(failed)
}

fn replace(
    target: &Target,
    (partial, mut file): (&Path, File),
    bytes: &[u8],
    after: &mut dyn FnMut(Step) -> io::Result<()>,
) -> io::Result<()> {
    after(Step::Created)?;
    target.hand_on(&file)?;
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    after(Step::HalfWritten)?;
    file.write_all(rest)?;
    after(Step::Written)?;
    file.sync_all()?;
    drop(file);
    after(Step::Synchronised)?;
    fs::rename(partial, &target.path)?;
    after(Step::Moved)?;
    sync_folder(&target.path)
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A file that no other writer has: two writers of one path must not mix their bytes. A name may be
/// taken by what a killed process left, which had the same number where few processes run.
fn create_partial(target: &Target) -> io::Result<(PathBuf, File)> {
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let partial = partial_path(&target.path, number);
        match target.options().open(&partial) {
            Ok(file) => return Ok((partial, file)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

fn partial_path(path: &Path, number: u64) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{number}.partial", std::process::id()));
    path.with_file_name(name)
}

/// Makes the move itself durable; elsewhere than on Unix folders cannot be opened.
fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(not(test))]
fn crash(_: Step) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use tests::crash;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::Cell;

    const STEPS: [Step; 5] = [
        Step::Created,
        Step::HalfWritten,
        Step::Written,
        Step::Synchronised,
        Step::Moved,
    ];

    thread_local! {
        /// Writes to let through, and the step at which the one after them ends.
        static CRASH: Cell<Option<(usize, Step)>> = const { Cell::new(None) };
    }

    /// Makes the write after `writes` more end at step `step` (0 to 4) as if the process were
    /// killed there.
    pub(crate) fn fail_next_write_at(writes: usize, step: usize) {
        CRASH.set(Some((writes, STEPS[step])));
    }

    pub(super) fn crash(step: Step) -> io::Result<()> {
        match CRASH.get() {
            Some((0, at)) if at == step => {
                CRASH.set(None);
                Err(io::Error::other("killed"))
            }
            Some((writes, at)) if step == Step::Moved => {
                CRASH.set(Some((writes.saturating_sub(1), at)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[test]
    fn a_crash_at_any_step_leaves_the_old_or_the_new_file() {
        for (i, step) in STEPS.into_iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            write(&path, b"old").unwrap();
            fail_next_write_at(0, i);
            let err = write(&path, b"new one").unwrap_err();
            assert!(matches!(err, CheckpointError::Write { .. }));
            let expected: &[u8] = match step {
                Step::Moved => b"new one",
                _ => b"old",
            };
            assert_eq!(fs::read(&path).unwrap(), expected, "{step:?}");
            // The partial file of the crash is not in the way of the next write.
            write(&path, b"newer").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"newer");
        }
    }

    #[test]
    fn what_a_process_of_the_same_number_left_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let next = COUNTER.load(Ordering::Relaxed);
        // Other tests count on in the meantime.
        for number in next..next + 1000 {
            fs::write(partial_path(&path, number), b"half").unwrap();
        }
        write(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1001);
    }

    #[test]
    fn places_that_cannot_be_written_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().join("absent").join("file"), dir.path().into()] {
            let err = write(&path, b"x").unwrap_err();
            assert!(
                matches!(&err, CheckpointError::Write { path: p, .. } if *p == path),
                "{err}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("store")).unwrap();
        // A link to a link, the second relative to its own folder.
        symlink(at("store/current"), at("link")).unwrap();
        symlink("real", at("store/current")).unwrap();
        write(&at("link"), b"first").unwrap();
        assert_eq!(fs::read(at("store/real")).unwrap(), b"first");
        for mode in [0o600, 0o660, 0o666] {
            fs::set_permissions(at("store/real"), fs::Permissions::from_mode(mode)).unwrap();
            write(&at("link"), &mode.to_le_bytes()).unwrap();
            assert_eq!(fs::read(at("store/real")).unwrap(), mode.to_le_bytes());
            let kept = fs::metadata(at("store/real")).unwrap().permissions().mode();
            assert_eq!(kept & 0o7777, mode);
        }
        for link in ["link", "store/current"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        assert_eq!(fs::read_dir(at("store")).unwrap().count(), 2);
        symlink(at("b"), at("a")).unwrap();
        symlink(at("a"), at("b")).unwrap();
        assert!(write(&at("a"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_left_alone() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::os::unix::net::UnixListener;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(pipe.unwrap().success());
        fs::write(at("kept"), b"old").unwrap();
        fs::set_permissions(at("kept"), fs::Permissions::from_mode(0o444)).unwrap();
        symlink(at("pipe"), at("link")).unwrap();
        for (name, message) in [
            ("socket", "it is a socket"),
            ("pipe", "it is a pipe"),
            ("link", "it is a pipe"),
            ("", "it is a folder"),
            ("kept", "it is read-only"),
        ] {
            let before = fs::symlink_metadata(at(name)).unwrap().file_type();
            let err = write(&at(name), b"x").unwrap_err().to_string();
            assert!(err.contains(message), "{err}");
            assert_eq!(fs::symlink_metadata(at(name)).unwrap().file_type(), before);
        }
        assert_eq!(fs::read(at("kept")).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    }

    #[test]
    fn writers_of_one_path_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::thread::scope(|scope| {
            for byte in 0..4u8 {
                let path = &path;
                scope.spawn(move || (0..20).for_each(|_| write(path, &[byte; 5000]).unwrap()));
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes, vec![bytes[0]; 5000]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
