//! A [`Task`] as keys with their values in TOML.
//!
//! Two tasks differ in a key exactly if these texts differ, so the same table serves new files and changes.

use crate::domain::lease::Lease;
use crate::domain::task::{Ending, Receipt, Task};
use crate::format::instant::{date_to_toml, to_toml};
use crate::format::quote::{Newline, array, paragraph, string};

/// A key and its value; `None` if a file without the key says the same.
pub(super) type Key = (&'static str, Option<String>);

/// A table and its keys; `None` if there is no such table.
pub(super) type Table = (&'static str, Option<Vec<Key>>);

/// The keys above all tables, in the order of a new file.
pub(super) fn keys(task: &Task, newline: Newline) -> Vec<Key> {
    let shown = |text: &dyn ToString| string(&text.to_string());
    vec![
        ("id", task.id.map(|id| shown(&id))),
        ("title", Some(string(&task.title))),
        ("from", task.from.as_ref().map(|from| string(from.as_str()))),
        ("to", task.to.as_ref().map(|to| string(to.as_str()))),
        ("kind", Some(string(task.kind.as_str()))),
        ("priority", Some(shown(&task.priority))),
        ("effort", Some(shown(&task.effort))),
        ("labels", some_array(&task.labels)),
        ("created", task.created.map(to_toml)),
        ("after", some_array(&task.after.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("due", task.due.map(date_to_toml)),
        ("tier", task.tier.map(|tier| shown(&tier))),
        ("model", task.model.as_ref().map(|model| string(model.as_str()))),
        ("token", some_number(task.token)),
        ("attempts", some_number(u64::from(task.attempts))),
        ("blocked", task.blocked.as_deref().map(|why| paragraph(why, newline))),
        ("defer_until", task.defer_until.map(to_toml)),
    ]
}

/// The tables, in the order of a new file.
pub(super) fn tables(task: &Task, newline: Newline) -> Vec<Table> {
    vec![
        ("lease", task.lease.as_ref().map(lease)),
        ("receipt", task.receipt.as_ref().map(|it| receipt(it, newline))),
        ("result", task.ending.as_ref().map(|it| result(it, newline))),
    ]
}

fn lease(lease: &Lease) -> Vec<Key> {
    vec![
        ("holder", Some(string(lease.holder.as_str()))),
        ("token", Some(lease.token.to_string())),
        ("expires_at", Some(to_toml(lease.expires_at))),
    ]
}

fn receipt(receipt: &Receipt, newline: Newline) -> Vec<Key> {
    vec![
        ("stage", Some(string(receipt.stage.as_str()))),
        ("at", Some(to_toml(receipt.at))),
        ("by", receipt.by.as_ref().map(|by| string(by.as_str()))),
        ("note", receipt.note.as_deref().map(|note| paragraph(note, newline))),
    ]
}

fn result(ending: &Ending, newline: Newline) -> Vec<Key> {
    vec![
        ("state", Some(string(ending.state.as_str()))),
        ("at", Some(to_toml(ending.at))),
        ("by", ending.by.as_ref().map(|by| string(by.as_str()))),
        ("note", ending.note.as_deref().map(|note| paragraph(note, newline))),
    ]
}

fn some_array(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| array(texts))
}

fn some_number(number: u64) -> Option<String> {
    (number != 0).then(|| number.to_string())
}
