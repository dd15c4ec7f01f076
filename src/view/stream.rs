//! An event in the stream: for scripts in the shape of CloudEvents 1.0, for people as one line.

use serde::Serialize;

use super::event::EventRow;
use crate::ops::events::Told;

/// One event of the stream. Attributes are those of CloudEvents; `cursor` is an extension.
#[derive(Debug, Serialize)]
pub(crate) struct CloudEvent<'t> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    time: String,
    /// The task that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    datacontenttype: &'static str,
    data: Data<'t>,
    /// Where the stream stands behind this event; what is not from a stream has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// What the audit log says of it, under the names of `swift log --json`.
#[derive(Debug, Serialize)]
struct Data<'t> {
    schema: u32,
    #[serde(flatten)]
    event: &'t EventRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'t str>,
}

/// An event on its way out.
#[derive(Debug)]
pub(crate) struct StreamLine {
    row: EventRow,
    project: String,
    content: Option<String>,
}

impl StreamLine {
    /// The line of an event.
    pub(crate) fn new(told: &Told) -> StreamLine {
        let project = told.project.to_string();
        StreamLine {
            row: EventRow::new(&project, &told.event),
            project,
            content: told.event.fact.content.clone(),
        }
    }

    /// The event with the cursor behind it.
    pub(crate) fn cloud_event(&self, cursor: Option<String>) -> CloudEvent<'_> {
        CloudEvent {
            specversion: "1.0",
            id: self.row.id.clone(),
            source: format!("swift://{}", self.project),
            kind: self.row.kind,
            time: self.row.at.clone(),
            subject: self.row.task.clone(),
            datacontenttype: "application/json",
            data: Data { schema: 1, event: &self.row, content: self.content.as_deref() },
            cursor,
        }
    }

    /// The line for people.
    pub(crate) fn text(&self, out: &mut String) {
        out.push_str(&format!("{:<16}  ", self.project));
        self.row.line(out);
    }
}
