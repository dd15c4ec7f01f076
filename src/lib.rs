//! `swift`: mail and a work queue for git projects and the coding agents that work in them.

mod domain;
mod format;
mod store;

/// Run the program; the whole of the public interface.
pub fn main() {}
