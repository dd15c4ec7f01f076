//! Projects whose changes nobody tells of are looked at again and again, as cheaply as can be: a few times of folders.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use super::dispatcher::Notice;
use crate::store::watcher::places::{Marked, Place, fingerprint};

/// How often.
const INTERVAL: Duration = Duration::from_secs(2);

/// The few folders of a project that are looked at, and how they were.
#[derive(Debug)]
pub(super) struct Polled {
    folders: Vec<Marked>,
    print: u64,
}

impl Polled {
    /// Finished and accepted tasks lie in many folders; verbs that move them commit, which shows in one place.
    pub(super) fn of(marked: &[Marked]) -> Polled {
        let few = marked.iter().filter(|(path, place)| *place != Place::Standing || is_outer(path));
        let folders: Vec<Marked> = few.cloned().collect();
        Polled { print: fingerprint(&folders), folders }
    }

    /// Whether they are others now, asked once.
    fn has_changed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.print, fingerprint(&self.folders));
        before != self.print
    }
}

/// A project, and what of it is looked at; nothing any more.
type Order = (String, Option<Polled>);

/// A thread that looks.
pub(super) struct Polling {
    orders: Option<Sender<Order>>,
    notices: Sender<Notice>,
}

impl Polling {
    /// Nothing is polled yet, and no thread runs.
    pub(super) fn new(notices: Sender<Notice>) -> Polling {
        Polling { orders: None, notices }
    }

    /// Look at these folders of a project from now on.
    pub(super) fn cover(&mut self, project: &str, polled: Polled) {
        self.order((project.to_owned(), Some(polled)));
    }

    /// Look at a project no longer.
    pub(super) fn uncover(&mut self, project: &str) {
        if self.orders.is_some() {
            self.order((project.to_owned(), None));
        }
    }

    fn order(&mut self, order: Order) {
        let notices = self.notices.clone();
        let orders = self.orders.get_or_insert_with(|| {
            let (send, receive) = mpsc::channel();
            std::thread::spawn(move || poll(&receive, &notices));
            send
        });
        // The thread ends only with the watcher.
        let _ = orders.send(order);
    }
}

fn is_outer(path: &std::path::Path) -> bool {
    let outer = path.parent().and_then(|parent| parent.file_name());
    outer.is_some_and(|name| name == ".swift")
}

fn poll(orders: &mpsc::Receiver<Order>, notices: &Sender<Notice>) {
    let mut projects: BTreeMap<String, Polled> = BTreeMap::new();
    loop {
        match orders.recv_timeout(INTERVAL) {
            Ok((project, Some(polled))) => drop(projects.insert(project, polled)),
            Ok((project, None)) => drop(projects.remove(&project)),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for project in
                    projects.iter_mut().filter_map(|(id, polled)| polled.has_changed().then_some(id))
                {
                    // Nobody listens any more: the channel of orders closes next.
                    let _ = notices.send(Notice::Polled(project.clone()));
                }
            }
        }
    }
}
