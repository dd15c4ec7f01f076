//! Checks.

use clap::{Args, Subcommand};

use crate::cli::approval::{self, Decision};
use crate::cli::context::{Approval, Context};
use crate::cli::{DONE, FINDINGS};
use crate::domain::fault::Result;
use crate::domain::text::shown;
use crate::ops::doctor::{self, Repaired};
use crate::ops::finding::{Finding, Severity};
use crate::ops::{footprint, verify};
use crate::view::check::{self, DoctorView, VerdictView};
use crate::view::simple::Answer;

/// `audit`
#[derive(Args)]
pub(in crate::cli) struct Audit {
    #[command(subcommand)]
    verb: AuditVerb,
}

/// What to do with the log.
#[derive(Subcommand)]
enum AuditVerb {
    /// Find edited, dropped, reordered or cut-off records
    Verify,
}

impl Audit {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let AuditVerb::Verify = self.verb;
        let verdict = verify::verify(context.queue()?)?;
        context.ui.show(&VerdictView::from(&verdict))?;
        Ok(if verdict.findings.is_empty() { DONE } else { FINDINGS })
    }
}

/// `doctor`
#[derive(Args)]
pub(in crate::cli) struct Doctor {
    /// Record changes made by hand, put unreadable files aside; nothing is deleted
    #[arg(long)]
    fix: bool,
    /// List everything that swift owns on this machine
    #[arg(long, conflicts_with = "fix")]
    footprint: bool,
}

impl Doctor {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        if self.footprint {
            return show_footprint(context);
        }
        let findings = doctor::examine(queue, context.env.now())?;
        if !self.fix {
            return show(context, &findings, &Repaired::default());
        }
        let operation = context.operation("doctor")?;
        let plan = plan(&findings, &doctor::rehearse(queue, &operation)?)?;
        if plan.lines.is_empty() && context.approval == Approval::Ask {
            return show(context, &findings, &Repaired::default());
        }
        if approval::approve(context, &queue.local, &plan)? == Decision::Stop {
            return Ok(DONE);
        }
        let repaired = doctor::fix(queue, &operation)?;
        show(context, &doctor::examine(queue, context.env.now())?, &repaired)
    }
}

fn show(context: &Context, findings: &[Finding], repaired: &Repaired) -> Result<u8> {
    context.ui.show(&DoctorView::new(findings, repaired))?;
    let bad = findings.iter().any(|finding| finding.severity > Severity::Note);
    Ok(if bad { FINDINGS } else { DONE })
}

/// What will be done, and apart from it what is left to a person.
fn plan(findings: &[Finding], rehearsed: &Repaired) -> Result<approval::Plan> {
    let view = DoctorView::new(findings, &Repaired::default());
    let plan = approval::Plan::of_lines(check::steps(findings, rehearsed));
    Ok(approval::Plan { fields: approval::fields_of(&view)?, left: check::left(findings), ..plan })
}

fn show_footprint(context: &Context) -> Result<u8> {
    let entries = footprint::of(context.queue()?)?;
    let said = entries
        .iter()
        .map(|e| format!("{:>10}  {}  ({})\n", e.bytes, shown(&e.path), e.what))
        .collect::<String>();
    let rows: Vec<serde_json::Value> = entries
        .iter()
        .map(|e| serde_json::json!({"path": e.path, "bytes": e.bytes, "what": e.what}))
        .collect();
    context.ui.show(&Answer::new(said).field("footprint", rows))?;
    Ok(DONE)
}
