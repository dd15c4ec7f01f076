//! `runs clean`: remove worktrees that nobody needs any more.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::DONE;
use crate::cli::approval::{self, Decision, Plan};
use crate::cli::context::Context;
use crate::domain::fault::Result;
use crate::format::audit::digest;
use crate::ops::run::clean::{self, Kept, Removal};
use crate::view::count;
use crate::view::simple::Answer;

use super::caller;

/// `runs clean`
#[derive(Args)]
pub(super) struct Clean {
    /// The run, or a task whose latest run is meant (default: all)
    #[arg(value_name = "REF")]
    run: Option<String>,
}

impl Clean {
    pub(super) fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let planned = clean::plan(queue, &caller(context)?, self.run.as_deref())?;
        let kept: Vec<Value> = planned.kept.iter().map(kept_row).collect();
        if planned.removals.is_empty() {
            let said = planned.lines().join("\n");
            let said = if said.is_empty() { "no run has a worktree here".to_owned() } else { said };
            context.ui.show(&Answer::new(said).field("removed", json!([])).field("kept", kept))?;
            return Ok(DONE);
        }
        let mut plan = Plan::of_lines(planned.lines());
        plan.basis = digest(format!("{}\n{}", planned.basis(), plan.basis).as_bytes());
        let removals: Vec<Value> = planned.removals.iter().map(removed_row).collect();
        plan.fields.insert("removals".to_owned(), removals.into());
        plan.fields.insert("kept".to_owned(), kept.clone().into());
        if approval::approve(context, &queue.local, &plan)? == Decision::Stop {
            return Ok(DONE);
        }
        let cleaned = clean::carry_out(queue, planned)?;
        let removed: Vec<Value> = cleaned.removed.iter().map(removed_row).collect();
        let answer = Answer::new(format!("{} removed", count(removed.len(), "worktree")))
            .field("removed", removed)
            .field("kept", kept)
            .field("notes", cleaned.notes.clone());
        context.ui.show(&answer)?;
        cleaned.notes.iter().for_each(|note| context.ui.note(note));
        Ok(DONE)
    }
}

fn removed_row(one: &Removal) -> Value {
    let run = one.run.as_ref().map(|stored| stored.run.id.to_string());
    let folder = one.folder.display().to_string();
    json!({"run": run, "branch": one.branch, "folder": folder, "why": one.why()})
}

fn kept_row(one: &Kept) -> Value {
    let run = one.run.as_ref().map(|stored| stored.run.id.to_string());
    let folder = one.folder.display().to_string();
    json!({"run": run, "branch": one.branch, "folder": folder, "why": one.why})
}
