//! Whether a request is in English, the only language that the rules know.

use super::rules::group::Group;
use super::rules::lexicon::{Hit, Hits};
use super::token::Token;
use super::vocabulary::{ENGLISH, OTHER_LANGUAGES};

/// Whether the rules can say anything about the request.
pub(super) fn is_english(tokens: &[Token<'_>], hits: &Hits) -> bool {
    let said: Vec<usize> = (0..tokens.len()).filter(|&at| tokens[at].is_said()).collect();
    let letters = said.iter().flat_map(|&at| tokens[at].lower.chars()).filter(|c| c.is_alphabetic());
    let (mut all, mut latin) = (0_usize, 0_usize);
    for letter in letters {
        all += 1;
        latin += usize::from((letter as u32) < 0x250);
    }
    if latin * 10 < all * 7 {
        return false;
    }
    let count = |words: &str| said.iter().filter(|&&at| tokens[at].is(words)).count();
    let english = count(ENGLISH);
    // A letter alone is a name in any language: `add a y axis`.
    let is_other = |at: &usize| tokens[*at].is(OTHER_LANGUAGES);
    let has_word = said.iter().any(|at| is_other(at) && tokens[*at].lower.chars().count() > 1);
    let others = if has_word { count(OTHER_LANGUAGES) } else { 0 };
    let is_signal = |hit: &Hit| matches!(hit.group, Group::Signal(_));
    let known = |at: &&usize| hits.at(**at).iter().any(is_signal);
    let known = said.iter().filter(known).count();
    let accented = said.iter().any(|&at| !tokens[at].lower.is_ascii());
    let is_foreign = others > english + known / 2 || ((others > 0 || accented) && english + known == 0);
    !is_foreign
}
