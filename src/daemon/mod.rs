//! The watcher: what is noticed goes to the scheduler, what it decides is done with the same verbs that a person types.
//!
//! [`files`] and [`polling`] notice; [`dispatcher`] is the one loop; [`hands`] do things, each on a thread of its own;
//! [`ledger`] keeps what others read. Nothing here decides anything about tasks, and nothing is known here that is not in a
//! file: whoever ends the watcher at any moment, and carries on by hand, has lost nothing.

mod dispatcher;
mod files;
mod hands;
mod ledger;
pub(crate) mod metrics;
mod notifier;
mod polling;
mod report;

use std::net::SocketAddr;
use std::sync::mpsc;

use crate::domain::actor::Actor;
use crate::domain::fault::Result;
use crate::env::{self, Env, signals};
use crate::store::queue::Queue;
use crate::store::tx::Mode;
use crate::store::watcher::Hold;

pub(crate) use notifier::Render;
pub(crate) use report::{Told, Work};

/// How long to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Until nothing more can be done now.
    Once,
    /// Until somebody ends it.
    Endless,
}

/// How to watch.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) length: Length,
    pub(crate) mode: Mode,
    pub(crate) actor: Actor,
    /// Where numbers are served, if anywhere, and what makes the page of them.
    pub(crate) metrics: Option<(SocketAddr, metrics::Page)>,
    /// What makes of an event that which a notifier reads.
    pub(crate) render: Render,
}

/// Watch for an orchestrator; `tell` hears what is done and what stands in the way.
///
/// # Errors
/// [`Watched`](crate::domain::fault::Code::Watched) if another process does; those of reading the registry.
pub(crate) fn watch(
    orchestrator: Queue,
    request: Request,
    env: &Env,
    tell: &mut dyn FnMut(Told) -> Result<()>,
) -> Result<()> {
    let hold = match request.mode {
        Mode::Write => Some(Hold::take(&orchestrator)?),
        Mode::DryRun => None,
    };
    if let Some(killed) = hold.as_ref().and_then(|hold| hold.killed.as_ref()) {
        tell(Told::TakenOver { pid: killed.pid, since: killed.started_at.clone() })?;
    }
    if let Some((address, page)) = request.metrics.filter(|_| request.mode == Mode::Write) {
        let address = metrics::begin(address, orchestrator.home.root.clone(), page)?;
        tell(Told::Serving { address })?;
    }
    let (send, receive) = mpsc::channel();
    let end = send.clone();
    signals::each(move || {
        // Nobody listens any more: then it has ended already.
        let _ = end.send(dispatcher::Notice::End);
    })?;
    let done = dispatcher::Dispatcher::new(orchestrator, request, env, send)?.run(&receive, tell);
    drop(hold);
    done
}

/// The most things done at a time: more than there are processors, because most of the time is spent on the disk.
fn most_hands() -> usize {
    (env::processors() * 2).clamp(2, 8)
}
