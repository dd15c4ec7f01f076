//! Write a task, change it, comment on it.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::head::HeadArguments;
use crate::cli::DONE;
use crate::cli::context::Context;
use crate::cli::editor;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::lease::Hold;
use crate::domain::task::{Kind, valid_title};
use crate::format::date;
use crate::ops::create::{self, Fields, Target, Text};
use crate::ops::dependency;
use crate::ops::edit::{self, Clear, NewText};
use crate::store::queue::Queue;
use crate::ui;
use crate::view::task::ChangedView;

/// The fields of a task that can be given on the command line.
#[derive(Args)]
struct FieldArguments {
    #[command(flatten)]
    head: HeadArguments,
    /// A task that has to be done first: an id or its short form, or `project#id`; may be given several times
    #[arg(long = "after", short = 'a', value_name = "REF")]
    after: Vec<String>,
    /// The date by which it has to be done, such as `2026-12-01`, `tomorrow` or `+3d`; `today` is that of UTC
    #[arg(long, short = 'd', value_name = "DATE")]
    due: Option<String>,
}

impl FieldArguments {
    fn fields(self, context: &Context, queue: &Queue, title: Option<String>) -> Result<Fields> {
        let today = context.env.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let due = self.due.map(|text| date::parse(&text, today)).transpose()?;
        let after = self.after.iter().map(|text| dependency::parse(queue, text)).collect::<Result<_>>()?;
        let HeadArguments { kind, priority, effort, labels, tier, model } = self.head;
        Ok(Fields { title, kind, priority, effort, labels, after, due: due as Option<Date>, tier, model })
    }
}

/// `task`
#[derive(Args)]
pub(in crate::cli) struct Task {
    /// Whom it is for: `.` for this project, or another project's id or alias
    #[arg(value_name = "PROJECT")]
    target: String,
    /// What is to be done, in a line
    title: Option<String>,
    #[command(flatten)]
    fields: FieldArguments,
    /// The text in Markdown; `-` reads it from stdin
    #[arg(long, short = 'b', value_name = "TEXT", conflicts_with = "file")]
    body: Option<String>,
    /// A file with the text, or with a whole task; `-` reads it from stdin
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// The template to begin with (default: the one of the kind)
    #[arg(long, short = 't', value_name = "NAME")]
    template: Option<String>,
    /// Write the text in your editor
    #[arg(long, conflicts_with_all = ["body", "file"])]
    edit: bool,
}

impl Task {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let limit = queue.settings.max_bytes;
        if let Some(title) = &self.title {
            valid_title(title)?;
        }
        let target = match self.target.as_str() {
            "." => Target::Here,
            name => Target::Project(name.parse()?),
        };
        let given = Given { body: self.body, file: self.file, template: self.template, edit: self.edit };
        let fields = self.fields.fields(context, queue, self.title)?;
        let (text, scratch) = given.text(context, queue, &fields, limit)?;
        after_editor(context, scratch.as_ref())?;
        let queue = context.queue()?;
        let operation = context.operation("task")?;
        let created = create::create(queue, &operation, create::Request { target, fields, text });
        let changed = editor::settle(created, scratch.as_ref())?;
        let said = if changed.path.starts_with("outbox/") { "waits in the outbox:" } else { "added" };
        context.ui.show(&ChangedView::new(&context.project()?, &changed, said))?;
        Ok(DONE)
    }
}

/// Take the queue as it is now, if an editor was open.
fn after_editor(context: &mut Context, scratch: Option<&PathBuf>) -> Result<()> {
    match scratch {
        Some(scratch) => context.reopen().map_err(|fault| editor::kept(fault, scratch)),
        None => Ok(()),
    }
}

/// How a task is added without an editor.
const INSTEAD: &str = "swift task . \"Title\" --body -";

/// Where the text of a new task comes from.
struct Given {
    body: Option<String>,
    file: Option<PathBuf>,
    template: Option<String>,
    edit: bool,
}

impl Given {
    /// The text, and the editor's scratch file if there was one.
    fn text(
        self,
        context: &Context,
        queue: &Queue,
        fields: &Fields,
        limit: u64,
    ) -> Result<(Text, Option<PathBuf>)> {
        if let Some(body) = &self.body {
            let body = if body == "-" { utf8(ui::read_stdin(limit)?)? } else { body.clone() };
            return Ok((Text::Body(body), None));
        }
        if let Some(file) = &self.file {
            let bytes = if file.as_os_str() == "-" {
                ui::read_stdin(limit)?
            } else {
                editor::read_file(&context.start, file, limit)?
            };
            return Ok((text_of(bytes)?, None));
        }
        if self.edit || (fields.title.is_none() && context.ui.is_interactive()) {
            return self.edited(context, queue, fields);
        }
        if fields.title.is_none() && ui::stdin_is_given() {
            let bytes = ui::read_stdin(limit)?;
            if !bytes.trim_ascii().is_empty() {
                return Ok((text_of(bytes)?, None));
            }
            return self.edited(context, queue, fields);
        }
        match &self.template {
            Some(name) if fields.title.is_some() => Ok((Text::File(template(queue, name, fields)?), None)),
            _ => Ok((Text::None, None)),
        }
    }

