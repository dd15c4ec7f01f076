//! What every command has at hand: environment, output, the queue, and who acts.

use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::logging::Logging;
use crate::domain::actor::Actor;
use crate::domain::fault::{Code, Fault, Result, Status};
use crate::domain::id::OperationId;
use crate::domain::lease::Hold;
use crate::domain::text::as_word;
use crate::env::{self, Env};
use crate::ops::{apart, clones, resolve};
use crate::store::git::{Cause, identity_name_at};
use crate::store::proposal;
use crate::store::queue::Queue;
use crate::store::tx::{Attendance, Mode, Operation};
use crate::ui::{Format, Ui};

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what would happen and write nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Approve what the command proposes, as the last word `sesame` does
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Run as if started in this folder
    #[arg(short = 'C', value_name = "FOLDER", global = true)]
    pub(crate) folder: Option<PathBuf>,
    /// Who acts (default: `SWIFT_ACTOR`, else git's user.name)
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) actor: Option<Actor>,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

/// Whether a person has said yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Not yet: show the plan, then ask or store it.
    Ask,
    Given,
    /// Yes to the plan with this hash, and to no other.
    Bound(String),
}

/// One run of the program.
pub(crate) struct Context {
    pub(crate) env: Env,
    pub(crate) ui: Ui,
    pub(crate) mode: Mode,
    pub(crate) approval: Approval,
    /// The command line without the approving word.
    pub(crate) words: Vec<String>,
    pub(crate) start: PathBuf,
    /// Who acts, if this command line says so.
    pub(crate) actor_of_this_line: Option<Actor>,
    named_actor: Option<Actor>,
    queue: OnceCell<Queue>,
    /// The operations of this run, and when each began.
    operations: RefCell<Vec<(OperationId, Timestamp)>>,
}

impl Context {
    /// Read the environment; the queue is opened when it is first needed.
    pub(crate) fn new(
        shared: Shared,
        words: Vec<String>,
        start: Option<PathBuf>,
        approval: Approval,
        mode: Mode,
        ui: Ui,
    ) -> std::result::Result<Context, Box<(Ui, Fault)>> {
        let actor_of_this_line = shared.actor.clone();
        let parts = || -> Result<(Env, PathBuf, Option<Actor>)> {
            let here = env::current_dir()?;
            let folder = shared.folder.map_or(here.clone(), |folder| here.join(folder));
            let start = start.unwrap_or(folder);
            let actor = shared.actor.map_or_else(env::actor, |actor| Ok(Some(actor)))?;
            Ok((Env::of_process()?, start, actor))
        };
        match parts() {
            Ok((env, start, named_actor)) => Ok(Context {
                env,
                ui,
                mode,
                approval,
                words,
                start,
                actor_of_this_line,
                named_actor,
                queue: OnceCell::new(),
                operations: RefCell::default(),
            }),
            Err(fault) => Err(Box::new((ui, fault))),
        }
    }

    /// The queue of the folder in which the program was started.
    ///
    /// # Errors
    /// Those of [`Queue::open`].
    pub(crate) fn queue(&self) -> Result<&Queue> {
        if let Some(queue) = self.queue.get() {
            return Ok(queue);
        }
        let queue = Queue::open(&self.start)?;
        if let Some(rebuilt) = &queue.home.rebuilt {
            self.ui.note(match rebuilt.cause {
                Cause::Gone => "`.swift/` was gone; it is rebuilt from its branch",
                Cause::Overrun => {
                    "git had put files of another branch into `.swift/`; the queue's own are there again"
                }
                Cause::Emptied => {
                    "files of the queue were gone, `swift.toml` among them; what is committed is there again"
                }
                Cause::Beneath => {
                    "the queue's branch was moved, by a fetch or a push, and not its files; they have followed it"
                }
            });
            for commit in &rebuilt.given_up {
                let root = as_word(&queue.home.root);
                self.ui.note(&format!(
                    "a merge was in progress there, and is not any more: `git -C {root} merge {commit}` begins it again"
                ));
            }
            for path in &rebuilt.kept {
                self.ui.note(&format!("not committed yet, and there as a verb had left it: .swift/{path}"));
            }
            for path in &rebuilt.lost {
                self.ui.note(&format!("lost, because it was not committed: .swift/{path}"));
            }
        }
        self.tell_of_merge(&queue);
        self.tell_of_clones(&queue);
        if self.ui.format() == Format::Text && queue.home.is_on_no_branch() {
            self.ui.note(
                "HEAD is detached: what is recorded here is on no branch; `git switch -c NAME` makes one",
            );
        }
        if let Some(standing) = (self.ui.format() == Format::Text).then(|| apart::standing(&queue)).flatten()
        {
            self.ui.note(&standing);
        }
        Ok(self.queue.get_or_init(|| queue))
    }

