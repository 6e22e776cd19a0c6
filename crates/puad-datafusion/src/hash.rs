use std::fmt;

use sha2::{Digest, Sha256};

/// Digits of a hash as it is written.
const DIGITS: usize = 16;

/// The SHA-256 of a model's file. Written it is its first 16 hexadecimal digits: enough to tell files apart that
/// nobody made to be mixed up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileHash([u8; 32]);

impl FileHash {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Whether it is written so.
    pub(crate) fn is(&self, short: &str) -> bool {
        self.to_string() == short
    }

    /// Whether a text is one as written.
    pub(crate) fn is_written(text: &str) -> bool {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == DIGITS && text.bytes().all(digit)
    }
}

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.iter().take(DIGITS / 2);
        bytes.try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_digits_of_sha_256_are_written() {
        // Of the standard's example.
        let hash = FileHash::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea");
        assert!(hash.is("ba7816bf8f01cfea") && !hash.is("ba7816bf8f01cfe"));
        assert!(FileHash::is_written("ba7816bf8f01cfea"));
        for other in [
            "",
            "ba7816bf8f01cfe",
            "BA7816BF8F01CFEA",
            "ba7816bf8f01cfeg",
        ] {
            assert!(!FileHash::is_written(other), "{other}");
        }
    }
}
