//! Dates and instants as people write them on a command line.
//!
//! What is relative is relative to the day or instant that the caller gives. Without a zone, UTC is meant, as in
//! the files.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{duration, instant};
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// Read a date: `2026-12-01`, `today`, `tomorrow`, `+3d`, `2w`.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn parse(text: &str, today: Date) -> Result<Date, Fault> {
    let text = text.trim();
    named(text, today)
        .or_else(|| days_after(text, today))
        .or_else(|| instant::date_from_text(text))
        .ok_or_else(|| {
            Fault::new(Code::InvalidValue, format!("`{}` is not a date", shown(text)))
                .hint("a date is written such as `2026-12-01`, `tomorrow` or `+3d`")
        })
}

/// Read an instant: `2026-12-01`, `2026-12-01T10:00Z`, `tomorrow`, `+2h`, `3d`.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn parse_instant(text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let text = text.trim();
    let today = Offset::UTC.to_datetime(now).date();
    let midnight = |date: Date| Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    named(text, today)
        .and_then(midnight)
        .or_else(|| now.checked_add(after(text)?).ok())
        .or_else(|| instant::from_text(text).map(|read| read.instant))
        .ok_or_else(|| {
            Fault::new(Code::InvalidValue, format!("`{}` is not a point in time", shown(text)))
                .hint("a point in time is written such as `2026-12-01`, `2026-12-01T10:00Z`, `+2h` or `3d`")
        })
}

fn named(text: &str, today: Date) -> Option<Date> {
    match text {
        "today" => Some(today),
        "tomorrow" => today.checked_add(1.day()).ok(),
        _ => None,
    }
}

fn days_after(text: &str, today: Date) -> Option<Date> {
    let length = after(text)?;
    let days = length.as_secs() / 86_400;
    let is_whole = days > 0 && length.as_secs() % 86_400 == 0;
    is_whole.then(|| today.checked_add(SignedDuration::from_hours(days * 24)).ok()).flatten()
}

fn after(text: &str) -> Option<SignedDuration> {
    duration::parse(text.strip_prefix('+').unwrap_or(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_are_absolute_named_or_relative() {
        let today = date(2026, 12, 30);
        let cases = [
            ("2026-12-01", Some("2026-12-01")),
            ("today", Some("2026-12-30")),
            (" tomorrow ", Some("2026-12-31")),
            ("+3d", Some("2027-01-02")),
            ("2w", Some("2027-01-13")),
            ("+5h", None),
            ("2026-02-30", None),
            ("soon", None),
            ("99999999999d", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = parse(text, today).ok().map(|date| date.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn instants_are_absolute_named_or_relative() {
        let now = "2026-12-30T12:00:00Z".parse().unwrap();
        let cases = [
            ("2026-12-01", Some("2026-12-01T00:00:00Z")),
            ("2026-12-01T10:00Z", Some("2026-12-01T10:00:00Z")),
            ("2026-12-01T10:00", Some("2026-12-01T10:00:00Z")),
            ("+2h", Some("2026-12-30T14:00:00Z")),
            ("3d", Some("2027-01-02T12:00:00Z")),
            ("tomorrow", Some("2026-12-31T00:00:00Z")),
            ("200000000d", None),
            ("later", None),
        ];
        for (text, expected) in cases {
            let read = parse_instant(text, now).ok().map(|instant| instant.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
