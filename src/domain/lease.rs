//! Who holds a task, until when, and which hold it is.
//!
//! A lease ends by itself. Each claim raises the task's fencing token, so that a former holder who wakes up late
//! can be told from the present one even when both have the same name.

use jiff::{SignedDuration, Timestamp};

use super::actor::Actor;
use super::fault::{Code, Fault, Result};
use super::id::TaskId;
use super::task::{Folder, State, Task};

/// A hold on a task, limited in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) holder: Actor,
    /// Rises with each claim of the task.
    pub(crate) token: u64,
    pub(crate) expires_at: Timestamp,
}

impl Lease {
    /// Whether it has run out.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

/// The lease that a claim of a live task gives, or why it gives none.
///
/// # Errors
/// [`Code::Claimed`] with the holder's name, [`Code::WrongState`] for a blocked task.
pub(crate) fn claim(
    task: &Task,
    id: TaskId,
    actor: &Actor,
    now: Timestamp,
    length: SignedDuration,
) -> Result<Lease> {
    let short = id.short();
    match task.state(Folder::Tasks, now) {
        State::Claimed => Err(held_by(task, id, now)),
        State::Blocked => Err(Fault::new(
            Code::WrongState,
            format!(
                "task {short} is blocked: {}",
                super::text::shown(task.blocked.as_deref().unwrap_or_default())
            ),
        )
        .hint(format!("`swift unblock {short}` when it can go on"))),
        _ => Ok(Lease {
            holder: actor.clone(),
            token: task.token.checked_add(1).ok_or_else(|| used_up(&short))?,
            expires_at: now.saturating_add(length).unwrap_or(Timestamp::MAX),
        }),
    }
}

fn used_up(short: &str) -> Fault {
    Fault::new(Code::WrongState, format!("task {short} has the highest fencing token there is"))
        .hint(format!("`swift show {short}` shows the file; its line `token = …` was written by hand"))
}

/// The same lease with a later end, for its holder.
///
/// # Errors
/// As [`may_act`]; [`Code::WrongState`] if nobody has claimed it.
pub(crate) fn renew(
    task: &Task,
    id: TaskId,
    hold: &Hold,
    now: Timestamp,
    length: SignedDuration,
) -> Result<Lease> {
    may_act(task, id, hold, now)?;
    let Some(lease) = &task.lease else {
        return Err(nobodys(task, id, format!("nobody has claimed task {}", id.short())));
    };
    let expires_at = now.saturating_add(length).unwrap_or(Timestamp::MAX);
    Ok(Lease { expires_at, ..lease.clone() })
}

/// A task that nobody holds can be taken, once nothing blocks it.
pub(crate) fn nobodys(task: &Task, id: TaskId, text: String) -> Fault {
    let short = id.short();
    Fault::new(Code::WrongState, text).hint(match task.blocked {
        Some(_) => format!("it is blocked: `swift unblock {short}` lets it go on"),
        None => format!("`swift claim {short}` takes it"),
    })
}

/// Who acts, and under which hold if they say so.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) actor: Actor,
    /// The fencing token that the claim gave.
    pub(crate) token: Option<u64>,
}

/// Whether this actor may change the task now: nobody holds it, or they do.
///
/// # Errors
/// [`Code::LeaseLost`] if the token given is not the newest, [`Code::Claimed`] if somebody else holds the task.
pub(crate) fn may_act(task: &Task, id: TaskId, hold: &Hold, now: Timestamp) -> Result<()> {
    if let Some(token) = hold.token {
        return if token == task.token { Ok(()) } else { Err(lost(task, id, token, now)) };
    }
    match task.held(now) {
        Some(lease) if lease.holder != hold.actor => Err(held_by(task, id, now)),
        _ => Ok(()),
    }
}

/// Whether this actor may say now that an attempt came to nothing: who names a hold ends that one, and a hold ends once.
///
/// # Errors
/// As [`may_act`]; [`Code::LeaseLost`] if the hold that is named is over.
pub(crate) fn may_end(task: &Task, id: TaskId, hold: &Hold, now: Timestamp) -> Result<()> {
    match hold.token {
        Some(_) => still_holds(task, id, hold, now),
        None => may_act(task, id, hold, now),
    }
}

