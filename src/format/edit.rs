//! Changes single keys of a TOML text and leaves every other byte as it is.
//!
//! Comments, order, odd quoting, line endings and unknown keys belong to the person who wrote them. Removing a
//! key removes its line; removing a table removes its lines from the header to the last key, and the blank line
//! before it, which adding a table had put there.

use std::ops::Range;

use super::array;
use super::layout::{Entry, Layout, Place};
use super::quote::Newline;

/// A text that is being changed. It has to be TOML, and stays so.
pub(super) struct Edit {
    text: String,
    newline: Newline,
}

/// Whether an array has grown in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grown {
    Yes,
    No,
}

impl Edit {
    /// Begin with a text that has been parsed before.
    pub(super) fn new(text: impl Into<String>, newline: Newline) -> Self {
        Edit { text: text.into(), newline }
    }

    /// The text after all changes.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Give a key above all tables a value; a new key goes below the last of the `known` ones.
    pub(super) fn set(&mut self, key: &str, value: &str, known: &[&str]) {
        let layout = Layout::of(&self.text);
        if let Some(entry) = layout.entry(&[key]) {
            return self.text.replace_range(entry.value.clone(), value);
        }
        let is_known = |entry: &&Entry| {
            entry.place == Place::Top && matches!(&entry.path[..], [only] if known.contains(&only.as_str()))
        };
        let last = layout.entries.iter().rfind(is_known);
        let at = last.map_or_else(|| self.line_start(0), |entry| self.line_end(entry.value.end));
        self.insert_line(at, &format!("{key} = {value}"));
    }

    /// Add items to the array of a key above all tables, as it is written; tells whether there is such an array.
    pub(super) fn grow(&mut self, key: &str, items: &[String]) -> Grown {
        let layout = Layout::of(&self.text);
        let Some(entry) = layout.entry(&[key]) else { return Grown::No };
        let Some(value) = array::grown(&self.text[entry.value.clone()], items, self.newline) else {
            return Grown::No;
        };
        self.text.replace_range(entry.value.clone(), &value);
        Grown::Yes
    }

    /// Take a key away, if it is there.
    pub(super) fn remove(&mut self, path: &[&str]) {
        let layout = Layout::of(&self.text);
        if let Some(entry) = layout.entry(path) {
            let range = match entry.place {
                Place::Inline => inline_range(&layout, entry),
                Place::Top | Place::Below(_) => self.lines(entry.key..entry.value.end),
            };
            self.text.replace_range(range, "");
        }
    }

    /// Give a key in a table a value; a table that is missing is added at the end.
    pub(super) fn set_in(&mut self, table: &str, key: &str, value: &str) {
        let layout = Layout::of(&self.text);
        let line = format!("{key} = {value}");
        if let Some(entry) = layout.entry(&[table, key]) {
            self.text.replace_range(entry.value.clone(), value);
        } else if let Some(index) = layout.headers.iter().position(|h| h.path == [table] && !h.is_array) {
            let at = self.section_end(&layout, index);
            self.insert_line(at, &line);
        } else if let Some(whole) = layout.entry(&[table]) {
            self.set_between_braces(&layout, whole, &line);
        } else if let Some(last) = last_dotted(&layout, table) {
            let at = self.line_end(last.value.end);
            self.insert_line(at, &format!("{table}.{line}"));
        } else {
            self.append_table(table, &line);
        }
    }

    /// Take a table away with all that is in it, in whatever way it is written.
    pub(super) fn remove_table(&mut self, table: &str) {
        let layout = Layout::of(&self.text);
        let is_ours = |path: &[String]| path.first().is_some_and(|first| first == table);
        let keys = layout.entries.iter().filter(|e| e.place == Place::Top && is_ours(&e.path));
        let mut ranges: Vec<_> = keys.map(|e| self.lines(e.key..e.value.end)).collect();
        for (index, header) in layout.headers.iter().enumerate().filter(|(_, h)| is_ours(&h.path)) {
            let start = self.without_blank_line(self.line_start(header.span.start));
            ranges.push(start..self.section_end(&layout, index));
        }
        for range in ranges.into_iter().rev() {
            self.text.replace_range(range, "");
        }
    }

    fn set_between_braces(&mut self, layout: &Layout, whole: &Entry, line: &str) {
        match children(layout, whole).last() {
            Some(last) => self.text.insert_str(last.value.end, &format!(", {line}")),
            None => self.text.replace_range(whole.value.clone(), &format!("{{ {line} }}")),
        }
    }

    fn append_table(&mut self, table: &str, line: &str) {
        let newline = self.newline.as_str();
        if !self.text.is_empty() {
            let at = self.text.len();
            self.insert_line(at, "");
        }
        self.text.push_str(&format!("[{table}]{newline}{line}{newline}"));
    }

    /// Put a line before the line that begins here.
    fn insert_line(&mut self, at: usize, line: &str) {
        let newline = self.newline.as_str();
        let follows_text = at > self.line_start(0) && !self.text[..at].ends_with('\n');
        let before = if follows_text { newline } else { "" };
        self.text.insert_str(at, &format!("{before}{line}{newline}"));
    }

    /// Where the last line of a section ends: that of its last key, or of the header itself.
    fn section_end(&self, layout: &Layout, index: usize) -> usize {
        let last = layout.entries.iter().rfind(|entry| entry.place == Place::Below(index));
        self.line_end(last.map_or(layout.headers[index].span.end, |entry| entry.value.end))
    }

    fn lines(&self, range: Range<usize>) -> Range<usize> {
        self.line_start(range.start)..self.line_end(range.end)
    }

