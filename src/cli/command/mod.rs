//! The commands: one struct each, from arguments to a verb to a view.

mod carry;
mod check;
mod inbox;
mod look;
mod program;
mod project;
mod review;
mod run;
mod session;
mod shift;
mod task;
mod undo;
mod work;

use clap::Subcommand;

use super::context::Context;
use crate::domain::fault::Result;

macro_rules! commands {
    ($($(#[$meta:meta])* $variant:ident($type:ty),)+) => {
        /// Every command of the program.
        #[derive(Subcommand)]
        pub(super) enum Command { $($(#[$meta])* $variant($type),)+ }

        impl Command {
            /// Run it; gives the exit status.
            pub(super) fn run(self, context: &mut Context) -> Result<u8> {
                match self { $(Command::$variant(command) => command.run(context),)+ }
            }
        }
    };
}

commands! {
    /// Make a queue in this repository, or take over the one that is there
    Init(project::Init),
    /// Enter a project into this orchestrator's registry
    Register(project::Register),
    /// Take a project out of the registry; its queue stays as it is
    Unregister(project::Unregister),
    /// List the registered projects
    Projects(project::Projects),
    /// Write a task, for this project (`.`) or another
    Task(task::Task),
    /// Carry tasks from outboxes to inboxes, and receipts back
    Outbox(carry::Outbox),
    /// Look at what came, and accept, refuse or defer it
    Inbox(inbox::Inbox),
    /// Show what to do next
    Next(look::Next),
    /// Begin a session: how things stand, what was learned, what is next
    Start(session::Start),
    /// End the session: what happened, what was learned
    Finish(session::Finish),
    /// Take a task under a lease
    Claim(work::Claim),
    /// Prolong the lease on a task
    Renew(work::Renew),
    /// Give a claimed task back
    Release(work::Release),
    /// Finish a task
    Done(work::Done),
    /// Say that an attempt at a task failed
    Fail(work::Fail),
    /// Say that a task cannot go on
    Block(work::Block),
    /// Say that a blocked task can go on
    Unblock(work::Unblock),
    /// Add a comment to a task
    Comment(task::Comment),
    /// Change a task's fields or text
    Edit(task::Edit),
    /// Run Claude Code on a task or a prompt, in a worktree of its own
    Run(run::Run),
    /// List runs
    Runs(run::Runs),
    /// Work on what is ready, task after task, with Claude Code
    Work(shift::Work),
    /// Look at finished work: what waits, or what one run changed
    Review(review::Review),
    /// Merge the work of a run into the current branch
    Merge(review::Merge),
    /// Send the work of a run back, with a reason for the next run
    Reject(review::Reject),
    /// List tasks
    List(look::List),
    /// Show everything about one task
    Show(look::Show),
    /// Find tasks by words in title, labels and text
    Search(look::Search),
    /// Show what happened, newest first
    Log(look::Log),
    /// Take back the last operation, or a named one, wherever it acted
    Undo(undo::Undo),
    /// Check the audit log
    Audit(check::Audit),
    /// List dead letters
    Dead(look::Dead),
    /// Put a dead letter back
    Redrive(work::Redrive),
    /// Check the queue, and repair what is safe to repair
    Doctor(check::Doctor),
    /// Carry out the proposal that waits for your yes
    Sesame(program::Sesame),
    /// Move the queue between its own branch and the current one
    Home(project::MoveHome),
    /// Take the queue out of this repository
    Uninstall(project::Uninstall),
    /// Make a scratch folder and show the whole loop in it
    Demo(program::Demo),
    /// Print a completion script for a shell
    Completions(program::Completions),
    /// Print the manual page
    Man(program::Man),
}
