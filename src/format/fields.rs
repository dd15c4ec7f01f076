//! Reads the fields of a table into domain types.
//!
//! Each "no" names the key, the value and the place. Keys that nobody asks for are left alone: a file may say
//! more than this version knows.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::instant::{self, Read};
use super::malformed::Malformed;
use crate::domain::fault::{Code, Fault};

/// The newest layout of files that this version reads and writes.
const SCHEMA: u64 = 1;

/// A table, the text that it was read from, and its name if it has one.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    name: Option<&'static str>,
    /// Where to point when a field is missing.
    start: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a whole text.
    pub(super) fn new(text: &'a str, table: &'a DeTable<'a>) -> Self {
        Fields { text, table, name: None, start: 0 }
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
        self.value(key, |value| value.as_str().ok_or_else(|| a_string(value)))
    }

    /// A string that means something.
    pub(super) fn word<T: FromStr<Err = Fault>>(&self, key: &'static str) -> Result<Option<T>, Malformed> {
        self.value(key, |value| parsed(value))
    }

    /// A string, or an array of strings, that mean something.
    pub(super) fn words<T: FromStr<Err = Fault>>(&self, key: &'static str) -> Result<Vec<T>, Malformed> {
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => {
                    items.iter().map(|item| self.placed(key, item, |value| parsed(value))).collect()
                }
                _ => Ok(vec![self.placed(key, value, |value| parsed(value))?]),
            },
        }
    }

    /// A number that is not negative.
    pub(super) fn unsigned<T: TryFrom<u64>>(&self, key: &'static str) -> Result<Option<T>, Malformed> {
        self.value(key, |value| {
            let number = value.as_integer().ok_or_else(|| expected("a whole number", value))?;
            u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| format!("`{number}` is out of range"))
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
                DeValue::Datetime(date) => instant::date_from_toml(date),
                DeValue::String(text) => instant::date_from_text(text),
                _ => None,
            };
            date.ok_or_else(|| expected("a date such as `2026-12-01`", value))
        })
    }

    /// A table in the table.
    pub(super) fn table(&self, key: &'static str) -> Result<Option<Fields<'a>>, Malformed> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Table(table) => {
                Ok(Some(Fields { text: self.text, table, name: Some(key), start: value.span().start }))
            }
            other => Err(self.wrong(key, expected("a table", other))),
        }
    }

    /// What has to be there.
    pub(super) fn required<T>(&self, key: &'static str, found: Option<T>) -> Result<T, Malformed> {
        found.ok_or_else(|| Malformed::in_text(self.text, self.start, self.named(key, "is missing")))
    }

    /// A defect at the value of a key.
    pub(super) fn wrong(&self, key: &'static str, what: impl AsRef<str>) -> Malformed {
        let offset = self.table.get(key).map_or(self.start, |value| value.span().start);
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
        read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Result<Option<T>, Malformed> {
        self.table.get(key).map(|value| self.placed(key, value, read)).transpose()
    }

    fn placed<T>(
        &self,
        key: &str,
        value: &'a Spanned<DeValue<'a>>,
        read: impl FnOnce(&'a DeValue<'a>) -> Result<T, String>,
    ) -> Result<T, Malformed> {
        read(value.get_ref())
            .map_err(|what| Malformed::in_text(self.text, value.span().start, self.named(key, &what)))
    }
}

fn parsed<T: FromStr<Err = Fault>>(value: &DeValue<'_>) -> Result<T, String> {
    value.as_str().ok_or_else(|| a_string(value))?.parse().map_err(|fault: Fault| fault.message)
}

fn read_instant(value: &DeValue<'_>) -> Result<Read, String> {
    let read = match value {
        DeValue::Datetime(datetime) => instant::from_toml(datetime),
        DeValue::String(text) => instant::from_text(text),
        _ => None,
    };
    read.ok_or_else(|| expected("an instant such as `2026-12-01T10:00:00Z`", value))
}

fn a_string(found: &DeValue<'_>) -> String {
    expected("a string", found)
}

fn expected(what: &str, found: &DeValue<'_>) -> String {
    format!("expected {what}, found {}", found.type_str())
}