/// Whether this hold is still on the task: what was given back, failed or blocked meanwhile is held by nobody. One that has
/// run out is still there if nobody has noticed.
///
/// # Errors
/// As [`may_act`]; [`Code::LeaseLost`] if there is no lease any more.
pub(crate) fn still_holds(task: &Task, id: TaskId, hold: &Hold, now: Timestamp) -> Result<()> {
    may_act(task, id, hold, now)?;
    if task.lease.is_some() {
        return Ok(());
    }
    let short = id.short();
    let text = format!("the lease with token {} on task {short} is over: nobody holds it now", task.token);
    Err(Fault::new(Code::LeaseLost, text).hint(format!("`swift show {short}` tells what happened since")))
}

fn lost(task: &Task, id: TaskId, token: u64, now: Timestamp) -> Fault {
    let holder = match task.held(now) {
        Some(lease) => format!("`{}` holds it under token {}", lease.holder, lease.token),
        None => format!("the newest token is {}", task.token),
    };
    Fault::new(
        Code::LeaseLost,
        format!("the lease with token {token} on task {} is lost: {holder}", id.short()),
    )
    .hint(format!("`swift show {}` tells what happened since", id.short()))
}

fn held_by(task: &Task, id: TaskId, now: Timestamp) -> Fault {
    let short = id.short();
    let who = task.held(now).map_or_else(
        || "nobody".to_owned(),
        |lease| format!("`{}` until {}", lease.holder, lease.expires_at),
    );
    Fault::new(Code::Claimed, format!("task {short} is held by {who}"))
        .hint("`swift next` shows what is free")
        .hint(format!("`swift show {short}` tells who does what"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn actor(name: &str) -> Actor {
        name.parse().unwrap()
    }

    fn hold(name: &str, token: Option<u64>) -> Hold {
        Hold { actor: actor(name), token }
    }

    fn claimed(by: &str, now: i64) -> (Task, TaskId) {
        let (mut task, id) = (Task::titled("x"), TaskId::new(1, 1));
        let lease = claim(&task, id, &actor(by), at(now), HOUR).unwrap();
        task.token = lease.token;
        task.lease = Some(lease);
        (task, id)
    }

    #[test]
    fn a_held_task_is_refused_even_to_a_namesake() {
        let (task, id) = claimed("ann", 0);
        assert_eq!(claim(&task, id, &actor("ann"), at(10), HOUR).unwrap_err().code, Code::Claimed);
    }

    #[test]
    fn an_expired_lease_is_taken_over_with_a_higher_token() {
        let (task, id) = claimed("ann", 0);
        assert_eq!(claim(&task, id, &actor("bob"), at(3600), HOUR).unwrap().token, 2);
    }

    #[test]
    fn a_late_former_holder_is_refused_by_token_and_by_name() {
        let (mut task, id) = claimed("ann", 0);
        let second = claim(&task, id, &actor("bob"), at(4000), HOUR).unwrap();
        task.token = second.token;
        task.lease = Some(second);
        assert_eq!(may_act(&task, id, &hold("ann", Some(1)), at(4001)).unwrap_err().code, Code::LeaseLost);
        assert_eq!(may_act(&task, id, &hold("ann", None), at(4001)).unwrap_err().code, Code::Claimed);
        assert!(may_act(&task, id, &hold("bob", Some(2)), at(4001)).is_ok());
    }

    #[test]
    fn what_was_given_up_is_held_by_nobody() {
        let (mut task, id) = claimed("ann", 0);
        assert!(still_holds(&task, id, &hold("ann", Some(1)), at(9999)).is_ok());
        task.lease = None;
        assert_eq!(still_holds(&task, id, &hold("ann", Some(1)), at(1)).unwrap_err().code, Code::LeaseLost);
    }

    #[test]
    fn a_hold_ends_one_attempt_and_nobody_is_held_to_a_hold_that_he_does_not_name() {
        let (mut task, id) = claimed("ann", 0);
        assert!(may_end(&task, id, &hold("ann", Some(1)), at(9999)).is_ok());
        task.lease = None;
        assert_eq!(may_end(&task, id, &hold("ann", Some(1)), at(1)).unwrap_err().code, Code::LeaseLost);
        assert!(may_end(&task, id, &hold("ann", None), at(1)).is_ok());
    }

    #[test]
    fn a_holder_whose_lease_ran_out_may_finish_if_nobody_took_over() {
        let (task, id) = claimed("ann", 0);
        assert!(may_act(&task, id, &hold("ann", Some(1)), at(9999)).is_ok());
    }
}
