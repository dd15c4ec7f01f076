//! Every "no" that `swift` can say, in one catalogue.
//!
//! A [`Fault`] carries a stable [`Code`], a sentence that names the thing and the place, and hints that can be
//! pasted. The code decides the exit status and whether trying again can help. `docs/errors.md` is generated
//! from `Code::ALL`; a test keeps the two equal.

use std::fmt;
use std::io;

/// Exit status of the process; few, so that scripts can branch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// 1: a fault of `swift` itself.
    Ours = 1,
    /// 2: the command line cannot be understood.
    Usage = 2,
    /// 3: nothing, or more than one thing, answers to the name.
    NotFound = 3,
    /// 4: somebody else was faster, or content differs; read again.
    Conflict = 4,
    /// 5: held by somebody, or blocked by a rule.
    Held = 5,
    /// 7: a person's yes is needed.
    Approval = 7,
    /// 8: a check has findings.
    Findings = 8,
    /// 9: git, permissions, disk.
    Environment = 9,
    /// 130: interrupted by the person.
    Interrupted = 130,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:ident;)+) => {
        /// Stable names of everything that can go wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// All codes, in the order of the catalogue.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The stable text that scripts compare with.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// The exit status that goes with the code.
            pub(crate) fn status(self) -> Status {
                match self { $(Code::$name => Status::$status,)+ }
            }

            /// One sentence for the catalogue.
            #[cfg(test)]
            pub(crate) fn explanation(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+),)+ }
            }
        }
    };
}

codes! {
    /// A defect of `swift`; please report it with the command that showed it.
    Internal = "internal", Ours;
    /// The command line cannot be understood, or an option has a word that it does not know, such as a priority.
    Usage = "usage", Usage;
    /// A value has the wrong form, for example a date, a label or the address of a project.
    InvalidValue = "invalid-value", Usage;
    /// There is no repository here.
    NoRepository = "no-repository", NotFound;
    /// The queue of this repository is on another branch, or in its tree, and a second one is not made.
    QueueElsewhere = "queue-elsewhere", Conflict;
    /// The repository has no queue yet.
    NotInitialised = "not-initialised", NotFound;
    /// The verb needs an orchestrator and this queue is a project's.
    NotOrchestrator = "not-orchestrator", NotFound;
    /// No task answers to the reference.
    TaskNotFound = "task-not-found", NotFound;
    /// More than one task answers to the reference.
    Ambiguous = "ambiguous", NotFound;
    /// No project of that id or alias is known.
    UnknownProject = "unknown-project", NotFound;
    /// No operation of that id is known.
    UnknownOperation = "unknown-operation", NotFound;
    /// No template of that name exists.
    UnknownTemplate = "unknown-template", NotFound;
    /// There is nothing that waits for approval.
    NothingToApprove = "nothing-to-approve", NotFound;
    /// More than one proposal waits for approval.
    ManyProposals = "many-proposals", NotFound;
    /// No task is ready to be claimed.
    NothingReady = "nothing-ready", NotFound;
    /// There is nothing to do or to take back.
    Nothing = "nothing", NotFound;
    /// The queue is held by another process for longer than the wait allows.
    Busy = "busy", Conflict;
    /// The file or branch changed after it was read; read again and repeat.
    Changed = "changed", Conflict;
    /// Another command was first: the task is not where it was any more, or the operation is taken back already.
    Overtaken = "overtaken", Conflict;
    /// What the proposal rests on has changed since it was shown.
    ProposalStale = "proposal-stale", Conflict;
    /// Another task with the same id and other content is there.
    Collision = "collision", Conflict;
    /// A later holder has the task, or the hold that the fencing token names is over.
    LeaseLost = "lease-lost", Conflict;
    /// Somebody else holds the task.
    Claimed = "claimed", Conflict;
    /// Two sides of a merge changed the same task, and it is not settled which holds.
    Unsettled = "unsettled", Conflict;
    /// Later work rests on what would be taken back.
    UndoBlocked = "undo-blocked", Conflict;
    /// The task is not in a state in which the verb makes sense.
    WrongState = "wrong-state", Held;
    /// The task waits for other tasks.
    Waiting = "waiting", Held;
    /// A session is open already, or none is.
    Session = "session", Held;
    /// Another process watches for this orchestrator.
    Watched = "watched", Held;
    /// Somebody has to say yes first; the plan is stored as a proposal.
    ApprovalNeeded = "approval-needed", Approval;
    /// A file in the queue cannot be read as what its folder says.
    Malformed = "malformed", Findings;
    /// A file was written by a newer version of `swift`.
    NewerSchema = "newer-schema", Environment;
    /// A file is larger than the settings allow.
    TooLarge = "too-large", Findings;
    /// A path in a queue folder is not a regular file: a symbolic link, folder, pipe or device.
    NotAFile = "not-a-file", Findings;
    /// The sender that the task names is not the project in whose outbox it lies.
    ForgedSender = "forged-sender", Findings;
    /// The record of a sent task names a project to which it was never carried.
    ReceiptDiffers = "receipt-differs", Findings;
    /// `.swift`, or something in it that has to be a folder, is a symbolic link or not a folder.
    UnsafeHome = "unsafe-home", Environment;
    /// git refuses the repository because somebody else owns it.
    Untrusted = "untrusted", Environment;
    /// The repository uses something that cannot be written safely.
    Unsupported = "unsupported", Environment;
    /// git has no user name or email for commits.
    NoIdentity = "no-identity", Environment;
    /// Commits have to be signed and the signing program refuses.
    Signing = "signing", Environment;
    /// The branch name that the queue needs is taken by the person's own branch.
    BranchTaken = "branch-taken", Environment;
    /// A merge, rebase, cherry-pick or bisect is in progress in the checkout.
    InProgress = "in-progress", Environment;
    /// The file system says no: permissions, space, read-only, input/output error.
    Io = "io", Environment;
    /// Stdout cannot be written. What the message says is done, is done: the same command again would do it twice.
    Output = "output", Environment;
    /// git says no, or an object is missing or damaged.
    Git = "git", Environment;
    /// The editor ended with an error, or nothing was written in it.
    Editor = "editor", Environment;
    /// A registered project cannot be reached on this machine.
    Unreachable = "unreachable", Environment;
    /// Claude Code is not there, or too old.
    NoClaude = "no-claude", Environment;
    /// A program that verifies what runs did, as the settings name it, is not there.
    NoVerifier = "no-verifier", Environment;
    /// A run cannot start another one.
    Recursion = "recursion", Held;
    /// Nothing is started on this account now: its usage limit is reached, it fails again and again, or a person has to look.
    AccountRests = "account-rests", Held;
    /// The model failed too often in a row, so nothing is started with it for a while; other models are.
    ModelRests = "model-rests", Held;
    /// No run answers to the reference.
    RunNotFound = "run-not-found", NotFound;
    /// No money or no start is left for another run.
    BudgetSpent = "budget-spent", Held;
    /// The work of the run cannot be merged without a person's hand.
    MergeConflict = "merge-conflict", Conflict;
    /// The person interrupted.
    Interrupted = "interrupted", Interrupted;
}

