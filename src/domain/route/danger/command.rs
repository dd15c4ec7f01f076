//! Commands of shells and databases, in whatever voice they are written: which are to be run, and which are only a
//! matter of conversation.

use super::reading::Reading;
use super::scene::has;
use super::step::{Standing, Step};
use super::{Found, quoted, shell};
use crate::domain::route::grammar::{clause_end, clause_start, is_negated};
use crate::domain::route::rules::group::Group;
use crate::domain::route::rules::pattern;
use crate::domain::route::token::{Kind, Token, Voice};
use crate::domain::route::vocabulary::{
    AFTER_PASSIVE, CHECKING, CIRCUMSTANCES, CONCERNING, DETERMINERS, EXECUTABLES, EXECUTING, OTHERS, PARTS,
    REWRITING, TALKING, TEXTS, USERS, WORKING,
};

impl Reading<'_, '_> {
    /// The command that begins here, if it is to be run.
    pub(super) fn command(&self, at: usize) -> Option<Found> {
        let tokens = self.tokens;
        let end = self.hits.end(at, Group::Command).or_else(|| shell::run_from(tokens, at))?;
        let is_thing = (end == at + 1 && self.is_part(end)) || self.is_mentioned(at);
        let is_forbidden = is_negated(tokens, at) && !is_renewed(tokens, at);
        if is_thing || is_forbidden || !self.is_command_meant(at, end) {
            return None;
        }
        Some(Found::said(quoted(&tokens[at..end]), "a destructive command"))
    }

    /// Whether the command from `at` to `end` is to be run, and not only a matter of conversation.
    fn is_command_meant(&self, at: usize, end: usize) -> bool {
        let tokens = self.tokens;
        let step = self.step(at);
        let words = &tokens[step.places.clone()];
        // What follows the command may be a part of it: `push it over what's there`.
        let before = &tokens[step.places.start.min(at)..at];
        let talked = |list: &str| before.iter().any(|token| token.is_said() && has(token, list));
        let said = |list: &str| words.iter().any(|token| token.is_said() && has(token, list));
        // `when somebody runs …` asks nobody to.
        let told = self.told_by(at);
        let orders = |place: usize| {
            let token = &tokens[place];
            token.is_said() && has(token, EXECUTING) && !is_third(token) && told != Some(place)
        };
        let is_run = step.places.clone().any(orders);
        let is_talk =
            (said(TALKING) || said(TEXTS) || talked(CHECKING)) && !self.is_recommended(self.span(at).end);
        match (tokens[at].voice, step.standing) {
            (Voice::Prose, _) => {
                let asks = "which where who when is are does did was";
                let is_question = words.first().is_some_and(|first| first.is(asks));
                let is_told = talked(TALKING) || said("docs documentation") || is_question;
                !is_told && !self.names_a_switch(at, end)
            }
            (Voice::Code, Standing::Order) => {
                (is_run && !talked(CHECKING) || !is_talk) && !self.is_part(self.span(at).end)
            }
            (Voice::Code, Standing::Part) => {
                let is_named = told.is_some()
                    || is_looked_up(before)
                    || self.is_in_a_program(before)
                    || self.is_in_a_file(at)
                    || self.is_rewritten(at);
                is_run && !talked(CHECKING) && !is_looked_up(before) || !(is_talk || is_named)
            }
            (Voice::Quoted, _) => is_run && !said(TEXTS) || !is_talk && self.is_quoted_order(at, &step),
        }
    }

    /// `"…" is what you should do`
    fn is_recommended(&self, at: usize) -> bool {
        let is = |at: usize, words: &str| self.tokens.get(at).is_some_and(|token| token.is(words));
        is(at, "is") && is(at + 1, "what how") && is(at + 2, "you we i")
    }

