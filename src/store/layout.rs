//! Where everything lies under `.swift/`. The one place that spells these paths.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::id::{OperationId, RunId, SegmentId, SessionId, TaskId, WriterId};
use crate::domain::project::ProjectId;
use crate::domain::task::Folder;
use crate::domain::text::slug;
use crate::format::audit::digest as content_hash;

/// The name of the folder in a project.
pub(crate) const FOLDER: &str = ".swift";
/// The settings.
pub(crate) const SETTINGS: &str = "swift.toml";
/// The registry of an orchestrator: one file for each project.
pub(crate) const PROJECTS: &str = "projects";
/// The audit log.
pub(crate) const AUDIT: &str = "audit";
/// Finished sessions.
pub(crate) const SESSIONS: &str = "sessions";
/// Templates of the project's own.
pub(crate) const TEMPLATES: &str = "templates";
/// What belongs to this machine; git ignores it.
pub(crate) const LOCAL: &str = "local";
/// Finished work in bulk: many old files of `done/` or `sent/` in one.
pub(crate) const ARCHIVE: &str = "archive";
/// Records and transcripts of runs.
pub(crate) const RUNS: &str = "runs";

/// How many bytes the name of a file may have.
const LONGEST_NAME: usize = 255;

/// Files that could not be what their folder said, put aside by `doctor --fix`.
pub(crate) const QUARANTINE: &str = "quarantine";

