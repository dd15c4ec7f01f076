//! What runs cost, from the figures of Claude Code, and whether there is money for one more.
//!
//! The program's figures count a whole session: a session that goes on begins with what it had cost before.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::event::{ResultLine, Tokens};
use super::evidence::{End, Exit, Finished};
use super::usage;
use crate::domain::fault::{Code, Fault};
use crate::domain::task::words;
use crate::domain::text::shown;

words! {
    /// Where the cost of a run is from.
    Figures, "where a cost is from";
    /// The program gave it at its end.
    Told = "told";
    /// It ended without; this is what its messages used, at the price of the model.
    Estimated = "estimated";
    /// It ended without, and nothing tells what it used: this is all that it was allowed.
    AtMost = "at-most";
}

/// What one run cost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spend {
    /// In US dollars.
    pub(crate) usd: f64,
    pub(crate) figures: Figures,
    pub(crate) tokens: Tokens,
    /// What the session had cost in all when the run ended.
    pub(crate) session_usd: f64,
    pub(crate) session_models: BTreeMap<String, Tokens>,
}

impl Default for Spend {
    /// Nothing was spent.
    fn default() -> Spend {
        Spend {
            usd: 0.0,
            figures: Figures::Told,
            tokens: Tokens::default(),
            session_usd: 0.0,
            session_models: BTreeMap::new(),
        }
    }
}

/// More than this no session costs: what tells so is broken, and would spoil every sum that it is part of.
const BEYOND_BELIEF: f64 = 1_000_000.0;

fn is_believable(usd: f64) -> bool {
    (0.0..BEYOND_BELIEF).contains(&usd)
}

/// The cost of a run, given what its session had cost before it and what it was allowed to cost.
pub(crate) fn of_run(finished: &Finished, before: Option<&Spend>, allowed: f64) -> Spend {
    let nothing = Spend::default();
    let before = before.unwrap_or(&nothing);
    let result = finished.result.as_ref();
    let total = result.and_then(|result| result.session_cost);
    match result.zip(total.filter(|cost| is_believable(*cost))) {
        Some((result, total)) => told(result, total, before),
        None => without_figures(finished, before, allowed),
    }
}

fn told(result: &ResultLine, total: f64, before: &Spend) -> Spend {
    // A total that fell is of a program that counts each process by itself.
    let usd = if total + 1e-9 >= before.session_usd { total - before.session_usd } else { total };
    let mut tokens = Tokens::default();
    for (model, total) in &result.models {
        tokens = tokens.plus(total.since(before.session_models.get(model).copied().unwrap_or_default()));
    }
    if result.models.is_empty() {
        tokens = result.tokens;
    }
    let (usd, session_models) = (usd.max(0.0), result.models.clone());
    Spend { usd, figures: Figures::Told, tokens, session_usd: total.max(usd), session_models }
}

/// What is not known counts as spent: otherwise no budget would limit runs that never come to their end.
fn without_figures(finished: &Finished, before: &Spend, allowed: f64) -> Spend {
    let models = finished.usage.models();
    let tokens = models.values().fold(Tokens::default(), |sum, tokens| sum.plus(*tokens));
    let spend = Spend { usd: 0.0, figures: Figures::Told, tokens, ..before.clone() };
    if let Some(usd) = usage::cost(&models).filter(|usd| is_believable(*usd)) {
        let mut session_models = before.session_models.clone();
        for (model, tokens) in models {
            let sum = session_models.entry(model).or_default();
            *sum = sum.plus(tokens);
        }
        let session_usd = before.session_usd + usd;
        return Spend { usd, figures: Figures::Estimated, session_usd, session_models, ..spend };
    }
    match may_have_spent(finished) {
        true => Spend { usd: allowed, figures: Figures::AtMost, ..spend },
        false => spend,
    }
}

/// Whether a model may have been at work for it. Of a run that was ended before it said anything nobody knows; one whose
/// program ended with an error by then, or that was turned away, has come to nothing.
fn may_have_spent(finished: &Finished) -> bool {
    let is_turned_away = finished.trouble.is_some()
        || finished.limit.as_ref().is_some_and(|notice| notice.is_rejected)
        || finished.result.as_ref().is_some_and(|result| result.is_error == Some(true));
    if finished.exit == Exit::NeverStarted {
        return false;
    }
    if finished.usage.has_answered() || (finished.result.is_some() && !is_turned_away) {
        return true;
    }
    let is_cut_off = !matches!(finished.end, End::OfItself | End::Hopeless)
        || matches!(finished.exit, Exit::Signal(1 | 2 | 9 | 15) | Exit::OutOfMemory | Exit::Unknown);
    is_cut_off && !is_turned_away
}

impl Spend {
    /// The sum as people read it: with what is not certain of it.
    pub(crate) fn shown(&self) -> String {
        match self.figures {
            Figures::Told => format!("${:.4}", self.usd),
            Figures::Estimated => format!("about ${:.4}", self.usd),
            Figures::AtMost => format!("at most ${:.4}", self.usd),
        }
    }
}