    /// A byte order mark is no part of the first line.
    fn line_start(&self, at: usize) -> usize {
        let first = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        self.text[..at].rfind('\n').map_or(first, |newline| newline + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// The same place, or that of the blank line just before it.
    fn without_blank_line(&self, at: usize) -> usize {
        if at == self.line_start(0) {
            return at;
        }
        let before = self.line_start(at - 1);
        if self.text[before..at].trim().is_empty() { before } else { at }
    }
}

/// The last line such as `lease.token = 1`.
fn last_dotted<'a>(layout: &'a Layout, table: &str) -> Option<&'a Entry> {
    layout.entries.iter().rfind(|e| e.place == Place::Top && e.path.len() > 1 && e.path[0] == table)
}

/// The keys directly between the braces of an inline table.
fn children<'a>(layout: &'a Layout, whole: &Entry) -> Vec<&'a Entry> {
    let mut found: Vec<&Entry> = Vec::new();
    for entry in layout.entries.iter().filter(|e| e.place == Place::Inline && whole.value.contains(&e.key)) {
        if found.last().is_none_or(|last| !last.value.contains(&entry.key)) {
            found.push(entry);
        }
    }
    found
}

/// A key between braces, with the comma that separates it from its neighbour.
fn inline_range(layout: &Layout, entry: &Entry) -> Range<usize> {
    let around = |e: &&Entry| e.place != Place::Inline && e.value.contains(&entry.key);
    let siblings =
        layout.entries.iter().find(around).map(|whole| children(layout, whole)).unwrap_or_default();
    let before = siblings.iter().rfind(|e| e.key < entry.key);
    let after = siblings.iter().find(|e| e.key > entry.key);
    match (before, after) {
        (Some(before), _) => before.value.end..entry.value.end,
        (None, Some(after)) => entry.key..after.key,
        (None, None) => entry.key..entry.value.end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after one change.
    fn after(text: &str, change: impl FnOnce(&mut Edit)) -> String {
        let mut edit = Edit::new(text, Newline::of(text));
        change(&mut edit);
        super::super::syntax::parse(&edit.text).unwrap();
        edit.finish()
    }

    #[test]
    fn only_the_value_changes() {
        let text = "# a\n \"x\" =  1 # keep\n\n[t]\nx = 2\n";
        assert_eq!(after(text, |e| e.set("x", "9", &[])), text.replace("1 #", "9 #"));
    }

    #[test]
    fn new_keys_stand_above_the_tables_and_below_the_known_ones() {
        let known = &["x", "y"];
        assert_eq!(
            after("x = [\n1] # c\nu = 1\n[t]\n", |e| e.set("y", "2", known)),
            "x = [\n1] # c\ny = 2\nu = 1\n[t]\n"
        );
        assert_eq!(after("x = 1", |e| e.set("y", "2", known)), "x = 1\ny = 2\n");
        assert_eq!(after("[t]\r\n", |e| e.set("y", "2", known)), "y = 2\r\n[t]\r\n");
        assert_eq!(after("", |e| e.set("y", "2", known)), "y = 2\n");
    }

    #[test]
    fn tables_grow_in_the_way_in_which_they_are_written() {
        let cases = [
            ("[t]\na = 1\n\n# end\n[u]\n", "[t]\na = 1\nb = 2\n\n# end\n[u]\n"),
            ("[t] # h\n", "[t] # h\nb = 2\n"),
            ("t = { a = 1, n = { z = 1 }, } # c\n", "t = { a = 1, n = { z = 1 }, b = 2, } # c\n"),
            ("t = {}\n", "t = { b = 2 }\n"),
            ("t.a = 1\nx = 1\n", "t.a = 1\nt.b = 2\nx = 1\n"),
            ("x = 1\n", "x = 1\n\n[t]\nb = 2\n"),
            ("x = 1", "x = 1\n\n[t]\nb = 2\n"),
            ("", "[t]\nb = 2\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(after(text, |e| e.set_in("t", "b", "2")), expected);
        }
    }

    #[test]
    fn removing_a_table_undoes_adding_it() {
        for text in ["x = 1\n", "x = 1\r\n", "x = 1\n\n# c\n", "\n[u]\na = 1\n"] {
            let added = after(text, |e| e.set_in("t", "b", "2"));
            assert_eq!(after(&added, |e| e.remove_table("t")), text);
        }
    }

    #[test]
    fn tables_go_with_all_that_is_in_them() {
        let cases = [
            ("x = 1\n[t]\na = 1\n# last\n\n[u]\n", "x = 1\n# last\n\n[u]\n"),
            ("[t.s]\na = 1\n\n[t]\n[u]\n\n[[t.v]]\n", "[u]\n"),
            ("t.a = 1\nx = 1\nt.b = [\n]\n", "x = 1\n"),
            ("t = { a = 1 } # c\nx = 1\n", "x = 1\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(after(text, |e| e.remove_table("t")), expected);
        }
    }

    #[test]
    fn keys_go_alone() {
        let cases = [
            ("[t]\na = 1 # c\nb = 2\n", "[t]\nb = 2\n"),
            ("t = { a = 1, b = 2 }\n", "t = { b = 2 }\n"),
            ("t = { b = 2 , a = 1 }\n", "t = { b = 2 }\n"),
            ("t = { n = {z=1,y=2}, a = 1 }\n", "t = { n = {z=1,y=2} }\n"),
            ("t.b = 1\nt.a = 1\n", "t.b = 1\n"),
            ("t.b = 1\n", "t.b = 1\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(after(text, |e| e.remove(&["t", "a"])), expected);
        }
    }
}
