//! Whatever an entry is, and whoever wrote it down, reading and changing agree.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

fn entry() -> impl Strategy<Value = Entry> {
    let url = of("(https://|git@|/srv/|\\./|ssh://\\[::1\\]/)[a-z\"'\\\\ #äß世=\\[\\]]{0,12}");
    (url, vec("[a-zA-Z0-9]{1,9}(/[a-z]{1,4})?", 0..4)).prop_map(|(url, aliases)| Entry {
        id: "acme/api".parse().unwrap(),
        url,
        aliases: aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
    })
}

/// What others may have written beside our keys; legal together in any order.
const LINES: &[&str] = &[
    "",
    "# mine: url = 'x'",
    "schema = 1",
    "owner = \"Ada\" # of a newer version",
    "mine.url = 'https://not-this'",
    "note = '''\nurl = \"no\"\naliases = []\n'''",
    "\"url\"  =\t'https://old' # u",
    "aliases = [ # a\n  'x', # x\n  \"y\",\n]",
];

fn by_hand() -> impl Strategy<Value = String> {
    let pieces = subsequence(LINES, 0..LINES.len()).prop_shuffle();
    (pieces, any::<Index>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(mut lines, at, crlf, bom, more)| {
            lines.insert(at.index(lines.len() + 1), "'id' = \"acme/api\"");
            let table = if more { "[mine.deep]\nurl = 7\naliases = 7\n" } else { "" };
            let text = lines.join("\n") + "\n" + table;
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            if bom { format!("\u{feff}{text}") } else { text }
        },
    )
}

/// The lines of a file that no change of ours touches.
fn of_others(text: &str) -> Vec<&str> {
    let ours = ["\"url\"", "url = \"", "aliases = [", "  'x', # x", "  \"y\",", "]"];
    let lines = text.trim_start_matches('\u{feff}').split_inclusive('\n');
    lines.filter(|line| !ours.iter().any(|start| line.starts_with(start))).collect()
}

proptest! {
    #![proptest_config(crate::format::few_cases(256))]

    #[test]
    fn what_is_written_is_read(entry in entry()) {
        prop_assert_eq!(parse(&render(&entry)), Ok(entry));
    }

    #[test]
    fn any_file_becomes_any_entry_and_keeps_what_is_not_ours(text in by_hand(), one in entry(), other in entry()) {
        let before = parse(&text).unwrap();
        let first = apply(&text, &one).unwrap();
        prop_assert_eq!(parse(&first), Ok(one), "{}", first);
        let second = apply(&first, &other).unwrap();
        prop_assert_eq!(parse(&second), Ok(other), "{}", second);
        let back = apply(&second, &before).unwrap();
        prop_assert_eq!(parse(&back), Ok(before), "{}", back);
        for changed in [&first, &second, &back] {
            prop_assert_eq!(of_others(changed), of_others(&text));
            prop_assert_eq!(changed.starts_with('\u{feff}'), text.starts_with('\u{feff}'));
            prop_assert_eq!(changed.matches('\u{feff}').count(), text.matches('\u{feff}').count());
        }
    }

    #[test]
    fn a_damaged_entry_is_read_or_refused_and_can_be_changed(
        text in by_hand(), at in any::<Index>(), with in vec(any::<u8>(), 0..4), cut in 0_usize..4, other in entry(),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(read) = parse(&text) {
            let other = Entry { id: read.id, ..other };
            prop_assert_eq!(parse(&apply(&text, &other).unwrap()), Ok(other));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}", other in entry()) {
        let _ = parse(&text);
        let text = format!("id = 'acme/api'\n{text}");
        if let Ok(read) = parse(&text) {
            let other = Entry { id: read.id, ..other };
            prop_assert_eq!(parse(&apply(&text, &other).unwrap()), Ok(other));
        }
    }
}
