//! Change what a task says: fields, body, comments.

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::lease::{self, Hold};
use crate::domain::project::ProjectName;
use crate::domain::task::{Folder, valid_label, valid_title};
use crate::domain::text::shown;
use crate::format::Document;
use crate::store::queue::Queue;
use crate::store::tx::Operation;

use super::create::{Fields, apply_fields};
use super::step::{self, Changed, Step};

/// Where a task may still be changed by its owner.
const OWN: [Folder; 4] = [Folder::Tasks, Folder::Outbox, Folder::Inbox, Folder::Dead];

/// What to change.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) fields: Fields,
    /// Labels and dependencies given are added to those that are there; this clears them first.
    pub(crate) clear: Vec<Clear>,
    pub(crate) text: NewText,
}

/// A field that can be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Clear {
    Labels,
    After,
    Due,
    Defer,
}

/// How the text changes.
#[derive(Debug)]
pub(crate) enum NewText {
    Same,
    Body(String),
    /// The whole file as it came out of an editor, and the bytes that went in.
    File {
        before: Vec<u8>,
        after: Vec<u8>,
    },
}

/// Change a task's fields or body; bytes that are not meant stay as they are.
///
/// # Errors
/// [`Code::Claimed`] if somebody else holds it; [`Code::Changed`] if the file changed while it was in the editor.
pub(crate) fn edit(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    request: Request,
) -> Result<Changed> {
    step::change(queue, operation, reference, &OWN, |subject| {
        lease::may_act(subject.task, subject.id, hold, operation.at)?;
        match request.text {
            NewText::Same => {}
            NewText::Body(body) => subject.document.set_body(&body),
            NewText::File { before, after } => {
                let edited = from_editor(queue, subject.document, &before, &after)?;
                let (old, new) = (subject.task.to.as_ref(), edited.task().to.as_ref());
                refuse_new_receiver(queue, subject.item.folder, old, new)?;
                *subject.document = edited;
                *subject.task = subject.document.task().clone();
            }
        }
        for field in request.clear {
            clear(subject.task, field);
        }
        apply_fields(subject.task, added(subject.task, request.fields));
        valid_title(&subject.task.title)?;
        subject.task.labels.iter().try_for_each(|label| valid_label(label))?;
        Ok(Step::stay(EventKind::TaskEdited, subject.item))
    })
}

/// Of what there may be several, the old ones stay.
fn added(task: &crate::domain::task::Task, fields: Fields) -> Fields {
    fn with<T: Clone + PartialEq>(old: &[T], new: Vec<T>) -> Vec<T> {
        let fresh: Vec<T> = new.into_iter().filter(|one| !old.contains(one)).collect();
        if fresh.is_empty() { fresh } else { [old, &fresh].concat() }
    }
    let (labels, after) = (with(&task.labels, fields.labels), with(&task.after, fields.after));
    Fields { labels, after, ..fields }
}

fn clear(task: &mut crate::domain::task::Task, field: Clear) {
    match field {
        Clear::Labels => task.labels.clear(),
        Clear::After => task.after.clear(),
        Clear::Due => task.due = None,
        Clear::Defer => task.defer_until = None,
    }
}

/// The edited file, if nobody changed the task meanwhile and its identity is as it was.
fn from_editor(queue: &Queue, now: &Document, before: &[u8], after: &[u8]) -> Result<Document> {
    if now.to_bytes() != before {
        return Err(Fault::new(
            Code::Changed,
            "the task was changed by somebody else while it was in the editor",
        )
        .hint("your text is kept in the file that the editor showed; edit again"));
    }
    let edited = Document::parse(after, &queue.limits()).map_err(|m| m.at("the edited text"))?;
    if edited.task().id != now.task().id || edited.task().from != now.task().from {
        return Err(Fault::new(Code::InvalidValue, "`id` and `from` of a task cannot be edited"));
    }
    Ok(edited)
}

/// Only what waits in the outbox, or has died on its way, can still go somewhere else.
fn refuse_new_receiver(
    queue: &Queue,
    folder: Folder,
    old: Option<&ProjectName>,
    new: Option<&ProjectName>,
) -> Result<()> {
    let Some(new) = new.filter(|new| old != Some(*new) && !queue.is_called(new)) else { return Ok(()) };
    if matches!(folder, Folder::Outbox | Folder::Dead) {
        return Ok(());
    }
    let text = format!("the task has arrived here; it does not go on to `{}`", shown(new.as_str()));
    let hint = format!("`swift task {} \"…\"` writes a new one to that project", shown(new.as_str()));
    Err(Fault::new(Code::InvalidValue, text).hint(hint))
}

/// Add a comment at the end of the body, with name and time.
///
/// # Errors
/// As [`step::change`].
pub(crate) fn comment(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    text: &str,
) -> Result<Changed> {
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Err(
            Fault::new(Code::InvalidValue, "the comment is empty").hint("`swift comment REF \"text\"`")
        );
    }
    let folders = [Folder::Tasks, Folder::Inbox, Folder::Outbox, Folder::Dead, Folder::Done];
    step::change(queue, operation, reference, &folders, |subject| {
        let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
        let block = format!("**{}**, {}:\n\n{quoted}", operation.actor, operation.at);
        subject.document.append_to_body(&block);
        Ok(Step::stay(EventKind::TaskCommented, subject.item))
    })
}
