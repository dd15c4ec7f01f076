//! Starting Claude Code, hearing what it says, and ending it with everything that it started.
//!
//! Knows nothing of tasks, queues or files: an order goes in, events and an exit come out. Programs are started
//! through a [`guardian`], this same program in another role, so that nothing is left running whatever happens to
//! whom.

#![expect(
    clippy::disallowed_methods,
    reason = "programs that work on tasks are started here, and watched in /proc"
)]

pub(crate) mod child;
pub(crate) mod claude;
pub(crate) mod detached;
pub(crate) mod find;
pub(crate) mod guardian;
mod guardians;
mod lines;
mod message;
pub(crate) mod process;
pub(crate) mod servers;
pub(crate) mod session;
