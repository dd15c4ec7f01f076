//! Waiting for another program, which tells nobody when it is done: looking again, less and less often, up to a limit.

use std::time::{Duration, Instant};

/// The first pause between two looks.
const FIRST: Duration = Duration::from_millis(1);

/// The longest pause.
const LONGEST: Duration = Duration::from_millis(20);

/// Look until there is an answer; `None` if there was none within the limit. It is looked at least once.
pub(super) fn look_until<T, E>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let begin = Instant::now();
    let mut pause = FIRST;
    loop {
        if let Some(answer) = look()? {
            return Ok(Some(answer));
        }
        if begin.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(pause.min(limit.saturating_sub(begin.elapsed())));
        pause = (pause * 2).min(LONGEST);
    }
}
