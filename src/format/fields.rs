//! Reads the fields of a table into domain types.
//!
//! Each "no" names the key, the value and the place. Keys that nobody asks for are left alone: a file may say
//! more than this version knows.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use toml::de::DeTable;

use super::instant::{self, Read};
use super::malformed::Malformed;
use super::plain;
use super::seen::{Seen, Source};
use crate::domain::fault::{Code, Fault};

/// The newest layout of files that this version reads and writes.
const SCHEMA: u64 = 1;

/// A table, the text that it was read from, and its name if it has one.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    source: Source<'a>,
    name: Option<&'static str>,
    /// Where to point when a field is missing.
    start: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a whole text.
    pub(super) fn new(text: &'a str, table: &'a DeTable<'a>) -> Self {
        Fields { text, source: Source::Full(table), name: None, start: 0 }
    }

    /// The fields of a whole text that the quick reader has read.
    pub(super) fn plain(text: &'a str, table: &'a plain::Table<'a>) -> Self {
        Fields { text, source: Source::Plain(table), name: None, start: 0 }
    }

    /// Refuse what a newer version wrote.
    pub(super) fn check_schema(&self) -> Result<(), Malformed> {
        match self.unsigned::<u64>("schema")? {
            None | Some(SCHEMA) => Ok(()),
            Some(0) => Err(self.wrong("schema", "versions begin with 1")),
            Some(newer) => Err(self
                .wrong("schema", format!("written by a newer swift (schema {newer})"))
                .with_code(Code::NewerSchema)),
        }
    }

    /// A string.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<&'a str>, Malformed> {
        self.value(key, text)
    }

    /// A string that means something.
    pub(super) fn word<T: FromStr<Err = Fault>>(&self, key: &'static str) -> Result<Option<T>, Malformed> {
        self.value(key, parsed)
    }

    /// A string, or an array of strings.
    pub(super) fn texts(&self, key: &'static str) -> Result<Vec<String>, Malformed> {
        self.values(key, |value| text(value).map(str::to_owned))
    }

    /// A string, or an array of strings, that mean something.
    pub(super) fn words<T: FromStr<Err = Fault>>(&self, key: &'static str) -> Result<Vec<T>, Malformed> {
        self.values(key, parsed)
    }

    fn values<T>(
        &self,
        key: &'static str,
        read: impl Fn(Seen<'a>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Malformed> {
        let Some((at, value)) = self.source.get(key) else { return Ok(Vec::new()) };
        match value {
            Seen::Array(items) => {
                items.values().map(|(at, item)| self.placed(key, at, item, &read)).collect()
            }
            _ => Ok(vec![self.placed(key, at, value, read)?]),
        }
    }

    /// A number that is not negative.
    pub(super) fn unsigned<T: TryFrom<u64>>(&self, key: &'static str) -> Result<Option<T>, Malformed> {
        self.value(key, |value| {
            let Seen::Integer { digits, radix } = value else {
                return Err(expected("a whole number", value));
            };
            u64::from_str_radix(digits, radix)
                .ok()
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| said(format!("`{digits}` is out of range")))
        })
    }

    /// Yes or no.
    pub(super) fn boolean(&self, key: &'static str) -> Result<Option<bool>, Malformed> {
        self.value(key, |value| match value {
            Seen::Boolean(value) => Ok(value),
            other => Err(expected("`true` or `false`", other)),
        })
    }

    /// An instant, with a warning if the file does not say in which zone.
    pub(super) fn instant_or_warn(
        &self,
        key: &'static str,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Timestamp>, Malformed> {
        let read = self.value(key, read_instant)?;
        if read.is_some_and(|read| !read.has_zone) {
            warnings.push(self.named(key, "no time zone is given, so UTC is taken"));
        }
        Ok(read.map(|read| read.instant))
    }

    /// An instant.
    pub(super) fn instant(&self, key: &'static str) -> Result<Option<Timestamp>, Malformed> {
        Ok(self.value(key, read_instant)?.map(|read| read.instant))
    }

    /// A date.
    pub(super) fn date(&self, key: &'static str) -> Result<Option<Date>, Malformed> {
        self.value(key, |value| {
            let date = match value {
                Seen::Datetime(date) => instant::date_from_toml(&date),
                Seen::Text(text) => instant::date_from_text(text),
                _ => None,
            };
            date.ok_or_else(|| expected("a date such as `2026-12-01`", value))
        })
    }

    /// A table in the table.
    pub(super) fn table(&self, key: &'static str) -> Result<Option<Fields<'a>>, Malformed> {
        match self.source.get(key) {
            None => Ok(None),
            Some((start, Seen::Table(source))) => {
                Ok(Some(Fields { text: self.text, source, name: Some(key), start }))
            }
            Some((_, other)) => Err(self.wrong(key, expected("a table", other).message)),
        }
    }

    /// What has to be there.
    pub(super) fn required<T>(&self, key: &'static str, found: Option<T>) -> Result<T, Malformed> {
        found.ok_or_else(|| Malformed::in_text(self.text, self.start, self.named(key, "is missing")))
    }

    /// A defect at the value of a key.
    pub(super) fn wrong(&self, key: &'static str, what: impl AsRef<str>) -> Malformed {
        let offset = self.source.get(key).map_or(self.start, |(at, _)| at);
        Malformed::in_text(self.text, offset, self.named(key, what.as_ref()))
    }

    fn named(&self, key: &str, what: &str) -> String {
        match self.name {
            Some(name) => format!("{name}.{key}: {what}"),
            None => format!("{key}: {what}"),
        }
    }

    fn value<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Seen<'a>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Malformed> {
        self.source.get(key).map(|(at, value)| self.placed(key, at, value, read)).transpose()
    }

    fn placed<T>(
        &self,
        key: &str,
        at: usize,
        value: Seen<'a>,
        read: impl FnOnce(Seen<'a>) -> Result<T, Fault>,
    ) -> Result<T, Malformed> {
        read(value).map_err(|fault| {
            Malformed::in_text(self.text, at, self.named(key, &fault.message)).with_hints(fault.hints)
        })
    }
}

fn text(value: Seen<'_>) -> Result<&str, Fault> {
    match value {
        Seen::Text(text) => Ok(text),
        other => Err(expected("a string", other)),
    }
}

fn parsed<T: FromStr<Err = Fault>>(value: Seen<'_>) -> Result<T, Fault> {
    text(value)?.parse()
}

fn read_instant(value: Seen<'_>) -> Result<Read, Fault> {
    let read = match value {
        Seen::Datetime(datetime) => instant::from_toml(&datetime),
        Seen::Text(text) => instant::from_text(text),
        _ => None,
    };
    read.ok_or_else(|| expected("an instant such as `2026-12-01T10:00:00Z`", value))
}

fn expected(what: &str, found: Seen<'_>) -> Fault {
    said(format!("expected {what}, found {}", found.sort()))
}

fn said(what: String) -> Fault {
    Fault::new(Code::Malformed, what)
}
