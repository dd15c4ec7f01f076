//! Characters of which a line has only one half.

use std::borrow::Cow;

/// JSON may have half of a character that is written as two escapes, and JavaScript writes it so where a text was cut in
/// the middle of an emoji. No text of ours can have it, so the sign for an unreadable character stands in its place.
pub(super) fn with_whole_characters(json: &str) -> Cow<'_, str> {
    let mut halves = Vec::new();
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        at += found;
        match (surrogate(json, at), surrogate(json, at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => at += 12,
            (Some(_), _) => {
                halves.push(at);
                at += 6;
            }
            // A backslash and what it stands before, which may be of several bytes.
            (None, _) => at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if halves.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut whole = json.to_owned();
    for at in halves {
        whole.replace_range(at..at + 6, "\\ufffd");
    }
    Cow::Owned(whole)
}

/// The half of a character that is escaped there.
fn surrogate(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok().filter(|half| (0xd800..0xe000).contains(half))
}
