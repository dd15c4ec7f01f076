//! A quick reader for the TOML that `swift` itself writes: one key per line, plain strings, whole numbers,
//! instants, arrays of strings, simple headers.
//!
//! Lists read thousands of heads, and the full parser is made for more than they have. What is the least bit
//! unusual (an escape, a comment behind a value, a key that is there twice) is not refused here but left to the
//! full parser: so this one can be small, and there is one authority on what is legal.

use jiff::civil::Date;
use toml::value::{Date as TomlDate, Datetime, Offset, Time};

/// A value that needs no decoding.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(&'a str),
    Datetime(Datetime),
    /// Strings with their places.
    Texts(Vec<(usize, &'a str)>),
    Table(Table<'a>),
}

/// Keys with the places of their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table<'a> {
    entries: Vec<(&'a str, usize, Value<'a>)>,
}

impl<'a> Table<'a> {
    /// The value of a key, and its place.
    pub(super) fn get(&self, key: &str) -> Option<(usize, &Value<'a>)> {
        self.entries.iter().find(|(known, _, _)| *known == key).map(|(_, at, value)| (*at, value))
    }

    /// Take a key in; `None` if it is there already.
    fn insert(&mut self, key: &'a str, at: usize, value: Value<'a>) -> Option<()> {
        if self.get(key).is_some() {
            return None;
        }
        self.entries.push((key, at, value));
        Some(())
    }

    /// The table below the last header.
    fn innermost(&mut self) -> &mut Self {
        // Looked up twice, because a borrow that is returned from one branch only would last for both.
        if !matches!(self.entries.last(), Some((_, _, Value::Table(_)))) {
            return self;
        }
        match self.entries.last_mut() {
            Some((_, _, Value::Table(table))) => table,
            _ => unreachable!("the last entry is a table"),
        }
    }
}

/// Read a text; `None` if it takes more than this reader knows.
pub(super) fn parse(text: &str) -> Option<Table<'_>> {
    let mut root = Table { entries: Vec::with_capacity(16) };
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let mut cursor = Cursor { text: line.strip_suffix('\r').unwrap_or(line), base: at, at: 0 };
        cursor.line(&mut root)?;
        at += whole.len();
    }
    Some(root)
}

/// A place in a line.
struct Cursor<'a> {
    text: &'a str,
    /// Where the line begins in the whole text.
    base: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self, root: &mut Table<'a>) -> Option<()> {
        match self.peek() {
            None => Some(()),
            Some(b'#') => self.text.bytes().all(|byte| byte >= b' ' && byte != 0x7f).then_some(()),
            Some(b'[') => self.header(root),
            Some(_) => {
                let key = self.key()?;
                self.blanks();
                self.byte(b'=')?;
                self.blanks();
                let at = self.base + self.at;
                let value = self.value()?;
                self.end()?;
                root.innermost().insert(key, at, value)
            }
        }
    }

    fn header(&mut self, root: &mut Table<'a>) -> Option<()> {
        self.byte(b'[')?;
        let key = self.key()?;
        self.byte(b']')?;
        self.end()?;
        root.insert(key, self.base, Value::Table(Table::default()))
    }

    fn key(&mut self) -> Option<&'a str> {
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let length = self.rest().bytes().take_while(is_bare).count();
        (length > 0).then(|| self.take(length))
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            b'[' => self.strings().map(Value::Texts),
            b'0'..=b'9' => self.number_or_datetime(),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        self.byte(b'"')?;
        let length = self
            .rest()
            .bytes()
            .position(|byte| byte == b'"' || byte == b'\\' || byte < b' ' || byte == 0x7f)?;
        let text = self.take(length);
        self.byte(b'"')?;
        // Three quotation marks begin a string of several lines.
        (self.peek() != Some(b'"')).then_some(text)
    }

    fn strings(&mut self) -> Option<Vec<(usize, &'a str)>> {
        self.byte(b'[')?;
        let mut texts = Vec::new();
        self.blanks();
        while self.peek()? != b']' {
            texts.push((self.base + self.at, self.string()?));
            self.blanks();
            if self.peek()? != b']' {
                self.byte(b',')?;
                self.blanks();
            }
        }
        self.byte(b']')?;
        Some(texts)
    }

    fn number_or_datetime(&mut self) -> Option<Value<'a>> {
        let length = self.rest().bytes().take_while(|byte| !matches!(byte, b' ' | b'\t')).count();
        let word = self.take(length);
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            let is_usual = word.len() <= 18 && (word == "0" || !word.starts_with('0'));
            return is_usual.then_some(Value::Number(word));
        }
        datetime(word.as_bytes()).map(Value::Datetime)
    }

    fn end(&mut self) -> Option<()> {
        self.blanks();
        self.rest().is_empty().then_some(())
    }

    fn blanks(&mut self) {
        let length = self.rest().bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += length;
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }
}

