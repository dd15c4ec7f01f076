//! Is the queue as it should be? Reads only; `--fix` does the little that is safe.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use crate::domain::event::Event;
use crate::domain::fault::{Code, Result};
use crate::domain::id::TaskId;
use crate::domain::settings::Role;
use crate::domain::task::Folder;
use crate::domain::text::{as_word, shown};
use crate::store::queue::{Item, Queue};
use crate::store::registry::{self, Registry};
use crate::store::replay;
use crate::store::{archive, layout};

use super::apart;
use super::carrier::{self, Carrier};
use super::clones;
use super::finding::{Finding, Remedy, Severity};
use super::verify;

mod against_log;
mod hindered;
mod index;
mod log;
mod machine;
mod namesake;
mod records;
mod repair;
mod sent;
mod sessions;
mod settings;
mod uncommitted;
mod unreadable;
mod waiting;

use against_log::against_log;
use hindered::hindered;
use namesake::namesakes;
pub(crate) use repair::{Repaired, fix, rehearse};
use uncommitted::uncommitted;
use waiting::waiting;

/// Look at everything.
///
/// # Errors
/// Those of listing folders. That git cannot be read is a finding itself, beside those that were made until then.
pub(crate) fn examine(queue: &Queue, now: Timestamp) -> Result<Vec<Finding>> {
    let mut findings = verify::held_up(queue);
    // git would wait for such a file, and whoever asks git with it.
    if findings.is_empty() {
        let told = look_at_all(queue, now, &mut findings);
        or_finding(told, &mut findings)?;
    }
    findings.iter_mut().for_each(unreadable::lead_to_the_place);
    findings.dedup();
    findings.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| (&a.path, &a.message).cmp(&(&b.path, &b.message)))
    });
    Ok(findings)
}

fn look_at_all(queue: &Queue, now: Timestamp, findings: &mut Vec<Finding>) -> Result<()> {
    let listing = queue.list(&layout::QUEUE_FOLDERS);
    findings.extend(listing.problems.iter().map(|problem| unreadable::finding(queue, problem)));
    same_id_twice(&listing.items, findings);
    warnings(queue, &listing.items, findings);
    let (log, words) = replay::of_all(queue)?;
    findings.extend(log.problems.iter().map(Finding::from_problem));
    let told = against_log(queue, &listing, words, now, findings);
    or_finding(told, findings)?;
    sent::records(&listing.items, &log.events, findings);
    clock(&log.events, now, findings);
    linked_folders(queue, findings);
    sessions::of(queue, &log.events, findings);
    records::of_runs(queue, &log.events, findings);
    machine::notes(queue, findings);
    machine::writable(queue, findings);
    if let Err(fault) = queue.home.refuse_unwritable() {
        findings.push(Finding::of_fault("", &fault));
    }
    if let Err(fault) = queue.home.refuse_attributes() {
        findings.push(Finding::of_fault("", &fault));
    }
    local_files_in_git(queue, findings);
    if queue.home.is_linked_by_the_project() {
        findings.push(linked_by_the_project());
    }
    findings.extend(queue.home.relinked.as_deref().map(relinked));
    findings.extend(apart::findings(queue));
    match carrier::of(queue) {
        Carrier::Gone(fault) => findings.push(Finding::of_fault("", &fault)),
        Carrier::There(orchestrator) => {
            sent::without_receiver(queue, &orchestrator, findings);
            called_as_another(queue, &orchestrator, findings);
        }
        Carrier::Own => sent::without_receiver_anywhere(queue, findings),
        Carrier::Nobody => {}
    }
    settings::of_runs(queue, findings);
    settings::of_routing(queue, findings);
    // What is damaged is told as that, and not as changed by hand.
    let looks = [
        log::history,
        strange_folders,
        hindered,
        uncommitted,
        index::of,
        own_files,
        hidden,
        archives,
        registered,
        namesakes,
        apart_from_clones,
    ];
    for look in looks {
        let told = look(queue, findings);
        or_finding(told, findings)?;
    }
    let told = waiting(queue, now, findings);
    or_finding(told, findings)
}

/// What is at a former home of the queue, or where a merge has put it by mistake.
fn apart_from_clones(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    findings.extend(clones::findings(queue)?);
    Ok(())
}

