//! The built-in rules as a text that is searched where it lies.
//!
//! The rules are written in TOML, whose reading takes longer than the rest of the program's start. So a test makes
//! this table of them, and holds the two together. It has three parts: what the rules consist of, a line each; the
//! patterns, a line each with the group that they belong to; and the words under which patterns are kept, sorted,
//! each with the places of its patterns. A word is found by halving, and only its patterns are ever looked at.

use super::group::Group;

/// What stands between the parts.
const RULE: &str = "\n---\n";

/// A table, as its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    /// Lines that say what the rules consist of.
    pub(super) head: &'static str,
    patterns: &'static str,
    words: &'static str,
}

impl Table {
    /// The parts of a table; `None` for a text that is none.
    pub(super) fn new(text: &'static str) -> Option<Table> {
        let (head, rest) = text.split_once(RULE)?;
        let (patterns, words) = rest.split_once(RULE)?;
        Some(Table { head, patterns, words })
    }

    /// The patterns that are kept under a word.
    pub(super) fn under(self, word: &str) -> impl Iterator<Item = (Group, &'static str)> + use<> {
        let places = self.places(word).unwrap_or("");
        places.split(' ').filter_map(move |place| {
            let line = self.patterns.get(place.parse::<usize>().ok()?..)?;
            let line = &line[..line.find('\n').unwrap_or(line.len())];
            let (group, pattern) = line.split_once(' ')?;
            Some((group.parse().ok()?, pattern))
        })
    }

    /// The places behind a word, found by halving the sorted lines.
    fn places(self, word: &str) -> Option<&'static str> {
        let (mut low, mut high) = (0, self.words.len());
        while low < high {
            let middle = self.words.floor_char_boundary(low + (high - low) / 2);
            let start = self.words[low..middle].rfind('\n').map_or(low, |found| low + found + 1);
            let end = self.words[start..].find('\n').map_or(self.words.len(), |found| start + found);
            let (key, places) = self.words[start..end].split_once(' ')?;
            match word.cmp(key) {
                std::cmp::Ordering::Less => high = start,
                std::cmp::Ordering::Equal => return Some(places),
                std::cmp::Ordering::Greater => low = end + 1,
            }
        }
        None
    }
}

#[cfg(test)]
pub(super) mod writing {
    //! Making the table.

    use std::collections::BTreeMap;
    use std::fmt::Write;

    use super::{Group, RULE};
    use crate::domain::route::rules::pattern::{Pattern, keys};

    /// The table of these lines and patterns.
    pub(in crate::domain::route) fn table(head: &str, entries: &[(Group, Pattern)]) -> String {
        let mut patterns = String::new();
        let mut words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (group, pattern) in entries {
            for key in keys(pattern.as_str()) {
                let places = words.entry(key).or_default();
                if places.last() != Some(&patterns.len()) {
                    places.push(patterns.len());
                }
            }
            writeln!(patterns, "{group} {}", pattern.as_str()).unwrap();
        }
        let mut text = format!("{head}{RULE}{}{RULE}", patterns.trim_end());
        for (word, places) in words {
            let places: Vec<String> = places.iter().map(usize::to_string).collect();
            writeln!(text, "{word} {}", places.join(" ")).unwrap();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::rules::pattern::Pattern;

    #[test]
    fn every_word_is_found_and_no_other() {
        let words = ["a", "ab", "b", "fix|correct", "lösch*", "z"];
        let entries: Vec<_> =
            words.iter().map(|word| (Group::Command, Pattern::parse(word).unwrap())).collect();
        let text: &'static str = writing::table("head", &entries).leak();
        let table = Table::new(text).unwrap();
        assert_eq!(table.head, "head");
        for (word, pattern) in
            [("a", "a"), ("ab", "ab"), ("b", "b"), ("fix", "fix|correct"), ("l*", "lösch*"), ("z", "z")]
        {
            let found: Vec<_> = table.under(word).collect();
            assert_eq!(found, [(Group::Command, pattern)], "{word}");
        }
        for word in ["", "0", "aa", "abc", "correct|", "fi", "zz", "ö"] {
            assert_eq!(table.under(word).count(), 0, "{word}");
        }
        assert_eq!(table.under("correct").count(), 1);
    }
}
