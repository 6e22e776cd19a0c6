use std::fmt;
use std::str::FromStr;

use puad::method::{DetectorKind, Method};
use serde::{Deserialize, Serialize};

/// A row of the table: isolation forest, or one of the crate's deep methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Entry {
    IsolationForest,
    Deep(Method),
}

/// The ten rows of Table 1, in its order.
pub const PAPER: [Entry; 10] = [
    Entry::IsolationForest,
    Entry::Deep(Method::AE),
    Entry::Deep(Method::DEEP_SVDD),
    Entry::Deep(Method::LOE),
    Entry::Deep(Method::ABC),
    Entry::Deep(Method::DEEP_SAD),
    Entry::Deep(Method::SOEL),
    Entry::Deep(Method::PU),
    Entry::Deep(Method::PUAE),
    Entry::Deep(Method::PUSVDD),
];

impl Entry {
    /// Whether it starts from an encoder pre-trained as an autoencoder.
    pub fn is_svdd(self) -> bool {
        matches!(self, Self::Deep(m) if m.detector == DetectorKind::DeepSvdd)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsolationForest => f.pad("IF"),
            Self::Deep(method) => method.fmt(f),
        }
    }
}

impl FromStr for Entry {
    type Err = puad::Error;

    fn from_str(name: &str) -> puad::Result<Self> {
        match name.eq_ignore_ascii_case("if") {
            true => Ok(Self::IsolationForest),
            false => name.parse().map(Self::Deep),
        }
    }
}

impl TryFrom<String> for Entry {
    type Error = puad::Error;

    fn try_from(name: String) -> puad::Result<Self> {
        name.parse()
    }
}

impl From<Entry> for String {
    fn from(entry: Entry) -> Self {
        entry.to_string()
    }
}
