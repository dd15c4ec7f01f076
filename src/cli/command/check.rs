//! Checks.

use clap::{Args, Subcommand};

use crate::cli::approval::{self, Decision};
use crate::cli::context::Context;
use crate::cli::{DONE, FINDINGS};
use crate::domain::fault::Result;
use crate::domain::text::shown;
use crate::ops::doctor::{self, Repaired};
use crate::ops::finding::{Finding, Severity};
use crate::ops::{footprint, verify};
use crate::view::check::{DoctorView, VerdictView};
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
        let mut repaired = Repaired::default();
        if self.fix {
            if approval::approve(context, &queue.local, &plan(&findings))? == Decision::Stop {
                return Ok(DONE);
            }
            repaired = doctor::fix(queue, &context.operation("doctor")?)?;
        }
        let findings = if self.fix { doctor::examine(queue, context.env.now())? } else { findings };
        context.ui.show(&DoctorView::new(&findings, &repaired))?;
        let bad = findings.iter().any(|finding| finding.severity > Severity::Note);
        Ok(if bad { FINDINGS } else { DONE })
    }
}

fn plan(findings: &[Finding]) -> approval::Plan {
    let mut lines =
        vec!["record what was changed by hand, put unreadable files of queue folders aside".to_owned()];
    lines.extend(
        findings.iter().map(|finding| {
            format!("{}  {}  {}", finding.code, shown(&finding.path), shown(&finding.message))
        }),
    );
    approval::Plan::of_lines(lines)
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
