//! Whether a request is in English, the only language that the rules know.

use super::group::Group;
use super::lexicon::{Hit, Hits};
use super::token::Token;

/// Small words of English that are none of the languages below.
const ENGLISH: &str = "\
     the and of to is are with for it this that from please should be we you our my your not when what \
     which how why where can could would into by all or if then than there have has does do its they them \
     i as at but about after before between each every new only out so up using was";

/// Small words of German, French, Spanish, Portuguese, Italian, Dutch, Polish and the Nordic languages that are no
/// English words.
const OTHERS: &str = "\
     der das den dem und ist nicht eine einen einem einer mit auf bitte für wie wir ich du im zu zum zur \
     alle aus bei dass soll kann werden wird sind um diese diesen le la les des du une est et dans pour \
     sur avec pas que qui nous vous je aux au cette ce s'il veuillez el los de las una y en por con para \
     del esta este favor como hay o os um uma da dos na nos não com il lo gli di che per non della nel \
     questo favore een het van op niet voor naar graag i w na jest proszę och att för ikke og til som med \
     på av ett";

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
    let (english, others) = (count(ENGLISH), count(OTHERS));
    let is_signal = |hit: &Hit| matches!(hit.group, Group::Signal(_));
    let known = |at: &&usize| hits.at(**at).iter().any(is_signal);
    let known = said.iter().filter(known).count();
    let accented = said.iter().any(|&at| !tokens[at].lower.is_ascii());
    let is_foreign = others > english + known / 2 || ((others > 0 || accented) && english + known == 0);
    !is_foreign
}
