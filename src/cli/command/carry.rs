//! The orchestrator's round.

use clap::Args;

use crate::cli::approval::{self, Decision};
use crate::cli::context::{Approval, Context};
use crate::cli::{DONE, ended};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::Role;
use crate::domain::text::shown;
use crate::ops::carry::{self, Report};
use crate::store::proposal;
use crate::store::tx::Mode;
use crate::view::carry::{RoundView, plan_lines};
use crate::view::problem::located;

/// `outbox`
#[derive(Args)]
pub(crate) struct Outbox {}

impl Outbox {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        if queue.settings.role != Role::Orchestrator {
            return Err(Fault::new(
                Code::NotOrchestrator,
                format!("`{}` is a project; an orchestrator carries its tasks", queue.settings.id),
            )
            .hint("`swift list --state outbox` shows what waits here")
            .hint("run `swift outbox` in the orchestrator's checkout"));
        }
        let mut operation = context.operation("outbox")?;
        if context.approval == Approval::Given && context.mode == Mode::Write {
            // The yes is there already, so the round makes its plan once, when it knows that it may carry it out.
            proposal::settle(&queue.local, &context.words)?;
            let report = carry::carry(queue, &mut operation)?;
            context.ui.show(&RoundView::new(&report))?;
            return Ok(ended(&report.failed));
        }
        let plan = carry::plan(queue, &operation)?;
        if plan.is_empty() {
            carry::carry_nothing(queue, &plan)?;
            proposal::settle(&queue.local, &context.words)?;
            let report = Report { problems: plan.problems, ..Report::default() };
            context.ui.show(&RoundView::new(&report))?;
            return Ok(DONE);
        }
        let mut lines = plan_lines(&plan);
        lines.extend(plan.problems.iter().map(|p| {
            let what = shown(&located(&p.path, &p.fault.message));
            format!("leave    {}  {what}", p.project.as_deref().unwrap_or_default())
        }));
        let nothing_yet = Report { problems: plan.problems, ..Report::default() };
        let fields = approval::fields_of(&RoundView::new(&nothing_yet))?;
        let shown = approval::Plan { lines, basis: plan.basis, fields, left: Vec::new() };
        if approval::approve(context, &queue.local, &shown)? == Decision::Stop {
            return Ok(DONE);
        }
        let report = carry::carry(queue, &mut operation)?;
        context.ui.show(&RoundView::new(&report))?;
        Ok(ended(&report.failed))
    }
}
