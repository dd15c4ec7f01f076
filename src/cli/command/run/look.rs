//! Looking at runs: `run show`, `run logs`, `runs`.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::Result;
use crate::domain::run::entry::Entry;
use crate::domain::run::outcome::Outcome;
use crate::format::transcript;
use crate::ops::run::way::Moment;
use crate::ops::run::{account, drive, list, stale, way};
use crate::store::queue::Queue;
use crate::store::runs::Stored;
use crate::store::{background, runs};
use crate::ui::Format;
use crate::view::run::{PendingRow, RunRow, RunView, RunsView, progress};
use crate::view::{breaker, problem};

use super::caller;
use super::clean::Clean;

/// `run show`
#[derive(Args)]
pub(super) struct RunShow {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
}

impl RunShow {
    pub(super) fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let stored = list::find(queue, &caller(context)?, &self.run)?;
        let folder = stored.run.branch.as_ref().and_then(|branch| runs::worktree_path(queue, branch).ok());
        let folder = folder.filter(|folder| runs::has_worktree(folder));
        let parked = match stored.run.outcome() {
            Some(Outcome::Limit(until)) => until.map(|until| until.to_string()),
            _ => None,
        };
        let way = way::on_from(queue, &caller(context)?, &stored.run, Moment::Later);
        let remarks = way::remark(&stored.run, &way).into_iter().collect();
        context.ui.show(&RunView {
            way,
            run: row(queue, &stored),
            earlier: Vec::new(),
            cost_usd: drive::spent(std::slice::from_ref(&stored.run)),
            folder: folder.map(|folder| folder.display().to_string()),
            parked_until: parked,
            remarks,
        })?;
        Ok(DONE)
    }
}

/// `run logs`
#[derive(Args)]
pub(super) struct RunLogs {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
    /// Go on until it ends
    #[arg(long, short = 'f')]
    follow: bool,
}

impl RunLogs {
    /// Whether it goes on until the run ends.
    pub(super) fn is_following(&self) -> bool {
        self.follow
    }

    pub(super) fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let caller = caller(context)?;
        let mut stored = list::find(queue, &caller, &self.run)?;
        let mut told = 0;
        loop {
            let entries = list::log(queue, &stored)?;
            for entry in entries.iter().skip(told) {
                show_entry(context, entry)?;
            }
            told = told.max(entries.len());
            if !self.follow || stored.run.ending.is_some() {
                return Ok(DONE);
            }
            list::refuse_elsewhere(queue, &stored)?;
            std::thread::park_timeout(Duration::from_millis(200));
            stored = list::find(queue, &caller, &stored.run.id.to_string())?;
        }
    }
}

/// A run as it is seen from here.
fn row(queue: &Queue, stored: &Stored) -> RunRow {
    let row = RunRow::new(&stored.run, &stored.path);
    if stale::is_elsewhere(queue, &stored.run) { row.seen_from_afar() } else { row }
}

/// In a log everything is shown, as data.
fn show_entry(context: &Context, entry: &Entry) -> Result<()> {
    if context.ui.format() == Format::Json {
        return context.ui.raw(transcript::render(entry).as_bytes());
    }
    match progress(entry) {
        Some(line) => context.ui.raw(format!("{}  {line}\n", entry.at).as_bytes()),
        None => Ok(()),
    }
}

/// `runs`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Runs {
    #[command(subcommand)]
    verb: Option<RunsVerb>,
    /// How many, newest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    most: usize,
    /// Only those of this task
    #[arg(long, value_name = "REF")]
    task: Option<String>,
}

/// What else there is to do with all of them.
#[derive(Subcommand)]
enum RunsVerb {
    /// Remove worktrees whose work is merged, pushed or nothing at all
    Clean(Clean),
}

impl Runs {
    pub(in crate::cli::command) fn run(self, context: &mut Context) -> Result<u8> {
        if let Some(RunsVerb::Clean(clean)) = self.verb {
            return clean.run(context);
        }
        let queue = context.queue()?;
        let found = list::all(queue, &caller(context)?)?;
        let mut rows: Vec<RunRow> = found.all.iter().rev().map(|stored| row(queue, stored)).collect();
        if let Some(task) = &self.task {
            rows.retain(|row| {
                row.task.as_ref().is_some_and(|id| id == task || id[10..].starts_with(task.as_str()))
            });
        }
        // Not `sum`: of no rows that is minus zero, and is shown so.
        let cost = |rows: &[RunRow]| rows.iter().fold(0.0, |sum, row| sum + row.cost_usd);
        let (total, total_cost_usd) = (rows.len(), cost(&rows));
        rows.truncate(self.most);
        let seen = account::seen(queue, context.env.now());
        context.ui.show(&RunsView {
            cost_usd: cost(&rows),
            runs: rows,
            total,
            total_cost_usd,
            task: self.task,
            pending: background::pending(queue).iter().map(PendingRow::new).collect(),
            breakers: breaker::rows(&seen),
            problems: problem::rows(&found.problems),
        })?;
        Ok(DONE)
    }
}
