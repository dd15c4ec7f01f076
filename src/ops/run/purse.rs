//! Money and starts for several runs at once: asked for before each start, settled after each end.

use std::sync::{Mutex, PoisonError};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::spend;

/// What may still be spent and started.
#[derive(Debug)]
pub(crate) struct Purse {
    budget: Option<f64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    spent: f64,
    /// What runs that have not ended may still cost.
    promised: f64,
    starts_left: Option<u32>,
}

/// What one run may cost; settled when it has ended.
#[derive(Debug)]
#[must_use = "a promise that is not settled is kept back for ever"]
pub(crate) struct Promise {
    pub(crate) usd: f64,
}

impl Purse {
    /// A purse; `None` is no limit.
    pub(crate) fn new(budget: Option<f64>, starts: Option<u32>) -> Purse {
        Purse { budget, state: Mutex::new(State { spent: 0.0, promised: 0.0, starts_left: starts }) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leave for one start that may cost this much, or less if less is left.
    ///
    /// # Errors
    /// [`Code::BudgetSpent`]
    pub(crate) fn ask(&self, per_run: f64) -> Result<Promise> {
        self.with(|state| {
            if state.starts_left == Some(0) {
                return Err(Fault::new(Code::BudgetSpent, "as many runs as allowed were started"));
            }
            let Some(usd) = spend::allowance(self.budget, state.spent, state.promised, per_run) else {
                let (budget, spent) = (self.budget.unwrap_or_default(), state.spent);
                let text = format!(
                    "of the budget of ${budget:.2} nothing is left for another run; ${spent:.2} is spent"
                );
                return Err(Fault::new(Code::BudgetSpent, text));
            };
            state.promised += usd;
            state.starts_left = state.starts_left.map(|left| left - 1);
            Ok(Promise { usd })
        })
    }

    /// A run ended and cost this much.
    pub(crate) fn settle(&self, promise: Promise, spent: f64) {
        self.with(|state| {
            state.promised = (state.promised - promise.usd).max(0.0);
            state.spent += spent;
        });
    }

    /// A start that did not happen after all.
    pub(crate) fn give_back(&self, promise: Promise) {
        self.with(|state| {
            state.promised = (state.promised - promise.usd).max(0.0);
            state.starts_left = state.starts_left.map(|left| left + 1);
        });
    }

    /// Whether something may come back from a run that has not ended.
    pub(crate) fn is_promised(&self) -> bool {
        self.with(|state| state.promised > 0.0)
    }

    /// What was spent so far.
    pub(crate) fn spent(&self) -> f64 {
        self.with(|state| state.spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_count_until_they_are_settled() {
        let purse = Purse::new(Some(3.0), None);
        let (first, second) = (purse.ask(2.0).unwrap(), purse.ask(2.0).unwrap());
        assert_eq!((first.usd, second.usd), (2.0, 1.0));
        assert_eq!(purse.ask(2.0).unwrap_err().code, Code::BudgetSpent);
        assert!(purse.is_promised(), "it is not spent yet");
        purse.settle(first, 0.5);
        assert_eq!(purse.ask(2.0).unwrap().usd, 1.5);
        purse.settle(second, 1.0);
        assert_eq!(purse.spent(), 1.5);
        assert!(purse.is_promised());
    }

    #[test]
    fn starts_are_counted_and_given_back() {
        let purse = Purse::new(None, Some(1));
        let promise = purse.ask(2.0).unwrap();
        assert!(purse.ask(2.0).is_err());
        purse.give_back(promise);
        assert!(purse.ask(2.0).is_ok());
    }
}
