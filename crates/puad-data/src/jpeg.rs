//! Whether a JPEG file is whole.
//!
//! # References
//! ITU-T T.81, annex B.

/// Whether the segments of a file that starts as a JPEG lead to its end mark.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(mark) = next_mark(bytes, at) {
        at = match bytes[mark] {
            END => return true,
            ALONE | RESTART_0..=RESTART_7 => mark + 1,
            // Its length, which counts itself; packed values behind the header of a scan are passed over in
            // the search of the next mark.
            _ => match bytes.get(mark + 1..mark + 3) {
                Some(&[high, low]) => mark + 1 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
    }
    false
}

const ALONE: u8 = 0x01;
const RESTART_0: u8 = 0xd0;
const RESTART_7: u8 = 0xd7;
const END: u8 = 0xd9;

/// The place of the next byte that names a mark: behind 0xff, and neither 0, which stands for a value of 0xff,
/// nor 0xff, which fills.
fn next_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let after = |pair: &[u8; 2]| pair[0] == 0xff && pair[1] != 0 && pair[1] != 0xff;
    let at = bytes.get(from..)?.array_windows().position(after)?;
    Some(from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_within_segments_are_no_marks() {
        let start = [0xff, 0xd8];
        // A thumbnail with an end of its own.
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 4, 1, 2, 5, 0xff, 0, 7, 0xff, 0xd0, 8];
        let end = [0xff, 0xff, 0xd9];
        let whole = [&start[..], &thumbnail, &scan, &end, b"rest"].concat();
        assert!(is_whole(&whole));
        for len in 0..whole.len() - 4 {
            assert!(!is_whole(&whole[..len]), "{len}");
        }
    }
}
