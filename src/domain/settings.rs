//! What a queue is set to do; the meaning of `swift.toml`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::auto::Auto;
use super::fault::{Code, Fault};
use super::mode::Mode;
use super::notify::Notify;
use super::project::{ProjectId, ProjectName};
use super::task::words;
use super::text::shown;

words! {
    /// What the repository is in the exchange of tasks.
    Role, "a role";
    /// It has tasks of its own.
    Project = "project";
    /// It also carries tasks between registered projects.
    Orchestrator = "orchestrator";
}

words! {
    /// When changes are committed.
    CommitPolicy, "a commit policy";
    /// Each verb makes one commit.
    Each = "each";
    /// `swift finish` commits what the session did.
    Session = "session";
    /// The person commits.
    Manual = "manual";
}

words! {
    /// What a success has survived when it is printed.
    Durability, "a durability";
    /// A loss of power.
    Full = "full";
    /// The end of the process.
    Fast = "fast";
}

words! {
    /// Whether commits are signed.
    Signing, "a way of signing";
    /// As git is configured.
    AsConfigured = "as-configured";
    /// Never, whatever git says.
    Never = "never";
}

/// The settings of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) id: ProjectId,
    pub(crate) role: Role,
    /// Other names under which the project can be reached.
    pub(crate) aliases: Vec<ProjectName>,
    pub(crate) commit: CommitPolicy,
    pub(crate) durability: Durability,
    pub(crate) sign: Signing,
    /// How long a claim holds if nothing else is said.
    pub(crate) lease: SignedDuration,
    /// How many failures make a dead letter; 0: no number does.
    pub(crate) attempts: u32,
    /// The largest task, in bytes, without what verbs add to its file.
    pub(crate) max_bytes: u64,
    /// After how many days in an outbox a task is called undeliverable; 0: never.
    pub(crate) undeliverable_after_days: u32,
    /// After how many attempts; 0: no number of attempts.
    pub(crate) undeliverable_attempts: u32,
    /// What becomes of a request in a session of an agent.
    pub(crate) mode: Mode,
    /// The queue's own branch; `None` stands for `swift`.
    pub(crate) branch: Option<String>,
    /// What the watcher does here by itself.
    pub(crate) auto: Auto,
    /// Whom the watcher tells of events.
    pub(crate) notify: Notify,
}

impl Settings {
    /// What holds if the file says nothing more than who the project is.
    pub(crate) fn of(id: ProjectId) -> Self {
        Settings {
            id,
            role: Role::Project,
            aliases: Vec::new(),
            commit: CommitPolicy::Each,
            durability: Durability::Full,
            sign: Signing::AsConfigured,
            lease: SignedDuration::from_mins(30),
            attempts: 3,
            max_bytes: 1 << 20,
            undeliverable_after_days: 14,
            undeliverable_attempts: 0,
            mode: Mode::Hybrid,
            branch: None,
            auto: Auto::default(),
            notify: Notify::default(),
        }
    }
}
