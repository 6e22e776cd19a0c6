//! What a cell of text is, in files and labels.

/// What stands for a value that is not there.
const MISSING: [&str; 13] = [
    "", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?", "-", "--", ".",
];

/// Those that may be words as well.
#[cfg(feature = "tables")]
const MAYBE_WORDS: [&str; 4] = ["none", "-", "--", "."];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Truth values are 1 and 0; may be infinite.
    Number(f64),
    Missing,
    Text,
}

/// Without the quotes that a parser leaves where they stand behind a space.
pub(crate) fn bare(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(text).trim()
}

/// `decimal`: between a number's whole part and its fraction.
pub(crate) fn cell(text: &str, decimal: u8) -> Cell {
    let text = bare(text);
    match number(text, decimal) {
        Some(value) if !value.is_nan() => Cell::Number(value),
        Some(_) => Cell::Missing,
        None if MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) => Cell::Missing,
        None => match text {
            "True" | "true" | "TRUE" => Cell::Number(1.),
            "False" | "false" | "FALSE" => Cell::Number(0.),
            _ => Cell::Text,
        },
    }
}

fn number(text: &str, decimal: u8) -> Option<f64> {
    match decimal {
        b'.' => text.parse().ok(),
        // A point would be one between thousands.
        _ if text.contains('.') => None,
        decimal => text.replacen(char::from(decimal), ".", 1).parse().ok(),
    }
}

/// A rule that a cell which is no finite number breaks, and how to keep it.
#[cfg(feature = "tables")]
pub(crate) fn rule(text: &str, decimal: u8) -> &'static str {
    match cell(text, decimal) {
        Cell::Missing => "every cell must have a value: fill in or drop what is missing",
        Cell::Number(_) => "cells must be finite numbers",
        Cell::Text if decimal == b'.' && matches!(cell(text, b','), Cell::Number(_)) => {
            "cells must be numbers with a decimal point, their thousands not parted: \
             set `decimal` for a decimal comma"
        }
        Cell::Text if text.contains([';', '\t', '|', ',']) => {
            "cells must be numbers: set `delimiter` for what is between them"
        }
        Cell::Text => "cells must be numbers: `columns` chooses those that are features",
    }
}

/// Whether a text stands for a value that is missing. Among words `none` and `-` may be one of them, such as the
/// kind of an attack.
#[cfg(feature = "tables")]
pub(crate) fn is_gap(text: &str, among_words: bool) -> bool {
    let text = bare(text);
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    is(&MISSING) && !(among_words && is(&MAYBE_WORDS))
}

/// Whether a text begins as a number does: a slip rather than a name.
#[cfg(feature = "tables")]
pub(crate) fn like_a_number(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-', '$', '€', '<', '>']);
    bare.trim_start_matches(['.', ','])
        .starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_gaps_and_texts() {
        for (text, expected) in [
            ("1", Cell::Number(1.)),
            ("-2.5e3", Cell::Number(-2500.)),
            ("True", Cell::Number(1.)),
            ("FALSE", Cell::Number(0.)),
            ("inf", Cell::Number(f64::INFINITY)),
            ("", Cell::Missing),
            ("NaN", Cell::Missing),
            ("N/A", Cell::Missing),
            ("?", Cell::Missing),
            ("0,5", Cell::Text),
            ("x1", Cell::Text),
            ("1.2.3", Cell::Text),
        ] {
            assert_eq!(cell(text, b'.'), expected, "{text}");
        }
        assert_eq!(cell("-0,5", b','), Cell::Number(-0.5));
        assert_eq!(cell("7", b','), Cell::Number(7.));
        assert_eq!(cell("1.234", b','), Cell::Text);
        assert_eq!(cell("1,234,5", b','), Cell::Text);
    }
}
