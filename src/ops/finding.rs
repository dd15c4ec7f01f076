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

/// What `doctor --fix` does about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Enter in the log, and commit, what was changed by hand.
    Record,
    /// Move a file that cannot be read out of its folder.
    PutAside,
    /// Make anew what is swift's own.
    PutBack,
}

impl Remedy {
    /// The word in a plan.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Remedy::Record => "record",
            Remedy::PutAside => "put aside",
            Remedy::PutBack => "put back",
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
    /// What `doctor --fix` does about it; `None` if it is a person's to mend.
    pub(crate) remedy: Option<Remedy>,
}

impl Finding {
    /// A finding without advice.
    pub(crate) fn new(code: &str, severity: Severity, path: &str, message: impl Into<String>) -> Finding {
        let (code, path) = (code.to_owned(), path.to_owned());
        Finding { code, severity, path, message: message.into(), fix: None, remedy: None }
    }

    /// The same finding with advice.
    #[must_use]
    pub(crate) fn fix(mut self, advice: impl Into<String>) -> Finding {
        self.fix = Some(advice.into());
        self
    }

    /// The same finding as one that `doctor --fix` does something about.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: Remedy) -> Finding {
        self.remedy = Some(remedy);
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
