//! Settle a merge.

use clap::Args;

use crate::cli::approval::{self, Decision};
use crate::cli::context::Context;
use crate::cli::{DONE, FINDINGS};
use crate::domain::fault::Result;
use crate::format::audit::digest;
use crate::ops::resolve::{self, Plan};
use crate::view::resolve::ResolvedView;

/// `resolve`
#[derive(Args)]
pub(in crate::cli) struct Resolve {
    /// One task: its id, or at least 4 characters of its random part (default: all)
    task: Option<String>,
}

impl Resolve {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let operation = context.operation("resolve")?;
        let plan = resolve::plan(queue, &operation, self.task.as_deref())?;
        if plan.is_stuck() {
            context.ui.show(&ResolvedView::planned(&plan))?;
            return Ok(FINDINGS);
        }
        if approval::approve(context, &queue.local, &shown_plan(&plan)?)? == Decision::Stop {
            return Ok(DONE);
        }
        let resolved = resolve::resolve(queue, &operation, self.task.as_deref())?;
        context.ui.show(&ResolvedView::of(&resolved))?;
        let is_stuck = resolved.resolutions.is_empty() && !resolved.left.is_empty();
        Ok(if is_stuck { FINDINGS } else { DONE })
    }
}

fn shown_plan(plan: &Plan) -> Result<approval::Plan> {
    let view = ResolvedView::planned(plan);
    Ok(approval::Plan {
        lines: view.lines(),
        basis: digest(&plan.basis()),
        fields: approval::fields_of(&view)?,
        left: Vec::new(),
    })
}
