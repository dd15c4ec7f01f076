//! What people and scripts are shown, as plain data with stable names.
//!
//! A view serialises to the fields that `docs/reference.md` promises, and renders itself as text for people. It
//! knows nothing of terminals; text from outside is made safe to show here.

pub(crate) mod breaker;
pub(crate) mod carry;
pub(crate) mod check;
pub(crate) mod event;
pub(crate) mod inbox;
pub(crate) mod integrate;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod prime;
pub(crate) mod problem;
pub(crate) mod project;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod simple;
pub(crate) mod status;
pub(crate) mod stream;
pub(crate) mod task;
pub(crate) mod watch;
pub(crate) mod work;

use std::sync::OnceLock;

use serde::Serialize;

use crate::domain::text::led_to;

/// Something that can be shown to people and to scripts.
pub(crate) trait View: Serialize {
    /// The text for people, whole lines.
    fn text(&self, out: &mut String);

    /// One to three commands that make sense now.
    fn next(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a person should know besides the result; not part of the data.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The way from where the person is to the project that the command is about, where it was given.
static FOLDER: OnceLock<String> = OnceLock::new();

/// Who acts, where the command line says so.
static ACTOR: OnceLock<String> = OnceLock::new();

/// From now on every command that is offered is this actor's.
pub(crate) fn act_as(actor: &str) {
    let _ = ACTOR.set(actor.to_owned());
}

/// From now on every command that is offered leads to the project in this folder.
pub(crate) fn lead_from(folder: &str) {
    // A proposal that is carried out is of the same project.
    let _ = FOLDER.set(folder.to_owned());
}

/// A command as it has to be typed to lead to the same project.
pub(crate) fn led(command: &str) -> String {
    let option = |name: &str, value: Option<&String>| {
        value.map_or_else(String::new, |value| format!("{name} {} ", shell_words::quote(value)))
    };
    // What leads to another project does so already.
    let folder = option("-C", FOLDER.get().filter(|_| !command.starts_with("swift -C ")));
    match command.split_once(' ') {
        Some(("swift", rest)) => format!("swift {folder}{}{rest}", option("--actor", ACTOR.get())),
        Some(("git", rest)) => format!("git {folder}{rest}"),
        _ => command.to_owned(),
    }
}

/// Advice in which each command that is quoted leads to the same project.
pub(crate) fn led_hint(hint: &str) -> String {
    FOLDER.get().map_or_else(|| hint.to_owned(), |folder| led_to(hint, &shell_words::quote(folder)))
}

/// `1 task`, `2 tasks`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// An instant to the second, as people read it.
pub(crate) fn moment(at: &str) -> String {
    match at.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => at.to_owned(),
    }
}

/// A path of the queue as seen from the project's folder; empty stays empty.
pub(crate) fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(".swift/{path}") }
}
