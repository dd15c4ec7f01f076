//! What runs cost, from the figures of Claude Code, and whether there is money for one more.
//!
//! The program's figures count a whole session: a session that goes on begins with what it had cost before.

use std::collections::BTreeMap;

use super::event::{ResultLine, Tokens};

/// What one run cost.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Spend {
    /// In US dollars.
    pub(crate) usd: f64,
    pub(crate) tokens: Tokens,
    /// What the session had cost in all when the run ended.
    pub(crate) session_usd: f64,
    pub(crate) session_models: BTreeMap<String, Tokens>,
}

/// The cost of a run, given what its session had cost before it.
pub(crate) fn of_run(result: Option<&ResultLine>, before: Option<&Spend>) -> Spend {
    let nothing = Spend::default();
    let before = before.unwrap_or(&nothing);
    let Some(result) = result else {
        return Spend { usd: 0.0, tokens: Tokens::default(), ..before.clone() };
    };
    let total = result.session_cost.filter(|cost| cost.is_finite() && *cost >= 0.0).unwrap_or(0.0);
    // A total that fell is of a program that counts each process by itself.
    let usd = if total + 1e-9 >= before.session_usd { total - before.session_usd } else { total };
    let mut tokens = Tokens::default();
    for (model, total) in &result.models {
        tokens = tokens.plus(total.since(before.session_models.get(model).copied().unwrap_or_default()));
    }
    if result.models.is_empty() {
        tokens = result.tokens;
    }
    Spend { usd: usd.max(0.0), tokens, session_usd: total.max(usd), session_models: result.models.clone() }
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

    fn line(cost: f64, input: u64) -> ResultLine {
        let tokens = Tokens { input, ..Tokens::default() };
        ResultLine {
            session_cost: Some(cost),
            tokens: Tokens { input: 7, ..Tokens::default() },
            models: BTreeMap::from([("m".to_owned(), tokens)]),
            ..ResultLine::default()
        }
    }

    #[test]
    fn a_session_that_goes_on_is_not_paid_twice() {
        let first = of_run(Some(&line(0.5, 100)), None);
        let second = of_run(Some(&line(0.75, 160)), Some(&first));
        assert_eq!((first.usd, first.tokens.input), (0.5, 100));
        assert_eq!((second.usd, second.tokens.input, second.session_usd), (0.25, 60, 0.75));
    }

    #[test]
    fn a_program_that_counts_each_process_by_itself_is_understood() {
        let first = of_run(Some(&line(0.5, 100)), None);
        let second = of_run(Some(&line(0.2, 30)), Some(&first));
        assert_eq!((second.usd, second.tokens.input), (0.2, 30));
    }

    #[test]
    fn a_run_without_result_costs_nothing_that_is_known_and_forgets_nothing() {
        let first = of_run(Some(&line(0.5, 100)), None);
        let second = of_run(None, Some(&first));
        assert_eq!((second.usd, second.session_usd), (0.0, 0.5));
        assert_eq!(of_run(Some(&line(f64::NAN, 1)), None).usd, 0.0);
    }

    #[test]
    fn a_budget_counts_what_is_spent_and_what_is_promised() {
        assert_eq!(allowance(None, 99.0, 99.0, 2.0), Some(2.0));
        assert_eq!(allowance(Some(10.0), 5.0, 4.0, 2.0), Some(1.0));
        assert_eq!(allowance(Some(10.0), 6.0, 4.0, 2.0), None);
        assert_eq!(allowance(Some(0.0), 0.0, 0.0, 2.0), None);
    }
}
