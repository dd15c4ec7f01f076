//! One view on values, whichever parser has read them, so that there is one code that gives them a meaning.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use toml::value::Datetime;

use super::plain;

/// A table of the full parser or of the quick one.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Full(&'a DeTable<'a>),
    Plain(&'a plain::Table<'a>),
}

/// A value, as far as a reader of fields looks into it.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    Text(&'a str),
    Integer {
        digits: &'a str,
        radix: u32,
    },
    Datetime(Datetime),
    Boolean(bool),
    Array(Items<'a>),
    Table(Source<'a>),
    /// Nothing that any field can be, with the word for it.
    Other(&'static str),
}

/// The items of an array.
#[derive(Clone, Copy)]
pub(super) enum Items<'a> {
    Full(&'a DeArray<'a>),
    Plain(&'a [(usize, &'a str)]),
}

impl<'a> Source<'a> {
    /// The value of a key, and its place.
    pub(super) fn get(self, key: &str) -> Option<(usize, Seen<'a>)> {
        match self {
            Source::Full(table) => table.get(key).map(full),
            Source::Plain(table) => table.get(key).map(|(at, value)| (at, simple(value))),
        }
    }
}

impl<'a> Items<'a> {
    /// Each item with its place.
    pub(super) fn values(self) -> impl Iterator<Item = (usize, Seen<'a>)> {
        let (items, texts) = match self {
            Items::Full(items) => (Some(items), None),
            Items::Plain(texts) => (None, Some(texts)),
        };
        let texts = texts.into_iter().flatten().map(|(at, text)| (*at, Seen::Text(text)));
        items.into_iter().flatten().map(full).chain(texts)
    }
}

impl Seen<'_> {
    /// The word for the sort of value.
    pub(super) fn sort(self) -> &'static str {
        match self {
            Seen::Text(_) => "string",
            Seen::Integer { .. } => "integer",
            Seen::Datetime(_) => "datetime",
            Seen::Boolean(_) => "boolean",
            Seen::Array(_) => "array",
            Seen::Table(_) => "table",
            Seen::Other(word) => word,
        }
    }
}

fn full<'a>(value: &'a Spanned<DeValue<'a>>) -> (usize, Seen<'a>) {
    let seen = match value.get_ref() {
        DeValue::String(text) => Seen::Text(text),
        DeValue::Integer(number) => Seen::Integer { digits: number.as_str(), radix: number.radix() },
        DeValue::Datetime(datetime) => Seen::Datetime(*datetime),
        DeValue::Boolean(value) => Seen::Boolean(*value),
        DeValue::Array(items) => Seen::Array(Items::Full(items)),
        DeValue::Table(table) => Seen::Table(Source::Full(table)),
        other => Seen::Other(other.type_str()),
    };
    (value.span().start, seen)
}

fn simple<'a>(value: &'a plain::Value<'a>) -> Seen<'a> {
    match value {
        plain::Value::Text(text) => Seen::Text(text),
        plain::Value::Number(digits) => Seen::Integer { digits, radix: 10 },
        plain::Value::Datetime(datetime) => Seen::Datetime(*datetime),
        plain::Value::Texts(texts) => Seen::Array(Items::Plain(texts)),
        plain::Value::Table(table) => Seen::Table(Source::Plain(table)),
    }
}
