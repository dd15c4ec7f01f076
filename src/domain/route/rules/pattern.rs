//! Patterns of words, as rules write them, and where they occur.
//!
//! Words are separated by spaces; a hyphen in the text counts as one. `fix|correct` is one or the other, `vulnerab*`
//! any word that begins so, `..` up to six words in between, `<path>` a path or identifier, `<place>` a path with
//! folders, `<code>` something in code or quotation marks, `<config>` a file of settings, `<text>` one of
//! text, `<secret>` an identifier that names a secret, `<number>` a number, `<many>` one from twenty on. A word stands for all of
//! its forms.
//!
//! A pattern stays the text that it is and is read while it is compared: most are never looked at for a request, so
//! nothing has to be made of them when the program starts.

use crate::domain::route::token::{Kind, Token, Voice};

/// How many words a `..` may stand for.
const GAP: usize = 6;

/// One pattern, in small letters and with single spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

/// Which tokens a pattern may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// What is said.
    Said,
    /// Also what stands in code and quotations.
    All,
}

impl Pattern {
    /// Read a pattern; `None` if it begins or ends with a gap, or is empty.
    pub(crate) fn parse(text: &str) -> Option<Pattern> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let is_solid = |word: Option<&String>| word.is_some_and(|word| word != "..");
        (is_solid(words.first()) && is_solid(words.last())).then(|| Pattern(words.join(" ")))
    }

    /// Its text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much a pattern says: longer ones win over shorter ones.
pub(super) fn length(pattern: &str) -> usize {
    pattern.split(' ').count()
}

/// Where a pattern ends (exclusive) if it begins at this token.
pub(super) fn end(pattern: &str, tokens: &[Token<'_>], at: usize, hearing: Hearing) -> Option<usize> {
    if pattern.is_empty() {
        return Some(at);
    }
    let (first, rest) = pattern.split_once(' ').unwrap_or((pattern, ""));
    if first == ".." {
        return end_beyond_gap(rest, tokens, at, hearing);
    }
    let token = tokens.get(at)?;
    let heard = |piece: &&str| hearing == Hearing::All || token.voice == Voice::Prose || *piece == "<code>";
    let ends = pieces(first).filter(heard).filter_map(|piece| taken(piece, tokens, at));
    ends.into_iter().find_map(|taken| end(rest, tokens, at + taken, hearing))
}

fn end_beyond_gap(rest: &str, tokens: &[Token<'_>], at: usize, hearing: Hearing) -> Option<usize> {
    for skipped in 0..=GAP {
        if let Some(end) = end(rest, tokens, at + skipped, hearing) {
            return Some(end);
        }
        let ends_gap = |token: &Token<'_>| {
            matches!(token.kind, Kind::Break | Kind::Comma) || token.is("and then or but")
        };
        if tokens.get(at + skipped).is_none_or(ends_gap) {
            return None;
        }
    }
    None
}

fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.split('|').filter(|piece| !piece.is_empty())
}

/// How many tokens a piece is made of here; `None` if it is not here.
fn taken(piece: &str, tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let token = tokens.get(at)?;
    if let Some(parts) = compound(piece) {
        let mut count = 0;
        for part in parts {
            tokens.get(at + count).filter(|token| token.is_form_of(part))?;
            count += 1;
        }
        return Some(count);
    }
    let fits = match piece {
        "<path>" => token.kind == Kind::Opaque,
        "<place>" => token.kind == Kind::Opaque && is_place(&token.lower),
        "<code>" => token.voice != Voice::Prose,
        "<config>" => is_config(&token.lower),
        "<secret>" => token.kind == Kind::Opaque && is_secret(&token.lower),
        "<text>" => token.kind == Kind::Opaque && is_text(&token.lower),
        "<number>" => number(&token.lower).is_some(),
        "<many>" => number(&token.lower).is_some_and(|number| number >= MANY),
        _ => match piece.strip_suffix('*') {
            Some(part) if is_word(part) => token.kind == Kind::Word && token.lower.starts_with(part),
            Some(part) => token.lower.starts_with(part),
            None => token.is_form_of(piece),
        },
    };
    fits.then_some(1)
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphabetic() || c == '\'')
}

/// The parts of words that a hyphen joins.
fn compound(piece: &str) -> Option<impl Iterator<Item = &str>> {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
    (piece.contains('-') && piece.split('-').all(is_part)).then(|| piece.split('-'))
}

