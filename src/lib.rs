//! `swift`: mail and a work queue for git projects and the coding agents that work in them.
//!
//! The map. Each module may use what stands to its right, and a test holds it to that:
//!
//! ```text
//! domain   <-                         # what is true; no disk, clock, environment or serde
//! format   <- domain                  # text to domain and back; no disk
//! env      <- domain                  # clock, ids, environment variables, signals
//! store    <- domain format env       # the disk and git; the only module that writes
//! agent    <- domain env              # starts Claude Code, hears it, ends it; knows no tasks
//! ops      <- domain format store env agent # the verbs; they neither print nor parse arguments
//! daemon   <- domain env store ops    # the watcher: makes happen what the scheduler in `domain` decides
//! view     <- domain store ops daemon # what people and scripts are shown, as plain data
//! ui       <- domain view             # the only module that prints
//! demo     <- domain env ui           # the whole loop, shown with the program itself
//! cli      <- everything              # arguments to verb to view to output
//! ```

mod agent;
mod cli;
mod daemon;
mod demo;
mod domain;
mod env;
mod format;
mod ops;
mod store;
mod ui;
mod view;

/// Run the program; the whole of the public interface.
pub fn main() -> std::process::ExitCode {
    cli::run().into()
}
