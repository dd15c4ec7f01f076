//! What a project's committed settings allow a run, and what they ask of it.

use std::time::Duration;

use super::tier::Tier;
use crate::domain::task::words;
use std::fmt;
use std::str::FromStr;

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

words! {
    /// How tools that are not named are treated.
    Permission, "a permission mode";
    /// Files in the worktree may be changed; everything else that is not allowed by name is refused.
    AcceptEdits = "acceptEdits" | "accept-edits";
    /// What is not allowed by name is refused.
    DontAsk = "dontAsk" | "dont-ask";
    /// Nothing is changed; a plan is made.
    Plan = "plan";
    /// Nothing is refused. Only for a machine that has nothing to lose.
    Bypass = "bypassPermissions" | "bypass";
}

/// A command that decides whether work is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verifier {
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Duration,
}

/// The `[run]` table and the `[[verify]]` entries of a project's settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// The tier of every run, instead of what the routing says.
    pub(crate) tier: Option<Tier>,
    pub(crate) timeout: Duration,
    /// How long it may say nothing.
    pub(crate) silence: Duration,
    /// The most that one run may cost, in US dollars.
    pub(crate) max_usd: f64,
    pub(crate) max_turns: u32,
    pub(crate) permission: Permission,
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
    /// Names of environment variables that are handed on besides the usual ones.
    pub(crate) environment: Vec<String>,
    /// How often a run is tried again after an overload, a lost connection or a crash.
    pub(crate) retries: u32,
    /// How long before the first retry; the next ones wait twice as long each.
    pub(crate) backoff: Duration,
    /// How often a stronger model may be asked.
    pub(crate) escalations: u32,
    pub(crate) verifiers: Vec<Verifier>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            tier: None,
            timeout: Duration::from_secs(30 * 60),
            silence: Duration::from_secs(10 * 60),
            max_usd: 2.0,
            max_turns: 100,
            permission: Permission::AcceptEdits,
            allow: Vec::new(),
            deny: Vec::new(),
            environment: Vec::new(),
            retries: 2,
            backoff: Duration::from_secs(5),
            escalations: 2,
            verifiers: Vec::new(),
        }
    }
}
