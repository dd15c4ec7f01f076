//! Hands-off: watch, and stop and start what is done by itself.

use clap::Args;

use super::service;
use crate::cli::context::Context;
use crate::cli::{DONE, ended};
use crate::daemon::{self, Length, Request, Told, metrics};
use crate::domain::actor::Actor;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::Role;
use crate::env;
use crate::ops::pause::{self, Whom};
use crate::ops::{events, status};
use crate::store::gauge;
use crate::store::queue::Queue;
use crate::store::tx::Mode;
use crate::store::watcher::Record;
use crate::view;
use crate::view::stream::StreamLine;
use crate::view::watch::{PauseView, ToldView, WorkView};

/// `watch`
#[derive(Args)]
pub(in crate::cli) struct Watch {
    /// Do everything that can be done now, and end
    #[arg(long)]
    once: bool,
    /// Serve numbers for Prometheus on this address; a port alone is one of this machine only
    #[arg(long, value_name = "[ADDRESS:]PORT", conflicts_with = "once")]
    metrics: Option<String>,
    /// Show the file that has the system start the watcher with your session, and write it after your yes
    #[arg(long, conflicts_with_all = ["once", "metrics"])]
    install: bool,
    /// Remove that file, if it is as it was written
    #[arg(long, conflicts_with_all = ["once", "metrics", "install"])]
    uninstall: bool,
}

impl Watch {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        refuse_project(queue)?;
        if self.install {
            return service::install(context, queue);
        }
        if self.uninstall {
            return service::uninstall(context, queue);
        }
        let metrics = self.metrics.as_deref().map(metrics::address).transpose()?;
        let orchestrator = Queue::open(&queue.home.root)?;
        // A rehearsal has an end.
        let length = if self.once || context.mode == Mode::DryRun { Length::Once } else { Length::Endless };
        let request = Request {
            length,
            mode: context.mode,
            actor: context.named_actor_or(watcher),
            metrics: metrics.map(|address| (address, page as metrics::Page)),
            render,
        };
        let (ui, mut status) = (&context.ui, DONE);
        daemon::watch(orchestrator, request, &context.env, &mut |told| match told {
            Told::Worked(work) if length == Length::Once => {
                status = ended(&work.failed);
                ui.show(&WorkView::all(*work))
            }
            Told::Worked(work) => ui.show(&WorkView::one(*work)),
            // One document is all that is said.
            told if length == Length::Once => {
                ui.note(ToldView::new(&told).said());
                Ok(())
            }
            told => ui.show(&ToldView::new(&told)),
        })?;
        Ok(status)
    }
}

/// The page of numbers, as things stand now.
fn page(orchestrator: &Queue) -> Result<String> {
    let record = Record::read(&orchestrator.local).unwrap_or_default();
    Ok(view::metrics::render(&status::look(orchestrator, env::instant())?, &record, &gauge::commits()))
}

/// An event as a notifier reads it: the same as in a line of `swift events --json`, without a cursor.
fn render(told: &events::Told) -> Vec<u8> {
    let mut text = serde_json::to_vec(&StreamLine::new(told).cloud_event(None)).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Who acts if nobody is named: nobody typed what the watcher does.
fn watcher() -> Actor {
    "swift watch".parse().expect("a short name")
}

fn refuse_project(queue: &Queue) -> Result<()> {
    if queue.settings.role == Role::Orchestrator {
        return Ok(());
    }
    Err(Fault::new(
        Code::NotOrchestrator,
        format!(
            "`{}` is a project; `swift watch` runs in the orchestrator that carries for it",
            queue.settings.id
        ),
    )
    .hint("run `swift watch` in the orchestrator's checkout"))
}

/// `pause`
#[derive(Args)]
pub(in crate::cli) struct Pause {
    #[command(flatten)]
    whom: Target,
}

/// `resume`
#[derive(Args)]
pub(in crate::cli) struct Resume {
    #[command(flatten)]
    whom: Target,
}

/// One project or all.
#[derive(Args)]
struct Target {
    /// The project's id or alias, or `.` (default: this one; in an orchestrator all)
    #[arg(value_name = "PROJECT", conflicts_with = "all")]
    project: Option<String>,
    /// Every project, also those that are registered later
    #[arg(long)]
    all: bool,
}

impl Target {
    fn whom(self) -> Whom {
        match self.project {
            Some(name) => Whom::Project(name),
            None if self.all => Whom::All,
            None => Whom::Here,
        }
    }
}

impl Pause {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let standing = pause::pause(context.queue()?, &self.whom.whom())?;
        context.ui.show(&PauseView::paused(&standing))?;
        Ok(DONE)
    }
}

impl Resume {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let standing = pause::resume(context.queue()?, &self.whom.whom())?;
        context.ui.show(&PauseView::resumed(&standing))?;
        Ok(DONE)
    }
}
