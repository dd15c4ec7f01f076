//! Runs of Claude Code against the queue: prepared, recorded, watched, judged, recorded again.
//!
//! The record is committed before the process starts and after it has ended. Whatever is killed in between, the next
//! verb that looks finds a record without end and nobody alive, and says so.

pub(crate) mod account;
mod attempt;
pub(crate) mod background;
mod begin;
pub(crate) mod clean;
mod conclude;
mod draft;
pub(crate) mod drive;
mod execute;
mod ground;
mod keeper;
pub(crate) mod leftover;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod preview;
mod prompt;
pub(crate) mod purse;
mod recorder;
pub(crate) mod review;
pub(crate) mod stale;
mod verify;
pub(crate) mod way;
pub(crate) mod work;

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;

use crate::agent::claude::Reach;
use crate::domain::actor::Actor;
use crate::domain::id::RunId;
use crate::domain::run::entry::Entry;
use crate::domain::run::evidence::End;
use crate::domain::run::policy::Permission;
use crate::domain::run::tier::Tier;
use crate::env::Env;
use crate::store::tx::{Attendance, Mode, Operation};

/// On whose behalf, with which clock and chance.
#[derive(Debug)]
pub(crate) struct Caller<'e> {
    pub(crate) env: &'e Env,
    pub(crate) actor: Actor,
    /// The process's environment, from which that of the run is built.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl Caller<'_> {
    /// One run of one verb, now.
    pub(crate) fn operation(&self, verb: &'static str) -> Operation<'_> {
        Operation {
            id: self.env.operation_id(),
            verb,
            actor: self.actor.clone(),
            at: self.env.now(),
            mode: Mode::Write,
            projects: Vec::new(),
            env: self.env,
            attendance: Attendance::Agent,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.env.now()
    }
}

/// What is to be run.
#[derive(Debug, Clone)]
pub(crate) enum About {
    /// A task, by a reference.
    Task(String),
    /// A text that is no task.
    Prompt(String),
}

/// What the person asked for besides; what is left out, the committed policy says.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) tier: Option<Tier>,
    pub(crate) model: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_usd: Option<f64>,
    pub(crate) max_turns: Option<u32>,
    pub(crate) permission: Option<Permission>,
    pub(crate) allow: Vec<String>,
    pub(crate) reach: Reach,
    pub(crate) mcp_config: Option<String>,
    /// Go on with the session of the latest run.
    pub(crate) session: SessionWish,
    /// The id of the first run, where it was given before.
    pub(crate) id: Option<RunId>,
}

/// Which session a run begins with.
#[derive(Debug, Clone)]
pub(crate) enum SessionWish {
    /// A new one, unless the latest run was parked.
    Usual,
    /// That of this run, to which this is said.
    Of(Box<crate::domain::run::record::Run>, String),
}

/// The way to whoever watches.
pub(crate) struct Watch<'w> {
    /// Is told each line of the transcript.
    pub(crate) tell: &'w mut dyn FnMut(&Entry),
    /// Is asked now and then whether to stop, and why.
    pub(crate) wish: &'w mut dyn FnMut() -> Option<End>,
}
