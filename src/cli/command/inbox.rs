//! The receiver's yes, no or later.

use clap::{Args, Subcommand};

use crate::cli::DONE;
use crate::cli::approval::{self, Decision};
use crate::cli::context::{Approval, Context};
use crate::domain::fault::Result;
use crate::domain::text::shown;
use crate::format::date;
use crate::ops::inbox::{self, Waiting};
use crate::store::proposal;
use crate::store::queue::Queue;
use crate::view::inbox::InboxView;
use crate::view::problem::located;
use crate::view::task::ChangedView;

use super::head::reason;

/// `inbox`
#[derive(Args)]
pub(in crate::cli) struct Inbox {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What to do with one task.
#[derive(Subcommand)]
enum Verb {
    /// Accept one task
    Accept {
        /// The task
        #[arg(value_name = "REF")]
        task: String,
    },
    /// Refuse one task; the reason travels back to the sender
    Refuse {
        /// The task
        #[arg(value_name = "REF")]
        task: String,
        /// Why
        #[arg(long, short = 'w', value_name = "TEXT", value_parser = reason)]
        why: String,
    },
    /// Put one task off
    Defer {
        /// The task
        #[arg(value_name = "REF")]
        task: String,
        /// Until when, such as `2026-12-01`, `tomorrow` or `3d`; days begin in UTC
        #[arg(long, short = 'u', value_name = "TIME")]
        until: String,
    },
}

impl Inbox {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        match self.verb {
            Some(verb) => one(verb, context),
            None => all(context),
        }
    }
}

fn one(verb: Verb, context: &Context) -> Result<u8> {
    let queue = context.queue()?;
    let (changed, said) = match verb {
        Verb::Accept { task } => (inbox::accept(queue, &context.operation("accept")?, &task)?, "accepted"),
        Verb::Refuse { task, why } => {
            (inbox::refuse(queue, &context.operation("refuse")?, &task, &why)?, "refused")
        }
        Verb::Defer { task, until } => {
            let until = date::parse_instant(&until, context.env.now())?;
            (inbox::defer(queue, &context.operation("defer")?, &task, until)?, "deferred")
        }
    };
    context.ui.show(&ChangedView::new(&context.project()?, &changed, said))?;
    Ok(DONE)
}

fn all(context: &Context) -> Result<u8> {
    let queue = context.queue()?;
    let waiting = inbox::waiting(queue, context.env.now());
    let project = context.project()?;
    if waiting.items.is_empty() {
        proposal::settle(&queue.local, &context.words)?;
        context.ui.show(&InboxView::waiting(&project, &waiting))?;
        return Ok(DONE);
    }
    if context.approval == Approval::Ask && context.ui.is_interactive() {
        context.ui.show(&InboxView::waiting(&project, &waiting))?;
    }
    if approval::approve(context, &queue.local, &plan(&project, queue, &waiting)?)? == Decision::Stop {
        return Ok(DONE);
    }
    let accepted = inbox::accept_all(queue, &context.operation("inbox")?)?;
    context.ui.show(&InboxView::accepted(&project, &accepted))?;
    Ok(DONE)
}

fn plan(project: &str, queue: &Queue, waiting: &Waiting) -> Result<approval::Plan> {
    let mut lines = Vec::new();
    let mut basis = String::new();
    for item in &waiting.items {
        let short = item.id().map_or_else(|| "new".to_owned(), |id| id.short());
        let from = item.task.from.as_ref().map(|from| format!("  ← {from}")).unwrap_or_default();
        lines.push(format!("accept {short}  {}{from}", shown(&item.task.title)));
        let bytes = queue.read(&item.path).ok().flatten().unwrap_or_default();
        basis.push_str(&format!("{} {}\n", item.path, crate::format::audit::digest(&bytes)));
    }
    for problem in &waiting.problems {
        lines.push(format!("leave  {}", shown(&located(&problem.path, &problem.fault.message))));
    }
    let fields = approval::fields_of(&InboxView::waiting(project, waiting))?;
    Ok(approval::Plan {
        lines,
        basis: crate::format::audit::digest(basis.as_bytes()),
        fields,
        left: Vec::new(),
    })
}
