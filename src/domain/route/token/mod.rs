//! A request as words, and what only looks like words.
//!
//! Code, quotations, paths, addresses and identifiers are kept as tokens, so that commands in them can be seen, but
//! they say nothing of what is intended. One pass, linear in the length of the text.
//!
//! The room owns how a text becomes words: in which letters it is read, which forms a word has, what only looks like one.
//! It knows no rule.

pub(super) mod lemma;
pub(super) mod normal;
mod report;
mod shape;
mod span;

use shape::{is_list_of_words, is_opaque};
use span::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A path, an address, an identifier, a number: no word of a language.
    Opaque,
    /// `-r`, `--force`.
    Flag,
    Comma,
    /// The end of a clause.
    Break,
}

/// In which voice it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Prose,
    Quoted,
    Code,
}

/// One token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub(super) raw: &'t str,
    pub(super) lower: String,
    pub(super) kind: Kind,
    pub(super) voice: Voice,
    /// Whether a hyphen joins it to the one before; of the end of a clause, whether what follows belongs to it.
    pub(super) joined: bool,
    /// Whether a program wrote the line that it stands in.
    pub(super) reported: bool,
    /// The word and what it may be a form of.
    pub(super) lemmas: Vec<String>,
}

impl Token<'_> {
    /// The end of a clause that has none: it was cut, because it is too long.
    pub(super) fn is_cut(&self) -> bool {
        self.kind == Kind::Break && self.joined
    }

    /// A word that somebody says, not one that is quoted.
    pub(super) fn is_said(&self) -> bool {
        self.kind == Kind::Word && self.voice == Voice::Prose
    }

    /// Whether it is this word, or may be a form of it.
    pub(super) fn is_form_of(&self, word: &str) -> bool {
        self.lower == word || self.lemmas.iter().any(|lemma| lemma == word)
    }

    /// Whether it is one of these words, in this very form.
    pub(super) fn is(&self, words: &str) -> bool {
        self.kind == Kind::Word && is_one_of(&self.lower, words)
    }
}

/// Whether a word is in a list of words with spaces between.
pub(super) fn is_one_of(word: &str, words: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut scanner = Scanner {
        tokens: Vec::with_capacity(text.len() / 5 + 8),
        voice: Voice::Prose,
        reported: false,
        length: 0,
    };
    scanner.blocks(unquoted(text));
    scanner.tokens
}

/// A request that is quoted as a whole is no quotation.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let marks = [('"', '"'), ('\'', '\''), ('\u{201c}', '\u{201d}'), ('`', '`')];
    for (open, close) in marks {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.is_empty()
            && !inner.contains([open, close])
        {
            return inner;
        }
    }
    text
}

/// More words than this without an end are no clause that anybody would follow; this keeps the work linear.
const LONGEST_CLAUSE: usize = 80;

struct Scanner<'t> {
    tokens: Vec<Token<'t>>,
    voice: Voice,
    reported: bool,
    /// How many tokens the present clause has.
    length: usize,
}

impl<'t> Scanner<'t> {
    /// Lines, of which those between fences are code.
    fn blocks(&mut self, text: &'t str) {
        let mut fence: Option<&str> = None;
        for line in text.split('\n') {
            let trimmed = line.trim();
            self.reported = report::is_reported(line);
            let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
            match (fence, mark) {
                (None, Some(mark)) if !trimmed[3..].contains(mark) => {
                    fence = Some(mark);
                    self.voice = Voice::Code;
                }
                (Some(open), Some(mark)) if open == mark => {
                    fence = None;
                    self.voice = Voice::Prose;
                }
                (Some(_), _) => self.plain(line),
                (None, _) => self.line(line),
            }
            self.end_clause();
        }
    }

