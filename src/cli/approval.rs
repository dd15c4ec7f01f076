//! Propose, review, execute: nothing that acts on many things happens without a yes to its plan.

use serde_json::{Map, Value};

use super::context::{Approval, Context};
use crate::agent::process::is_of_a_run;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;
use crate::format::audit::digest;
use crate::store::local::Local;
use crate::store::proposal::{self, Proposal};
use crate::store::tx::Mode;
use crate::ui::Answer;
use crate::view::View;
use crate::view::simple::PlanView;

/// What a command would do, and what that rests on.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) lines: Vec<String>,
    /// SHA-256 of everything that the plan was made from.
    pub(crate) basis: String,
    /// Fields of the command's own document, so that scripts find them before the yes too.
    pub(crate) fields: Map<String, Value>,
    /// What it does not do, and a person has to: shown below it.
    pub(crate) left: Vec<String>,
}

/// The fields of a view, for a plan of the same command.
///
/// # Errors
/// [`Code::Internal`] if the view is no JSON object.
pub(crate) fn fields_of(view: &impl View) -> Result<Map<String, Value>> {
    match serde_json::to_value(view) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Fault::new(Code::Internal, "a view is not an object")),
    }
}

impl Plan {
    /// A plan that rests on nothing but what its lines say.
    pub(crate) fn of_lines(lines: Vec<String>) -> Plan {
        let basis = digest(lines.join("\n").as_bytes());
        Plan { lines, basis, fields: serde_json::Map::new(), left: Vec::new() }
    }
}

/// Whether other proposals wait, so that the word alone does not say which one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    None,
    Others,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Go,
    /// The plan was shown and that is all.
    Stop,
}

/// Get a yes to the plan, or show it and stop.
///
/// # Errors
/// [`Code::ApprovalNeeded`] away from a terminal, with the proposal stored; [`Code::ProposalStale`] if a former
/// yes was to another plan.
pub(crate) fn approve(context: &Context, local: &Local, plan: &Plan) -> Result<Decision> {
    if context.mode == Mode::DryRun {
        context.ui.show(&view(context, plan, None, Among::None))?;
        return Ok(Decision::Stop);
    }
    match &context.approval {
        Approval::Given => settled(context, local),
        Approval::Bound(basis) if *basis == plan.basis => settled(context, local),
        Approval::Bound(_) => Err(stale(context, local, plan)?),
        Approval::Ask if context.ui.is_interactive() => {
            context.ui.show(&view(context, plan, None, Among::None))?;
            match context.ui.ask("do it?")? {
                Answer::Yes => settled(context, local),
                Answer::No => Err(Fault::new(Code::ApprovalNeeded, "not approved; nothing was done")),
            }
        }
        Approval::Ask => Err(store(context, local, plan)?),
    }
}

fn settled(context: &Context, local: &Local) -> Result<Decision> {
    proposal::settle(local, &context.words)?;
    Ok(Decision::Go)
}

fn view(context: &Context, plan: &Plan, proposal: Option<String>, among: Among) -> PlanView {
    let command = shell_words::join(&context.words);
    let next = match &proposal {
        Some(_) if among == Among::None => vec!["swift sesame".to_owned(), format!("swift {command} sesame")],
        _ => vec![format!("swift {command} sesame")],
    };
    PlanView {
        command,
        plan: plan.lines.clone(),
        proposal,
        fields: plan.fields.clone(),
        left: plan.left.clone(),
        next,
    }
}

fn store(context: &Context, local: &Local, plan: &Plan) -> Result<Fault> {
    if is_of_a_run() {
        // A later `swift sesame` would carry out what the person who says it has never seen.
        context.ui.show(&view(context, plan, None, Among::None))?;
        return Ok(Fault::new(Code::ApprovalNeeded, "a run cannot have this approved; nothing is stored")
            .hint("a person can type the same command"));
    }
    let id = context.env.proposal_id();
    let stored = Proposal {
        id: id.to_string(),
        words: context.words.clone(),
        plan: plan.lines.clone(),
        basis: plan.basis.clone(),
        at: context.env.now().to_string(),
        actor: context.actor()?.to_string(),
    };
    proposal::keep(local, id, &stored)?;
    let others = proposal::all(local).len() > 1;
    let among = if others { Among::Others } else { Among::None };
    context.ui.show(&view(context, plan, Some(id.to_string()), among))?;
    Ok(Fault::new(Code::ApprovalNeeded, "approval is needed; the plan is stored as a proposal").hint(
        match among {
            Among::None => "`swift sesame` carries it out if nothing has changed by then".to_owned(),
            Among::Others => format!(
                "`swift {} sesame` carries it out; others wait too",
                shown(&shell_words::join(&context.words))
            ),
        },
    ))
}

/// The yes was to another plan: show and store the present one.
fn stale(context: &Context, local: &Local, plan: &Plan) -> Result<Fault> {
    let mut fault = store(context, local, plan)?;
    fault.code = Code::ProposalStale;
    fault.message = "what the proposal rests on has changed; here is the plan as it is now".to_owned();
    Ok(fault)
}
