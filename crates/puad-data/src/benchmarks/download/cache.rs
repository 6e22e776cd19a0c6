use std::ffi::OsString;
use std::path::PathBuf;

use crate::{DataError, Result};

/// Where data sets belong: `PUAD_DATA_DIR`, or else `puad` in the platform's cache folder
/// (`XDG_CACHE_HOME` or `~/.cache`; `~/Library/Caches`; `LOCALAPPDATA`).
///
/// # Errors
/// [`DataError::Config`] where the system has none.
///
/// ```no_run
/// println!("{}", puad_data::benchmarks::download::cache_dir()?.display());
/// # Ok::<(), puad_data::DataError>(())
/// ```
pub fn cache_dir() -> Result<PathBuf> {
    resolve(|name| std::env::var_os(name))
}

pub(super) fn resolve(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    // An empty variable is as good as none.
    let folder = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    if let Some(dir) = folder("PUAD_DATA_DIR") {
        return Ok(dir);
    }
    let cache = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Caches"))
    } else {
        // The specification leaves out relative paths.
        let xdg = folder("XDG_CACHE_HOME").filter(|dir| dir.is_absolute());
        xdg.or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    cache.map(|dir| dir.join("puad")).ok_or_else(|| {
        let rule = "a folder where the system has no cache folder";
        DataError::config("PUAD_DATA_DIR", rule, "nothing")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<PathBuf> {
        resolve(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_variable_comes_first_and_nothing_is_an_error() {
        let home = ("HOME", "/home/a");
        assert_eq!(
            with(&[("PUAD_DATA_DIR", "x"), home]).unwrap(),
            PathBuf::from("x")
        );
        assert!(matches!(
            with(&[("PUAD_DATA_DIR", "")]),
            Err(DataError::Config { .. })
        ));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cache_folder_of_linux() {
        let home = ("HOME", "/home/a");
        for (xdg, expected) in [
            ("", "/home/a/.cache/puad"),
            ("relative", "/home/a/.cache/puad"),
            ("/cache", "/cache/puad"),
        ] {
            let dir = with(&[("PUAD_DATA_DIR", ""), ("XDG_CACHE_HOME", xdg), home]);
            assert_eq!(dir.unwrap(), PathBuf::from(expected));
        }
    }
}
