//! A task file that can be changed.
//!
//! It owns the text in its pieces; an edit reaches only the piece that it is about. What nobody edits is given
//! back byte for byte.

mod settle;

use super::write::{Key, keys, tables};
use super::{read, size};
use crate::domain::task::Task;
use crate::format::edit::{Edit, Grown};
use crate::format::file::{File, Limits, harmless};
use crate::format::malformed::Malformed;
use crate::format::quote::Newline;

/// A task file, its task, and all that is in the file besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    opening: String,
    head: String,
    closing: String,
    /// All after the second fence, with the blank line that separates it.
    body: String,
    task: Task,
    warnings: Vec<String>,
}

impl Document {
    /// Read a file.
    ///
    /// # Errors
    /// [`Malformed`] with the place, if it is not a task.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let file = File::split(bytes, &limits.with_room(size::ROOM))?;
        let mut warnings = Vec::new();
        let task = read::task(file.head, &mut warnings).map_err(|defect| defect.below(1))?;
        size::check(&file, &task, limits)?;
        Ok(Document {
            opening: file.opening.to_owned(),
            head: file.head.to_owned(),
            closing: file.closing.to_owned(),
            body: file.body.to_owned(),
            task,
            warnings,
        })
    }

    /// A new file.
    pub(crate) fn new(task: &Task, body: &str) -> Self {
        let newline = Newline::Lf;
        let mut head = String::from("schema = 1\n");
        push_keys(&mut head, keys(task, newline));
        for (table, keys) in tables(task, newline) {
            if let Some(keys) = keys {
                head.push_str(&format!("\n[{table}]\n"));
                push_keys(&mut head, keys);
            }
        }
        let mut document = Document {
            opening: "+++\n".to_owned(),
            head,
            closing: "+++\n".to_owned(),
            body: String::new(),
            task: task.clone(),
            warnings: Vec::new(),
        };
        document.set_body(body);
        document
    }

    /// The task that the file tells of.
    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    /// The text below the head, without the blank line that separates them.
    pub(crate) fn body(&self) -> &str {
        let body = &self.body;
        body.strip_prefix('\n').or_else(|| body.strip_prefix("\r\n")).unwrap_or(body)
    }

    /// What was read, but perhaps not as it was meant.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Write the keys in which the task differs; every other byte stays.
    pub(crate) fn apply(&mut self, task: &Task) {
        if *task == self.task {
            return;
        }
        let newline = self.newline();
        self.head = changed_head(std::mem::take(&mut self.head), &self.task, task, newline);
        self.task = task.clone();
    }

    /// Replace the body.
    pub(crate) fn set_body(&mut self, body: &str) {
        if body == self.body() {
            return;
        }
        let newline = self.newline();
        let mut text = newline.applied_to(&harmless("", body));
        if !text.is_empty() {
            self.end_fence(newline);
            text.insert_str(0, newline.as_str());
            end_line(&mut text, newline);
        }
        self.body = text;
    }

    /// Add a paragraph at the end, after one blank line.
    pub(crate) fn append_to_body(&mut self, paragraph: &str) {
        let newline = self.newline();
        let text = newline.applied_to(&harmless(&self.body, paragraph));
        self.end_fence(newline);
        end_line(&mut self.body, newline);
        if !ends_in_blank_line(&self.body) {
            self.body.push_str(newline.as_str());
        }
        self.body.push_str(text.trim_end_matches(['\r', '\n']));
        self.body.push_str(newline.as_str());
    }

    /// How many bytes of the head are of verbs, or more: what verbs do, and what they were told about the task.
    pub(crate) fn added_bytes(&self) -> usize {
        // Most heads are far from any limit.
        let most = self.head.len();
        if most <= size::ROOM_OF_VERBS { most } else { size::added(&self.head, &self.task, self.newline()) }
    }

    /// The file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&*self.opening, &*self.head, &*self.closing, &*self.body].concat().into_bytes()
    }

    fn newline(&self) -> Newline {
        Newline::of(&self.opening)
    }

    /// The file may end with the second fence, without a line ending.
    fn end_fence(&mut self, newline: Newline) {
        end_line(&mut self.closing, newline);
    }
}

/// The head with the keys in which the tasks differ.
pub(super) fn changed_head(head: String, from: &Task, to: &Task, newline: Newline) -> String {
    let mut edit = Edit::new(head, newline);
    let before = keys(from, newline);
    let known: Vec<_> = std::iter::once("schema").chain(before.iter().map(|(key, _)| *key)).collect();
    for (key, value) in changed(&before, keys(to, newline)) {
        if added(key, from, to).is_some_and(|added| edit.grow(key, &added) == Grown::Yes) {
            continue;
        }
        match value {
            Some(value) => edit.set(key, &value, &known),
            None => edit.remove(&[key]),
        }
    }
    for (before, (table, after)) in tables(from, newline).into_iter().zip(tables(to, newline)) {
        apply_table(&mut edit, table, before.1, after);
    }
    edit.finish()
}

/// What a list has besides, if nothing of it is gone: the rest of it stays as it is written.
fn added(key: &str, from: &Task, to: &Task) -> Option<Vec<String>> {
    let texts = |task: &Task| -> Option<Vec<String>> {
        match key {
            "labels" => Some(task.labels.clone()),
            "after" => Some(task.after.iter().map(ToString::to_string).collect()),
            _ => None,
        }
    };
    texts(to)?.strip_prefix(&texts(from)?[..]).map(<[String]>::to_vec)
}

fn push_keys(out: &mut String, keys: Vec<Key>) {
    for (key, value) in keys {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {value}\n"));
        }
    }
}

fn changed(before: &[Key], after: Vec<Key>) -> impl Iterator<Item = Key> {
    after.into_iter().zip(before).filter(|(after, before)| after != *before).map(|(after, _)| after)
}

fn apply_table(edit: &mut Edit, table: &'static str, before: Option<Vec<Key>>, after: Option<Vec<Key>>) {
    let Some(after) = after else {
        if before.is_some() {
            edit.remove_table(table);
        }
        return;
    };
    let before = before.unwrap_or_else(|| after.iter().map(|(key, _)| (*key, None)).collect());
    for (key, value) in changed(&before, after) {
        match value {
            Some(value) => edit.set_in(table, key, &value),
            None => edit.remove(&[table, key]),
        }
    }
}

fn end_line(text: &mut String, newline: Newline) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(newline.as_str());
    }
}

fn ends_in_blank_line(body: &str) -> bool {
    let Some(rest) = body.strip_suffix('\n') else { return false };
    let rest = rest.strip_suffix('\r').unwrap_or(rest);
    rest.is_empty() || rest.ends_with('\n')
}

#[cfg(test)]
mod tests;
