//! What other clones have done, or hold: a queue on another branch or a remote, one that was moved, a merge to be ended.
//!
//! The room owns how two histories find each other. It fetches nothing, and what git can join it leaves to git: named here
//! is the command, and what is still open is the person's.

mod elsewhere;
mod fetched;
mod follow;
mod joining;
mod landed;
mod moved;

pub(crate) use joining::{Conclusion, Join, Unmerged};
pub(crate) use landed::Landed;
pub(crate) use moved::Unjoined;