/// What git is told about the files: they are bytes, and the log is only ever added to.
pub(crate) const GIT_ATTRIBUTES: &str = "\
# Written by swift. Bytes are bytes: no line-ending or encoding conversion in the queue.
* -text -filter -ident -working-tree-encoding
# Log segments only grow; where a merge or revert meets one, both sides stay.
audit/** merge=union
# A task that both sides changed is joined field by field, by `swift resolve`. Line by line, git would also join what
# only looks alike, such as a task that is gone and another one that is new.
outbox/** -merge
inbox/** -merge
tasks/** -merge
sent/** -merge
done/** -merge
dead/** -merge
";

/// Keeps a folder of tasks in git when the last task has left it. Of a folder that is gone git thinks that it was renamed
/// to where its tasks went, and would have a merge move everything there that another clone has put into it.
pub(crate) const KEEP: &str = ".keep";

/// Whether a file is there for its folder alone.
pub(crate) fn is_keep(path: &str) -> bool {
    folder_of(path).is_some() && path.rsplit('/').next() == Some(KEEP)
}

/// Whether a file is a segment of the audit log.
pub(crate) fn is_of_log(path: &str) -> bool {
    path.strip_prefix(AUDIT).is_some_and(|rest| rest.starts_with('/') && rest.ends_with(".toml"))
}

/// What git does not see.
pub(crate) const GIT_IGNORE: &str = "\
# Written by swift. Belongs to this machine: locks, caches, proposals, paths.
/local/
.swift-tmp-*
";

/// The folders that hold tasks.
pub(crate) const QUEUE_FOLDERS: [Folder; 6] =
    [Folder::Outbox, Folder::Inbox, Folder::Tasks, Folder::Sent, Folder::Done, Folder::Dead];

/// The folder that a path lies in, if it is one for tasks. Within a folder that has the name of a task nothing is one.
pub(crate) fn folder_of(path: &str) -> Option<Folder> {
    let (first, rest) = path.split_once('/')?;
    if rest.contains(".md/") { None } else { first.parse().ok() }
}

/// The file name of a task, which carries nothing that the head does not.
pub(crate) fn task_name(id: TaskId, title: &str) -> String {
    format!("{id}-{}.md", slug(title))
}

/// Whether a file's name is that of a task. What an editor leaves beside one (`….md~`, `….md.orig`) is none.
pub(crate) fn is_named_as_a_task(path: &str) -> bool {
    path.ends_with(".md")
}

/// The id that the name of a task's file begins with, if a verb gave it that name.
pub(crate) fn id_in_name(path: &str) -> Option<TaskId> {
    path.rsplit('/').next()?.get(..26)?.parse().ok()
}

/// The path of a task's file in a folder, given its file name.
pub(crate) fn task_path(folder: Folder, id: TaskId, name: &str) -> String {
    match folder {
        Folder::Tasks => format!("{folder}/{}/{name}", id.shard()),
        Folder::Sent | Folder::Done => format!("{folder}/{}/{name}", month_of_id(id)),
        Folder::Outbox | Folder::Inbox | Folder::Dead => format!("{folder}/{name}"),
    }
}

/// The subfolder in which a task of this id lies, if it was put there by a verb.
pub(crate) fn usual_folder(folder: Folder, id: TaskId) -> String {
    let path = task_path(folder, id, "");
    path.trim_end_matches('/').to_owned()
}

/// Where the session that is open on this machine is noted, in the machine's own folder.
pub(crate) const OPEN_SESSION: &str = "session.json";

/// The registry file of a project.
pub(crate) fn project_path(id: &ProjectId) -> String {
    format!("{PROJECTS}/{}.toml", id.file_stem())
}

/// The file of a session.
pub(crate) fn session_path(id: SessionId) -> String {
    format!("{SESSIONS}/{}/{id}.md", month(id.milliseconds()))
}

/// The record of a run. The name tells the task, so that the runs of one are found without reading all.
pub(crate) fn run_path(id: RunId, task: Option<TaskId>) -> String {
    format!("{RUNS}/{}/{id}-{}.toml", month(id.milliseconds()), run_subject(task))
}

/// How a run's file name says what it was about.
pub(crate) fn run_subject(task: Option<TaskId>) -> String {
    task.map_or_else(|| "prompt".to_owned(), TaskId::random_part)
}

/// The transcript beside a run's record.
pub(crate) fn transcript_path(record: &str) -> String {
    format!("{}.jsonl", record.trim_end_matches(".toml"))
}

/// A segment of the audit log.
pub(crate) fn segment_path(writer: WriterId, segment: SegmentId) -> String {
    format!("{AUDIT}/{}/{writer}/{segment}.toml", month(segment.milliseconds()))
}

/// The folder of a segment's month; a segment holds nothing that happened later.
pub(crate) fn log_of_month(at: Timestamp) -> String {
    format!("{AUDIT}/{}", month_of(at))
}

/// The instant at which the month of a folder of the log began; `None` for a folder that is not of one.
pub(crate) fn month_began(folder: &str) -> Option<Timestamp> {
    let (year, month) = folder.strip_prefix(AUDIT)?.strip_prefix('/')?.split_once('-')?;
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
    let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (log_of_month(at) == folder).then_some(at)
}

/// An archive of finished work.
pub(crate) fn archive_path(id: SegmentId) -> String {
    format!("{ARCHIVE}/{}/{id}.md", month(id.milliseconds()))
}

/// Where a file is put aside. Its name tells where it was, as far as there is room.
pub(crate) fn aside_path(operation: OperationId, path: &str) -> String {
    let name = format!("{operation}-{}", path.replace('/', "-"));
    if name.len() <= LONGEST_NAME {
        return format!("{QUARANTINE}/{name}");
    }
    // Two long names may begin alike.
    let mark = content_hash(path.as_bytes());
    let ending = format!("-{}{}", &mark[..8], if name.ends_with(".md") { ".md" } else { "" });
    let mut room = LONGEST_NAME - ending.len();
    while !name.is_char_boundary(room) {
        room -= 1;
    }
    format!("{QUARANTINE}/{}{ending}", &name[..room])
}

/// The month in which the task was made; so its file is found from the id alone.
fn month_of_id(id: TaskId) -> String {
    month(id.milliseconds())
}

/// `yyyy-mm` in UTC.
fn month(milliseconds: u64) -> String {
    let at = i64::try_from(milliseconds).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    month_of(at.unwrap_or(Timestamp::UNIX_EPOCH))
}

fn month_of(at: Timestamp) -> String {
    let date = at.to_zoned(TimeZone::UTC).date();
    format!("{:04}-{:02}", date.year(), date.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_from_folder_and_id() {
        let id = TaskId::new(1_795_000_000_000, 0xabcd);
        let name = task_name(id, "Add rate limiting");
        assert_eq!(task_path(Folder::Tasks, id, &name), format!("tasks/d/{id}-add-rate-limiting.md"));
        assert_eq!(task_path(Folder::Done, id, &name), format!("done/2026-11/{id}-add-rate-limiting.md"));
        assert_eq!(folder_of("tasks/d/x.md"), Some(Folder::Tasks));
        assert_eq!(folder_of("audit/x"), None);
        assert_eq!(folder_of("tasks/x.md/y.md"), None);
        assert_eq!(usual_folder(Folder::Inbox, id), "inbox");
    }
}
