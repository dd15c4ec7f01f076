//! What is true about tasks, projects and events. Pure: no disk, no clock, no serde, no async.

pub(crate) mod fault;
