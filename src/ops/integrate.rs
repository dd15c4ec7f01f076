//! Hooks and slash commands for Claude Code, in the project's `.claude` folder: planned, shown, then written.
//!
//! What is ours is marked in the files themselves. Beside that this machine keeps what was there before, so that taking
//! it out gives back every byte as long as nobody changed the file since; otherwise only what is marked goes.

use serde::{Deserialize, Serialize};

use crate::domain::fault::{Code, Fault, Result};
use crate::format::audit::digest;
use crate::format::{claude, hooks};
use crate::store::integration::Checkout;
use crate::store::queue::Queue;
use crate::store::runs;

/// Where Claude Code has its settings for a project.
const SETTINGS: &str = ".claude/settings.json";
/// Where it has slash commands.
const COMMANDS: &str = ".claude/commands";
/// What this machine remembers, below its own folder.
const RECORD: &str = "claude.json";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Installed,
    Removed,
}

/// One file as it is and as it will be; `None`: no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// All steps, and what a person should know about them.
#[derive(Debug)]
pub(crate) struct Plan {
    checkout: Checkout,
    wanted: Wanted,
    /// Folders that were made for the files, outermost first.
    folders: Vec<String>,
    /// Whether the settings will be to the byte what they were before.
    pub(crate) is_restoring: bool,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
}

/// What was there before.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// The settings; `None`: there were none.
    settings: Option<String>,
    /// SHA-256 of what we made of them.
    made: String,
    /// Folders that were made, outermost first.
    folders: Vec<String>,
}

impl Plan {
    /// What the steps rest on and lead to.
    pub(crate) fn basis(&self) -> String {
        let texts = self.steps.iter().map(|step| format!("{:?}", (&step.path, &step.before, &step.after)));
        digest(texts.collect::<Vec<_>>().join("\n").as_bytes())
    }
}

/// What would have to be written in the checkout in which the person stands: sessions in a linked one read its files.
///
/// # Errors
/// [`Code::NotAFile`] for links, [`Code::Malformed`] for settings that cannot be read, with the place.
pub(crate) fn plan(queue: &Queue, wanted: Wanted) -> Result<Plan> {
    let checkout = Checkout::at(runs::project_folder(queue).to_owned());
    let record = record(queue);
    let mut notes = Vec::new();
    let mut steps = Vec::new();
    let before = text(&checkout, SETTINGS)?;
    let after = match wanted {
        Wanted::Installed => Some(claude::with_hooks(before.as_deref()).map_err(|m| m.at(SETTINGS))?),
        Wanted::Removed => settings_without(before.as_deref(), record.as_ref())?,
    };
    if wanted == Wanted::Installed && !after.as_deref().is_some_and(claude::is_strict) {
        notes.push(format!(
            "`{SETTINGS}` has comments or trailing commas; Claude Code ignores such a file as a whole"
        ));
    }
    if wanted == Wanted::Installed && after.as_deref().is_some_and(claude::turns_hooks_off) {
        notes.push(format!("`{SETTINGS}` says `disableAllHooks`: no hook runs while it does"));
    }
    let before_us = before.clone();
    push(&mut steps, SETTINGS.to_owned(), before, after);
    for (name, own) in hooks::slash_commands() {
        let path = format!("{COMMANDS}/{name}");
        let before = text(&checkout, &path)?;
        let is_ours = before.as_deref().is_none_or(|text| text.contains(hooks::MARK));
        match (wanted, is_ours) {
            (_, false) => notes.push(format!("`{path}` is not ours and stays as it is")),
            (Wanted::Installed, true) => push(&mut steps, path, before, Some(own)),
            (Wanted::Removed, true) if before.as_deref().is_some_and(|text| text != own) => {
                notes.push(format!("`{path}` was changed since and stays as it is"));
            }
            (Wanted::Removed, true) => push(&mut steps, path, before, None),
        }
    }
    let is_known =
        |record: &Record| before_us.as_deref().is_some_and(|text| record.made == digest(text.as_bytes()));
    let is_restoring = record.as_ref().is_some_and(is_known);
    let forgotten = || vec![".claude".to_owned(), COMMANDS.to_owned()];
    let folders = record.map_or_else(forgotten, |record| record.folders);
    Ok(Plan { checkout, wanted, folders, is_restoring, steps, notes })
}

