//! Whether a word of loss is a request to lose something.
//!
//! It is, in every mood and order: `drop it`, `should we drop it?`, `it can be dropped`, `the dropping of it`, `have it
//! dropped`. The exceptions are listed here, because they can be listed and moods cannot: what is forbidden, what is
//! explained, what others are able to do, what went wrong, and what is only a part of the program that is being
//! written. This is English grammar and no matter of settings.

use super::form::{
    ADVERBS, AFTER_PASSIVE, DETERMINERS, Form, USERS, form, is_after_article, is_noun, previous,
};
use super::grammar::{clause_end, clause_start, is_action};
use super::group::Group;
use super::lexicon::Hits;
use super::token::{Kind, Token, is_one_of};

const MODALS: &str = "can could may might should must will would shall need needs do does did to";

/// Those who are spoken to, or speak.
const PERSONS: &str = "\
     you we i someone somebody anyone anybody let's lets claude agent one us u y'all team ops bot";

/// Where a clause that tells of circumstances or describes a thing begins.
const CIRCUMSTANCES: &str = "\
     where when whenever if while after before because since that which who whom whose whether once until unless why how";

/// After these, what follows `that` is wanted.
const WISHES: &str = "\
     sure ensure see care want wanted like wish ask insist demand need time guarantee arrange check prefer suggest \
     propose recommend";

/// Words that forbid the verb that they stand before.
const NEGATIONS: &str = "\
     not never don't dont doesn't didn't won't can't cannot shouldn't mustn't without avoid avoiding neither nor \
     prevent prevents preventing refuse refuses instead rather stop stops";

/// Verbs that turn a negation into a request.
const RENEWED: &str = "forget hesitate fail keep wait need bother stop mind just only";

/// Verbs by which a program is written, tested and talked about.
const WORKING: &str = "\
     add implement write create build design develop support introduce provide show display render hide test cover \
     document fix repair debug handle validate refactor rename improve extract style mock explain describe review \
     translate sketch prototype highlight animate parse port benchmark expose clarify log support allow let enable \
     investigate reproduce rework redesign simplify optimise optimize reword summarise summarize compare move \
     visualise visualize align centre center colour color localise localize type-check check verify assert track \
     audit analyse analyze diagnose confirm";

/// Questions by which something is only looked up or explained.
const ASKING: &str =
    "explain describe document what where who when why summarise summarize mean difference which";

/// Programs that are written in order to be run on the real thing.
const EXECUTABLES: &str = "\
     script query job cron cronjob command migration migrations playbook one-liner oneliner sql statement snippet \
     lambda pipeline runbook crontab schedule trigger procedure";

/// Parts of a program, and those who use it.
const PARTS: &str = "\
     button dialog modal page endpoint route handler test tests spec feature option flag menu toast message \
     confirmation warning error hook function method class component form api ui docs documentation parser icon event \
     callback tool shortcut checkbox permission toggle notification example mock stub animation exception bug crash \
     prompt undo popup banner tooltip spinner screen view link badge unit integration regression fixture coverage";

/// What is thought out before anything is lost.
const PLANS: &str =
    "design plan strategy architecture concept proposal policy rfc adr spec runbook checklist";

/// What things do that do not work.
const TROUBLES: &str = "\
     fails fail failed failing crashes crash crashed crashing error errors bug bugs broken wrong wrongly incorrectly \
     panics panic hangs freezes shows throws raises raise throw doesn't doesnt don't isn't aren't won't wasn't weren't \
     didn't twice unexpectedly accidentally mistake mistakenly still though although blank leaves leaving causes \
     breaks triggers takes flickers slow slowly exception stopped unintentionally silently supposed nothing \
     returns gives works results leads stays remains reappears reappear come comes";

/// Parts of a program that do something when something happens.
const ACTORS: &str = "\
     app application client browser component page window tab request socket form modal program daemon widget test";

/// What makes a statement of a sentence that looks like an order: `empty rows are shown`.
const FINITE: &str = "is are was were has have does do doesn't don't should shouldn't isn't aren't";

