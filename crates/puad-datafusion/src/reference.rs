use std::fmt;

use crate::hash::FileHash;
use crate::{Error, Result};

/// Bytes of a name at most.
const LONGEST: usize = 128;

/// How a query names a model: `name`, or `name@hash` for one file alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    name: String,
    pinned: Option<String>,
}

impl Reference {
    /// Names are letters, digits, `_`, `-` and `.` of ASCII, the first a letter, a digit or `_`, without `..`: no
    /// path, so that a query reaches no other file than a model.
    ///
    /// # Errors
    /// [`Error::Name`].
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refused = |rule| {
            let name = text.chars().take(LONGEST).collect();
            Err(Error::Name { name, rule })
        };
        let (name, pinned) = match text.split_once('@') {
            Some((name, hash)) => (name, Some(hash)),
            None => (text, None),
        };
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if !name.as_bytes().first().is_some_and(first) {
            return refused("it must begin with a letter, a digit or _");
        }
        if !name.bytes().all(inner) || name.contains("..") {
            return refused("it must be letters, digits, _, - and single dots");
        }
        if name.len() > LONGEST {
            return refused("it must be 128 characters at most");
        }
        if pinned.is_some_and(|hash| !FileHash::is_written(hash)) {
            return refused("behind @ must stand 16 hexadecimal digits, of the file's SHA-256");
        }
        Ok(Self {
            name: name.into(),
            pinned: pinned.map(Into::into),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the file that it must be.
    pub(crate) fn pinned(&self) -> Option<&str> {
        self.pinned.as_deref()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pinned {
            Some(hash) => write!(f, "{}@{hash}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_a_hash() {
        let plain = Reference::parse("pumps-2.v1").unwrap();
        assert_eq!((plain.name(), plain.pinned()), ("pumps-2.v1", None));
        let text = "pumps@0123456789abcdef";
        let pinned = Reference::parse(text).unwrap();
        assert_eq!(
            (pinned.name(), pinned.pinned()),
            ("pumps", Some("0123456789abcdef"))
        );
        assert_eq!(pinned.to_string(), text);
    }

    #[test]
    fn paths_are_no_names() {
        let long = "a".repeat(LONGEST + 1);
        for text in [
            "",
            ".",
            "..",
            ".hidden",
            "../pumps",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "C:pumps",
            "a..b",
            "-a",
            "a b",
            "a\0b",
            "pümps",
            "@0123456789abcdef",
            "pumps@",
            "pumps@123",
            "pumps@0123456789ABCDEF",
            "pumps@../../a",
            "a@0123456789abcdef@0123456789abcdef",
            &long,
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert!(matches!(error, Error::Name { .. }), "{text}: {error}");
        }
    }
}
