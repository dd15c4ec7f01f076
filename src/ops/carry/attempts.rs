//! How many rounds could not deliver a task: a note of this machine, lost without harm.

use std::collections::BTreeMap;

use crate::store::local::Local;

const NOTE: &str = "attempts.json";

/// Rounds in vain, by project and path of the task.
pub(crate) fn read(local: &Local) -> BTreeMap<String, u32> {
    local.read(NOTE).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// One more round in vain for these tasks; whatever else was noted of these senders is over.
pub(crate) fn count(local: &Local, held: &[String], is_of_senders: impl Fn(&str) -> bool) {
    let before = read(local);
    if held.is_empty() && before.is_empty() {
        return;
    }
    let others = before.iter().filter(|(key, _)| !is_of_senders(key)).map(|(key, tries)| (key, *tries));
    let now: BTreeMap<&String, u32> = held
        .iter()
        .map(|key| (key, before.get(key).copied().unwrap_or(0).saturating_add(1)))
        .chain(others)
        .collect();
    let text = serde_json::to_vec(&now).expect("a map of numbers is plain data");
    // A count that is lost makes a task wait longer, no more.
    let _ = local.write(NOTE, &text);
}
