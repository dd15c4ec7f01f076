//! Whether a word of loss is a request to lose something.
//!
//! It is, in every mood and order: `drop it`, `should we drop it?`, `it can be dropped`, `the dropping of it`, `have it
//! dropped`. The exceptions are listed here, because they can be listed and moods cannot: what is forbidden, what is
//! explained, what others are able to do, what went wrong, and what is only a part of the program that is being
//! written. This is English grammar and no matter of settings.

use super::form::{Form, form, is_after_article, is_noun};
use super::scene::{Scene, has};
use crate::domain::route::rules::group::Group;
use crate::domain::route::rules::lexicon::Hits;
use crate::domain::route::token::{Kind, Token};
use crate::domain::route::vocabulary::{
    ADVERBS, AFTER_PASSIVE, ASKING, CAUSING, CIRCUMSTANCES, DETERMINERS, EXECUTABLES, FINITE, MODALS,
    NEGATIONS, PARTS, PERSONS, REGRETS, RENEWED, SHOWING, TROUBLES, USERS, WISHES,
};

/// Whether the word of loss from `at` to `end` asks for a loss. `weak`: whether it is a word of loss only with an
/// object that would be missed.
pub(super) fn is_demanded(tokens: &[Token<'_>], hits: &Hits, at: usize, end: usize, weak: bool) -> bool {
    let scene = Scene::new(tokens, hits, at, end);
    if scene.is_regretted_undone() {
        return true;
    }
    if scene.is_idle()
        || scene.is_forbidden()
        || scene.is_explained()
        || scene.is_ability()
        || scene.is_subordinate()
    {
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
    let scene = Scene::new(tokens, hits, at, end);
    let clause = &tokens[scene.start..scene.limit];
    let is_worked_on = scene.is_work_of(scene.before(), "") || clause.iter().any(|token| token.is(SHOWING));
    // What is told of the users that may go is no ability of theirs.
    let departs = tokens[end - 1].is("go gone vanish disappear die");
    let is_ability = !departs && scene.is_ability();
    !scene.is_forbidden() && !is_ability && !scene.is_subordinate() && !is_worked_on
}

impl<'a, 't> Scene<'a, 't> {
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

    /// `not deleting it would be a mistake`
    fn is_regretted_undone(&self) -> bool {
        let is_undone = self.before().iter().all(|token| token.is(ADVERBS) || token.is("not and but so"))
            && self.previous().is_some_and(|(_, before)| before.is("not"));
        is_undone
            && form(self.tokens, self.at) == Form::Gerund
            && self.after().iter().any(|token| token.is(REGRETS))
    }

    /// `orders vanish when …` tells of something that happens by itself; nobody is asked to vanish.
    fn is_idle(&self) -> bool {
        let word = &self.tokens[self.at];
        if !has(word, "vanish disappear evaporate") {
            return false;
        }
        let before = self.before();
        let is_wished = before.iter().any(|token| token.is(MODALS) || has(token, CAUSING));
        !before.is_empty() && !is_wished
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
        // `what about dropping it`, `what if we drop it`
        if before
            .iter()
            .zip(before.iter().skip(1))
            .any(|(one, next)| one.is("what how") && next.is("about if"))
        {
            return false;
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
        if word.is("that which who") && self.is_over(found) {
            return false;
        }
        if word.is("how whether") {
            return false;
        }
        if word.is("why") {
            return !has(&before[found..], "not don't we you");
        }
        // `change the policy so that everybody can read it`
        if word.is("that") && main.last().is_some_and(|last| last.is("so such")) {
            return self.is_work_of(main, PARTS);
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

    /// Whether a clause that says which has its own verb before this one's: `every branch that is merged may be deleted`.
    fn is_over(&self, found: usize) -> bool {
        let inner = &self.before()[found + 1..];
        let has_verb = inner.first().is_some_and(|first| first.is("is are was were has have got"))
            || form(self.tokens, self.start + found + 1) == Form::Participle;
        let modal = inner.iter().rposition(|token| token.is(MODALS));
        has_verb && modal.is_some_and(|modal| modal > 0) && inner.last().is_some_and(|last| last.is("be"))
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
                if weak
                    && previous
                        .is("is are was were be been not isn't aren't if when stays stay remains looks") =>
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
            token.is(CIRCUMSTANCES) || token.kind == Kind::Comma || token.is("and but so what whatever")
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
