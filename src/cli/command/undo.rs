//! Take back.

use clap::Args;

use crate::cli::DONE;
use crate::cli::approval::{self, Decision};
use crate::cli::context::Context;
use crate::domain::fault::Result;
use crate::domain::text::shown;
use crate::ops::undo::{self, Plan};
use crate::view::count;
use crate::view::simple::Answer;
use crate::view::task::CommitRow;

/// `undo`
#[derive(Args)]
pub(in crate::cli) struct Undo {
    /// The operation: its id, or at least 4 characters of its random part (default: the last one)
    operation: Option<String>,
}

impl Undo {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let plan = undo::plan(queue, self.operation.as_deref())?;
        if (plan.reaches_beyond(queue) || context.mode == crate::store::tx::Mode::DryRun)
            && approval::approve(context, &queue.local, &shown_plan(&plan))? == Decision::Stop
        {
            return Ok(DONE);
        }
        let undone = undo::undo(plan, &mut context.operation("undo")?)?;
        let said = format!("took back “{}”: {}", shown(&undone.subject), count(undone.files, "file"));
        let projects: Vec<&str> = undone.commits.iter().map(|(project, _)| project.as_str()).collect();
        let commit = undone.commits.first().map(|(_, committed)| CommitRow::new(committed));
        for (project, committed) in undone.commits.iter().skip(1) {
            if let Some(reason) = &committed.debt {
                context.ui.note(&format!("{project}: written, not committed yet: {reason}"));
            }
        }
        let answer = Answer::new(said)
            .field("undone", undone.operation.to_string())
            .field("projects", projects)
            .field("files", undone.files)
            .committed(commit.unwrap_or_default())
            .then("swift undo")
            .then("swift log");
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}

fn shown_plan(plan: &Plan) -> approval::Plan {
    let mut lines = vec![format!("take back “{}” ({})", shown(&plan.subject), plan.operation)];
    for part in &plan.parts {
        lines.extend(part.files.iter().map(|file| format!("{}  {}", part.project, shown(&file.path))));
    }
    approval::Plan::of_lines(lines)
}
