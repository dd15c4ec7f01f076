//! The files of sessions: each can be read, is there once, and begins and ends when the log says so.
//!
//! They are read for what was learned; one that cannot be read is passed over there and told here.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::event::{Event, EventKind};
use crate::domain::fault::Result;
use crate::domain::id::SessionId;
use crate::format::session::{self, Session};
use crate::ops::finding::{Finding, Severity};
use crate::store::layout;
use crate::store::queue::Queue;

/// What is wrong with the sessions. That the folder is none is told with the other folders.
pub(super) fn of(queue: &Queue, events: &[Event], findings: &mut Vec<Finding>) {
    let Ok(walk) = queue.walk(layout::SESSIONS) else { return };
    findings.extend(walk.problems.iter().map(Finding::from_problem));
    let mut seen: HashMap<SessionId, String> = HashMap::new();
    for file in walk.files {
        match read(queue, &file.path) {
            Ok(session) => {
                findings.extend(by_name(&session, &file.path, seen.get(&session.id)));
                findings.extend(by_log(&session, &file.path, events));
                seen.entry(session.id).or_insert(file.path);
            }
            Err(fault) => findings.push(Finding::of_fault(&file.path, &fault)),
        }
    }
}

fn read(queue: &Queue, path: &str) -> Result<Session> {
    let text = queue.read_text(path)?.unwrap_or_default();
    session::parse(&text).map_err(|malformed| malformed.at(path))
}

/// A session has one file, which is called as its id.
fn by_name(session: &Session, path: &str, other: Option<&String>) -> Option<Finding> {
    let place = layout::session_path(session.id);
    if let Some(other) = other {
        let text = format!("the session {} is in `{other}` too: what was learned counts twice", session.id);
        let finding = Finding::new("session-twice", Severity::Warning, path, text);
        return Some(finding.fix("look which one swift wrote: `git -C .swift log --stat -- sessions`"));
    }
    (place != path).then(|| {
        let text = format!("is the session {}, whose file is called `{place}`", session.id);
        let finding = Finding::new("session-misplaced", Severity::Warning, path, text);
        finding.fix(was(path))
    })
}

/// Its times are those of the records that were made with it. A log that does not know it tells nothing.
fn by_log(session: &Session, path: &str, events: &[Event]) -> Option<Finding> {
    let id = session.id.to_string();
    let told = |kind: EventKind| {
        let about = events.iter().filter(move |event| event.fact.kind == kind);
        about.filter(|event| event.fact.cause.as_deref() == Some(id.as_str())).map(|event| event.at)
    };
    let differs = |said: Timestamp, told: &[Timestamp]| {
        let is_it = |at: &Timestamp| at.as_millisecond() == said.as_millisecond();
        told.first().filter(|_| !told.iter().any(is_it)).copied()
    };
    let (started, finished): (Vec<_>, Vec<_>) =
        (told(EventKind::SessionStarted).collect(), told(EventKind::SessionFinished).collect());
    let text = match (differs(session.started_at, &started), differs(session.finished_at, &finished)) {
        (Some(at), _) => format!("says that it began at {}, and the log says {at}", session.started_at),
        (_, Some(at)) => format!("says that it ended at {}, and the log says {at}", session.finished_at),
        (None, None) => return None,
    };
    Some(Finding::new("session-differs", Severity::Warning, path, text).fix(was(path)))
}

fn was(path: &str) -> String {
    format!("see what it was: `git -C .swift log -p -- {path}`")
}