/// What is carried for the other one would be carried to here.
fn called_as_another(queue: &Queue, orchestrator: &Queue, findings: &mut Vec<Finding>) {
    let own = queue.home.root.parent();
    // That the registry cannot be read, the orchestrator's own doctor tells.
    let projects = Registry::read(orchestrator).map(|all| all.projects).unwrap_or_default();
    let registered = projects.iter().find(|project| project.path.as_deref() == own);
    if let Some(Err(fault)) = registered.map(registry::refuse_namesake) {
        findings.push(Finding::of_fault(layout::SETTINGS, &fault));
    }
}

fn archives(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    for (path, what) in archive::damaged(queue)? {
        let fix = format!("see what it was: `git -C .swift log -p -- {path}`");
        findings.push(Finding::new("archive-damaged", Severity::Error, &path, what).fix(fix));
    }
    for (path, id) in archive::passed_over(queue)? {
        let short = id.short();
        let what = format!(
            "has text of task {short} that is not shown: two clones have put it away, each as it had it"
        );
        let fix = format!(
            "`swift show {short}` shows what counts; the other text: `grep -n -A 50 {id} .swift/{path}`"
        );
        findings.push(Finding::new("archived-twice", Severity::Note, &path, what).fix(fix));
    }
    Ok(())
}

/// What belongs to one machine is believed by each that gets it with the branch.
fn local_files_in_git(queue: &Queue, findings: &mut Vec<Finding>) {
    let committed = queue.home.committed().and_then(|mut committed| match committed.head() {
        Some(head) => committed.files(head, layout::LOCAL),
        None => Ok(Default::default()),
    });
    if committed.is_ok_and(|files| !files.is_empty()) {
        let text =
            "is committed, and belongs to this machine alone: other clones would take its paths for theirs";
        findings.push(Finding::new("local-committed", Severity::Error, layout::LOCAL, text).fix(
            "`git -C .swift rm -r --cached --quiet local` leaves the files and takes them out of git; \
             then `git -C .swift commit`",
        ));
    }
}

/// As after `git add -f`: the project then has a commit of the queue in its own, which is another after every verb.
fn linked_by_the_project() -> Finding {
    let text = "the project has `.swift` in its own index, as a link to one commit of the queue: it differs after each verb, \
                and no clone of it takes the queue over";
    Finding::new("in-the-project", Severity::Warning, "", text)
        .fix("`git rm --cached --quiet .swift` leaves the queue as it is; then `git commit`")
}

/// No verb can look at a queue whose folder git takes for nobody's, or for another's; so each links it first.
fn relinked(what: &str) -> Finding {
    let text = format!(
        "{what}, and leads to this repository again: what `git -C .swift` did until then was done elsewhere"
    );
    Finding::new("relinked", Severity::Note, ".git", text)
        .fix("`git -C .swift status` says what git makes of it now")
}

/// One odd name, or one object that git has lost, must not hide everything else.
fn or_finding(told: Result<()>, findings: &mut Vec<Finding>) -> Result<()> {
    match told {
        Err(fault)
            if matches!(
                fault.code,
                Code::Malformed | Code::NotAFile | Code::Git | Code::InProgress | Code::UnsafeHome
            ) =>
        {
            findings.push(Finding::of_fault("", &fault));
            Ok(())
        }
        told => told,
    }
}

fn same_id_twice(items: &[Item], findings: &mut Vec<Finding>) {
    let mut seen: HashMap<TaskId, &Item> = HashMap::new();
    for item in items {
        let Some(id) = item.id() else { continue };
        let Some(first) = seen.insert(id, item) else { continue };
        let text = format!("the id {id} is in `{}` too", first.path);
        findings.push(Finding::new("id-twice", Severity::Error, &item.path, text).fix(
            "after a merge: `swift resolve` makes one of them; a copy: remove the line `id = …` from its head",
        ));
    }
}

/// What a file says can be read otherwise than it was meant.
fn warnings(queue: &Queue, items: &[Item], findings: &mut Vec<Finding>) {
    for item in items {
        let Ok(document) = queue.document(&item.path) else { continue };
        for warning in document.warnings() {
            findings.push(Finding::new("unclear", Severity::Note, &item.path, warning.clone()));
        }
        astray(queue, item, findings);
    }
}