    /// A line with code spans and quotations in it.
    fn line(&mut self, line: &'t str) {
        let mut rest = line;
        while let Some(at) = rest.find(['`', '"', '\'', '\u{201c}', '\u{2018}']) {
            let (before, from) = rest.split_at(at);
            match Span::of(from, before.chars().next_back()) {
                Some(span) => {
                    self.plain(before);
                    self.voice = span.voice;
                    self.plain(&from[span.open..span.open + span.inner]);
                    self.voice = Voice::Prose;
                    rest = self.mark(&from[span.open + span.inner + span.close..]);
                }
                None => {
                    let next = at + from.chars().next().map_or(1, char::len_utf8);
                    // A mark that closes nothing belongs to its word, as the apostrophe in `don't` does.
                    let end = rest[next..].find(char::is_whitespace).map_or(rest.len(), |more| next + more);
                    self.plain(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
        self.plain(rest);
    }

    /// The punctuation right behind a span; gives what follows it.
    fn mark(&mut self, rest: &'t str) -> &'t str {
        match rest.chars().next() {
            Some('.' | ';' | ':' | '!' | '?') => self.end_clause(),
            Some(',') => self.push(",", Kind::Comma, false),
            _ => return rest,
        }
        &rest[1..]
    }

    /// Text without marks of quotation.
    fn plain(&mut self, text: &'t str) {
        let mut chunks = text.split_whitespace().peekable();
        while let Some(chunk) = chunks.next() {
            // What a shell writes to is no quotation: `: > /var/log/audit.log`.
            let is_place = |next: &&str| next.starts_with(['/', '~']);
            if chunk.trim_start_matches(':') == ">" && chunks.peek().is_some_and(is_place) {
                self.push(">", Kind::Opaque, false);
            } else {
                let goes_on = chunks.peek().is_some_and(|next| next.starts_with(char::is_lowercase));
                // Who hesitates has not ended.
                self.chunk(chunk.strip_suffix("...").filter(|_| goes_on).unwrap_or(chunk));
            }
        }
    }

    fn chunk(&mut self, chunk: &'t str) {
        // `git checkout -- .` is one command, where a writer's dash ends a clause.
        if chunk == "--" && self.tokens.last().is_some_and(|last| last.is("checkout restore")) {
            return self.push(chunk, Kind::Flag, false);
        }
        if ["-", "--", "\u{2013}", "\u{2014}", "||", "&&"].contains(&chunk) {
            return self.end_clause();
        }
        if ["->", "=>", "\u{2192}", ".", "..", "|"].contains(&chunk) {
            return self.push(chunk, Kind::Opaque, false);
        }
        if ["&", "+"].contains(&chunk) {
            return self.push(chunk, Kind::Comma, false);
        }
        let core =
            chunk.trim_start_matches(['"', '\'', '(', '[', '{', '<', '*', '_', '~', '#', '>', '\u{2018}']);
        let opened = core.len() < chunk.len() && chunk.starts_with('(');
        if opened {
            self.push("(", Kind::Comma, false);
        }
        let inner = core.trim_end_matches([
            '.', ',', ';', ':', '!', '?', ')', ']', '}', '>', '*', '_', '~', '\'', '"', '\u{2026}',
            '\u{3002}',
        ]);
        // `foo()` and `<T>` are identifiers, whose brackets belong to them.
        let inner = if core[inner.len()..].starts_with(')') && inner.contains('(') { core } else { inner };
        self.core(inner);
        let tail = &core[inner.len()..];
        if tail.contains(['.', '!', '?', ';', ':', '\u{2026}', '\u{3002}']) {
            self.end_clause();
        } else if tail.contains(',') {
            self.push(&tail[..0], Kind::Comma, false);
        }
    }

    fn core(&mut self, core: &'t str) {
        if core.is_empty() {
            return;
        }
        if core.starts_with('-') && core.len() > 1 {
            return self.push(core, Kind::Flag, false);
        }
        if core.contains("&&") || core.contains(';') {
            return self.commands(core);
        }
        if is_list_of_words(core) {
            for (index, part) in core.split('/').enumerate() {
                if index > 0 {
                    self.push("/", Kind::Comma, false);
                }
                self.words(part);
            }
            return;
        }
        if is_opaque(core) {
            return self.push(core, Kind::Opaque, false);
        }
        self.words(core);
    }

    /// `a;b` and `a&&b` without spaces.
    fn commands(&mut self, core: &'t str) {
        for part in core.split([';', '&']).filter(|part| !part.is_empty()) {
            self.end_clause();
            self.core(part);
        }
    }

    fn words(&mut self, text: &'t str) {
        for (index, part) in
            text.split(['-', '\u{2010}', '\u{2011}']).filter(|part| !part.is_empty()).enumerate()
        {
            self.push(part, Kind::Word, index > 0);
            if is_short_for_is(part) {
                self.push("is", Kind::Word, false);
            }
        }
    }

    fn push(&mut self, raw: &'t str, kind: Kind, joined: bool) {
        self.length = if kind == Kind::Break { 0 } else { self.length + 1 };
        if self.length > LONGEST_CLAUSE {
            self.push("", Kind::Break, true);
            self.length = 1;
        }
        let lower = raw.to_lowercase().replace('\u{2019}', "'");
        let is_own = lower == "let's";
        let lower =
            if is_short_for_is(&lower) { lower.trim_end_matches(['s', '\'']).to_owned() } else { lower };
        let lower = lower.strip_suffix("'s").filter(|_| !is_own).map(str::to_owned).unwrap_or(lower);
        let lemmas = if kind == Kind::Word { lemma::candidates(&lower) } else { Vec::new() };
        self.tokens.push(Token {
            raw,
            lower,
            kind,
            voice: self.voice,
            joined,
            reported: self.reported,
            lemmas,
        });
    }

    fn end_clause(&mut self) {
        if self.tokens.last().is_some_and(|token| token.kind != Kind::Break) {
            self.push("", Kind::Break, false);
        }
    }
}

/// `what's` says two words, and `whats` too.
fn is_short_for_is(word: &str) -> bool {
    let word = word.to_lowercase().replace('\u{2019}', "'");
    let asks = |stem: &str| ["what", "where", "who", "how", "when"].contains(&stem);
    word.strip_suffix("'s").is_some_and(asks) || ["whats", "wheres", "whos"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they are, `<…>` opaque, `-f` flags, `{…}` code, `"…"` quotations, `|` ends of clauses.
    fn seen(text: &str) -> String {
        let shown = |token: &Token<'_>| match (token.kind, token.voice) {
            (Kind::Break, _) => "|".to_owned(),
            (Kind::Comma, _) => ",".to_owned(),
            (Kind::Opaque, Voice::Prose) => format!("<{}>", token.raw),
            (_, Voice::Code) => format!("{{{}}}", token.lower),
            (_, Voice::Quoted) => format!("\"{}\"", token.lower),
            (Kind::Word, Voice::Prose) if token.joined => format!("-{}", token.lower),
            (Kind::Word | Kind::Flag, Voice::Prose) => token.lower.clone(),
        };
        let words: Vec<_> = tokens(text).iter().map(shown).collect();
        words.join(" ").trim_end_matches(" |").to_owned()
    }

    #[test]
    fn paths_addresses_code_and_quotations_are_no_words() {
        let cases = [
            ("Fix typo in src/architecture/typo.md.", "fix typo in <src/architecture/typo.md>"),
            (
                "Fix `drop table`; see https://a.test/delete?x=1",
                "fix {drop} {table} | see <https://a.test/delete?x=1>",
            ),
            ("Don't use 'delete all'.", "don't use \"delete\" \"all\""),
            ("the client/server split", "the client , server split"),
            ("drop-down, lock-free", "drop -down , lock -free"),
            ("run rm -rf build", "run rm -rf build"),
            ("call foo() and a::b and snake_case", "call <foo()> and <a::b> and <snake_case>"),
            ("a;b && c", "a | b | c"),
            ("\"delete all users\"", "delete all users"),
            ("the users' table isn't there", "the users table isn't there"),
            ("one\n```sh\nrm -rf x\n```\ntwo", "one | {rm} {-rf} {x} | two"),
            ("**delete** _all_", "delete all"),
        ];
        for (text, expected) in cases {
            assert_eq!(seen(text), expected, "{text}");
        }
    }

    #[test]
    fn marks_that_close_nothing_lose_nothing() {
        for text in ["it's a `half", "\"open", "'", "`", "``` \n", "a \u{201c}b"] {
            let _ = tokens(text);
        }
        assert_eq!(seen("it's \"half open"), "it half open");
    }
}
