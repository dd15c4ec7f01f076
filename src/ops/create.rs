//! Write a task: an accepted one for this project, one in the outbox for another.

use jiff::civil::Date;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::ProjectName;
use crate::domain::route::{Model, Tier};
use crate::domain::task::{Dependency, Effort, Folder, Kind, Priority, Task, valid_label, valid_title};
use crate::domain::text::shown;
use crate::format::{Document, template};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::tx::{Operation, Tx};

use super::step::{self, Changed, Effect};

/// Whom the task is for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The own project (`.`).
    Here,
    Project(ProjectName),
}

/// Fields that the person gave; what is `None` comes from the text or the template.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fields {
    pub(crate) title: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) priority: Option<Priority>,
    pub(crate) effort: Option<Effort>,
    pub(crate) labels: Vec<String>,
    pub(crate) after: Vec<Dependency>,
    pub(crate) due: Option<Date>,
    pub(crate) tier: Option<Tier>,
    pub(crate) model: Option<Model>,
}

/// A task to be written.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) target: Target,
    pub(crate) fields: Fields,
    /// A task file (with a head), or only the Markdown body.
    pub(crate) text: Text,
}

/// What the person wrote, beyond the fields.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// Nothing; the template of the kind gives the body.
    None,
    /// A body without a head.
    Body(String),
    /// A whole task file.
    File(Vec<u8>),
}

/// Write the task and commit it.
///
/// # Errors
/// [`Code::InvalidValue`] without a title, and for a whole task that says it is for somebody else; [`Code::TooLarge`]; those of parsing a given file; those of the commit.
pub(crate) fn create(queue: &Queue, operation: &Operation<'_>, request: Request) -> Result<Changed> {
    let mut tx = Tx::begin_for_one(queue, operation)?;
    let (folder, to) = destination(queue, request.target)?;
    let is_whole = matches!(request.text, Text::File(_));
    let mut document = draft(queue, request.fields, request.text)?;
    let mut task = document.task().clone();
    if is_whole {
        refuse_other_receiver(queue, task.to.as_ref(), &to)?;
    }
    let id = operation.env.task_id();
    task.id = Some(id);
    task.from = Some(queue.settings.id.clone());
    task.to = Some(to);
    task.created = Some(operation.at);
    if document.task().id.is_some() {
        task = task.without_progress();
    }
    document.apply(&task);
    let bytes = document.to_bytes();
    let path = layout::task_path(folder, id, &layout::task_name(id, &task.title));
    let hash = tx.put(&path, bytes)?;
    let state = task.state(folder, operation.at);
    tx.record(Fact::task(EventKind::TaskCreated, id, None, state).leaving(hash));
    let committed = tx.commit(&step::subject("add", id, &task.title))?;
    let (effect, by) = (Effect::Made, operation.actor.clone());
    Ok(Changed { id, task, path, to: state, effect, by, committed })
}

fn destination(queue: &Queue, target: Target) -> Result<(Folder, ProjectName)> {
    let own = &queue.settings.id;
    match target {
        Target::Here => Ok((Folder::Tasks, own.into())),
        Target::Project(name) if name.as_str() == own.as_str() || queue.settings.aliases.contains(&name) => {
            Ok((Folder::Tasks, own.into()))
        }
        Target::Project(name) => Ok((Folder::Outbox, name)),
    }
}

/// A copy of a task of this project says that it is for this project, and may be sent to another.
fn refuse_other_receiver(queue: &Queue, said: Option<&ProjectName>, to: &ProjectName) -> Result<()> {
    let Some(said) = said.filter(|said| *said != to && !queue.is_called(said)) else { return Ok(()) };
    let (said, to) = (shown(said.as_str()), shown(to.as_str()));
    Err(Fault::new(Code::InvalidValue, format!("the text is for `{said}`, and the command for `{to}`"))
        .hint(format!("`swift task {said} …` sends it there"))
        .hint("without the line `to = …` in it the command says for whom it is"))
}

/// The document before identity is put in: the given file, or a fresh one with the template's body.
fn draft(queue: &Queue, fields: Fields, text: Text) -> Result<Document> {
    let mut document = match text {
        Text::File(bytes) => given(queue, &bytes, fields.title.as_deref())?,
        Text::Body(body) => {
            let title = title_of(&fields, &body)?;
            valid_title(&title)?;
            Document::new(&Task::titled(title), &body)
        }
        Text::None => from_template(queue, &fields)?,
    };
    let mut task = document.task().clone();
    apply_fields(&mut task, fields);
    if task.title.trim().is_empty() {
        return Err(no_title());
    }
    valid_title(&task.title)?;
    task.labels.iter().try_for_each(|label| valid_label(label))?;
    document.apply(&task);
    Ok(document)
}

/// A whole task file. Its head may lack the title if that was given apart.
fn given(queue: &Queue, bytes: &[u8], title: Option<&str>) -> Result<Document> {
    let parse = |bytes: &[u8]| Document::parse(bytes, &queue.limits()).map_err(|m| m.at("the given text"));
    parse(bytes).or_else(|fault| {
        let text = std::str::from_utf8(bytes).ok();
        let titled = text.zip(title).and_then(|(text, title)| template::fill(text, title).ok());
        titled.and_then(|text| parse(text.as_bytes()).ok()).ok_or(fault)
    })
}

/// The given title, else the first heading of the text, else its first line.
fn title_of(fields: &Fields, body: &str) -> Result<String> {
    let mut lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next();
    let heading = lines.find_map(|line| line.strip_prefix("# "));
    let title = fields.title.as_deref().or(heading).or(first).map(str::trim);
    title.filter(|title| !title.is_empty()).map(str::to_owned).ok_or_else(no_title)
}

fn no_title() -> Fault {
    Fault::new(Code::InvalidValue, "the task has no title").hint("`swift task . \"What is to be done\"`")
}

fn from_template(queue: &Queue, fields: &Fields) -> Result<Document> {
    let title = fields.title.clone().ok_or_else(no_title)?;
    let kind = fields.kind.clone().unwrap_or_default();
    let text = match template_text(queue, kind.as_str())? {
        Some(text) => text,
        None => return Ok(Document::new(&Task { kind, ..Task::titled(title) }, "")),
    };
    let place = format!("template `{}`", kind.as_str());
    let filled = template::fill(&text, &title).map_err(|m| m.at(&place))?;
    Document::parse(filled.as_bytes(), &queue.limits()).map_err(|m| m.at(&place))
}

/// The project's own template of that name, else the built-in one.
///
/// # Errors
/// Those of reading the project's file.
pub(crate) fn template_text(queue: &Queue, name: &str) -> Result<Option<String>> {
    let own = queue.read_text(&format!("{}/{name}.md", layout::TEMPLATES))?;
    Ok(own.or_else(|| template::builtin(name).map(str::to_owned)))
}

/// Put the given fields over those of the text.
pub(crate) fn apply_fields(task: &mut Task, fields: Fields) {
    task.title = fields.title.unwrap_or_else(|| task.title.clone());
    task.kind = fields.kind.unwrap_or_else(|| task.kind.clone());
    task.priority = fields.priority.unwrap_or(task.priority);
    task.effort = fields.effort.unwrap_or(task.effort);
    task.due = fields.due.or(task.due);
    task.tier = fields.tier.or(task.tier);
    task.model = fields.model.or(task.model.take());
    if !fields.labels.is_empty() {
        task.labels = fields.labels;
    }
    if !fields.after.is_empty() {
        task.after = fields.after;
    }
}