/// What takes out of Claude Code what was put in here; `None` if there is nothing, or nothing that can be read.
pub(crate) fn installed(queue: &Queue) -> Option<Plan> {
    plan(queue, Wanted::Removed).ok().filter(|plan| !plan.steps.is_empty())
}

impl Step {
    /// How many bytes of the file are ours.
    pub(crate) fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        length(&self.before).abs_diff(length(&self.after))
    }
}

fn push(steps: &mut Vec<Step>, path: String, before: Option<String>, after: Option<String>) {
    if before != after {
        steps.push(Step { path, before, after });
    }
}

fn text(checkout: &Checkout, path: &str) -> Result<Option<String>> {
    let Some(bytes) = checkout.read(path, claude::LARGEST)? else { return Ok(None) };
    let text = String::from_utf8(bytes)
        .map_err(|_| Fault::new(Code::Malformed, format!("`{path}` is not UTF-8; it is left alone")))?;
    Ok(Some(text))
}

/// The settings as they were before us, or at least without what is ours.
fn settings_without(now: Option<&str>, record: Option<&Record>) -> Result<Option<String>> {
    let Some(now) = now else { return Ok(None) };
    if let Some(record) = record.filter(|record| record.made == digest(now.as_bytes())) {
        return Ok(record.settings.clone());
    }
    let rest = claude::without_hooks(now).map_err(|m| m.at(SETTINGS))?;
    // Nobody knows any more what was there before, in a clone for example; with nothing in it, it was there for us.
    let is_nothing = record.is_none() && rest != now && rest.split_whitespace().eq(["{}"]);
    Ok((!is_nothing).then_some(rest))
}

/// Each checkout has its own memory.
fn record_name(queue: &Queue) -> String {
    let folder = runs::project_folder(queue);
    if queue.home.root.parent() == Some(folder) {
        return RECORD.to_owned();
    }
    format!("claude-{}.json", &digest(folder.to_string_lossy().as_bytes())[..8])
}

fn record(queue: &Queue) -> Option<Record> {
    serde_json::from_slice(&queue.local.read(&record_name(queue))?).ok()
}

/// Write what was planned. A file that changed since the plan was made stops it before anything of that file is lost.
///
/// # Errors
/// [`Code::Changed`], [`Code::Io`].
pub(crate) fn carry_out(queue: &Queue, plan: &Plan) -> Result<()> {
    match plan.wanted {
        Wanted::Installed => install(queue, plan),
        Wanted::Removed => remove(queue, plan),
    }
}

fn install(queue: &Queue, plan: &Plan) -> Result<()> {
    let mut record = record(queue).unwrap_or_default();
    if let Some(step) = plan.steps.iter().find(|step| step.path == SETTINGS) {
        // An older installation of ours is not what was there before us.
        let is_first = step.before.as_deref().is_none_or(|text| !text.contains(hooks::MARK));
        if is_first {
            record.settings = step.before.clone();
        }
        record.made = step.after.as_deref().map(|text| digest(text.as_bytes())).unwrap_or_default();
    }
    // First the memory, then the files: what is written can always be taken out to the byte.
    keep(queue, &record)?;
    for step in &plan.steps {
        let after = step.after.as_deref().unwrap_or_default();
        let made =
            plan.checkout.replace(&step.path, step.before.as_deref().map(str::as_bytes), after.as_bytes())?;
        if !made.is_empty() {
            record.folders.extend(made);
            keep(queue, &record)?;
        }
    }
    Ok(())
}

fn keep(queue: &Queue, record: &Record) -> Result<()> {
    let text = serde_json::to_vec_pretty(record).map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
    queue.local.write(&record_name(queue), &text)
}

fn remove(queue: &Queue, plan: &Plan) -> Result<()> {
    for step in &plan.steps {
        let before = step.before.as_deref().unwrap_or_default();
        match &step.after {
            Some(after) => {
                plan.checkout.replace(&step.path, Some(before.as_bytes()), after.as_bytes())?;
            }
            None => plan.checkout.remove(&step.path, before.as_bytes())?,
        }
    }
    let mut folders = plan.folders.clone();
    folders.push(format!("{COMMANDS}/swift"));
    plan.checkout.remove_empty(&folders);
    queue.local.remove(&record_name(queue))
}