    /// Open the queue anew: while an editor was open it may have moved to its other home.
    ///
    /// # Errors
    /// Those of [`Queue::open`].
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.queue = OnceCell::from(Queue::open(&self.start)?);
        Ok(())
    }

    /// Whatever is asked while two sides of a merge are not settled, that is said first. A script reads it off the
    /// codes of problems and faults.
    fn tell_of_merge(&self, queue: &Queue) {
        let is_told = self.ui.format() == Format::Text && self.words.iter().all(|word| word != "resolve");
        if let Some(standing) = is_told.then(|| resolve::standing(queue)).flatten() {
            self.ui.note(&standing);
        }
    }

    /// What this clone has committed where the queue was before another one moved it is in no list until it is joined.
    fn tell_of_clones(&self, queue: &Queue) {
        if self.ui.format() != Format::Text {
            return;
        }
        for told in clones::standing(queue) {
            self.ui.note(&told);
        }
    }

    /// What was approved and cannot be done any more waits for nobody's yes.
    pub(crate) fn without_proposal(&self, fault: Fault) -> Fault {
        let is_no = matches!(fault.code.status(), Status::NotFound | Status::Conflict | Status::Held);
        let is_final = is_no && !fault.code.retryable() && fault.code != Code::ProposalStale;
        let Some(queue) = self.queue.get().filter(|_| is_final && self.approval != Approval::Ask) else {
            return fault;
        };
        let waits = proposal::all(&queue.local).iter().any(|proposal| proposal.words == self.words);
        if waits && self.mode == Mode::Write && proposal::settle(&queue.local, &self.words).is_ok() {
            return fault.hint("the proposal is dropped, because it cannot be carried out any more");
        }
        fault
    }

    /// Who acts if somebody was named for this run, else the one given; git's name does not count.
    pub(crate) fn named_actor_or(&self, other: impl FnOnce() -> Actor) -> Actor {
        self.named_actor.clone().unwrap_or_else(other)
    }

    /// The present queue's project id.
    ///
    /// # Errors
    /// As [`Context::queue`].
    pub(crate) fn project(&self) -> Result<String> {
        self.queue().map(|queue| queue.settings.id.to_string())
    }

    /// Who acts.
    ///
    /// # Errors
    /// [`Code::NoIdentity`] if nothing names anybody.
    pub(crate) fn actor(&self) -> Result<Actor> {
        if let Some(actor) = &self.named_actor {
            return Ok(actor.clone());
        }
        let configured = match self.queue.get() {
            Some(queue) => queue.home.identity_name(),
            None => identity_name_at(&self.start),
        };
        let from_git = configured.or_else(env::author).and_then(|name| name.parse().ok());
        from_git.or_else(env::login).ok_or_else(|| {
            Fault::new(Code::NoIdentity, "nobody is named as the one who acts")
                .hint("`git config --global user.name \"Your Name\"`")
                .hint("or set `SWIFT_ACTOR`")
        })
    }

    /// Who acts, with the fencing token if one was given.
    ///
    /// # Errors
    /// As [`Context::actor`].
    pub(crate) fn hold(&self, token: Option<u64>) -> Result<Hold> {
        Ok(Hold { actor: self.actor()?, token })
    }

    /// When the first operation of this run began, if it has one.
    pub(crate) fn first_operation(&self) -> Option<Timestamp> {
        self.operations.borrow().first().map(|(_, at)| *at)
    }

    /// Whether an operation is one of this run's.
    pub(crate) fn is_own(&self, operation: OperationId) -> bool {
        self.operations.borrow().iter().any(|(id, _)| *id == operation)
    }

    /// The operation that this run is.
    ///
    /// # Errors
    /// As [`Context::actor`].
    pub(crate) fn operation(&self, verb: &'static str) -> Result<Operation<'_>> {
        let (id, actor, at) = (self.env.operation_id(), self.actor()?, self.env.now());
        self.operations.borrow_mut().push((id, at));
        Ok(Operation {
            id,
            verb,
            actor,
            at,
            mode: self.mode,
            projects: Vec::new(),
            env: &self.env,
            attendance: if env::depth() > 0 { Attendance::Agent } else { Attendance::Person },
        })
    }
}
