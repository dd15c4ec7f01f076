//! Sessions.

use clap::Args;

use crate::cli::DONE;
use crate::cli::context::{Approval, Context};
use crate::domain::fault::Result;
use crate::domain::settings::Role;
use crate::ops::{carry, inbox, session};
use crate::view::View;
use crate::view::carry::RoundView;
use crate::view::inbox::InboxView;
use crate::view::session::{Carries, FinishView, StartView};

/// `start`
#[derive(Args)]
pub(in crate::cli) struct Start {}

impl Start {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let carries =
            if queue.settings.role == Role::Orchestrator { Carries::ForOthers } else { Carries::Nothing };
        if context.approval == Approval::Given {
            bring_in(context, carries)?;
        }
        let operation = context.operation("start")?;
        let situation = session::start(queue, &operation)?;
        let view = StartView::new(&context.project()?, &situation, carries, &operation.actor);
        context.ui.show(&view)?;
        Ok(DONE)
    }
}

/// With the person's yes: the round first, then the inbox. A problem in one never stops the other.
fn bring_in(context: &Context, carries: Carries) -> Result<()> {
    let queue = context.queue()?;
    if carries == Carries::ForOthers {
        let mut operation = context.operation("outbox")?;
        match carry::carry(queue, &mut operation) {
            Ok(report) => say(context, &RoundView::new(&report)),
            Err(fault) => context.ui.note(&format!("outbox: {fault}")),
        }
    }
    match inbox::accept_all(queue, &context.operation("inbox")?) {
        Ok(accepted) => say(context, &InboxView::accepted(&context.project()?, &accepted)),
        Err(fault) => context.ui.note(&format!("inbox: {fault}")),
    }
    Ok(())
}

/// Talk: the result of `start` itself is the one document on stdout.
fn say(context: &Context, view: &impl View) {
    let mut text = String::new();
    view.text(&mut text);
    for line in text.lines() {
        context.ui.note(line);
    }
}

/// `finish`
#[derive(Args)]
pub(in crate::cli) struct Finish {
    /// What was learned; may be given several times
    #[arg(long, short = 'l', value_name = "TEXT")]
    learned: Vec<String>,
}

impl Finish {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let summary = session::finish(context.queue()?, &context.operation("finish")?, self.learned)?;
        context.ui.show(&FinishView::new(&context.project()?, &summary))?;
        Ok(DONE)
    }
}
