//! One record: an event, the hash before it, and its own.
//!
//! There is one spelling of each record: keys in fixed order, one per line, nothing between. So the text can be
//! hashed as it is, and any other spelling of the same content counts as a change.

use super::digest;
use super::header::hash;
use super::verify::{Defect, DefectKind};
use crate::domain::event::{Digest, Event, EventKind, Fact};
use crate::format::fields::Fields;
use crate::format::instant::to_toml;
use crate::format::malformed::Malformed;
use crate::format::quote::string;
use crate::format::{plain, syntax};

/// The line that a record begins with.
const OPENING: &str = "[[event]]\n";

/// An event as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) event: Event,
    pub(crate) prev: Digest,
    pub(crate) hash: Digest,
    /// The line of the file that it begins at.
    pub(crate) line: usize,
}

/// The text to append for an event, and the record's hash, on which the next one builds.
pub(crate) fn append(prev: &Digest, event: &Event) -> (String, Digest) {
    let text = hashed(prev, event);
    let hash = digest(text.as_bytes());
    (format!("\n{text}{}", hash_line(&hash)), hash)
}

impl Record {
    /// The hash that the content should have.
    pub(super) fn expected_hash(&self) -> Digest {
        digest(hashed(&self.prev, &self.event).as_bytes())
    }

    /// What is wrong with a text of the record that is not its one spelling.
    pub(super) fn misspelt(&self, text: &str) -> Option<Defect> {
        let hashed = hashed(&self.prev, &self.event);
        let is_as_written = text.strip_prefix(&*hashed).is_some_and(|rest| rest == hash_line(&self.hash));
        (!is_as_written).then(|| Defect {
            line: self.line,
            event: Some(self.event.id),
            what: DefectKind::Edited,
            message: "the record is not as it was written".to_owned(),
        })
    }
}

fn hash_line(hash: &Digest) -> String {
    format!("hash = \"{hash}\"\n")
}

/// The record's text from its opening line to the line before its hash.
fn hashed(prev: &Digest, event: &Event) -> String {
    let fact = &event.fact;
    let lines = [
        ("id", Some(string(&event.id.to_string()))),
        ("at", Some(to_toml(event.at))),
        ("actor", Some(string(event.actor.as_str()))),
        ("operation", Some(string(&event.operation.to_string()))),
        ("kind", Some(string(fact.kind.as_str()))),
        ("task", fact.task.map(|task| string(&task.to_string()))),
        ("from", fact.from.map(|state| string(state.as_str()))),
        ("to", fact.to.map(|state| string(state.as_str()))),
        ("cause", fact.cause.as_deref().map(string)),
        ("content", fact.content.as_deref().map(string)),
        ("prev", Some(string(prev))),
    ];
    let mut text = OPENING.to_owned();
    for (key, value) in lines {
        if let Some(value) = value {
            text.extend([key, " = ", &value, "\n"]);
        }
    }
    text
}

/// Why a record cannot be read.
pub(super) struct Unreadable {
    pub(super) what: DefectKind,
    pub(super) defect: Malformed,
}

/// Read the text of one record.
pub(super) fn read(text: &str, line: usize) -> Result<Record, Unreadable> {
    let body = text.strip_prefix(OPENING).unwrap_or(text);
    if let Some(record) = read_plain(body, line) {
        return Ok(record);
    }
    let unreadable = |what| move |defect: Malformed| Unreadable { what, defect: defect.below(line) };
    let table = syntax::parse(body).map_err(unreadable(DefectKind::Unreadable))?;
    let fields = Fields::new(body, &table);
    fields.word::<EventKind>("kind").map_err(unreadable(DefectKind::UnknownKind))?;
    record(fields, line).map_err(unreadable(DefectKind::Unreadable))
}

fn read_plain(body: &str, line: usize) -> Option<Record> {
    let table = plain::parse(body)?;
    record(Fields::plain(body, &table), line).ok()
}

fn record(fields: Fields<'_>, line: usize) -> Result<Record, Malformed> {
    let fact = Fact {
        kind: fields.required("kind", fields.word("kind")?)?,
        task: fields.word("task")?,
        from: fields.word("from")?,
        to: fields.word("to")?,
        cause: fields.text("cause")?.map(str::to_owned),
        content: hash(&fields, "content")?,
    };
    let event = Event {
        id: fields.required("id", fields.word("id")?)?,
        at: fields.required("at", fields.instant("at")?)?,
        actor: fields.required("actor", fields.word("actor")?)?,
        operation: fields.required("operation", fields.word("operation")?)?,
        fact,
    };
    let prev = fields.required("prev", hash(&fields, "prev")?)?;
    let hash = fields.required("hash", hash(&fields, "hash")?)?;
    Ok(Record { event, prev, hash, line })
}