/// Under which words a pattern is kept: a word that a token has to be a form of, a letter with `*` that it has to
/// begin with, `<` for what is no plain word, or `*` for any token.
pub(super) fn keys(pattern: &str) -> impl Iterator<Item = String> {
    let first = pattern.split(' ').next().unwrap_or("");
    pieces(first).map(|piece| match (piece.strip_suffix('*'), compound(piece)) {
        (_, Some(mut parts)) => parts.next().unwrap_or("").to_owned(),
        (Some(part), None) => {
            part.chars().next().map_or_else(|| "*".to_owned(), |letter| format!("{letter}*"))
        }
        (None, None) if piece.starts_with('<') => "<".to_owned(),
        (None, None) => piece.to_owned(),
    })
}

/// Whether an identifier names what opens a door: `STRIPE_SECRET_KEY`.
fn is_secret(name: &str) -> bool {
    let parts = || name.split(|c: char| !c.is_alphanumeric());
    let opens = |part: &str| {
        ["secret", "password", "passwd", "passphrase", "token", "credentials", "apikey", "pem"]
            .contains(&part)
    };
    !name.contains('(') && (parts().any(opens) || (parts().any(|part| part == "key") && name.contains("api")))
}

/// Whether a path is that of a page of text.
pub(in crate::domain::route) fn is_text(path: &str) -> bool {
    [".md", ".txt", ".rst", ".adoc"].iter().any(|ending| path.ends_with(ending))
}

/// From so many on, work is not done by hand.
const MANY: u64 = 20;

/// The number that a token tells: `140`, `1,200`, `300k`, `5%`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_end_matches(['%', '+', 'x']);
    let (digits, factor) = match text.strip_suffix('k') {
        Some(digits) => (digits, 1000),
        None => (text, 1),
    };
    let plain: String = digits.chars().filter(|c| !matches!(c, ',' | '_' | '\'')).collect();
    plain.parse::<u64>().ok().map(|number| number.saturating_mul(factor))
}

/// Whether a name has folders in it.
fn is_place(name: &str) -> bool {
    name.contains('/') && !name.contains("://") && !name.contains('(')
}

/// Whether a path is that of a file in which settings stand.
fn is_config(path: &str) -> bool {
    let endings = [
        ".yaml",
        ".yml",
        ".toml",
        ".json",
        ".ini",
        ".cfg",
        ".conf",
        ".properties",
        "rc",
        "ignore",
        ".editorconfig",
    ];
    path.contains('.') && endings.iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::token::tokens;

    fn finds(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        let tokens = tokens(text);
        (0..tokens.len()).any(|start| end(pattern.as_str(), &tokens, start, Hearing::Said).is_some())
    }

    #[test]
    fn patterns_mean_words_in_all_their_forms() {
        for (pattern, text, expected) in [
            ("race condition", "two race-conditions", true),
            ("race-condition", "a race condition", true),
            ("fix|correct .. typo", "correct the two silly typos", true),
            ("fix .. typo", "fix the crash and the typo", false),
            ("fix .. typo", "fix the crash. typo", false),
            ("vulnerab*", "Vulnerabilities", true),
            ("vulnerab*", "vulnerabilities.md", false),
            ("add", "address the problem", false),
            ("edit", "credit scoring", false),
            ("rm -*", "rm -rf x", true),
            ("replace <code> with <code>", "replace `a` with \"b\"", true),
            ("typo", "the `typo` function", false),
            ("typo", "src/typo.md", false),
            ("<many> files", "~900 files", true),
            ("<many> lines", "200k lines", true),
            ("<many> files", "3 files", false),
            ("<number> of", "5% of them", true),
            ("<number>", "v2.1", false),
        ] {
            assert_eq!(finds(pattern, text), expected, "{pattern}: {text}");
        }
        assert_eq!(Pattern::parse(".. x"), None);
        assert_eq!(Pattern::parse(""), None);
    }

    #[test]
    fn a_pattern_is_kept_under_every_word_that_it_may_begin_with() {
        let kept = |pattern: &str| keys(pattern).collect::<Vec<_>>();
        assert_eq!(kept("fix|correct .. typo"), ["fix", "correct"]);
        assert_eq!(kept("race-condition"), ["race"]);
        assert_eq!(kept("vulnerab*"), ["v*"]);
        assert_eq!(kept("<path> -> <path>"), ["<"]);
        assert_eq!(kept("rm *"), ["rm"]);
        assert_eq!(kept("-rf"), ["-rf"]);
    }
}
