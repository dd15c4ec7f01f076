//! The commands: one struct each, from arguments to a verb to a view.

mod agent;
mod carry;
mod check;
mod events;
mod head;
mod inbox;
mod look;
mod program;
mod project;
mod resolve;
mod review;
mod route;
mod run;
mod service;
mod session;
mod shift;
mod status;
mod task;
mod undo;
mod watch;
mod work;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use super::context::Context;
use super::logging::Run;
use crate::domain::fault::Result;

macro_rules! commands {
    ($(#[doc = $about:literal] $name:literal $variant:ident($type:ty),)+) => {
        /// Every command of the program.
        pub(super) enum Command { $(#[doc = $about] $variant($type),)+ }

        impl Command {
            /// Run it; gives the exit status.
            pub(super) fn run(self, context: &mut Context) -> Result<u8> {
                match self { $(Command::$variant(command) => command.run(context),)+ }
            }
        }

        impl Command {
            /// A command line with this command and no other; `None` if there is none of this name.
            pub(super) fn alone(app: clap::Command, name: &str) -> Option<clap::Command> {
                let command = match name {
                    $($name => described::<$type>($name, $about),)+
                    _ => return None,
                };
                Some(app.subcommand_required(true).arg_required_else_help(true).subcommand(command))
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(app: clap::Command) -> clap::Command {
                app.subcommand_required(true).arg_required_else_help(true)
                    $(.subcommand(described::<$type>($name, $about)))+
            }

            fn augment_subcommands_for_update(app: clap::Command) -> clap::Command {
                Command::augment_subcommands(app)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),+].contains(&name)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                match matches.subcommand() {
                    $(Some(($name, inner)) => <$type>::from_arg_matches(inner).map(Command::$variant),)+
                    _ => Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Command::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

/// What becomes of a command where nobody can wait for long, such as a prompt at its hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// It answers soon.
    Short,
    /// It does with `--detach`.
    Detached,
    /// It does not, and why.
    Endless(&'static str),
}

impl Command {
    /// How long it would be waited for.
    pub(super) fn stay(&self) -> Stay {
        const FOLLOWS: Stay = Stay::Endless("it follows what happens, without end");
        match self {
            Command::Watch(_) | Command::Work(_) => {
                Stay::Endless("it works until there is nothing left to do")
            }
            Command::Status(status) if status.is_watching() => FOLLOWS,
            Command::Events(events) if events.is_following() => FOLLOWS,
            Command::Run(run) => run.stay(),
            Command::Sesame(sesame) => sesame.stay(),
            _ => Stay::Short,
        }
    }

    /// Whether it runs until somebody ends it.
    pub(super) fn length(&self) -> Run {
        if matches!(self, Command::Watch(_)) { Run::Long } else { Run::Short }
    }
}

/// A command whose arguments are worked out only if it is the one that was typed, or if all are shown: to work out
/// those of every command takes a good part of the time that a small verb has.
fn described<T: Args>(name: &'static str, about: &'static str) -> clap::Command {
    clap::Command::new(name).about(about.trim()).defer(|command| {
        let about = command.get_about().cloned().unwrap_or_default();
        T::augment_args(command).about(about)
    })
}

commands! {
    /// Make a queue in this repository, or take over the one that is there
    "init" Init(project::Init),
    /// Enter a project into this orchestrator's registry
    "register" Register(project::Register),
    /// Take a project out of the registry; its queue stays as it is
    "unregister" Unregister(project::Unregister),
    /// List the registered projects
    "projects" Projects(project::Projects),
    /// Write a task, for this project (`.`) or another
    "task" Task(task::Task),
    /// Carry tasks from outboxes to inboxes, and receipts back
    "outbox" Outbox(carry::Outbox),
    /// Carry, and do what the settings allow, whenever something changes
    "watch" Watch(watch::Watch),
    /// Stop what the watcher does by itself, in one project or all
    "pause" Pause(watch::Pause),
    /// Let the watcher go on
    "resume" Resume(watch::Resume),
    /// Look at what came, and accept, refuse or defer it
    "inbox" Inbox(inbox::Inbox),
    /// Show what to do next
    "next" Next(look::Next),
    /// Begin a session: how things stand, what was learned, what is next
    "start" Start(session::Start),
    /// End the session: what happened, what was learned
    "finish" Finish(session::Finish),
    /// Take a task under a lease
    "claim" Claim(work::Claim),
    /// Prolong the lease on a task
    "renew" Renew(work::Renew),
    /// Give a claimed task back
    "release" Release(work::Release),
    /// Finish a task
    "done" Done(work::Done),
    /// Say that an attempt at a task failed
    "fail" Fail(work::Fail),
    /// Say that a task cannot go on
    "block" Block(work::Block),
    /// Say that a blocked task can go on
    "unblock" Unblock(work::Unblock),
    /// Add a comment to a task
    "comment" Comment(task::Comment),
    /// Change a task's fields or text
    "edit" Edit(task::Edit),
    /// Run Claude Code on a task or a prompt, in a worktree of its own
    "run" Run(run::Run),
    /// List runs
    "runs" Runs(run::Runs),
    /// Work on what is ready, task after task, with Claude Code
    "work" Work(shift::Work),
    /// Look at finished work: what waits, or what one run changed
    "review" Review(review::Review),
    /// Merge the work of a run into the current branch
    "merge" Merge(review::Merge),
    /// Send the work of a run back, with a reason for the next run
    "reject" Reject(review::Reject),
    /// List tasks
    "list" List(look::List),
    /// Show everything about one task
    "show" Show(look::Show),
    /// Find tasks by words in title, labels and text
    "search" Search(look::Search),
    /// Show what happened, newest first
    "log" Log(look::Log),
    /// Show on one screen how all projects stand
    "status" Status(status::Status),
    /// Tell the events of all projects in one stream, from a cursor or a time on
    "events" Events(events::Events),
    /// Take back the last operation, or a named one, wherever it acted
    "undo" Undo(undo::Undo),
    /// Settle tasks that two sides of a merge have both changed
    "resolve" Resolve(resolve::Resolve),
    /// Check the audit log
    "audit" Audit(check::Audit),
    /// List dead letters
    "dead" Dead(look::Dead),
    /// Put a dead letter back
    "redrive" Redrive(work::Redrive),
    /// Check the queue, and repair what is safe to repair
    "doctor" Doctor(check::Doctor),
    /// Decide which model a request goes to, and whether a person is asked first
    "route" Route(route::Route),
    /// Tell an agent in a few lines how things stand
    "prime" Prime(agent::Prime),
    /// Make an agent's own terminal answer the words of swift
    "integrate" Integrate(agent::Integrate),
    /// Answer a hook of Claude Code; reads what it says on stdin
    "hook" Hook(agent::Hook),
    /// Carry out the proposal that waits for your yes
    "sesame" Sesame(program::Sesame),
    /// Move the queue between its own branch and the current one
    "home" Home(project::MoveHome),
    /// Take the queue out of this repository
    "uninstall" Uninstall(project::Uninstall),
    /// Make a scratch folder and show the whole loop in it
    "demo" Demo(program::Demo),
    /// Print a completion script for a shell
    "completions" Completions(program::Completions),
    /// Print what gives a shell the words of swift, such as `task . sesame`
    "shell-init" ShellInit(program::ShellInit),
    /// Print a manual page
    "man" Man(program::Man),
}
