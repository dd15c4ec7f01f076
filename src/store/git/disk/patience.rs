//! Waiting for another program, which tells nobody when it is done: looking again, less and less often, up to a limit or
//! until the person has had enough.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::domain::fault::{Code, Fault, Result};
use crate::env::signals::Wait;

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(1);

/// The longest pause.
pub(in crate::store::git) const LONGEST: Duration = Duration::from_millis(20);

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store::git) enum Waited<T> {
    Answered(T),
    /// There was no answer within the limit.
    InVain,
    /// ctrl-c.
    GivenUp,
}

impl<T> Waited<T> {
    /// The answer, if there was one in time.
    ///
    /// # Errors
    /// [`Code::Interrupted`] with what was waited for.
    pub(in crate::store::git) fn in_time(self, reason: impl Display) -> Result<Option<T>> {
        match self {
            Waited::Answered(answer) => Ok(Some(answer)),
            Waited::InVain => Ok(None),
            Waited::GivenUp => Err(given_up(reason)),
        }
    }
}

/// Look until there is an answer. It is looked at least once.
pub(in crate::store::git) fn look_until<T, E>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Waited<T>, E> {
    let begin = Instant::now();
    let mut pause = FIRST;
    let mut wait = None;
    loop {
        if let Some(answer) = look()? {
            return Ok(Waited::Answered(answer));
        }
        if begin.elapsed() >= limit {
            return Ok(Waited::InVain);
        }
        if wait.get_or_insert_with(Wait::begin).is_given_up() {
            return Ok(Waited::GivenUp);
        }
        std::thread::sleep(pause.min(limit.saturating_sub(begin.elapsed())));
        pause = (pause * 2).min(LONGEST);
    }
}

/// Nothing is left of a change that was not committed, nor written: whoever gives up wants to have it otherwise.
fn given_up(reason: impl Display) -> Fault {
    Fault::new(Code::Interrupted, format!("interrupted while {reason}; the change that waited is not made"))
        .hint("run the same command again")
}
