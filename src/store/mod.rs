//! The disk and git. The only module that writes.

pub(crate) mod git;
