//! Which model a request goes to: the rules of the project, applied to a text or to a task. Nothing is written.

use std::path::Path;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::route::evaluation::{self, Evaluation};
use crate::domain::route::rules::Rules;
use crate::domain::route::{self, Decision, Head, Model, Request, Tier, Verdict};
use crate::domain::task::Folder;
use crate::format;
use crate::store::queue::Queue;
use crate::store::{layout, runs};

/// Where a task may lie that somebody wants to be worked on, or wants to know about.
const FOLDERS: [Folder; 6] =
    [Folder::Tasks, Folder::Inbox, Folder::Outbox, Folder::Dead, Folder::Sent, Folder::Done];

/// What a person asked for by name, beside the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    pub(crate) tier: Option<Tier>,
    pub(crate) model: Option<Model>,
}

/// A decision and what it is about.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) subject: Subject,
    pub(crate) decision: Decision,
}

/// What was routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Text(String),
    Task { id: Option<TaskId>, title: String },
}

/// The rules that hold in a folder: those of its queue over the built-in ones; without a queue the built-in ones.
///
/// # Errors
/// [`Code::Malformed`] for the settings; those of opening a queue that is there.
pub(crate) fn rules(start: &Path) -> Result<Rules> {
    match Queue::open(start) {
        Ok(queue) => rules_of(&queue),
        Err(fault) if is_no_queue(&fault) => builtin(),
        Err(fault) => Err(fault),
    }
}

/// The rules of a queue.
///
/// # Errors
/// [`Code::Malformed`] for the settings.
pub(crate) fn rules_of(queue: &Queue) -> Result<Rules> {
    let settings = queue.read_text(layout::SETTINGS)?;
    format::routing::rules(settings.as_deref())
        .map_err(|m| m.at(layout::SETTINGS).hint(format!("mend it in `.swift/{}`", layout::SETTINGS)))
}

/// The rules of a queue as they are committed.
///
/// # Errors
/// As [`rules_of`]; those of git.
pub(crate) fn committed_rules_of(queue: &Queue) -> Result<Rules> {
    let bytes = queue.home.read_committed(layout::SETTINGS)?;
    let settings = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    format::routing::rules(settings.as_deref()).map_err(|m| m.at(layout::SETTINGS).hint(mend_and_record()))
}

/// How settings are mended that count as they are committed: no run records what lies in the folder.
pub(crate) fn mend_and_record() -> String {
    format!(
        "mend it in `.swift/{}`; then `swift doctor --fix` records it, which no run does",
        layout::SETTINGS
    )
}

/// The rules that come with the program.
///
/// # Errors
/// None that a user can meet.
pub(crate) fn builtin() -> Result<Rules> {
    format::routing::rules(None).map_err(|m| m.at("the built-in rules"))
}

fn is_no_queue(fault: &Fault) -> bool {
    matches!(fault.code, Code::NoRepository | Code::NotInitialised)
}

/// Decide about a text.
///
/// # Errors
/// Those of [`Request::new`].
pub(crate) fn text(rules: &Rules, text: &str, head: Head) -> Result<Routed> {
    let decision = route::route(rules, &Request::new(text, head)?);
    Ok(Routed { subject: Subject::Text(text.to_owned()), decision })
}

/// Decide about a task of a queue.
///
/// # Errors
/// Those of [`Queue::find`] and of reading the task.
pub(crate) fn task(queue: &Queue, rules: &Rules, reference: &str, named: Named) -> Result<Routed> {
    let item = queue.find(reference, &FOLDERS)?;
    let document = queue.document(&item.path)?;
    let task = document.task();
    let subject = Subject::Task { id: item.id(), title: task.title.clone() };
    let head = Head::of(task).overridden(named.tier, named.model);
    let text = format!("{}\n\n{}", task.title, format::template::without_prompts(document.body()));
    let decision = route::route(rules, &Request::new(&text, head)?);
    Ok(Routed { subject, decision })
}

/// Where words stand that the next run of a task is told beside the task.
pub(crate) const SENT_BACK: &str = "in why it was sent back: ";

/// Decide about a task as its next run does: a person is asked about what was said when its work was sent back, too.
///
/// # Errors
/// As [`task`]; those of listing runs.
pub(crate) fn next_run(queue: &Queue, rules: &Rules, reference: &str, named: Named) -> Result<Routed> {
    let mut routed = task(queue, rules, reference, named)?;
    let Subject::Task { id: Some(id), .. } = routed.subject else { return Ok(routed) };
    let runs = runs::of_task(queue, id)?.all;
    let why = runs.last().and_then(|stored| stored.run.sent_back_because()).unwrap_or_default();
    if routed.decision.verdict != Verdict::Ask && !why.trim().is_empty() {
        let beside = text(rules, why, Head::default()).map(|beside| beside.decision);
        let beside = beside.unwrap_or_else(|fault| undecided(&fault));
        if beside.verdict == Verdict::Ask {
            routed.decision.verdict = Verdict::Ask;
            routed.decision.reasons.push(format!("{SENT_BACK}{}", beside.reasons.join("; ")));
        }
    }
    Ok(routed)
}

/// The decision for those who have to have one: what cannot be decided goes to the middle tier and says why. Where that is
/// because the rules of the project cannot be read, what the built-in ones ask about is still asked.
pub(crate) fn careful(rules: Result<Rules>, by: impl Fn(&Rules) -> Result<Routed>) -> Decision {
    let fault = match rules.and_then(|rules| by(&rules)) {
        Ok(routed) => return routed.decision,
        Err(fault) => fault,
    };
    let mut decision = undecided(&fault);
    if let Ok(built_in) = builtin().and_then(|rules| by(&rules)).map(|routed| routed.decision)
        && built_in.verdict == Verdict::Ask
    {
        decision.verdict = Verdict::Ask;
        decision.reasons.extend(built_in.reasons);
    }
    decision
}

/// The decision where there is none. What is too long to be read may ask for anything, so a person is asked.
fn undecided(fault: &Fault) -> Decision {
    let decision = Decision::middle("no decision", format!("the router could not decide: {fault}"));
    let verdict = if fault.code == Code::TooLarge { Verdict::Ask } else { decision.verdict };
    Decision { verdict, ..decision }
}

/// Labelled requests put to the rules.
#[derive(Debug)]
pub(crate) struct Evaluated {
    pub(crate) evaluation: Evaluation,
    /// Lines that are no labelled request, each with its reason.
    pub(crate) problems: Vec<String>,
}

/// How good the rules are on labelled requests.
///
/// # Errors
/// [`Code::InvalidValue`] if not one line is a labelled request.
pub(crate) fn evaluate(rules: &Rules, labelled: &[u8]) -> Result<Evaluated> {
    let (cases, problems) = format::cases::parse(labelled);
    if cases.is_empty() {
        let why = problems.first().map(|first| format!(" ({first})")).unwrap_or_default();
        return Err(Fault::new(Code::InvalidValue, format!("no line is a labelled request{why}"))
            .hint("a line looks like this: `{\"text\": \"Fix the typo\", \"tier\": \"haiku\"}`"));
    }
    Ok(Evaluated { evaluation: evaluation::evaluate(rules, cases), problems })
}
