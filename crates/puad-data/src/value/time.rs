//! Times as people write them.

use chrono::DateTime;
use chrono::format::StrftimeItems;
#[cfg(feature = "tables")]
use chrono::format::{Parsed, parse};
#[cfg(feature = "tables")]
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// Seconds since 1970-01-01 00:00:00 UTC of a date, or a date and a time, in the order of ISO 8601, with
/// `-` or `/` within the date and `T` or a space behind it. With an offset the instant is meant, without one
/// the time as it is written. `None` for anything else: 03/01/2026 is a day of January to some and of March
/// to others.
///
/// ```
/// use puad_data::table::parse_time;
///
/// assert_eq!(parse_time("1970-01-02 00:00:01.5"), Some(86_401.5));
/// assert_eq!(parse_time("02/01/1970"), None);
/// ```
#[cfg(feature = "tables")]
pub fn read(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let year = bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit);
    if !year || !matches!(bytes[4], b'-' | b'/') {
        return None;
    }
    // Before a `T` is looked for.
    let text = text
        .strip_suffix(" UTC")
        .map_or_else(|| text.into(), |utc| format!("{utc}Z"));
    let text = text.replacen('/', "-", 2);
    if let Ok(date) = NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
        return date.and_hms_opt(0, 0, 0).map(|time| seconds(&time));
    }
    let text = text.replacen('T', " ", 1);
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(&text, format) {
            return Some(seconds(&time));
        }
    }
    let text = match text.strip_suffix('Z') {
        Some(utc) => format!("{utc}+00:00"),
        None => text,
    };
    for format in [
        "%Y-%m-%d %H:%M:%S%.f%:z",
        // Hours alone too, as PostgreSQL writes them.
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M:%S%.f %:z",
        "%Y-%m-%d %H:%M%:z",
    ] {
        if let Ok(time) = DateTime::parse_from_str(&text, format) {
            return Some(seconds(&time.naive_utc()));
        }
    }
    None
}

/// As [`read`], of a text in a format of `strftime`; `unix` and `unix_ms` are seconds and milliseconds.
#[cfg(feature = "tables")]
pub(crate) fn read_in(text: &str, format: &str) -> Option<f64> {
    let number = || text.parse().ok().filter(|number: &f64| number.is_finite());
    match format {
        UNIX => return number(),
        UNIX_MS => return number().map(|number| number / 1e3),
        _ => {}
    }
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        return Some(seconds(&time.naive_utc()));
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
        return Some(seconds(&time));
    }
    if let Ok(time) = NaiveTime::parse_from_str(text, format) {
        return Some(f64::from(time.num_seconds_from_midnight()));
    }
    // A date alone, or one with an hour alone.
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    let date = parsed.to_naive_date().ok()?;
    let hour = match (parsed.hour_div_12(), parsed.hour_mod_12()) {
        (Some(half), Some(hour)) => half * 12 + hour,
        _ => 0,
    };
    date.and_hms_opt(hour, 0, 0).map(|time| seconds(&time))
}

/// Whether a text says how times are written.
pub(crate) fn is_format(format: &str) -> bool {
    let good = |item| !matches!(item, chrono::format::Item::Error);
    [UNIX, UNIX_MS].contains(&format)
        || (format.contains('%') && StrftimeItems::new(format).all(good))
}

const UNIX: &str = "unix";
const UNIX_MS: &str = "unix_ms";

/// By the second, and a fraction where there is one.
pub(crate) fn written(seconds: f64) -> String {
    let (whole, part) = (seconds.floor(), seconds - seconds.floor());
    // Of today's seconds f64 holds about six digits behind the point.
    let micros = (part * 1e6).round().min(999_999.) as u32;
    match DateTime::from_timestamp(whole as i64, micros * 1000) {
        Some(time) if micros == 0 => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        Some(time) => time.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(feature = "tables")]
fn seconds(time: &NaiveDateTime) -> f64 {
    let utc = time.and_utc();
    utc.timestamp() as f64 + f64::from(utc.timestamp_subsec_nanos()) / 1e9
}

#[cfg(all(test, feature = "tables"))]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let noon = 1_767_441_600.;
        for (text, expected) in [
            ("2026-01-03 12:00:00", noon),
            ("2026-01-03T12:00", noon),
            ("2026/01/03 12:00:00.250", noon + 0.25),
            ("2026-01-03T12:00:00Z", noon),
            ("2026-01-03T14:00:00+02:00", noon),
            ("2026-01-03T14:00:00.5+0200", noon + 0.5),
            ("2026-01-03 14:00:00+02", noon),
            ("2026-01-03 12:00:00 UTC", noon),
            ("2026-01-03 12:00:00.250 UTC", noon + 0.25),
            ("2026-01-03 14:00:00 +02:00", noon),
            ("2026-01-03", noon - 43_200.),
            ("1969-12-31 23:59:59", -1.),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "03/01/2026",
            "2026",
            "20260103",
            "2026-13-01",
            "2026-02-30",
            "2026-01-03 25:00",
            "12:00",
            "",
            "2026-01-03 noon",
            "ü026-01-03",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_format_says_which_number_is_the_day() {
        let day = read("2026-03-01");
        assert_eq!(read_in("01.03.2026", "%d.%m.%Y"), day);
        assert_eq!(read_in("03/01/26", "%m/%d/%y"), day);
        assert_eq!(
            read_in("01.03.2026 07", "%d.%m.%Y %H"),
            day.map(|t| t + 7. * 3600.)
        );
        assert_eq!(
            read_in("1/3/2026 7:05", "%d/%m/%Y %H:%M"),
            day.map(|t| t + 25_500.)
        );
        assert_eq!(read_in("1772323200", "unix"), day);
        assert_eq!(read_in("1772323200500", "unix_ms"), day.map(|t| t + 0.5));
        // The time of a day is one of the first day's.
        assert_eq!(read_in("14:05", "%H:%M"), Some(50_700.));
        assert_eq!(read_in("2026-03-01", "%d.%m.%Y"), None);
        assert!(is_format("%d.%m.%Y") && is_format("unix"));
        assert!(!is_format("dd.mm.yyyy") && !is_format("%Q"));
    }

    #[test]
    fn what_is_written_reads_as_it_was() {
        for seconds in [0., -1., 1_767_441_600., 1_767_441_600.25, -1e9 - 0.5] {
            assert_eq!(read(&written(seconds)), Some(seconds), "{seconds}");
        }
        assert!(written(1e300).ends_with("seconds"));
    }
}
