//! What words look like that are more than words, but are not read as they are written.

/// Whether a text seems to be a date whose order nobody knows: 03/01/2026, 3.1.26, 03-Jan-2026, one from the year on
/// that is not written as in ISO 8601, or the time of some day.
pub(super) fn like_a_date(text: &str) -> bool {
    let clock: Vec<&str> = text.split(':').collect();
    if matches!(clock[..], [hour, minute] | [hour, minute, _] if short(hour) && digits(minute, 2)) {
        return true;
    }
    let date = text.split([' ', 'T', ',']).next().unwrap_or_default();
    ['/', '.', '-'].iter().any(|&between| {
        let parts: Vec<&str> = date.split(between).collect();
        let [first, second, third] = parts[..] else {
            return false;
        };
        let month = short(second) || (second.len() == 3 && letters(second));
        let ends = short(first) && (digits(third, 2) || digits(third, 4));
        month && (ends || (digits(first, 4) && short(third)))
    })
}

/// Whether a text seems to be a number with a comma before its fraction, with thousands that are parted, or with a
/// currency or a percent sign.
pub(super) fn like_an_amount(text: &str) -> bool {
    let signs = ['$', '€', '£', '¥', '%', ' ', '\u{a0}', '\u{202f}'];
    let bare = text.trim_matches(signs).trim_start_matches(['+', '-']);
    let bare = bare.trim_matches(signs);
    let marks = [',', '.', '\'', '’', ' ', '\u{a0}', '\u{202f}'];
    let parts: Vec<&str> = bare.split(marks).collect();
    let number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = match parts[..] {
        [] | [""] => false,
        [_] => true,
        [whole, _] => !whole.is_empty() || bare.starts_with([',', '.']),
        [first, ref thousands @ .., _] => {
            (1..=3).contains(&first.len()) && thousands.iter().all(|part| part.len() == 3)
        }
    };
    whole && parts.iter().all(number)
}

/// Whether a number may be a code, of which a number keeps less than all: 00501, or more digits than f64 holds.
pub(super) fn like_a_code(text: &str) -> bool {
    let exact = (1u64 << f64::MANTISSA_DIGITS) as f64;
    let text = text.trim_start_matches(['+', '-']);
    let plain = text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain && (text.starts_with('0') || text.parse::<f64>().is_ok_and(|value| value > exact))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn short(text: &str) -> bool {
    digits(text, 1) || digits(text, 2)
}

fn letters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_amounts_and_codes() {
        for text in [
            "03/01/2026",
            "3.1.26",
            "03-01-2026 14:05",
            "03-Jan-26",
            "01/03/2026, 2:05 PM",
            "2026.01.03",
            "2026-01-03 12:00:00,250",
            "12:30",
            "9:05:01",
        ] {
            assert!(like_a_date(text), "{text}");
        }
        for text in [
            "10.0.0.1",
            "1.2.3",
            "555-12-3456",
            "a-b-c",
            "12:3",
            "1:2:3:4",
            "",
            "1/2",
        ] {
            assert!(!like_a_date(text), "{text}");
        }
        for text in [
            "12,5",
            "-1.234,50",
            "1,234",
            "1'234.5",
            "$12.50",
            "12 %",
            "€ 7",
            "-$3",
            "1 234,5",
        ] {
            assert!(like_an_amount(text), "{text}");
        }
        for text in [
            "10.0.0.1",
            "12:30",
            "",
            "-",
            "1,2,3,4",
            "a1",
            "12 cm",
            "03.01.2026",
            "%",
        ] {
            assert!(!like_an_amount(text), "{text}");
        }
        assert!(like_a_code("00501") && like_a_code("12345678901234567890"));
        for text in ["0", "0.5", "501", "9007199254740992", "1e5", "-0.1"] {
            assert!(!like_a_code(text), "{text}");
        }
    }
}
