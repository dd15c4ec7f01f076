//! Projects whose changes nobody tells of are looked at again and again, as cheaply as can be: a few times of folders.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use super::dispatcher::Notice;
use crate::store::watcher::places::{Marked, Place, fingerprint};

/// How often.
const INTERVAL: Duration = Duration::from_secs(2);

/// The folders of one project, or none any more.
type Order = (String, Option<Vec<Marked>>);

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
    pub(super) fn cover(&mut self, project: &str, folders: &[Marked]) {
        let few = folders.iter().filter(|(path, place)| *place != Place::Standing || is_outer(path));
        self.order((project.to_owned(), Some(few.cloned().collect())));
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

/// Finished and accepted tasks lie in many folders; verbs that move them commit, which shows in one place.
fn is_outer(path: &std::path::Path) -> bool {
    let outer = path.parent().and_then(|parent| parent.file_name());
    outer.is_some_and(|name| name == ".swift")
}

fn poll(orders: &mpsc::Receiver<Order>, notices: &Sender<Notice>) {
    let mut projects: BTreeMap<String, (Vec<Marked>, u64)> = BTreeMap::new();
    loop {
        match orders.recv_timeout(INTERVAL) {
            Ok((project, Some(folders))) => {
                let now = fingerprint(&folders);
                projects.insert(project, (folders, now));
            }
            Ok((project, None)) => drop(projects.remove(&project)),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for (project, (folders, before)) in &mut projects {
                    let now = fingerprint(folders);
                    if now != *before {
                        *before = now;
                        // Nobody listens any more: the channel of orders closes next.
                        let _ = notices.send(Notice::Polled(project.clone()));
                    }
                }
            }
        }
    }
}
