//! Instants and dates as TOML has them.
//!
//! TOML knows four sorts: with zone, without zone, only a date, only a time. A time without a zone is taken as
//! UTC, since a file is read on machines in many zones and has to mean the same on each.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, de};
use toml::value::{Datetime, Offset as TomlOffset};

/// An instant, and whether the file said in which zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) instant: Timestamp,
    pub(super) has_zone: bool,
}

/// An instant as a field of a record, in either of the two ways in which [`to_toml`] writes it.
pub(super) struct Recorded(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = match toml::Value::deserialize(from)? {
            toml::Value::Datetime(value) => from_toml(&value),
            toml::Value::String(text) => from_text(&text),
            _ => None,
        };
        read.map(|read| Recorded(read.instant)).ok_or_else(|| de::Error::custom("expected an instant"))
    }
}

/// The instant of a TOML datetime; `None` for a bare time of day and for what no calendar has.
pub(super) fn from_toml(value: &Datetime) -> Option<Read> {
    let date = date_from_toml(value)?;
    let time = match value.time {
        Some(time) => time_from_toml(time)?,
        None => Time::midnight(),
    };
    let (offset, has_zone) = match value.offset {
        None => (Offset::UTC, false),
        Some(TomlOffset::Z) => (Offset::UTC, true),
        Some(TomlOffset::Custom { minutes }) => (Offset::from_seconds(i32::from(minutes) * 60).ok()?, true),
    };
    let instant = offset.to_timestamp(date.to_datetime(time)).ok()?;
    Some(Read { instant, has_zone })
}

/// The date of a TOML datetime; its time and zone, if any, are cut off.
pub(super) fn date_from_toml(value: &Datetime) -> Option<Date> {
    let date = value.date?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    Date::new(i16::try_from(date.year).ok()?, month, day).ok()
}

fn time_from_toml(time: toml::value::Time) -> Option<Time> {
    // A leap second is the last second of its minute, as everywhere in the calendar used here.
    let second = i8::try_from(time.second.unwrap_or(0).min(59)).ok()?;
    let nanosecond = i32::try_from(time.nanosecond.unwrap_or(0)).ok()?;
    Time::new(i8::try_from(time.hour).ok()?, i8::try_from(time.minute).ok()?, second, nanosecond).ok()
}

/// The instant of a text: RFC 3339, or the same without zone or time of day.
pub(super) fn from_text(text: &str) -> Option<Read> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Read { instant, has_zone: true });
    }
    let without_zone = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(|date| date.to_datetime(Time::midnight())))
        .ok()?;
    Some(Read { instant: Offset::UTC.to_timestamp(without_zone).ok()?, has_zone: false })
}

/// The date of a text such as `2026-12-01`; a time after it is cut off.
pub(super) fn date_from_text(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// The instant as TOML; in quotes if TOML has no such year.
pub(super) fn to_toml(instant: Timestamp) -> String {
    let text = instant.to_string();
    if text.starts_with(|c: char| c.is_ascii_digit()) { text } else { format!("\"{text}\"") }
}

/// The date as TOML; in quotes if TOML has no such year.
pub(super) fn date_to_toml(date: Date) -> String {
    let text = date.to_string();
    if text.starts_with(|c: char| c.is_ascii_digit()) { text } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Option<String> {
        from_toml(&toml.parse().ok()?).map(|read| format!("{} {}", read.instant, read.has_zone))
    }

    #[test]
    fn every_sort_of_toml_datetime_is_an_instant_or_refused() {
        let cases = [
            ("2026-12-01T10:00:00Z", Some("2026-12-01T10:00:00Z true")),
            ("2026-12-01T10:00:00+02:00", Some("2026-12-01T08:00:00Z true")),
            ("2026-12-01 10:00:00.5", Some("2026-12-01T10:00:00.5Z false")),
            ("2026-12-01", Some("2026-12-01T00:00:00Z false")),
            ("10:00:00", None),
            ("2026-02-30", None),
            ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00Z true")),
            ("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59Z true")),
            ("9999-12-31T23:59:59-23:00", None),
        ];
        for (toml, expected) in cases {
            assert_eq!(read(toml).as_deref(), expected, "{toml}");
        }
    }

    #[test]
    fn texts_are_read_like_toml() {
        assert_eq!(from_text("2026-12-01T10:00Z").map(|r| r.has_zone), Some(true));
        assert_eq!(from_text("2026-12-01 10:00").map(|r| r.has_zone), Some(false));
        assert_eq!(from_text("soon"), None);
        assert_eq!(date_from_text("2026-12-01").map(|d| d.to_string()).as_deref(), Some("2026-12-01"));
    }

    #[test]
    fn years_before_christ_are_written_in_quotes() {
        let early = Timestamp::from_second(-100_000_000_000).unwrap();
        assert!(to_toml(early).starts_with('"'));
        assert_eq!(from_text(to_toml(early).trim_matches('"')).unwrap().instant, early);
    }
}
