//! Where in a TOML text each key, value and table header stands.
//!
//! The map that edits work from. It takes any text that [`super::syntax`] has accepted, however odd: dotted and
//! quoted keys, inline tables over several lines, strings that look like headers. Keys within arrays are left out,
//! because no edit reaches there.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// All parts, beginning with those of the header above.
    pub(super) path: Vec<String>,
    /// Where the key begins.
    pub(super) key: usize,
    pub(super) value: Range<usize>,
    pub(super) place: Place,
}

/// What a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A line of its own above all headers.
    Top,
    /// A line of its own below the header with this index.
    Below(usize),
    /// Between the braces of an inline table.
    Inline,
}

/// A line such as `[lease]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) path: Vec<String>,
    pub(super) span: Range<usize>,
    /// `[[several]]` rather than `[one]`.
    pub(super) is_array: bool,
}

/// Everything in the order of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) entries: Vec<Entry>,
    pub(super) headers: Vec<Header>,
}

impl Layout {
    /// The layout of a text that has been parsed before.
    pub(super) fn of(text: &str) -> Self {
        let source = Source::new(text);
        let mut walk = Walk {
            source,
            layout: Layout::default(),
            keys: Vec::new(),
            key: 0,
            open: Vec::new(),
            containers: Vec::new(),
        };
        let tokens = source.lex().into_vec();
        let mut events = Vec::new();
        parse_document(&tokens, &mut events, &mut ());
        events.iter().for_each(|event| walk.step(event));
        walk.layout.entries.sort_by_key(|entry| entry.key);
        walk.layout
    }

    /// The key with exactly this path.
    pub(super) fn entry(&self, path: &[&str]) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Inline,
}

/// A key whose value has not ended yet.
struct Open {
    entry: Entry,
    /// How many containers were open around it.
    depth: usize,
    in_array: bool,
}

struct Walk<'a> {
    source: Source<'a>,
    layout: Layout,
    /// The parts of the key or header that is being read, and where it begins.
    keys: Vec<String>,
    key: usize,
    open: Vec<Open>,
    containers: Vec<Container>,
}

impl Walk<'_> {
    fn step(&mut self, event: &Event) {
        let span = event.span();
        match event.kind() {
            EventKind::SimpleKey => self.part(event),
            EventKind::StdTableOpen | EventKind::ArrayTableOpen => self.begin_header(span.start()),
            EventKind::StdTableClose => self.end_header(span.end(), false),
            EventKind::ArrayTableClose => self.end_header(span.end(), true),
            EventKind::KeyValSep => self.begin_entry(),
            EventKind::Scalar => {
                self.begin_value(span.start());
                self.end_value(span.end());
            }
            EventKind::ArrayOpen => self.enter(Container::Array, span.start()),
            EventKind::InlineTableOpen => self.enter(Container::Inline, span.start()),
            EventKind::ArrayClose | EventKind::InlineTableClose => {
                self.containers.pop();
                self.end_value(span.end());
            }
            _ => {}
        }
    }

    fn part(&mut self, event: &Event) {
        if self.keys.is_empty() {
            self.key = event.span().start();
        }
        let mut decoded = Cow::default();
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut decoded, &mut ());
        }
        self.keys.push(decoded.into_owned());
    }

    fn begin_header(&mut self, start: usize) {
        self.keys.clear();
        let header = Header { path: Vec::new(), span: start..start, is_array: false };
        self.layout.headers.push(header);
    }

    fn end_header(&mut self, end: usize, is_array: bool) {
        if let Some(header) = self.layout.headers.last_mut() {
            header.path = std::mem::take(&mut self.keys);
            header.span.end = end;
            header.is_array = is_array;
        }
    }

    fn begin_entry(&mut self) {
        let (mut path, place) = match (self.open.last(), self.layout.headers.len()) {
            (Some(around), _) => (around.entry.path.clone(), Place::Inline),
            (None, 0) => (Vec::new(), Place::Top),
            (None, count) => (self.layout.headers[count - 1].path.clone(), Place::Below(count - 1)),
        };
        path.append(&mut self.keys);
        self.open.push(Open {
            entry: Entry { path, key: self.key, value: 0..0, place },
            depth: self.containers.len(),
            in_array: self.containers.contains(&Container::Array),
        });
    }

    fn begin_value(&mut self, start: usize) {
        let depth = self.containers.len();
        if let Some(open) = self.open.last_mut().filter(|open| open.depth == depth) {
            open.entry.value = start..start;
        }
    }

    fn enter(&mut self, container: Container, start: usize) {
        self.begin_value(start);
        self.containers.push(container);
    }

    fn end_value(&mut self, end: usize) {
        let depth = self.containers.len();
        let Some(mut open) = self.open.pop_if(|open| open.depth == depth) else { return };
        open.entry.value.end = end;
        if !open.in_array {
            self.layout.entries.push(open.entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<(String, String, Place)> {
        let layout = Layout::of(text);
        let row = |e: &Entry| (e.path.join("."), text[e.value.clone()].to_owned(), e.place);
        layout.entries.iter().map(row).collect()
    }

    #[test]
    fn keys_and_values_are_found_in_odd_places() {
        let text = "\"a\" = 1 # x\nb.c = [\n 1, {z = 2},\n]\nd = { e = 1, f.g = '''\n[no]\n''' }\n\n[ lease ]\nholder = \"[x]\"\n[[t.u]]\nv=1";
        let expected = [
            ("a", "1", Place::Top),
            ("b.c", "[\n 1, {z = 2},\n]", Place::Top),
            ("d", "{ e = 1, f.g = '''\n[no]\n''' }", Place::Top),
            ("d.e", "1", Place::Inline),
            ("d.f.g", "'''\n[no]\n'''", Place::Inline),
            ("lease.holder", "\"[x]\"", Place::Below(0)),
            ("t.u.v", "1", Place::Below(1)),
        ]
        .map(|(path, value, place)| (path.to_owned(), value.to_owned(), place));
        assert_eq!(shape(text), expected);
        let headers = Layout::of(text).headers;
        assert_eq!(&text[headers[0].span.clone()], "[ lease ]");
        assert!(headers[1].is_array);
    }
}
