//! The disk and git. The only module that writes.

#![expect(clippy::disallowed_methods, reason = "the store is where the disk, git and lock waits are")]

pub(crate) mod adoption;
pub(crate) mod archive;
pub(crate) mod audit;
pub(crate) mod background;
pub(crate) mod branches;
mod cache;
mod entries;
pub(crate) mod files;
pub(crate) mod footprint;
pub(crate) mod gauge;
pub(crate) mod git;
pub(crate) mod hand;
pub(crate) mod history;
pub(crate) mod integration;
pub(crate) mod kept;
mod landing;
pub(crate) mod layout;
mod listing;
pub(crate) mod local;
pub(crate) mod message;
pub(crate) mod newest;
mod operation;
mod placed;
mod presence;
pub(crate) mod program;
pub(crate) mod proposal;
pub(crate) mod queue;
pub(crate) mod reached;
pub(crate) mod registry;
pub(crate) mod replay;
pub(crate) mod runs;
pub(crate) mod service;
pub(crate) mod stream;
pub(crate) mod tx;
pub(crate) mod unattended;
pub(crate) mod waiting;
pub(crate) mod wake;
pub(crate) mod watcher;
