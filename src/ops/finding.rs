//! What a check found: which, where, how bad, and what to do.

use crate::domain::fault::Fault;
use crate::domain::problem::Problem;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Something will not be processed, or is not as it should be.
    Warning,
    /// Something is damaged or missing.
    Error,
}

impl Severity {
    /// The word in output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: String,
    pub(crate) severity: Severity,
    /// Relative to `.swift/`; empty for the queue as a whole.
    pub(crate) path: String,
    pub(crate) message: String,
    /// A safe thing to do.
    pub(crate) fix: Option<String>,
}

impl Finding {
    /// A finding without advice.
    pub(crate) fn new(code: &str, severity: Severity, path: &str, message: impl Into<String>) -> Finding {
        Finding { code: code.to_owned(), severity, path: path.to_owned(), message: message.into(), fix: None }
    }

    /// The same finding with advice.
    #[must_use]
    pub(crate) fn fix(mut self, advice: impl Into<String>) -> Finding {
        self.fix = Some(advice.into());
        self
    }

    /// A problem of a listing, as a finding.
    pub(crate) fn from_problem(problem: &Problem) -> Finding {
        Finding::of_fault(&problem.path, &problem.fault)
    }

    /// A fault at a path, as a finding.
    pub(crate) fn of_fault(path: &str, fault: &Fault) -> Finding {
        let finding = Finding::new(fault.code.as_str(), Severity::Warning, path, fault.message.clone());
        match fault.hints.first() {
            Some(hint) => finding.fix(hint.clone()),
            None => finding,
        }
    }
}
