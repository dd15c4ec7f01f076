//! How good the rules are on requests that somebody has labelled.
//!
//! Too weak a model costs a failed run, too strong a one only money; so a request that is routed too low counts
//! double.

use super::rules::Rules;
use super::{Decision, Head, Request, Tier, Verdict, route};

/// A labelled request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Where it stands in its file.
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) head: Head,
    /// The tier it should go to, if the label says so.
    pub(crate) tier: Option<Tier>,
    /// What should become of it, if the label says so.
    pub(crate) verdict: Option<Verdict>,
}

/// A case that was decided otherwise than its label says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Miss {
    pub(crate) case: Case,
    pub(crate) decision: Decision,
}

/// Counts over cases with a label for the tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    pub(crate) right: usize,
    /// Routed to a weaker model than the label says.
    pub(crate) under: usize,
    /// Routed to a stronger one.
    pub(crate) over: usize,
}

impl Tally {
    fn count(&mut self, expected: Tier, given: Tier) {
        self.cases += 1;
        match given.cmp(&expected) {
            std::cmp::Ordering::Less => self.under += 1,
            std::cmp::Ordering::Equal => self.right += 1,
            std::cmp::Ordering::Greater => self.over += 1,
        }
    }

    /// The share that is right; nothing is right among none.
    pub(crate) fn accuracy(&self) -> f64 {
        share(self.right, self.cases)
    }

    /// What the misses cost: one for each that went too high, two for each that went too low.
    pub(crate) fn penalty(&self) -> usize {
        self.over + 2 * self.under
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Counts over cases that have or should have ended with a question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asking {
    /// Cases whose label says what should become of them.
    pub(crate) cases: usize,
    /// A person should be asked, and is.
    pub(crate) asked: usize,
    /// A person should be asked, and is not.
    pub(crate) missed: usize,
    /// A person is asked for nothing.
    pub(crate) needless: usize,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) tally: Tally,
    /// The same cases if all went to the middle tier.
    pub(crate) always_middle: Tally,
    /// Rows: the label; columns: the decision.
    pub(crate) confusion: [[usize; 3]; 3],
    pub(crate) asking: Asking,
    pub(crate) misses: Vec<Miss>,
}

/// Decide each case and compare.
pub(crate) fn evaluate(rules: &Rules, cases: impl IntoIterator<Item = Case>) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for case in cases {
        let decision = match Request::new(&case.text, case.head.clone()) {
            Ok(request) => route(rules, &request),
            Err(fault) => Decision::middle("no decision", fault.message),
        };
        evaluation.count(case, decision);
    }
    evaluation
}

impl Evaluation {
    fn count(&mut self, case: Case, decision: Decision) {
        let mut is_right = true;
        if let Some(expected) = case.tier {
            self.tally.count(expected, decision.tier);
            self.always_middle.count(expected, Tier::MIDDLE);
            self.confusion[expected as usize][decision.tier as usize] += 1;
            is_right = expected == decision.tier;
        }
        if let Some(expected) = case.verdict {
            self.asking.cases += 1;
            match (expected == Verdict::Ask, decision.verdict == Verdict::Ask) {
                (true, true) => self.asking.asked += 1,
                (true, false) => self.asking.missed += 1,
                (false, true) => self.asking.needless += 1,
                (false, false) => {}
            }
            is_right &= (expected == Verdict::Ask) == (decision.verdict == Verdict::Ask);
        }
        if !is_right {
            self.misses.push(Miss { case, decision });
        }
    }
}
