//! Patterns of words, as rules write them, and where they occur.
//!
//! Words are separated by spaces; a hyphen in the text counts as one. `fix|correct` is one or the other, `vulnerab*`
//! any word that begins so, `..` up to six words in between, `<path>` a path or identifier, `<place>` a path with
//! folders, `<code>` something in code or quotation marks, `<config>` a file of settings. A word stands for all of its forms.

use std::collections::HashMap;

use super::token::{Kind, Token, Voice};

/// How many words a `..` may stand for.
const GAP: usize = 6;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    atoms: Vec<Atom>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    /// One of these.
    One(Vec<Piece>),
    Gap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Word(String),
    /// Words that a hyphen or a space joins.
    Compound(Vec<String>),
    Prefix(String),
    /// Text that is no word: `-rf`, `.env`.
    Exactly(String),
    PrefixExactly(String),
    Path,
    /// A path with folders in it.
    Place,
    Code,
    Config,
}

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
        let atoms: Vec<Atom> = text.split_whitespace().flat_map(atoms).collect();
        let is_solid = |atom: Option<&Atom>| matches!(atom, Some(Atom::One(_)));
        (is_solid(atoms.first()) && is_solid(atoms.last())).then_some(Pattern { atoms })
    }

    /// How much it says: longer patterns win over shorter ones.
    pub(super) fn length(&self) -> usize {
        self.atoms.len()
    }

    /// Where it ends (exclusive) if it begins at this token.
    pub(super) fn end(&self, tokens: &[Token<'_>], start: usize, hearing: Hearing) -> Option<usize> {
        end_of(&self.atoms, tokens, start, hearing)
    }
}

fn atoms(word: &str) -> Vec<Atom> {
    if word == ".." {
        return vec![Atom::Gap];
    }
    vec![Atom::One(word.split('|').filter(|piece| !piece.is_empty()).map(piece).collect())]
}

fn piece(text: &str) -> Piece {
    let text = text.to_lowercase();
    let is_word = |text: &str| text.chars().all(|c| c.is_alphabetic() || c == '\'');
    let parts: Vec<&str> = text.split('-').collect();
    if parts.len() > 1 && parts.iter().all(|part| !part.is_empty() && part.chars().all(char::is_alphanumeric))
    {
        return Piece::Compound(parts.into_iter().map(str::to_owned).collect());
    }
    match text.as_str() {
        "<path>" => Piece::Path,
        "<code>" => Piece::Code,
        "<place>" => Piece::Place,
        "<config>" => Piece::Config,
        _ => match text.strip_suffix('*') {
            Some(prefix) if is_word(prefix) => Piece::Prefix(prefix.to_owned()),
            Some(prefix) => Piece::PrefixExactly(prefix.to_owned()),
            None if is_word(&text) => Piece::Word(text),
            None => Piece::Exactly(text),
        },
    }
}

impl Piece {
    /// How many tokens it is made of here; `None` if it is not here.
    fn here(&self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        let token = tokens.get(at)?;
        let fits = match self {
            Piece::Word(word) => token.lemmas.contains(word),
            Piece::Compound(parts) => {
                let fits = |(index, part): (usize, &String)| {
                    tokens
                        .get(at + index)
                        .is_some_and(|token| token.lower == *part || token.lemmas.contains(part))
                };
                return parts.iter().enumerate().all(fits).then_some(parts.len());
            }
            Piece::Prefix(prefix) => token.kind == Kind::Word && token.lower.starts_with(prefix.as_str()),
            Piece::Exactly(text) => token.lower == *text,
            Piece::PrefixExactly(text) => token.lower.starts_with(text.as_str()),
            Piece::Path => token.kind == Kind::Opaque,
            Piece::Place => token.kind == Kind::Opaque && is_place(&token.lower),
            Piece::Code => token.voice != Voice::Prose,
            Piece::Config => is_config(&token.lower),
        };
        fits.then_some(1)
    }

    /// What a token has to be, or begin with, for this to be there.
    fn key(&self) -> Key {
        match self {
            Piece::Word(word) => Key::Word(word.clone()),
            Piece::Compound(parts) => Key::Word(parts[0].clone()),
            Piece::Exactly(text) => Key::Word(text.clone()),
            Piece::Prefix(text) | Piece::PrefixExactly(text) => {
                text.chars().next().map_or(Key::Any, Key::Begins)
            }
            Piece::Path | Piece::Place | Piece::Code | Piece::Config => Key::Any,
        }
    }
}