impl Code {
    /// Whether the same command may succeed when it is simply run again.
    pub(crate) fn retryable(self) -> bool {
        matches!(self, Code::Busy | Code::Changed | Code::Claimed)
    }
}

/// The answer is no: which, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The stable code.
    pub(crate) code: Code,
    /// One sentence in lower case that names the thing and the place.
    pub(crate) message: String,
    /// Safe commands or advice, best first.
    pub(crate) hints: Vec<String>,
}

impl Fault {
    /// A fault without hints.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Fault { code, message: message.into(), hints: Vec::new() }
    }

    /// What the system refused, with what it said, and where to look.
    pub(crate) fn of_system(message: impl fmt::Display, error: &io::Error) -> Self {
        let fault = Fault::new(Code::Io, format!("{message}: {error}"));
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "`df -h .` shows how much space is left"
            }
            io::ErrorKind::PermissionDenied => "`ls -ld` on the path shows who owns it",
            io::ErrorKind::ReadOnlyFilesystem => "`findmnt -T .` shows whether the disk is mounted read-only",
            // The path in the message says it all.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => return fault,
            io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => {
                "`ulimit -a` shows how much a program may have"
            }
            _ => "`dmesg` may tell more; `swift doctor` tells whether the queue is whole",
        };
        fault.hint(hint)
    }

    /// The same fault with one more hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// What nearly every function of `swift` returns.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_spelled_in_kebab_case() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} is there twice", code.as_str());
            assert!(code.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        }
    }
}
