//! Whether the queue is well: what keeps it from being written, hides its files, or has damaged what git has of it.
//!
//! The room looks and tells, before a person wonders. It puts nothing right: what can be done about it is named with it.

mod barred;
mod hindrance;
pub(super) mod ignored;
mod lying;
mod soundness;
mod unset;

pub(crate) use barred::Barred;
pub(crate) use hindrance::Hindrance;
pub(crate) use soundness::Harm;
