//! Queues of repositories: make, register, move, remove.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::settings::Role;
use crate::ops::init::{self, Wanted};
use crate::ops::registration;
use crate::store::git::HomeKind;
use crate::view::project::{InitView, ProjectsView, RegisterView};
use crate::view::simple::Answer;

/// `init`
#[derive(Args)]
pub(in crate::cli) struct Init {
    /// The project's id (default: from the remote's URL, else `local/<folder>`)
    #[arg(long, value_name = "ORG/NAME")]
    id: Option<ProjectId>,
    /// Carry tasks between registered projects
    #[arg(long)]
    orchestrator: bool,
    /// Commit the queue on the current branch instead of one of its own
    #[arg(long, conflicts_with = "branch")]
    in_tree: bool,
    /// The name of the queue's own branch (default: `swift`)
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
}

impl Init {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let wanted = Wanted {
            id: self.id,
            role: if self.orchestrator { Role::Orchestrator } else { Role::Project },
            kind: if self.in_tree { HomeKind::Tree } else { HomeKind::Branch },
            branch: self.branch,
        };
        let done = init::init(&context.start, &context.operation("init")?, &wanted)?;
        context.ui.show(&InitView::new(&done, context.mode))?;
        Ok(DONE)
    }
}

/// `register`
#[derive(Args)]
pub(in crate::cli) struct Register {
    /// The project's folder on this machine
    #[arg(value_name = "PATH")]
    place: String,
    /// Another name for it; may be given several times
    #[arg(long = "alias", value_name = "NAME")]
    aliases: Vec<ProjectName>,
}

impl Register {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let place = local_place(context, &self.place)?;
        let operation = context.operation("register")?;
        let registered = registration::register(context.queue()?, &operation, &place, self.aliases)?;
        context.ui.show(&RegisterView::new(&registered, context.mode))?;
        Ok(DONE)
    }
}

/// Nothing is sent over a network unasked: a URL has to be cloned by the person.
fn local_place(context: &Context, text: &str) -> Result<PathBuf> {
    let place = context.start.join(text);
    let is_url = text.contains("://") || (!place.exists() && text.contains('@') && text.contains(':'));
    if !is_url {
        return Ok(place);
    }
    let name =
        text.trim_end_matches('/').trim_end_matches(".git").rsplit(['/', ':']).next().unwrap_or("project");
    Err(Fault::new(Code::Unreachable, format!("`{text}` is not on this machine yet"))
        .hint(format!("`git clone {text} ../{name}`"))
        .hint(format!("then `swift -C ../{name} init` and `swift register ../{name}`")))
}

/// `unregister`
#[derive(Args)]
pub(in crate::cli) struct Unregister {
    /// The project's id or alias
    project: ProjectName,
}

impl Unregister {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let operation = context.operation("unregister")?;
        let entry = registration::unregister(context.queue()?, &operation, &self.project)?;
        let answer = Answer::new(format!("unregistered: {} (its own queue stays as it is)", entry.id))
            .field("project", entry.id.to_string())
            .then("swift projects")
            .then("swift undo");
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}

/// `projects`
#[derive(Args)]
pub(in crate::cli) struct Projects {}

impl Projects {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let (standings, problems) = registration::projects(context.queue()?)?;
        context.ui.show(&ProjectsView::new(&standings, &problems))?;
        Ok(DONE)
    }
}

/// The words for the two homes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum HomeWord {
    /// Committed on the current branch, below `.swift/`
    Tree,
    /// A worktree of a branch of its own
    Branch,
}

/// `home`
#[derive(Args)]
pub(in crate::cli) struct MoveHome {
    /// Where the queue is to be committed
    to: HomeWord,
}

impl MoveHome {
    pub(super) fn run(self, _context: &mut Context) -> Result<u8> {
        let _ = self.to;
        Err(Fault::new(Code::Unsupported, "moving the home is not there yet"))
    }
}

/// `uninstall`
#[derive(Args)]
pub(in crate::cli) struct Uninstall {
    /// Leave the queue's branch, and with it all tasks and their history, in the repository
    #[arg(long)]
    keep_branch: bool,
}

impl Uninstall {
    pub(super) fn run(self, _context: &mut Context) -> Result<u8> {
        let _ = self.keep_branch;
        Err(Fault::new(Code::Unsupported, "uninstall is not there yet"))
    }
}
