//! Finished work: look, merge, send back.

use clap::Args;

use crate::cli::DONE;
use crate::cli::approval::{self, Decision, Plan};
use crate::cli::context::Context;
use crate::domain::fault::Result;
use crate::domain::settings::Role;
use crate::format::audit::digest;
use crate::ops::run::way::Moment;
use crate::ops::run::{list, review, way};
use crate::view::run::RunRow;
use crate::view::task::CommitRow;
use crate::view::work::{DecidedView, ReviewView, ReviewsView, WaitingRow};

use super::head::reason;
use super::run::caller;

/// `review`
#[derive(Args)]
pub(in crate::cli) struct Review {
    /// The run, or a task whose latest run is meant (default: list what waits)
    #[arg(value_name = "REF")]
    run: Option<String>,
}

impl Review {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let caller = caller(context)?;
        match &self.run {
            None => {
                let waiting = review::waiting(queue, &caller)?;
                let rows = waiting.iter().map(|waiting| {
                    let row = RunRow::new(&waiting.stored.run, &waiting.stored.path);
                    WaitingRow::new(row, &waiting.diffstat, &waiting.prospect)
                });
                let unread = list::all(queue, &caller)?.problems;
                let is_hub = queue.settings.role == Role::Orchestrator;
                let elsewhere = "this is the orchestrator's own work; of a project: `swift -C FOLDER review`";
                let elsewhere = is_hub.then(|| elsewhere.to_owned()).into_iter();
                // What they say of finished work nobody knows.
                let unread = unread.iter().map(|problem| {
                    let (path, why) = (&problem.path, &problem.fault.message);
                    format!(
                        "a run is left out: {why}; `git -C .swift checkout -- {path}` brings back what was committed"
                    )
                });
                let remarks = elsewhere.chain(unread).collect();
                context.ui.show(&ReviewsView { waiting: rows.collect(), remarks })?;
            }
            Some(reference) => {
                let work = review::work(queue, &caller, reference)?;
                let row = RunRow::new(&work.stored.run, &work.stored.path);
                context.ui.show(&ReviewView::new(row, work.stat, work.patch, work.prospect, work.went_on))?;
            }
        }
        Ok(DONE)
    }
}

/// `merge`
#[derive(Args)]
pub(in crate::cli) struct Merge {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "REF")]
    run: String,
}

impl Merge {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let caller = caller(context)?;
        let planned = review::plan_merge(queue, &caller, &self.run)?;
        let mut plan = Plan::of_lines(planned.lines.clone());
        plan.basis = digest(format!("{}\n{}", planned.tips, plan.basis).as_bytes());
        plan.fields.insert("run".to_owned(), planned.stored.run.id.to_string().into());
        plan.fields.insert("branch".to_owned(), planned.branch.clone().into());
        plan.fields.insert("into".to_owned(), planned.into.clone().into());
        if approval::approve(context, &queue.local, &plan)? == Decision::Stop {
            return Ok(DONE);
        }
        let operation = context.operation("merge")?;
        let merged = review::merge(queue, &caller, &operation, planned)?;
        context.ui.show(&DecidedView {
            run: RunRow::new(&merged.stored.run, &merged.stored.path),
            decision: "merged",
            merge: Some(merged.commit),
            open: review::open_task(queue, &merged.stored.run),
            way: Vec::new(),
            commit: CommitRow::new(&merged.committed),
            remarks: merged.notes,
        })?;
        Ok(DONE)
    }
}

/// `reject`
#[derive(Args)]
pub(in crate::cli) struct Reject {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "REF")]
    run: String,
    /// What is wrong; the next run is told
    #[arg(long, short = 'w', value_name = "TEXT", value_parser = reason)]
    why: String,
}

impl Reject {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let operation = context.operation("reject")?;
        let caller = caller(context)?;
        let rejected = review::reject(queue, &caller, &operation, &self.run, &self.why)?;
        let way = way::on_from(queue, &caller, &rejected.stored.run, Moment::AtItsEnd);
        context.ui.show(&DecidedView {
            run: RunRow::new(&rejected.stored.run, &rejected.stored.path),
            decision: "rejected",
            merge: None,
            open: None,
            commit: CommitRow::new(&rejected.committed),
            remarks: way::remark(&rejected.stored.run, &way).into_iter().collect(),
            way,
        })?;
        Ok(DONE)
    }
}
