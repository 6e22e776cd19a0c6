//! The files of a crate, and which of their code is compiled into the library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// The sources of one crate.
pub struct Sources {
    /// As other crates' paths begin.
    pub crate_name: String,
    /// The folder of `lib.rs`.
    pub folder: PathBuf,
    /// Text by path; the path begins with `folder`.
    pub files: BTreeMap<PathBuf, String>,
}

impl Sources {
    /// The files of `folder`, which stands in `root`.
    pub fn read(crate_name: &str, root: &Path, folder: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in
                fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    files.insert(path.strip_prefix(root).unwrap().to_owned(), text);
                }
            }
        }
        Self {
            crate_name: crate_name.to_owned(),
            folder: folder.into(),
            files,
        }
    }
}

/// Whether code is compiled for tests only.
pub fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(test_only)
}

/// Whether `attribute` leaves its code to tests.
pub fn test_only(attribute: &Attribute) -> bool {
    if attribute.path().is_ident("cfg") {
        let condition = attribute.parse_args::<Meta>();
        return condition.is_ok_and(|condition| in_library(&condition) == Some(false));
    }
    attribute.path().is_ident("test")
}

/// What a condition is in the library; `None` where a feature or the target decides.
fn in_library(condition: &Meta) -> Option<bool> {
    let path = condition.path();
    let Meta::List(list) = condition else {
        let tests = path.is_ident("test") || path.is_ident("doctest");
        return tests.then_some(false);
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts: Vec<_> = parts.ok()?.iter().map(in_library).collect();
    let decides = |value| parts.contains(&Some(value)).then_some(value);
    let agree = |value| {
        parts
            .iter()
            .all(|&part| part == Some(value))
            .then_some(value)
    };
    if path.is_ident("not") {
        return parts[0].map(|value| !value);
    }
    if path.is_ident("all") {
        return decides(false).or(agree(true));
    }
    decides(true).or(agree(false))
}
