//! What a file is by its first bytes, where it is not what its name says.

/// What is there where only the place of a file's content is.
pub(crate) const POINTER: &str =
    "a Git LFS pointer instead of the file (`git lfs pull` fetches it)";

/// Beginnings of files, and what they are.
const KNOWN: [(&[u8], &str); 15] = [
    (b"version https://git-lfs", POINTER),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive, as .xlsx and .npz are"),
    (b"\xd0\xcf\x11\xe0", "an old Office document, as .xls is"),
    (b"PAR1", "a Parquet file"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x1f\x8b", "a gzip stream"),
];

/// `None` for what is not known.
pub(crate) fn kind(start: &[u8]) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(magic, _)| start.starts_with(magic));
    let text = start.trim_ascii_start().to_ascii_lowercase();
    match (known, start) {
        (Some((_, kind)), _) => Some(kind),
        (
            None,
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ],
        ) => Some("a WebP image"),
        (None, [_, _, _, _, b'f', b't', b'y', b'p', ..]) => Some("an AVIF, HEIC or MP4 file"),
        (None, _) if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") => {
            Some("a web page, perhaps of a download that failed")
        }
        (None, [b'{' | b'[', b'{' | b'[' | b'"' | b'\n' | b'\r', ..]) => Some("JSON"),
        (None, _) if text.starts_with(b"<?xml") => Some("XML"),
        _ => None,
    }
}

/// Whether only the place of the content is there.
pub(crate) fn is_pointer(start: &[u8]) -> bool {
    start.starts_with(KNOWN[0].0)
}

/// How many bytes tell.
pub(crate) const ENOUGH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_start() {
        for (start, found) in [
            (&b"RIFF\x10\0\0\0WEBPVP8 "[..], Some("WebP")),
            (b"\0\0\0\x18ftypheic", Some("HEIC")),
            (b"version https://git-lfs.github.com/spec/v1\n", Some("LFS")),
            (b"\n<!DOCTYPE html>", Some("web page")),
            (b"PK\x03\x04", Some("zip")),
            (b"{\"a\": 1}", Some("JSON")),
            (b"[[1, 2]]", Some("JSON")),
            (b"<?xml version", Some("XML")),
            (b"1,2\n", None),
            (b"", None),
        ] {
            match (kind(start), found) {
                (Some(kind), Some(found)) => assert!(kind.contains(found), "{kind}"),
                (kind, found) => assert_eq!(kind, found),
            }
        }
    }
}