    fn edited(&self, context: &Context, queue: &Queue, fields: &Fields) -> Result<(Text, Option<PathBuf>)> {
        let kind = fields.kind.as_ref().map_or("task", Kind::as_str);
        let start = template(queue, self.template.as_deref().unwrap_or(kind), fields)?;
        let (saved, scratch) = editor::edit(&start, &context.env.task_id().short(), INSTEAD)?;
        if saved == start && fields.title.is_none() {
            editor::discard(&scratch);
            return Err(Fault::new(Code::Editor, "nothing was written; no task is added"));
        }
        Ok((Text::File(saved), Some(scratch)))
    }
}

fn template(queue: &Queue, name: &str, fields: &Fields) -> Result<Vec<u8>> {
    let Some(text) = create::template_text(queue, name)? else {
        let known: Vec<&str> = crate::format::template::names().collect();
        return Err(Fault::new(Code::UnknownTemplate, format!("no template `{name}`"))
            .hint(format!("there are `{}`", known.join("`, `")))
            .hint(format!("or write your own: `.swift/templates/{name}.md`")));
    };
    let title = fields.title.as_deref().unwrap_or("");
    let place = format!("template `{name}`");
    crate::format::template::fill(&text, title).map(String::into_bytes).map_err(|m| m.at(&place))
}

/// A whole task if it begins like one, else a body.
fn text_of(bytes: Vec<u8>) -> Result<Text> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if start.starts_with(b"+++") { Ok(Text::File(bytes)) } else { utf8(bytes).map(Text::Body) }
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            Err(Fault::new(Code::InvalidValue, "the text has a NUL in it, so it is no text"))
        }
        Ok(text) => Ok(text),
        Err(_) => Err(Fault::new(Code::InvalidValue, "the text is not UTF-8")),
    }
}

/// `comment`
#[derive(Args)]
pub(in crate::cli) struct Comment {
    /// The task
    #[arg(value_name = "REF")]
    task: String,
    /// What there is to say; `-` reads it from stdin
    text: String,
}

impl Comment {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let text =
            if self.text == "-" { utf8(ui::read_stdin(queue.settings.max_bytes)?)? } else { self.text };
        let changed = edit::comment(queue, &context.operation("comment")?, &self.task, &text)?;
        context.ui.show(&ChangedView::new(&context.project()?, &changed, "commented"))?;
        Ok(DONE)
    }
}

/// `edit`
#[derive(Args)]
pub(in crate::cli) struct Edit {
    /// The task
    #[arg(value_name = "REF")]
    task: String,
    /// The new title
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    fields: FieldArguments,
    /// The new text; `-` reads it from stdin
    #[arg(long, short = 'b', value_name = "TEXT")]
    body: Option<String>,
    /// Empty a field first; labels and dependencies are otherwise added to those that are there
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Clear>,
    /// The fencing token that the claim gave
    #[arg(long, value_name = "N")]
    token: Option<u64>,
}

impl Edit {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let fields = self.fields.fields(context, queue, self.title)?;
        let hold = context.hold(self.token)?;
        let (text, scratch) = match self.body {
            Some(body) if body == "-" => {
                (NewText::Body(utf8(ui::read_stdin(queue.settings.max_bytes)?)?), None)
            }
            Some(body) => (NewText::Body(body), None),
            None if is_empty(&fields) && self.clear.is_empty() => {
                in_editor(context, queue, &self.task, &hold)?
            }
            None => (NewText::Same, None),
        };
        after_editor(context, scratch.as_ref())?;
        let queue = context.queue()?;
        let request = edit::Request { fields, clear: self.clear, text };
        let edited = edit::edit(queue, &context.operation("edit")?, &self.task, &hold, request);
        let changed = editor::settle(edited, scratch.as_ref())?;
        context.ui.show(&ChangedView::edited(&context.project()?, &changed))?;
        Ok(DONE)
    }
}

fn is_empty(fields: &Fields) -> bool {
    let Fields { title, kind, priority, effort, labels, after, due, tier, model } = fields;
    title.is_none()
        && kind.is_none()
        && priority.is_none()
        && effort.is_none()
        && labels.is_empty()
        && after.is_empty()
        && due.is_none()
        && tier.is_none()
        && model.is_none()
}

fn in_editor(
    context: &Context,
    queue: &Queue,
    reference: &str,
    hold: &Hold,
) -> Result<(NewText, Option<PathBuf>)> {
    let before = edit::to_edit(queue, reference, hold, context.env.now())?;
    let instead = format!("swift edit {} --body -", shell_words::quote(reference));
    let (after, scratch) = editor::edit(&before, &context.env.task_id().short(), &instead)?;
    if after == before {
        editor::discard(&scratch);
        return Ok((NewText::Same, None));
    }
    Ok((NewText::File { before, after }, Some(scratch)))
}
