//! Tell a program of what happened: for every event of a chosen kind since the last time, one after another.
//!
//! The place in the stream is kept in the orchestrator's own folder and moves on after each event, so a restart goes on
//! where the last one stopped. Killed between a program's end and the note of it, that one event is told again: rather
//! twice than never. A program that fails is a warning; the event counts as told.

use jiff::Timestamp;

use super::events::{Memory, Stream, Told};
use crate::domain::fault::Result;
use crate::domain::notify::Notify;
use crate::format::since;
use crate::store::program::{End, Program};
use crate::store::queue::Queue;
use crate::store::reached;

/// How a round of telling is done.
pub(crate) struct Round<'r> {
    pub(crate) notify: &'r Notify,
    /// The event as the program reads it.
    pub(crate) render: &'r dyn Fn(&Told) -> Vec<u8>,
    /// Whether to stop now, in the middle if need be.
    pub(crate) stop: &'r dyn Fn() -> bool,
    /// Something went wrong that stops nothing.
    pub(crate) warn: &'r dyn Fn(&Told, &str),
}

/// Begin to tell from now on, unless it was begun before.
///
/// # Errors
/// Those of writing the note.
pub(crate) fn begin(orchestrator: &Queue, now: Timestamp) -> Result<()> {
    match reached::read(&orchestrator.local) {
        Some(_) => Ok(()),
        None => reached::write(&orchestrator.local, &since::at(now)),
    }
}

/// Tell of everything that is new.
///
/// # Errors
/// Those of reading the registry and of writing the note.
pub(crate) fn tell(orchestrator: &Queue, round: &Round<'_>, memory: &mut Memory) -> Result<()> {
    let Some(cursor) = reached::read(&orchestrator.local) else { return Ok(()) };
    let mut stream = Stream::open(orchestrator, cursor.clone(), memory)?;
    while let Some(told) = stream.next() {
        if (round.stop)() {
            return Ok(());
        }
        if !round.notify.wants(told.event.fact.kind) {
            continue;
        }
        match run(orchestrator, round, &told) {
            End::Done => {}
            End::Failed(why) => (round.warn)(&told, &why),
            End::Stopped => return Ok(()),
        }
        reached::write(&orchestrator.local, &stream.cursor())?;
    }
    let now = stream.cursor();
    stream.remember(memory);
    if now == cursor { Ok(()) } else { reached::write(&orchestrator.local, &now) }
}

fn run(orchestrator: &Queue, round: &Round<'_>, told: &Told) -> End {
    let root = &orchestrator.home.root;
    let program = Program {
        command: &round.notify.command,
        folder: root.parent().unwrap_or(root).to_owned(),
        input: (round.render)(told),
        deadline: round.notify.deadline.unsigned_abs(),
    };
    program.run(round.stop)
}
