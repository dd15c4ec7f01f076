//! Where the queue lies: found, made, linked, put right where git has moved something beneath it, moved, taken away.
//!
//! The room owns the folder `.swift` as a whole, the worktree that it is in the default home, and the record of whatever
//! is half-way between two places. It refuses to make a second queue beside one, and takes away nothing that is not proven
//! to be its own.

mod beneath;
pub(super) mod create;
pub(super) mod creation;
pub(super) mod departure;
mod exclude;
pub(super) mod find;
mod overrun;
pub(super) mod relink;
pub(super) mod remove;
pub(super) mod switch;
pub(super) mod worktree;

pub(crate) use create::Created;
pub(crate) use find::{identity_name_at, project_paths, remote_url_at};
pub(crate) use remove::{BranchFate, Removed};
