//! How things stand, for an agent whose session begins. Nothing is written, no session is opened.

use jiff::Timestamp;

use crate::domain::fault::Result;
use crate::domain::task::{Folder, State};
use crate::store::queue::{Item, Queue};

use super::rank::{self, Ranking, Scope};

/// The most characters of context that a session begins with.
pub(crate) const LONGEST: usize = 1500;

/// What a newcomer has to know.
#[derive(Debug)]
pub(crate) struct Prime {
    pub(crate) project: String,
    pub(crate) ranking: Ranking,
    pub(crate) claimed: Vec<Item>,
    pub(crate) blocked: usize,
    pub(crate) inbox: usize,
    pub(crate) outbox: usize,
    pub(crate) dead: usize,
}

/// How things stand in a queue.
///
/// # Errors
/// Those of [`rank::rank`].
pub(crate) fn prime(queue: &Queue, now: Timestamp) -> Result<Prime> {
    let ranking = rank::rank(queue, now, Scope::Project)?;
    let (mut claimed, mut blocked) = (Vec::new(), 0);
    for skipped in ranking.skipped() {
        match skipped.state {
            State::Claimed => claimed.push(skipped.item.clone()),
            State::Blocked => blocked += 1,
            _ => {}
        }
    }
    let count = |folder: Folder| queue.list(&[folder]).items.len();
    Ok(Prime {
        project: queue.settings.id.to_string(),
        claimed,
        blocked,
        inbox: count(Folder::Inbox),
        outbox: count(Folder::Outbox),
        dead: count(Folder::Dead),
        ranking,
    })
}
