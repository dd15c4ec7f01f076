//! Taking the queue out of a repository again.

/// What becomes of the queue's branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BranchFate {
    /// It stays, and with it all history.
    Keep,
    /// It is deleted.
    Delete,
}

/// What `remove` has done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Removed {
    /// What was removed, in words.
    pub(crate) steps: Vec<String>,
}
