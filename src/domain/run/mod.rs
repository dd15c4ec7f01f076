//! Runs: one execution of a task, or of a prompt, by Claude Code; what it said, how it ended, what follows.
//!
//! Everything here is a decision about plain data. Who starts processes, reads streams and writes records is
//! elsewhere, and asks here what things mean.

pub(crate) mod answer;
pub(crate) mod breaker;
pub(crate) mod entry;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod judge;
mod limit;
pub(crate) mod next;
pub(crate) mod outcome;
pub(crate) mod policy;
pub(crate) mod price;
pub(crate) mod record;
pub(crate) mod secret;
pub(crate) mod settle;
pub(crate) mod spend;
pub(crate) mod tier;
pub(crate) mod usage;