/// The most that the next run may cost: its own limit, or what is left of the budget; `None` if nothing is left.
pub(crate) fn allowance(budget: Option<f64>, spent: f64, promised: f64, per_run: f64) -> Option<f64> {
    let Some(budget) = budget else { return Some(per_run) };
    let left = budget - spent - promised;
    (left > 0.0).then(|| left.min(per_run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::event::Event;
    use crate::domain::run::usage::Use;

    fn line(cost: f64, input: u64) -> Finished {
        let tokens = Tokens { input, ..Tokens::default() };
        let result = ResultLine {
            session_cost: Some(cost),
            tokens: Tokens { input: 7, ..Tokens::default() },
            models: BTreeMap::from([("m".to_owned(), tokens)]),
            ..ResultLine::default()
        };
        Finished { result: Some(result), ..ran(Exit::Code(0)) }
    }

    /// A run that has ended like this, and said nothing.
    fn ran(exit: Exit) -> Finished {
        Finished { exit, ..Finished::default() }
    }

    #[test]
    fn a_session_that_goes_on_is_not_paid_twice() {
        let first = of_run(&line(0.5, 100), None, 2.0);
        let second = of_run(&line(0.75, 160), Some(&first), 2.0);
        assert_eq!((first.usd, first.tokens.input), (0.5, 100));
        assert_eq!((second.usd, second.tokens.input, second.session_usd), (0.25, 60, 0.75));
    }

    #[test]
    fn a_program_that_counts_each_process_by_itself_is_understood() {
        let first = of_run(&line(0.5, 100), None, 2.0);
        let second = of_run(&line(0.2, 30), Some(&first), 2.0);
        assert_eq!((second.usd, second.tokens.input), (0.2, 30));
    }

    #[test]
    fn a_run_without_figures_costs_what_it_was_seen_to_use() {
        let first = of_run(&line(0.5, 100), None, 2.0);
        let mut cut_off = Finished { end: End::TimedOut, ..ran(Exit::Signal(15)) };
        let model = Some("claude-sonnet-5-5".to_owned());
        let tokens = Tokens { input: 200_000, output: 10_000, ..Tokens::default() };
        cut_off.hear(&Event::Used(Use { message: None, model, tokens }));
        let second = of_run(&cut_off, Some(&first), 2.0);
        assert_eq!((second.usd, second.figures, second.session_usd), (0.5, Figures::Estimated, 1.0));
        assert_eq!((second.tokens.output, second.shown()), (10_000, "about $0.5000".to_owned()));
    }

    #[test]
    fn what_a_run_used_and_nobody_knows_counts_as_all_that_it_was_allowed() {
        let first = of_run(&line(0.5, 100), None, 2.0);
        let cut_off = Finished { end: End::TimedOut, ..ran(Exit::Signal(15)) };
        let second = of_run(&cut_off, Some(&first), 2.0);
        assert_eq!((second.usd, second.figures, second.session_usd), (2.0, Figures::AtMost, 0.5));
        let mut crashed = ran(Exit::Code(1));
        assert_eq!(of_run(&crashed, None, 2.0), Spend::default(), "it has come to nothing");
        crashed.hear(&Event::Text("working".to_owned()));
        assert_eq!(of_run(&crashed, None, 2.0).usd, 2.0);
        assert_eq!(of_run(&Finished::never("no such file"), None, 2.0).usd, 0.0);
        let turned_away = Finished { trouble: Some(super::super::event::Trouble::Login), ..cut_off };
        assert_eq!(of_run(&turned_away, None, 2.0).usd, 0.0);
        for unbelievable in [f64::NAN, f64::INFINITY, 1e308, 1e6, -1.0] {
            let spend = of_run(&line(unbelievable, 1), None, 2.0);
            assert_eq!((spend.usd, spend.figures, spend.session_usd), (2.0, Figures::AtMost, 0.0));
        }
        let mut endless = ran(Exit::Signal(9));
        let model = Some("claude-sonnet-5-5".to_owned());
        let tokens = Tokens { input: u64::MAX, ..Tokens::default() };
        endless.hear(&Event::Used(Use { message: None, model, tokens }));
        assert_eq!(of_run(&endless, None, 2.0).usd, 2.0);
    }

    #[test]
    fn a_budget_counts_what_is_spent_and_what_is_promised() {
        assert_eq!(allowance(None, 99.0, 99.0, 2.0), Some(2.0));
        assert_eq!(allowance(Some(10.0), 5.0, 4.0, 2.0), Some(1.0));
        assert_eq!(allowance(Some(10.0), 6.0, 4.0, 2.0), None);
        assert_eq!(allowance(Some(0.0), 0.0, 0.0, 2.0), None);
    }
}
