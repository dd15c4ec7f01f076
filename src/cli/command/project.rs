//! Queues of repositories: make, register, move, remove.

use clap::{Args, ValueEnum};

use crate::cli::DONE;
use crate::cli::approval::{self, Decision};
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::settings::Role;
use crate::domain::text::shown;
use crate::ops::init::{self, Wanted};
use crate::ops::{home, registration};
use crate::store::git::{BranchFate, HomeKind, Signing};
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
    /// Leave the queue's commits unsigned, whatever git is configured to do
    #[arg(long)]
    unsigned: bool,
}

impl Init {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let wanted = Wanted {
            id: self.id,
            role: if self.orchestrator { Role::Orchestrator } else { Role::Project },
            kind: if self.in_tree { HomeKind::Tree } else { HomeKind::Branch },
            branch: self.branch,
            sign: self.unsigned.then_some(Signing::Never),
        };
        let operation = context.operation("init").map_err(|fault| no_repository(context).unwrap_or(fault))?;
        let done = init::init(&context.start, &operation, &wanted)?;
        context.ui.show(&InitView::new(&done))?;
        Ok(DONE)
    }
}

/// Outside of a repository git names nobody, and that is not what the person has to hear.
fn no_repository(context: &Context) -> Option<Fault> {
    context.queue().err().filter(|fault| fault.code == Code::NoRepository)
}

/// `register`
#[derive(Args)]
pub(in crate::cli) struct Register {
    /// The project's folder on this machine, or its git URL (nothing is fetched)
    #[arg(value_name = "PATH|URL")]
    place: String,
    /// The project's id, if its URL does not tell it
    #[arg(long, value_name = "ORG/NAME")]
    id: Option<ProjectId>,
    /// Another name for it; may be given several times
    #[arg(long = "alias", value_name = "NAME")]
    aliases: Vec<ProjectName>,
}

impl Register {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let operation = context.operation("register")?;
        let queue = context.queue()?;
        let registered = if is_url(&self.place) {
            registration::register_url(queue, &operation, &self.place, self.id, self.aliases)?
        } else {
            let place = context.start.join(&self.place);
            registration::register(queue, &operation, &place, self.id.as_ref(), self.aliases)?
        };
        context.ui.show(&RegisterView::new(&registered))?;
        Ok(DONE)
    }
}

/// `scheme://…`, or `user@host:path` as git writes it. Nothing is fetched from there.
fn is_url(text: &str) -> bool {
    text.contains("://")
        || text.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'))
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
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        if let HomeWord::Tree = self.to
            && let Some(behind) = home::left_behind_by_others(&context.start)?
        {
            return follow(context, &behind);
        }
        let queue = context.queue()?;
        let to = match self.to {
            HomeWord::Tree => HomeKind::Tree,
            HomeWord::Branch => HomeKind::Branch,
        };
        if queue.home.kind == to {
            let word = to.as_str();
            context.ui.show(&Answer::new(format!("the home is `{word}` already")).field("home", word))?;
            return Ok(DONE);
        }
        if approval::approve(context, &queue.local, &approval::Plan::of_lines(home::move_plan(queue, to)?))?
            == Decision::Stop
        {
            return Ok(DONE);
        }
        let moved = home::move_to(queue, &context.operation("home")?, to)?;
        let at = &moved.home;
        let mut said =
            format!("the home is `{}` now: {}", at.kind.as_str(), shown(&at.root.display().to_string()));
        if let Some(told) = home::told_of(&moved.left_behind) {
            said.push_str(&format!("\n{told}"));
        }
        let answer = Answer::new(said)
            .field("home", at.kind.as_str())
            .field("branch", at.branch.clone())
            .field("path", at.root.display().to_string())
            .field("left_behind", moved.left_behind)
            .then("swift doctor");
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}

/// Another clone has moved the queue into the tree; this one goes along.
fn follow(context: &Context, behind: &home::LeftBehind) -> Result<u8> {
    if approval::approve(context, &behind.local, &approval::Plan::of_lines(behind.plan()))? == Decision::Stop
    {
        return Ok(DONE);
    }
    let (at, unjoined) = behind.follow()?;
    let mut said =
        format!("the home is `{}` now: {}", at.kind.as_str(), shown(&at.root.display().to_string()));
    if let Some(unjoined) = &unjoined {
        said.push_str(&format!("\n`{}` has commits of this clone that are not in it yet", unjoined.name));
    }
    let answer = Answer::new(said)
        .field("home", at.kind.as_str())
        .field("branch", at.branch.clone())
        .field("path", at.root.display().to_string())
        .field("unjoined", unjoined.as_ref().map(|unjoined| unjoined.name.clone()))
        .then(unjoined.map_or_else(|| "swift doctor".to_owned(), |unjoined| unjoined.command));
    context.ui.show(&answer)?;
    Ok(DONE)
}

/// `uninstall`
#[derive(Args)]
pub(in crate::cli) struct Uninstall {
    /// Leave the tasks and their history in the repository: the branch, or the committed files
    #[arg(long)]
    keep_branch: bool,
}

impl Uninstall {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let fate = if self.keep_branch { BranchFate::Keep } else { BranchFate::Delete };
        if approval::approve(
            context,
            &queue.local,
            &approval::Plan::of_lines(home::removal_plan(queue, fate)?),
        )? == Decision::Stop
        {
            return Ok(DONE);
        }
        let removed = home::remove(queue, &context.operation("uninstall")?, fate)?;
        let steps: String = removed.steps.iter().map(|step| format!("removed {step}\n")).collect();
        let left: String = removed.left.iter().map(|path| format!("left: {path}\n")).collect();
        let way_back = match removed.branch {
            Some(_) => "the branch can be brought back, until git clears it away\n",
            None => "",
        };
        let mut answer = Answer::new(format!("{steps}{left}{way_back}"))
            .field("removed", removed.steps)
            .field("left", removed.left)
            .field("last_commit", removed.last_commit.clone());
        if let (Some(branch), Some(commit)) = (removed.branch, removed.last_commit) {
            answer = answer.then(format!("git branch {} {commit}", shell_words::quote(&branch)));
        }
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}
