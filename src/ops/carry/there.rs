//! Letters whose receiver has something under their id already. The plan says what the round will do: note how far the
//! task is there, or leave the letter where it is, because what the receiver has is another task.

use jiff::{SignedDuration, Timestamp};

use super::deliver;
use super::deliver::copies::{self, Parcel};
use super::plan::{Letter, Plan, hold_back};
use super::post::{Post, Posts};
use super::receipts::{Known, receipt_of};
use crate::domain::fault::{Code, Result};
use crate::domain::id::TaskId;
use crate::domain::task::Receipt;
use crate::format::audit::digest;
use crate::store::archive;
use crate::store::queue::Item;

/// How long a letter may have been written ago that is not looked for in archives, where nothing lies that is as young.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);

/// Compare each letter with what its receiver has, as far as that was read already.
pub(super) fn compare(posts: &Posts, known: &Known, now: Timestamp, plan: &mut Plan) {
    for mut letter in std::mem::take(&mut plan.letters) {
        match receipt(posts, known, &letter, now) {
            Ok(there) => {
                letter.there = there;
                plan.letters.push(letter);
            }
            Err(fault) if fault.code == Code::Collision => {
                hold_back(posts, letter.from, letter.item, fault, now, plan);
            }
            // Somebody is at work there: the round looks again, with the locks held.
            Err(_) => plan.letters.push(letter),
        }
    }
}

fn receipt(posts: &Posts, known: &Known, letter: &Letter, now: Timestamp) -> Result<Option<Receipt>> {
    let Some(id) = letter.item.id().filter(|_| letter.from != letter.to) else { return Ok(None) };
    let receiver = &posts.all[letter.to];
    let Some(there) = present(receiver, known.has(letter.to, id), id, now)? else { return Ok(None) };
    let from = &posts.all[letter.from].queue;
    let document = from.document(&letter.item.path)?;
    let own = digest(&document.to_bytes());
    let hash = digest(&deliver::parcel(document, &from.settings.id).to_bytes());
    copies::compare(receiver, &there, &Parcel { id, hash: &hash, own: &own, from })?;
    // What somebody has put there by hand is committed with the round, as what it brings is.
    let is_committed = there.is_archived() || receiver.queue.home.read_committed(&there.path)?.is_some();
    Ok(is_committed.then(|| receipt_of(&there, receiver)))
}

fn present(receiver: &Post, is_known: bool, id: TaskId, now: Timestamp) -> Result<Option<Item>> {
    if is_known {
        return receiver.queue.anywhere(id);
    }
    let written = i64::try_from(id.milliseconds()).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    match written.is_none_or(|written| now.duration_since(written) > YOUNG) {
        true => archive::find(&receiver.queue, id),
        false => Ok(None),
    }
}
