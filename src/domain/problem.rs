//! A file or a project that could not be handled, and why. Listed, never passed over in silence.

use super::fault::Fault;

/// One item that a verb had to leave where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Project id, if the item is not in the present queue.
    pub(crate) project: Option<String>,
    /// Relative to `.swift/`; empty if the whole project is the problem.
    pub(crate) path: String,
    pub(crate) fault: Fault,
}

impl Problem {
    /// A problem with a file of the present queue.
    pub(crate) fn at(path: impl Into<String>, fault: Fault) -> Self {
        Problem { project: None, path: path.into(), fault }
    }

    /// The same problem, told as another project's.
    #[must_use]
    pub(crate) fn of(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }
}