    /// `a confirmation before it runs …`: what comes before asks for a part of a program that has to do with it.
    fn is_in_a_program(&self, before: &[Token<'_>]) -> bool {
        let concerns = |part: usize| before[part..].iter().any(|token| token.is(CONCERNING));
        let is_asked = |part: usize| before[..part].iter().any(|token| has(token, WORKING));
        let mut parts = (0..before.len()).filter(|&at| before[at].is(PARTS));
        parts.any(|part| is_asked(part) && concerns(part))
            && !before.iter().any(|token| has(token, EXECUTABLES))
    }

    /// `replace "…" with something else`
    fn is_rewritten(&self, at: usize) -> bool {
        let span = self.span(at);
        let before = span.start.checked_sub(1).map(|before| &self.tokens[before]);
        before.is_some_and(|before| has(before, REWRITING))
            && self.tokens.get(span.end).is_some_and(|next| next.is("with by to into for in"))
    }

    /// `put "…" in README.md`, `quote the variable in "…" in clean.sh`
    fn is_in_a_file(&self, at: usize) -> bool {
        let (end, limit) = (self.span(at).end, clause_end(self.tokens, at));
        let stands = |pair: &[Token<'_>]| match () {
            () if pattern::is_text(&pair[1].lower) => pair[0].is("in to into of from"),
            () => pair[0].is("in of from") && shell::is_file(&pair[1].lower) && pair[1].kind == Kind::Opaque,
        };
        self.tokens[end.min(limit)..limit].windows(2).any(stands)
    }

    /// The verb before the command by which it is only told of: `our hook blocks …`, `nothing here ever calls …`,
    /// `who ran …`, `where we call …`.
    fn told_by(&self, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let start = clause_start(tokens, at);
        let verb = self.span(at).start.checked_sub(1).filter(|&verb| verb >= start)?;
        let (clause, near) = (&tokens[start..verb], &tokens[start.max(verb.saturating_sub(4))..verb]);
        let has_any = |tokens: &[Token<'_>], words: &str| tokens.iter().any(|token| token.is(words));
        let is_asked = || {
            let is_run = has(&tokens[verb], EXECUTING) || is_past(&tokens[verb]);
            is_run && has_any(near, "where which who whose how why")
        };
        let is_nobody = || is_third(&tokens[verb]) && has_any(clause, "nothing nobody never none no");
        let is_wished = || has_any(clause, "sure ensure want need have get must should");
        let is_subject = |token: &Token<'_>| [DETERMINERS, USERS, OTHERS].iter().any(|words| token.is(words));
        let has_subject = || {
            let goes_on = near.last().is_some_and(|last| last.is("and but"));
            near.iter().any(is_subject) || goes_on && clause.first().is_some_and(is_subject)
        };
        let is_told = || {
            let is_executable = near.iter().any(|token| has(token, EXECUTABLES));
            (is_third(&tokens[verb]) || is_past(&tokens[verb])) && has_subject() && !is_executable
        };
        (tokens[verb].is_said() && (is_asked() || is_nobody() || is_told() && !is_wished())).then_some(verb)
    }

    /// Whether the quotation that begins with the command here stands where an order does, and nothing tells of it.
    fn is_quoted_order(&self, at: usize, step: &Step) -> bool {
        let tokens = self.tokens;
        let span = self.span(at);
        let is_begun = tokens[span.start..at].iter().all(|token| token.is("sudo doas git npx time nohup"));
        let next = tokens.get(span.end).filter(|next| next.kind != Kind::Break);
        let is_told = next.is_some_and(|next| {
            let follows = next.kind == Kind::Comma || next.is(AFTER_PASSIVE) || next.is(CIRCUMSTANCES);
            !(follows || self.is_recommended(span.end) || next.is("everything would could should please"))
        });
        // `the message has to say this: "…"`
        let start = clause_start(tokens, at);
        let earlier = &tokens[clause_start(tokens, start.saturating_sub(1))..start];
        let is_announced = start == step.places.start
            && earlier.iter().any(|token| [TALKING, TEXTS, CHECKING].iter().any(|list| has(token, list)));
        step.standing == Standing::Order && is_begun && !is_told && !is_announced
    }

    /// `a --quiet switch to the backup tool`: a noun that looks like the beginning of a command.
    fn names_a_switch(&self, at: usize, end: usize) -> bool {
        let before = self.tokens[..at].iter().rev().find(|token| token.kind != Kind::Flag);
        let is_word = self.tokens[at].is_said() && end > at + 2;
        is_word && before.is_some_and(|before| before.is("a an the this that another each every"))
    }
}

/// `blocks`, `runs`
fn is_third(token: &Token<'_>) -> bool {
    token.lower.ends_with('s') && token.lemmas.len() > 1
}

/// `ran`, `called`
fn is_past(token: &Token<'_>) -> bool {
    token.is("ran did wrote") || token.lower.ends_with("ed")
}

/// `which scripts call …`
fn is_looked_up(before: &[Token<'_>]) -> bool {
    before.first().is_some_and(|first| first.is("which where who does did"))
}

/// `don't forget to …`
fn is_renewed(tokens: &[Token<'_>], at: usize) -> bool {
    tokens[clause_start(tokens, at)..at].iter().any(|token| token.is("forget hesitate fail"))
}