/// Whether a name has folders in it.
fn is_place(name: &str) -> bool {
    name.contains('/') && !name.contains("://") && !name.contains('(')
}

/// Whether a path is that of a file in which settings stand.
fn is_config(path: &str) -> bool {
    let endings =
        [".yaml", ".yml", ".toml", ".json", ".ini", ".cfg", ".conf", ".properties", "rc", ".editorconfig"];
    path.contains('.') && endings.iter().any(|ending| path.ends_with(ending))
}

/// Under what a pattern is kept.
enum Key {
    Word(String),
    Begins(char),
    Any,
}

fn is_heard(token: &Token<'_>, piece: &Piece, hearing: Hearing) -> bool {
    hearing == Hearing::All || token.voice == Voice::Prose || *piece == Piece::Code
}

fn end_of(atoms: &[Atom], tokens: &[Token<'_>], at: usize, hearing: Hearing) -> Option<usize> {
    let Some((first, rest)) = atoms.split_first() else { return Some(at) };
    match first {
        Atom::One(pieces) => {
            let token = tokens.get(at)?;
            let heard = pieces.iter().filter(|piece| is_heard(token, piece, hearing));
            let mut ends = heard.filter_map(|piece| piece.here(tokens, at));
            ends.find_map(|taken| end_of(rest, tokens, at + taken, hearing))
        }
        Atom::Gap => {
            for skipped in 0..=GAP {
                if let Some(end) = end_of(rest, tokens, at + skipped, hearing) {
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
    }
}

/// Patterns by the words that they can begin with, each with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index<T> {
    entries: Vec<(Pattern, T)>,
    by_word: HashMap<String, Vec<usize>>,
    by_letter: HashMap<char, Vec<usize>>,
    /// Those that may begin with anything.
    others: Vec<usize>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Index { entries: Vec::new(), by_word: HashMap::new(), by_letter: HashMap::new(), others: Vec::new() }
    }
}

impl<T: Copy> Index<T> {
    /// Put one more pattern in.
    pub(super) fn insert(&mut self, pattern: Pattern, value: T) {
        let number = self.entries.len();
        let Some(Atom::One(pieces)) = pattern.atoms.first() else { return };
        for piece in pieces {
            match piece.key() {
                Key::Word(word) => self.by_word.entry(word).or_default().push(number),
                Key::Begins(letter) => self.by_letter.entry(letter).or_default().push(number),
                Key::Any => self.others.push(number),
            }
        }
        self.entries.push((pattern, value));
    }

    /// All patterns that begin at this token: where each ends, how long its pattern is, what it stands for.
    pub(super) fn at(
        &self,
        tokens: &[Token<'_>],
        start: usize,
        hearing: Hearing,
    ) -> impl Iterator<Item = (usize, usize, T)> {
        let token = &tokens[start];
        let words = token.lemmas.iter().chain(token.lemmas.is_empty().then_some(&token.lower));
        let by_word = words.filter_map(|word| self.by_word.get(word)).flatten();
        let letter = token.lower.chars().next();
        let by_letter = letter.and_then(|letter| self.by_letter.get(&letter)).into_iter().flatten();
        by_word.chain(by_letter).chain(&self.others).filter_map(move |&number| {
            let (pattern, value) = &self.entries[number];
            pattern.end(tokens, start, hearing).map(|end| (end, pattern.length(), *value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    fn finds(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        let tokens = tokens(text);
        (0..tokens.len()).any(|start| pattern.end(&tokens, start, Hearing::Said).is_some())
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
            ("add", "address the problem", false),
            ("edit", "credit scoring", false),
            ("rm -*", "rm -rf x", true),
            ("replace <code> with <code>", "replace `a` with \"b\"", true),
            ("typo", "the `typo` function", false),
            ("typo", "src/typo.md", false),
        ] {
            assert_eq!(finds(pattern, text), expected, "{pattern}: {text}");
        }
        assert_eq!(Pattern::parse(".. x"), None);
        assert_eq!(Pattern::parse(""), None);
    }
}