/// A task of this project's own that is for another one and lies where nothing is carried from.
fn astray(queue: &Queue, item: &Item, findings: &mut Vec<Finding>) {
    let is_own = item.task.from.as_ref().is_none_or(|from| *from == queue.settings.id);
    let receiver = item.task.to.as_ref().filter(|to| !queue.is_called(to));
    if let Some(to) = receiver.filter(|_| is_own && item.folder == Folder::Tasks) {
        let path = Path::new(".swift").join(&item.path);
        let message = format!(
            "is for `{}`, and lies among the tasks of this project: nothing carries it",
            shown(to.as_str())
        );
        let fix = format!("`mkdir -p .swift/outbox && mv {} .swift/outbox/` has it carried", as_word(&path));
        findings.push(Finding::new("astray", Severity::Warning, &item.path, message).fix(fix));
    }
}

fn clock(events: &[Event], now: Timestamp, findings: &mut Vec<Finding>) {
    let tomorrow = now + jiff::SignedDuration::from_hours(24);
    if let Some(event) = events.iter().rev().find(|event| event.at > tomorrow) {
        let text = format!("event {} is from {}, which is in the future", event.id, event.at);
        findings.push(Finding::new("clock", Severity::Warning, "", text).fix("compare the clock: `date -u`"));
    }
}

/// Everything at the top of `.swift/` has a meaning, or is listed here.
fn strange_folders(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    let folders = [
        layout::PROJECTS,
        layout::AUDIT,
        layout::SESSIONS,
        layout::TEMPLATES,
        layout::LOCAL,
        layout::ARCHIVE,
        layout::SETTINGS,
        layout::QUARANTINE,
        layout::RUNS,
        ".git",
        ".gitignore",
        ".gitattributes",
    ];
    for name in queue.names_at_top()? {
        if !folders.contains(&name.as_str()) && name.parse::<Folder>().is_err() {
            let text = "is no part of a queue; swift leaves it alone";
            findings.push(Finding::new("unknown-file", Severity::Note, &name, text));
        }
    }
    Ok(())
}

/// Folders that no other check walks through: a link in their place would be followed by nobody.
fn linked_folders(queue: &Queue, findings: &mut Vec<Finding>) {
    for folder in
        [layout::LOCAL, layout::SESSIONS, layout::TEMPLATES, layout::PROJECTS, layout::ARCHIVE, layout::RUNS]
    {
        if let Err(fault) = queue.walk(folder) {
            findings.push(Finding::of_fault(folder, &fault));
        }
    }
}

fn own_files(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    for (path, text) in own_file_texts() {
        if queue.read_text(path)?.as_deref() != Some(text) {
            findings.push(
                Finding::new("own-file", Severity::Warning, path, "is not what swift put there")
                    .fix("`swift doctor --fix` puts it back")
                    .remedy(Remedy::PutBack),
            );
        }
    }
    Ok(())
}

/// Where the line is that hides the folder, as git names it.
const EXCLUDE: &str = ".git/info/exclude";

fn hidden(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    if !queue.home.is_hidden()? {
        let text = format!("nothing hides the folder from git in the project: the line in {EXCLUDE} is gone");
        findings.push(
            Finding::new("not-hidden", Severity::Warning, "", text)
                .fix("`swift doctor --fix` puts it back")
                .remedy(Remedy::PutBack),
        );
    }
    Ok(())
}

fn own_file_texts() -> [(&'static str, &'static str); 2] {
    [(".gitattributes", layout::GIT_ATTRIBUTES), (".gitignore", layout::GIT_IGNORE)]
}

fn registered(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    if queue.settings.role != Role::Orchestrator {
        return Ok(());
    }
    let all = Registry::read(queue)?;
    findings.extend(all.problems.iter().map(Finding::from_problem));
    for project in &all.projects {
        if let (Some(file), Err(fault)) = (project.files.first(), registry::reach(project)) {
            findings.push(Finding::of_fault(file, &fault));
        }
    }
    Ok(())
}