/// `2026-12-01` or `2026-12-01T10:00:00Z`, if the calendar has it.
fn datetime(word: &[u8]) -> Option<Datetime> {
    let date = date(word.get(..10)?)?;
    match &word[10..] {
        [] => Some(Datetime { date: Some(date), time: None, offset: None }),
        [b'T', time @ .., b'Z'] => {
            Some(Datetime { date: Some(date), time: Some(clock(time)?), offset: Some(Offset::Z) })
        }
        _ => None,
    }
}

fn date(word: &[u8]) -> Option<TomlDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = word else { return None };
    let year = u16::from(pair(*y1, *y2)?) * 100 + u16::from(pair(*y3, *y4)?);
    let (month, day) = (pair(*m1, *m2)?, pair(*d1, *d2)?);
    // Two digits are less than a hundred, four less than ten thousand.
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some(TomlDate { year, month, day })
}

fn clock(word: &[u8]) -> Option<Time> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = word else { return None };
    let (hour, minute, second) = (pair(*h1, *h2)?, pair(*m1, *m2)?, pair(*s1, *s2)?);
    let is_usual = hour < 24 && minute < 60 && second < 60;
    is_usual.then_some(Time { hour, minute, second: Some(second), nanosecond: None })
}

fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_swift_writes_is_read() {
        let text = "# c\na = \"x\"\r\nb=12\n\nc = [\"y\", \"\" ,]  \nd = 2026-12-01\ne = 2026-12-01T10:00:59Z\n[t]\na = 0\n[u]";
        let table = parse(text).unwrap();
        assert_eq!(table.get("a"), Some((8, &Value::Text("x"))));
        assert_eq!(table.get("b"), Some((15, &Value::Number("12"))));
        assert_eq!(table.get("c"), Some((23, &Value::Texts(vec![(24, "y"), (29, "")]))));
        for (key, value) in [("d", "2026-12-01"), ("e", "2026-12-01T10:00:59Z")] {
            assert_eq!(table.get(key).unwrap().1, &Value::Datetime(value.parse().unwrap()));
        }
        let Some((_, Value::Table(t))) = table.get("t") else { panic!("a table") };
        assert_eq!(t.get("a").unwrap().1, &Value::Number("0"));
        assert_eq!(table.get("u").unwrap().1, &Value::Table(Table::default()));
    }

    #[test]
    fn what_is_unusual_is_left_to_the_full_parser() {
        let unusual = [
            "a = 1 # c",
            "a = 'x'",
            "a = \"\\n\"",
            "a = \"x\ty\"",
            "a = \"\"\"x\"\"\"",
            "a = \"\"\"",
            "a.b = 1",
            "\"a\" = 1",
            "a = 01",
            "a = 1_0",
            "a = -1",
            "a = 1.5",
            "a = true",
            "a = {}",
            "a = [1]",
            "a = [\"x\" \"y\"]",
            "a = [\n]",
            "a = [,]",
            "a = 2026-02-30",
            "a = 2026-12-01T24:00:00Z",
            "a = 2026-12-01T10:00:60Z",
            "a = 2026-12-01 10:00:00Z",
            "a = 2026-12-01T10:00Z",
            "a = 1\na = 1",
            "a = 1\n[a]",
            "[a]\n[a]",
            "[[a]]",
            "[a.b]",
            "[ a ]",
            " a = 1",
            "a",
            "a =",
            "= 1",
            "a = 1 2",
            "\u{feff}a = 1",
            "# \u{1}",
            "a = \"x",
            "a = 1\rb = 1",
        ];
        for text in unusual {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
