//! Words that are meant in spite of a slip of the fingers: `delte`, `trucnate`, `d3lete`.
//!
//! Only words whose loss would be a loss are known so; a word that the rules know is never taken for another.

use super::lexicon::Lexicon;
use crate::domain::route::token::{Token, lemma};
use crate::domain::route::vocabulary::{SHORT_VERBS, SLIPPED_OBJECTS, SLIPPED_VERBS};

/// Put the word that is meant beside each word that is none.
pub(in crate::domain::route) fn correct(lexicon: &Lexicon, tokens: &mut [Token<'_>]) {
    for at in 0..tokens.len() {
        if !tokens[at].is_said() {
            continue;
        }
        let is_known = tokens[at].lemmas.iter().any(|lemma| lexicon.under(lemma).next().is_some());
        if is_known {
            continue;
        }
        let meant = meant(&tokens[at].lower).or_else(|| halved(tokens, at));
        if let Some(word) = meant {
            tokens[at].lemmas.extend(lemma::candidates(word));
        }
    }
}

/// `over write`, `de lete`
fn halved(tokens: &[Token<'_>], at: usize) -> Option<&'static str> {
    let next = tokens.get(at + 1).filter(|next| next.is_said())?;
    let length = tokens[at].lower.len() + next.lower.len();
    SLIPPED_VERBS
        .split(' ')
        .filter(|word| word.len() == length && length > 5)
        .find(|word| word.strip_prefix(tokens[at].lower.as_str()).is_some_and(|rest| rest == next.lower))
}

fn meant(word: &str) -> Option<&'static str> {
    if !(4..=14).contains(&word.len()) {
        return None;
    }
    let plain = undigited(word);
    if let Some(plain) = plain {
        return known(SLIPPED_VERBS)
            .chain(known(SLIPPED_OBJECTS))
            .chain(known(SHORT_VERBS))
            .find(|known| plain.iter().any(|plain| plain == known));
    }
    let is_slip = |known: &&str| known.as_bytes()[0] == word.as_bytes()[0] && is_slip_of(word, known);
    let is_swap = |known: &&str| known.len() == word.len() && is_swapped(word, known);
    known(SLIPPED_VERBS)
        .chain(known(SLIPPED_OBJECTS).filter(|object| object.len() >= 7))
        .find(is_slip)
        .or_else(|| known(SHORT_VERBS).find(is_swap))
}

fn known(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split(' ')
}

/// `d3l3te` in letters, as far as digits stand for some.
fn undigited(word: &str) -> Option<[String; 2]> {
    if !word.contains(|c: char| c.is_ascii_digit()) || !word.is_ascii() {
        return None;
    }
    let read = |one: char| {
        let letter = |c| match c {
            '0' => 'o',
            '1' => one,
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            other => other,
        };
        word.chars().map(letter).collect()
    };
    Some([read('l'), read('i')])
}

/// A wrong letter makes too many other words of a word that is shorter: `remote` is not `remove`.
const LONG: usize = 8;

/// Whether one letter is too many, missing, out of order, or in a long word wrong. The last letter does not count:
/// endings make other words.
fn is_slip_of(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    if word.len().abs_diff(known.len()) > 1 || word.len() < 5 {
        return false;
    }
    let is_long = known.len() >= LONG;
    let same = word.iter().zip(known).take_while(|(one, other)| one == other).count();
    let (word, known) = (&word[same..], &known[same..]);
    match word.len().cmp(&known.len()) {
        std::cmp::Ordering::Equal => {
            is_swap(word, known) || (is_long && known.len() > 1 && word.get(1..) == known.get(1..))
        }
        std::cmp::Ordering::Less => !word.is_empty() && known.get(1..) == Some(word),
        std::cmp::Ordering::Greater => !known.is_empty() && word.get(1..) == Some(known),
    }
}

fn is_swapped(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    let same = word.iter().zip(known).take_while(|(one, other)| one == other).count();
    is_swap(&word[same..], &known[same..])
}

/// Whether two that differ from the beginning differ in the order of their first two letters alone.
fn is_swap(word: &[u8], known: &[u8]) -> bool {
    matches!((word, known), ([a, b, rest @ ..], [c, d, other @ ..]) if a == d && b == c && a != b && rest == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_understood_and_other_words_are_left_alone() {
        for (word, expected) in [
            ("delte", "delete"),
            ("deelte", "delete"),
            ("dleete", "delete"),
            ("trucnate", "truncate"),
            ("trunctate", "truncate"),
            ("trucate", "truncate"),
            ("destory", "destroy"),
            ("remvoe", "remove"),
            ("dorp", "drop"),
            ("d3lete", "delete"),
            ("w1ping", "wiping"),
            ("databse", "database"),
            ("prodcution", "production"),
        ] {
            assert_eq!(meant(word), Some(expected), "{word}");
        }
        for word in [
            "delegate",
            "deletes",
            "form",
            "from",
            "pile",
            "pipe",
            "destroyer",
            "remote",
            "removes",
            "serve",
            "historic",
            "é",
            "utf8",
            "pure",
            "rest",
            "discord",
        ] {
            assert!(
                meant(word).is_none_or(|meant| word.starts_with(meant) || meant.starts_with(word)),
                "{word}: {:?}",
                meant(word)
            );
        }
    }
}
