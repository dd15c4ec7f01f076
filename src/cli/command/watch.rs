//! Hands-off: watch, and stop and start what is done by itself.

use clap::Args;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::Role;
use crate::ops::carry;
use crate::ops::pause::{self, Whom};
use crate::store::queue::Queue;
use crate::store::watcher::{Counts, Hold, LATENCY_BOUNDS, Pass, Record, process_start};
use crate::view::carry::RoundView;
use crate::view::watch::PauseView;

/// `watch`
#[derive(Args)]
pub(in crate::cli) struct Watch {
    /// Do one full pass and end
    #[arg(long, required = true)]
    once: bool,
}

impl Watch {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        refuse_project(queue)?;
        let hold = Hold::take(queue)?;
        if let Some(killed) = &hold.killed {
            context.ui.note(&format!(
                "the watcher before, process {} since {}, was killed; its place is taken",
                killed.pid, killed.started_at
            ));
        }
        let mut operation = context.operation("watch")?;
        let at = operation.at.to_string();
        let report = carry::carry(queue, &mut operation)?;
        let counts = Counts {
            passes: 1,
            commits: report.commits.iter().filter(|(_, done)| done.commit.is_some()).count() as u64,
            delivered: report.delivered.len() as u64,
            receipts: report.receipts.len() as u64,
            given_up: report.dead.len() as u64,
            ..Counts::default()
        };
        let record = Record {
            schema: 1,
            pid: std::process::id(),
            process_start: process_start(),
            started_at: at.clone(),
            stopped_at: Some(at.clone()),
            last_pass: Some(Pass { at, took_ms: 0, counts }),
            total: counts,
            latency: vec![0; LATENCY_BOUNDS.len() + 1],
            ..Record::default()
        };
        record.write(&queue.local)?;
        context.ui.show(&RoundView::new(&report, context.mode))?;
        Ok(DONE)
    }
}

fn refuse_project(queue: &Queue) -> Result<()> {
    if queue.settings.role == Role::Orchestrator {
        return Ok(());
    }
    Err(Fault::new(
        Code::NotOrchestrator,
        format!(
            "`{}` is a project; `swift watch` runs in the orchestrator that carries for it",
            queue.settings.id
        ),
    )
    .hint("run `swift watch` in the orchestrator's checkout"))
}

/// `pause`
#[derive(Args)]
pub(in crate::cli) struct Pause {
    #[command(flatten)]
    whom: Target,
}

/// `resume`
#[derive(Args)]
pub(in crate::cli) struct Resume {
    #[command(flatten)]
    whom: Target,
}

/// One project or all.
#[derive(Args)]
struct Target {
    /// The project's id or alias, or `.` (default: this one; in an orchestrator all)
    #[arg(value_name = "PROJECT", conflicts_with = "all")]
    project: Option<String>,
    /// Every project, also those that are registered later
    #[arg(long)]
    all: bool,
}

impl Target {
    fn whom(self) -> Whom {
        match self.project {
            Some(name) => Whom::Project(name),
            None if self.all => Whom::All,
            None => Whom::Here,
        }
    }
}

impl Pause {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let standing = pause::pause(context.queue()?, &self.whom.whom())?;
        context.ui.show(&PauseView::paused(&standing))?;
        Ok(DONE)
    }
}

impl Resume {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let standing = pause::resume(context.queue()?, &self.whom.whom())?;
        context.ui.show(&PauseView::resumed(&standing))?;
        Ok(DONE)
    }
}