/// Whether the word of loss from `at` to `end` asks for a loss. `weak`: whether it is a word of loss only with an
/// object that would be missed.
pub(super) fn is_demanded(tokens: &[Token<'_>], hits: &Hits, at: usize, end: usize, weak: bool) -> bool {
    let scene =
        Scene { tokens, hits, at, end, start: scene_start(tokens, at), limit: clause_end(tokens, at) };
    if scene.is_forbidden() || scene.is_explained() || scene.is_ability() || scene.is_subordinate() {
        return false;
    }
    if weak && scene.is_behaviour() {
        return false;
    }
    match form(tokens, at) {
        Form::Base => scene.base(weak),
        Form::Gerund => !scene.has_trouble() && !scene.is_governed(),
        Form::Participle => scene.participle(),
        Form::Third => scene.third(),
        Form::Noun => scene.noun(weak),
    }
}

/// Whether a saying from `at` to `end` wishes for a loss: it does, unless somebody else is able to, or it is told.
pub(super) fn is_wished(tokens: &[Token<'_>], hits: &Hits, at: usize, end: usize) -> bool {
    let scene =
        Scene { tokens, hits, at, end, start: scene_start(tokens, at), limit: clause_end(tokens, at) };
    let is_worked_on = scene.is_work_of(scene.before(), "");
    !scene.is_forbidden() && !scene.is_ability() && !scene.is_subordinate() && !is_worked_on
}

/// Where the part of the clause begins that the word is in: behind a circumstance that comes first.
fn scene_start(tokens: &[Token<'_>], at: usize) -> usize {
    let start = clause_start(tokens, at);
    let points = |place: usize, words: &str| tokens[..at].get(place).is_some_and(|token| token.is(words));
    if points(start, "after with besides") && points(start + 1, "that this") {
        return start + 2;
    }
    let is_first = tokens[start..at].iter().take(3).any(|token| token.is(CIRCUMSTANCES));
    let comma = tokens[start..at].iter().position(|token| token.kind == Kind::Comma);
    let then = tokens[start..at].iter().rposition(|token| token.is("then"));
    let begin = comma.filter(|_| is_first).max(then);
    begin.map_or(start, |found| start + found + 1)
}

/// A word of loss in its surroundings.
struct Scene<'a, 't> {
    tokens: &'a [Token<'t>],
    hits: &'a Hits,
    at: usize,
    end: usize,
    start: usize,
    limit: usize,
}

impl<'a, 't> Scene<'a, 't> {
    fn before(&self) -> &'a [Token<'t>] {
        &self.tokens[self.start..self.at]
    }

    fn after(&self) -> &'a [Token<'t>] {
        &self.tokens[self.end.min(self.limit)..self.limit]
    }

    fn next_is(&self, words: &str) -> bool {
        self.after().first().is_some_and(|next| next.is(words))
    }

    fn previous(&self) -> Option<(usize, &'a Token<'t>)> {
        previous(self.tokens, self.at).filter(|(place, _)| *place >= self.start)
    }

    /// `don't delete`, `without deleting`, `instead of deleting`, `prevent users from deleting`; but not `why don't
    /// we delete`, `don't forget to delete`, `not only delete`.
    fn is_forbidden(&self) -> bool {
        let Some((place, previous)) = self.previous() else { return false };
        let skipped = |token: &Token<'_>| token.is("to ever of than from be being get getting have you we");
        let negation = if skipped(previous) {
            let near = self.start.max(place.saturating_sub(5))..place;
            let reach = if previous.is("from") { 5 } else { 2 };
            near.rev().take(reach).find(|&at| self.tokens[at].is(NEGATIONS))
        } else {
            previous.is(NEGATIONS).then_some(place)
        };
        let Some(negation) = negation else { return false };
        let between = &self.tokens[negation + 1..self.at];
        let before = &self.tokens[self.start..negation];
        let is_question = between.first().is_some_and(|token| token.is("we you i"))
            || before.iter().any(|token| token.is("why"));
        let is_renewed = between.iter().any(|token| token.is(RENEWED))
            || self.tokens[negation].is("stop stops")
                && before.iter().any(|token| token.is("not don't never"));
        !is_question && !is_renewed
    }

    /// `explain what deleting a row does`; but not `how would one delete it`.
    fn is_explained(&self) -> bool {
        let before = self.before();
        let how = before.iter().position(|token| token.is("how whether"));
        if how.is_some_and(|how| before[how..].iter().any(|token| token.is(PERSONS) || token.is("to"))) {
            return false;
        }
        if before.iter().any(|token| token.is("difference differences")) {
            return true;
        }
        let Some(first) =
            before.iter().find(|token| !token.is(ADVERBS) && !token.is("can could would you i hey hi me"))
        else {
            return false;
        };
        let is_asking =
            first.is(ASKING) || (how == Some(0) && before.iter().any(|token| token.is("does do is are did")));
        is_asking
            && !before.iter().any(|token| {
                token.is("if should must would to and") || token.is(PERSONS) && !first.is("where")
            })
    }

    /// What somebody else is able to do, or should be: `users can delete`, `let admins purge`, `the option to delete`.
    fn is_ability(&self) -> bool {
        let before = self.before();
        if before.iter().any(|token| token.is(USERS))
            && matches!(form(self.tokens, self.at), Form::Base | Form::Third | Form::Gerund)
        {
            let has = |words: &str| before.iter().any(|token| token.is(words));
            return has(
                "can could may might let lets allow allows able when if should shall must cannot can't to who",
            ) || matches!(self.previous(), Some((_, token)) if token.is(USERS));
        }
        let abilities = "able ability allow allows allowed lets enable enables unable possibility way permission permissions";
        let reaches = "to for of that which and or";
        let last = before.iter().rposition(|token| token.is(abilities));
        last.is_some_and(|last| before[last + 1..].iter().any(|token| token.is(reaches)))
            && !before.iter().any(|token| token.is("you we i"))
    }

    /// In a clause that only tells when, why or which.
    fn is_subordinate(&self) -> bool {
        let before = self.before();
        // `that bucket can be removed`
        let points = |place: usize| place == 0 && before[0].is("that") && before.len() > 1;
        let found = before.iter().rposition(|token| token.is(CIRCUMSTANCES)).filter(|found| !points(*found));
        let Some(found) = found else {
            return false;
        };
        let main = &before[..found];
        // `If nobody objects delete it`: nothing tells where the circumstance ends.
        if main.is_empty() && form(self.tokens, self.at) == Form::Base && !self.has_trouble() {
            return false;
        }
        let has = |tokens: &[Token<'_>], words: &str| tokens.iter().any(|token| has(token, words));
        let word = &before[found];
        if word.is("how whether") {
            return false;
        }
        if word.is("why") {
            return !has(&before[found..], "not don't we you");
        }
        if word.is("that") && has(main, WISHES) || has(main, "sure ensure") {
            return false;
        }
        if word.is("that which") && has(main, EXECUTABLES) {
            return false;
        }
        let is_ours = before[found + 1..].iter().any(|token| token.is(PERSONS))
            || (form(self.tokens, self.at) == Form::Gerund && !word.is("when that which while"));
        let is_order = is_ours && word.is("before after once until if when unless while");
        !is_order || self.is_work(main) || self.has_trouble()
    }

    /// Whether what is asked for is a piece of program, of which the loss is a part.
    fn is_governed(&self) -> bool {
        let before = self.before();
        if self.is_coordinated() || before.last().is_some_and(|token| token.is("by")) {
            return false;
        }
        if !self.is_work(before) {
            return false;
        }
        !before.iter().any(|token| has(token, EXECUTABLES))
    }

    /// Whether these words ask for a piece of program, or tell of one.
    fn is_work(&self, words: &[Token<'_>]) -> bool {
        let parts = if matches!(form(self.tokens, self.at), Form::Noun | Form::Gerund) { PLANS } else { "" };
        self.is_work_of(words, PARTS) || self.is_work_of(words, parts)
    }

    fn is_work_of(&self, words: &[Token<'_>], parts: &str) -> bool {
        let offset = self.start;
        let works = |(place, token): (usize, &Token<'_>)| {
            has(token, WORKING) && is_action(self.tokens, offset + place)
        };
        // The feature of `the feature branches` is none.
        let names_store = |place: usize| self.hits.end(offset + place + 1, Group::Store).is_some();
        let is_part = |(place, token): (usize, &Token<'_>)| token.is(parts) && !names_store(place);
        words.iter().enumerate().any(works) || words.iter().enumerate().any(is_part)
    }

    /// Whether the word goes on with a list of orders: `fix it, delete …`, `fix it and delete …`.
    fn is_coordinated(&self) -> bool {
        let Some((place, previous)) = self.previous() else { return false };
        if !(previous.kind == Kind::Comma || previous.is("and or but plus then")) {
            return false;
        }
        // `to edit and delete`, `for adding and deleting` goes on with what the program does.
        let before = &self.tokens[self.start..place];
        let goes_on = match form(self.tokens, self.at) {
            Form::Base => before.iter().any(|token| token.is("to can let")),
            Form::Gerund => before.iter().any(|token| token.lower.ends_with("ing")),
            Form::Participle | Form::Third | Form::Noun => true,
        };
        !goes_on
    }

    /// `when the user logs out, clear …` tells what the program does.
    fn is_behaviour(&self) -> bool {
        let opening = &self.tokens[clause_start(self.tokens, self.at)..self.start];
        let is_event = opening.first().is_some_and(|first| first.is("when whenever on upon if"));
        is_event && opening.iter().take(4).any(|token| token.is(ACTORS) || token.is(USERS))
    }

    fn has_trouble(&self) -> bool {
        let clause = &self.tokens[self.start..self.limit];
        clause.iter().any(|token| {
            token.is(TROUBLES) || ["404", "500", "403", "400", "502"].contains(&token.lower.as_str())
        })
    }

    /// `the wipe transition`
    fn is_in_a_name(&self) -> bool {
        let is_plain = self.tokens[self.at].lemmas.len() == 1 && is_after_article(self.tokens, self.at);
        is_plain
            && self.after().first().is_some_and(|next| {
                next.is_said()
                    && !next.is(AFTER_PASSIVE)
                    && !next.is(DETERMINERS)
                    && !next.is("of all everything it them")
                    && !self.hits.at(self.end).iter().any(|hit| hit.group == Group::Store)
            })
    }

    /// `the removal of the table`; but not `the clear area`, where a word is a noun by chance.
    fn noun(&self, weak: bool) -> bool {
        let is_sure = !weak || is_noun(&self.tokens[self.at].lower) || self.next_is("of");
        let is_moment = weak && self.previous().is_some_and(|(_, before)| before.is("on upon during at"));
        is_sure && !is_moment && !self.is_in_a_name() && !self.has_trouble() && !self.is_governed()
    }

    fn base(&self, weak: bool) -> bool {
        match self.previous() {
            None => !self.is_statement(),
            Some((_, previous)) if previous.is("to") => !self.is_governed(),
            Some((place, previous)) if previous.is(MODALS) => {
                let subject = self.tokens[self.start..place].iter().rev().find(|token| !token.is(ADVERBS));
                let is_ours = subject.is_none_or(|subject| {
                    subject.is(PERSONS) || subject.kind == Kind::Comma || has(subject, EXECUTABLES)
                });
                is_ours && !self.is_governed()
            }
            Some((_, previous)) if previous.kind == Kind::Comma || previous.is("and then or but plus") => {
                !self.is_governed()
            }
            // `the empty rows` and `three clean builds` name things.
            Some((_, previous)) if previous.is(PERSONS) => !self.is_governed(),
            Some((_, previous))
                if weak && previous.is("is are was were be been not isn't aren't if when") =>
            {
                false
            }
            Some((_, previous)) if weak => {
                !self.is_governed() && !previous.is(DETERMINERS) && !self.is_statement()
            }
            Some(_) => !self.is_governed() && !self.has_trouble(),
        }
    }

    /// `Empty rows are shown`, `delete fails`: no order, though it begins like one.
    fn is_statement(&self) -> bool {
        let stops = |token: &Token<'_>| {
            token.is(CIRCUMSTANCES) || token.kind == Kind::Comma || token.is("and but so")
        };
        let rest = self.after();
        let rest = &rest[..rest.iter().position(stops).unwrap_or(rest.len())];
        rest.iter().any(|token| token.is(FINITE)) || rest.first().is_some_and(|token| token.is(TROUBLES))
    }

    fn participle(&self) -> bool {
        let before = self.before();
        let has = |words: &str| before.iter().any(|token| token.is(words));
        let next_is_noun = self.after().first().is_some_and(|next| next.is_said() && !next.is(AFTER_PASSIVE));
        let wanted = has("be") && has("should must can could to needs need shall may will ought");
        let had = has("want have get need needs like see make ensure") && !has("was were been had");
        if self.has_trouble() && !wanted {
            return false;
        }
        if self.is_governed() {
            return false;
        }
        // `print what would be removed`
        if has("what which") && has("would") {
            return false;
        }
        if wanted {
            return !has("able not");
        }
        if has("was were been had has")
            && !(has("want need") || before.first().is_some_and(|token| token.is("have get")))
        {
            return false;
        }
        if next_is_noun {
            // `deleted users`, or `somebody deleted the users`.
            return false;
        }
        had || has("is are gets be being") || !has(PERSONS)
    }

    /// `the job deletes …` tells; `make sure that it deletes …` asks.
    fn third(&self) -> bool {
        let before = self.before();
        let wished = before.iter().any(|token| token.is("sure ensure"));
        let run = before.iter().any(|token| has(token, EXECUTABLES))
            && before.iter().any(|token| token.is("that which"));
        (wished || run) && !self.has_trouble()
    }
}

fn has(token: &Token<'_>, words: &str) -> bool {
    token.lemmas.iter().any(|lemma| is_one_of(lemma, words))
}
