//! What is true about tasks, projects and events. Pure: no disk, no clock, no serde, no async.

pub(crate) mod actor;
pub(crate) mod auto;
pub(crate) mod cursor;
pub(crate) mod event;
pub(crate) mod fault;
pub(crate) mod graph;
pub(crate) mod id;
pub(crate) mod lease;
pub(crate) mod mode;
pub(crate) mod notify;
pub(crate) mod problem;
pub(crate) mod project;
pub(crate) mod prompt;
pub(crate) mod ranking;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod scheduler;
pub(crate) mod settings;
pub(crate) mod settle;
pub(crate) mod task;
pub(crate) mod text;
mod typed;
