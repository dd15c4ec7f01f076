//! Whether the account may be asked now: circuit breakers, kept in a file so that every process sees them. One file for
//! all projects on this machine: it is one account that they ask.

use std::collections::BTreeMap;
use std::ffi::OsString;

use jiff::Timestamp;

use crate::agent::claude;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::breaker::{Breaker, State};
use crate::domain::run::next::{self, Next};
use crate::domain::run::outcome::{Failure, Outcome};
use crate::env;
use crate::format;
use crate::format::account::Key;
use crate::format::audit::digest;
use crate::store::local::Local;
use crate::store::queue::Queue;

use super::Caller;

/// The file, below the folder that belongs to this machine's user.
pub(crate) const FILE: &str = "account.toml";

/// One breaker as people see it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) account: String,
    /// Whether it is of the account that would be asked from here.
    pub(crate) is_own: bool,
    pub(crate) model: Option<String>,
    pub(crate) state: State,
    pub(crate) breaker: Breaker,
}

/// All breakers that are not as new.
pub(crate) fn seen(queue: &Queue, now: Timestamp) -> Vec<Seen> {
    let all = read(queue);
    if all.is_empty() {
        return Vec::new();
    }
    let own = name_in(&env::variables());
    let seen = |((account, model), breaker): (Key, Breaker)| Seen {
        is_own: account == own,
        account,
        model,
        state: breaker.state(now),
        breaker,
    };
    all.into_iter().map(seen).collect()
}

/// A hash that stands for the account that the environment logs in to.
pub(crate) fn name(caller: &Caller<'_>) -> String {
    name_in(&caller.environment)
}

fn name_in(environment: &[(OsString, OsString)]) -> String {
    digest(claude::account(environment).as_bytes())[..12].to_owned()
}

/// Where the file lies; with the queue where the machine has no place for it.
pub(crate) fn shelf(queue: &Queue) -> Local {
    Local::of_machine().unwrap_or_else(|| queue.local.clone())
}

fn read(queue: &Queue) -> BTreeMap<Key, Breaker> {
    read_of(&shelf(queue))
}

fn read_of(shelf: &Local) -> BTreeMap<Key, Breaker> {
    shelf.read_text(FILE).map(|text| format::account::parse(&text)).unwrap_or_default()
}

/// Change the file, one process after the other.
fn change<T>(queue: &Queue, decide: impl FnOnce(&mut BTreeMap<Key, Breaker>) -> T) -> Result<T> {
    let shelf = shelf(queue);
    let _turn = shelf.turn()?;
    let mut all = read_of(&shelf);
    let before = all.clone();
    let decided = decide(&mut all);
    if all != before {
        shelf.write(FILE, format::account::render(&all).as_bytes())?;
    }
    Ok(decided)
}

/// A person starts something: what was held for a person to look at may be tried once.
///
/// # Errors
/// Those of the lock and the file.
pub(crate) fn look_again(queue: &Queue, caller: &Caller<'_>) -> Result<()> {
    let key = (name(caller), None);
    if read(queue).get(&key).is_none_or(|breaker| breaker.held.is_none()) {
        return Ok(());
    }
    let now = caller.now();
    change(queue, |all| all.entry(key).or_default().look_again(now))
}

/// Take leave to start a run.
///
/// # Errors
/// [`Code::AccountRests`], or [`Code::ModelRests`] where it is only this model, with the reason and the time.
pub(crate) fn admit(queue: &Queue, caller: &Caller<'_>, model: &str) -> Result<()> {
    let (account, now) = (name(caller), caller.now());
    let keys = [(account.clone(), None), (account, Some(model.to_owned()))];
    let all = read(queue);
    if keys.iter().all(|key| all.get(key).is_none_or(|breaker| breaker.state(now) == State::Closed)) {
        return Ok(());
    }
    change(queue, |all| {
        for key in &keys {
            let breaker = all.entry(key.clone()).or_default();
            if !breaker.admits(now) {
                return Err(rests(key, breaker, now));
            }
        }
        for key in &keys {
            all.entry(key.clone()).or_default().started(now);
        }
        Ok(())
    })?
}

fn rests(key: &Key, breaker: &Breaker, now: Timestamp) -> Fault {
    let what = match &key.1 {
        Some(model) => format!("the model `{model}` failed {} times in a row", breaker.failures),
        None => match &breaker.why {
            Some(why) => format!("the account rests: {why}"),
            None => "the account rests".to_owned(),
        },
    };
    let text = match (&breaker.held, breaker.state(now)) {
        (Some(held), _) => format!("nothing is started: {held}"),
        (None, State::Open(Some(until))) => format!("{what}; nothing is started before {until}"),
        (None, _) => format!("{what}; one run is trying whether it is over"),
    };
    let code = if key.1.is_some() { Code::ModelRests } else { Code::AccountRests };
    Fault::new(code, text).hint("`swift runs` shows what happened")
}

/// That nothing is started on the account, or with a model, now.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) why: String,
    /// When it ends by itself.
    pub(crate) until: Option<Timestamp>,
}

/// Whether the account itself rests.
pub(crate) fn resting(queue: &Queue, caller: &Caller<'_>) -> Option<Rest> {
    let (key, now) = ((name(caller), None), caller.now());
    let all = read(queue);
    let breaker = all.get(&key)?;
    match breaker.state(now) {
        State::Open(until) => Some(Rest { why: rests(&key, breaker, now).message, until }),
        _ => None,
    }
}

/// Whether this model rests, or is being tried by another run now.
pub(crate) fn resting_model(queue: &Queue, caller: &Caller<'_>, model: &str) -> Option<Rest> {
    let (key, now) = ((name(caller), Some(model.to_owned())), caller.now());
    let all = read(queue);
    let breaker = all.get(&key).filter(|breaker| !breaker.admits(now))?;
    let until = match breaker.state(now) {
        State::Open(until) => until,
        _ => None,
    };
    Some(Rest { why: rests(&key, breaker, now).message, until })
}

/// A run ended: what that says about the account and the model.
///
/// # Errors
/// Those of the lock and the file.
pub(crate) fn ended(
    queue: &Queue,
    caller: &Caller<'_>,
    model: &str,
    outcome: Outcome,
    next: &Next,
    why: &str,
) -> Result<()> {
    let (account, now) = (name(caller), caller.now());
    let is_plain = !matches!(
        outcome,
        Outcome::Limit(_)
            | Outcome::Failed(
                Failure::Login
                    | Failure::Billing
                    | Failure::Overloaded
                    | Failure::Server
                    | Failure::Connection
                    | Failure::RateLimit
            )
    );
    if is_plain && !read(queue).keys().any(|(name, _)| *name == account) {
        return Ok(());
    }
    change(queue, |all| {
        let whole = all.entry((account.clone(), None)).or_default();
        match (outcome, next) {
            (_, Next::Park { until }) => whole.rest_until(*until, why),
            (_, Next::StopAll) => whole.hold(why),
            _ => whole.ended_otherwise(outcome),
        }
        all.entry((account, Some(model.to_owned()))).or_default().ended(outcome, now);
    })
}

/// What follows a run, by the policy.
pub(crate) fn next(
    caller: &Caller<'_>,
    outcome: Outcome,
    tier: crate::domain::run::tier::Tier,
    count: next::Count,
    policy: &crate::domain::run::policy::Policy,
) -> Next {
    next::after(outcome, tier, count, policy, caller.now(), caller.env.chance())
}
