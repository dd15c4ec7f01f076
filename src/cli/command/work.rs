//! Claim, keep, give back, finish: one task, one holder.

use clap::Args;
use jiff::SignedDuration;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Fault, Result};
use crate::domain::task::State;
use crate::format::duration;
use crate::ops::step::Changed;
use crate::ops::{claim, progress};
use crate::view::task::ChangedView;

use super::head::reason;

fn length(text: &str) -> Result<SignedDuration, Fault> {
    duration::parse(text)
}

fn show(context: &Context, changed: &Changed, said: &str) -> Result<u8> {
    let view = ChangedView::new(&context.project()?, changed, said);
    context.ui.show(&view)?;
    Ok(DONE)
}

/// Which task, and under which lease.
#[derive(Args)]
struct Mine {
    /// The task: its id, or at least 4 characters of the short form
    #[arg(value_name = "REF")]
    task: String,
    /// The fencing token that the claim gave
    #[arg(long, value_name = "N")]
    token: Option<u64>,
}

/// `claim`
#[derive(Args)]
pub(in crate::cli) struct Claim {
    /// The task (default: the first that is ready)
    #[arg(value_name = "REF")]
    task: Option<String>,
    /// How long to hold it before it returns to the queue, such as `30m`
    #[arg(long, value_name = "DURATION", value_parser = length)]
    lease: Option<SignedDuration>,
}

impl Claim {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let length = self.lease.unwrap_or(queue.settings.lease);
        let operation = context.operation("claim")?;
        let changed = claim::claim(queue, &operation, self.task.as_deref(), length)?;
        show(context, &changed, "claimed")
    }
}

/// `renew`
#[derive(Args)]
pub(in crate::cli) struct Renew {
    #[command(flatten)]
    mine: Mine,
    /// How long to hold it from now
    #[arg(long, value_name = "DURATION", value_parser = length)]
    lease: Option<SignedDuration>,
}

impl Renew {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let length = self.lease.unwrap_or(queue.settings.lease);
        let hold = context.hold(self.mine.token)?;
        let changed = claim::renew(queue, &context.operation("renew")?, &self.mine.task, &hold, length)?;
        show(context, &changed, "renewed")
    }
}

/// `release`
#[derive(Args)]
pub(in crate::cli) struct Release {
    #[command(flatten)]
    mine: Mine,
}

impl Release {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let hold = context.hold(self.mine.token)?;
        let changed =
            claim::release(context.queue()?, &context.operation("release")?, &self.mine.task, &hold)?;
        show(context, &changed, "released")
    }
}

/// `done`
#[derive(Args)]
pub(in crate::cli) struct Done {
    #[command(flatten)]
    mine: Mine,
    /// What came of it; travels back to the sender
    #[arg(long, short = 'r', value_name = "TEXT")]
    result: Option<String>,
}

impl Done {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let hold = context.hold(self.mine.token)?;
        let operation = context.operation("done")?;
        let changed = progress::done(context.queue()?, &operation, &self.mine.task, &hold, self.result)?;
        show(context, &changed, "done")
    }
}

/// `fail`
#[derive(Args)]
pub(in crate::cli) struct Fail {
    #[command(flatten)]
    mine: Mine,
    /// What went wrong
    #[arg(long, short = 'w', value_name = "TEXT", value_parser = reason)]
    why: String,
}

impl Fail {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let hold = context.hold(self.mine.token)?;
        let operation = context.operation("fail")?;
        let changed = progress::fail(context.queue()?, &operation, &self.mine.task, &hold, &self.why)?;
        let said = if changed.to == State::Dead { "given up" } else { "failed" };
        show(context, &changed, said)
    }
}

/// `block`
#[derive(Args)]
pub(in crate::cli) struct Block {
    #[command(flatten)]
    mine: Mine,
    /// What is in the way
    #[arg(long, short = 'w', value_name = "TEXT", value_parser = reason)]
    why: String,
}

impl Block {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let hold = context.hold(self.mine.token)?;
        let operation = context.operation("block")?;
        let changed = progress::block(context.queue()?, &operation, &self.mine.task, &hold, &self.why)?;
        show(context, &changed, "blocked")
    }
}

/// `unblock`
#[derive(Args)]
pub(in crate::cli) struct Unblock {
    /// The task
    #[arg(value_name = "REF")]
    task: String,
}

impl Unblock {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let changed = progress::unblock(context.queue()?, &context.operation("unblock")?, &self.task)?;
        show(context, &changed, "unblocked")
    }
}

/// `redrive`
#[derive(Args)]
pub(in crate::cli) struct Redrive {
    /// The dead letter
    #[arg(value_name = "REF")]
    task: String,
}

impl Redrive {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let changed = progress::redrive(context.queue()?, &context.operation("redrive")?, &self.task)?;
        show(context, &changed, "put back")
    }
}
