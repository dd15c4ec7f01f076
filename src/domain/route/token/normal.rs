//! A request in the letters that it is meant to be read in.
//!
//! Full-width, styled and look-alike letters, marks that nobody sees, and words spelled out letter by letter would
//! otherwise hide a word from the rules that every reader understands.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::is_one_of;
use crate::domain::route::vocabulary::{SHORT_VERBS, SLIPPED_VERBS};
use crate::domain::text::is_hidden;

/// The text with each letter in its plain form; most texts are that already.
pub(in crate::domain::route) fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return unescaped(joined(Cow::Borrowed(text)));
    }
    let plain: String = text.nfkc().filter(|c| !is_unseen(*c)).collect();
    unescaped(joined(Cow::Owned(unmasked(&without_marks(&plain)))))
}

/// `dele\te` and `DROP/**/TABLE` as a shell and a database read them. Only words of loss are known so: a path that is
/// written with backslashes stays one.
fn unescaped(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['\\', '/']) {
        return text;
    }
    let mut out = text.into_owned();
    while let Some(start) = out.find("/*") {
        let Some(length) = out[start..].find("*/") else { break };
        let verb = out[..start].rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        if !loses(verb) {
            break;
        }
        out.replace_range(start..start + length + 2, " ");
    }
    let words: Vec<String> =
        out.split_whitespace().filter(|word| word.contains('\\')).map(str::to_owned).collect();
    for word in words {
        let plain = word.replace('\\', "");
        if loses(&plain) {
            out = out.replace(&word, &plain);
        }
    }
    Cow::Owned(out)
}

fn loses(word: &str) -> bool {
    let small = word.to_ascii_lowercase();
    is_one_of(&small, SLIPPED_VERBS) || is_one_of(&small, SHORT_VERBS)
}

/// Characters that leave no trace: no controls, for a line has its end.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180e}')
        || (is_hidden(c) && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Without the marks that strike letters of the alphabet through; those that make another letter are part of it.
fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let strikes = is_combining_mark(c) && matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}');
        let on_letter = out.chars().next_back().is_some_and(|last: char| last.is_ascii_alphabetic());
        if !(strikes && on_letter) {
            out.push(c);
        }
    }
    out
}

/// Letters of other alphabets that look like ones of ours, where a word mixes both.
fn unmasked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphabetic) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_alphabetic()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        let is_mixed =
            word.contains(|c: char| c.is_ascii_alphabetic()) && word.chars().any(|c| twin(c).is_some());
        if is_mixed {
            out.extend(word.chars().map(|c| twin(c).unwrap_or(c)));
        } else {
            out.push_str(word);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The letter that a Cyrillic, Greek or other one looks like.
fn twin(c: char) -> Option<char> {
    let pairs = "аaеeоoрpсcуyхxіiјjѕsԁdһhӏlԛqԝwвbкkмmнhтtАAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅSαaοoρpνvτtιiκkυuεeηnΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXɑaɡgıiᴅdᴇeⅼl";
    let mut letters = pairs.chars();
    while let (Some(twin), Some(ours)) = (letters.next(), letters.next()) {
        if twin == c {
            return Some(ours);
        }
    }
    None
}

/// So many letters, each for itself, are a word that is spelled out.
const SPELLED: usize = 4;

/// `d-e-l-e-t-e` and `D R O P` as words.
fn joined(text: Cow<'_, str>) -> Cow<'_, str> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < letters.len() {
        let length = spelled(&letters, at);
        if length >= SPELLED {
            out.push_str(&text[copied..letters[at].0]);
            out.extend((0..length).map(|number| letters[at + 2 * number].1));
            at += 2 * length - 1;
            copied = letters.get(at).map_or(text.len(), |(place, _)| *place);
        } else {
            at += 1;
        }
    }
    if copied == 0 && out.is_empty() {
        return text;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// How many single letters with the same mark between them begin here.
fn spelled(letters: &[(usize, char)], at: usize) -> usize {
    let letter = |place: usize| letters.get(place).map(|(_, c)| *c);
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let Some(mark) = letter(at + 1).filter(|mark| [' ', '-', '.', '_', '*', '\u{b7}'].contains(mark)) else {
        return 0;
    };
    if !letter(at).is_some_and(char::is_alphabetic) || !is_edge(at.checked_sub(1).and_then(letter)) {
        return 0;
    }
    let mut length = 0;
    while letter(at + 2 * length).is_some_and(char::is_alphabetic) && is_edge(letter(at + 2 * length + 1)) {
        length += 1;
        if letter(at + 2 * length - 1) != Some(mark) {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disguised_word_is_read_as_what_it_is() {
        for (text, expected) in [
            ("delete it", "delete it"),
            ("\u{ff44}\u{ff45}\u{ff4c}\u{ff45}\u{ff54}\u{ff45} it", "delete it"),
            ("d\u{200b}ele\u{ad}te", "delete"),
            ("d\u{336}e\u{336}l\u{336}ete", "delete"),
            ("d\u{435}l\u{435}t\u{435}", "delete"),
            ("\u{1d5f1}\u{1d5ff}\u{1d5fc}\u{1d5fd}", "drop"),
            ("d-e-l-e-t-e the D R O P now", "delete the DROP now"),
            ("plan a b c, a - b, e.g. x.y", "plan a b c, a - b, e.g. x.y"),
            ("Удали всё, é à ü", "Удали всё, é à ü"),
            ("two\nlines", "two\nlines"),
            ("dele\\te the backups", "delete the backups"),
            ("DROP/**/TABLE users", "DROP TABLE users"),
            ("src\\delete\\it src/**/*.rs /* a */", "src\\delete\\it src/**/*.rs /* a */"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
        }
    }
}
