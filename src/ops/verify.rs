//! Check the audit log against itself and against git's history.
//!
//! Within a segment every record carries the hash of the one before it. What a segment cannot show by itself, that
//! its end was cut off or that it is missing as a whole, shows in git: each commit of a verb names the last record
//! that it added, and that record has to be there still. A commit of a person's that names none has the segment itself.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::domain::event::Digest;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::WriterId;
use crate::domain::problem::Problem;
use crate::domain::text::{as_word, shown};
use crate::format::audit::{Segment, parse_bytes, verify as verify_segment};
use crate::store::git::{Entry, Farewells, Harm, Touched};
use crate::store::queue::Queue;
use crate::store::{history, layout, message};

use super::finding::{Finding, Severity};

/// What was checked and what was found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    pub(crate) records: usize,
    pub(crate) segments: usize,
    /// Commits whose anchor was looked up.
    pub(crate) anchors: usize,
    /// Segments that no commit of a verb's has written, as far as history is there.
    pub(crate) unanchored: Vec<String>,
    /// Files and folders of the log that the system does not let us read: what is in them is not missing.
    closed: Vec<String>,
}

impl Verdict {
    fn is_closed(&self, path: &str) -> bool {
        let rest = |closed: &String| path.strip_prefix(closed.as_str());
        self.closed.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn closed(problems: &[Problem]) -> Vec<String> {
    problems.iter().filter(|it| it.fault.code == Code::Io).map(|problem| problem.path.clone()).collect()
}

/// Check the whole log.
///
/// # Errors
/// Those of listing the log and of reading git's history.
pub(crate) fn verify(queue: &Queue) -> Result<Verdict> {
    let held_up = held_up(queue);
    if !held_up.is_empty() {
        return Ok(Verdict { findings: held_up, ..Verdict::default() });
    }
    let (stored, problems) = history::segments(queue)?;
    let mut verdict = Verdict { segments: stored.len(), closed: closed(&problems), ..Verdict::default() };
    verdict.findings.extend(problems.iter().map(Finding::from_problem));
    let mut parsed: Vec<(String, Segment)> = Vec::new();
    for segment in stored {
        match parse_bytes(&segment.bytes).map_err(|malformed| malformed.at(&segment.path)) {
            Ok(read) => parsed.push((segment.path, read)),
            Err(fault) => verdict.findings.push(Finding::of_fault(&segment.path, &fault)),
        }
    }
    within_segments(&parsed, &mut verdict);
    between_segments(&parsed, &mut verdict);
    verdict.findings.extend(queue.home.illegible()?.iter().map(of_git));
    for damage in queue.home.damage()? {
        let (code, fix) = match damage.harm {
            Harm::Unreadable => (
                "object-damaged",
                "`git fsck` lists all that is damaged; a clone or backup that has the branch has it whole",
            ),
            Harm::Replaced => (
                "object-replaced",
                "`git replace --list --format=long` shows what stands for what; `git --no-replace-objects log -p` shows \
                 what there is; `git help replace` says how it ends",
            ),
        };
        verdict.findings.push(Finding::new(code, Severity::Error, &damage.path, damage.what).fix(fix));
    }
    against_history(queue, &parsed, &mut verdict)?;
    Ok(verdict)
}

/// What keeps git from working at all, so that nothing can be asked of it.
pub(super) fn held_up(queue: &Queue) -> Vec<Finding> {
    queue.home.held_up().iter().map(of_git).collect()
}

fn of_git(fault: &Fault) -> Finding {
    Finding { severity: Severity::Error, code: "git-damaged".to_owned(), ..Finding::of_fault("", fault) }
}

fn within_segments(parsed: &[(String, Segment)], verdict: &mut Verdict) {
    for (path, segment) in parsed {
        verdict.records += segment.records.len();
        verdict.findings.extend(misplaced(parsed, path, segment));
        for defect in verify_segment(segment) {
            let event = defect.event.map(|id| format!(" (event {id})")).unwrap_or_default();
            let text = format!("line {}{event}: {}", defect.line, defect.message);
            verdict.findings.push(
                Finding::new("audit-damaged", Severity::Error, path, text)
                    .fix(format!("see what it was: `git -C .swift log -p -- {path}`")),
            );
        }
    }
}

/// A segment that lies elsewhere than where its header has it: whoever looks for one hand, or one month, would not find it.
fn misplaced(parsed: &[(String, Segment)], path: &str, segment: &Segment) -> Option<Finding> {
    let place = layout::segment_path(segment.writer, segment.segment);
    // A copy is told as such, and of a header that was edited nobody knows where it belongs.
    let is_there = place == path || parsed.iter().any(|(other, _)| *other == place);
    if is_there || segment.defects.iter().any(|defect| defect.line == 1) {
        return None;
    }
    let text = format!("is `{place}` by its own header, and was moved here or renamed");
    let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let from = as_word(&Path::new(".swift").join(path));
    Some(Finding::new("audit-misplaced", Severity::Error, path, text).fix(format!(
        "`mkdir -p .swift/{folder} && mv {from} .swift/{place}` leads it back; then `git -C .swift add audit` and `git -C .swift commit`",
    )))
}

/// A segment that continues another names the other's last record; that record has to be there.
fn between_segments(parsed: &[(String, Segment)], verdict: &mut Verdict) {
    let mut known: HashMap<WriterId, HashSet<&str>> = HashMap::new();
    let mut names = HashSet::new();
    for (path, segment) in parsed {
        let hashes = known.entry(segment.writer).or_default();
        hashes.insert(segment.seed.as_str());
        hashes.extend(segment.records.iter().map(|record| record.hash.as_str()));
        if !names.insert(segment.segment) {
            let text = format!("segment {} is there twice", segment.segment);
            verdict.findings.push(Finding::new("audit-damaged", Severity::Error, path, text));
        }
    }
    for (path, segment) in parsed {
        let Some(prev) = segment.prev.as_ref().filter(|_| verdict.closed.is_empty()) else { continue };
        if !known.get(&segment.writer).is_some_and(|hashes| hashes.contains(prev.as_str())) {
            let text =
                format!("the record that this segment builds on is missing: {}", &prev[..12.min(prev.len())]);
            verdict.findings.push(
                Finding::new("audit-missing", Severity::Error, path, text)
                    .fix("see what was removed: `git -C .swift log --stat -- audit`"),
            );
        }
    }
}

/// Whether an object of git's is named already that cannot be read.
fn has_damage(verdict: &Verdict) -> bool {
    verdict.findings.iter().any(|finding| finding.code == "object-damaged")
}

fn against_history(queue: &Queue, parsed: &[(String, Segment)], verdict: &mut Verdict) -> Result<()> {
    let present: HashSet<&str> =
        parsed.iter().flat_map(|(_, segment)| &segment.records).map(|record| record.hash.as_str()).collect();
    let (mut commits, mut anchors, mut written) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut missing = Vec::new();
    let history = match queue.home.history() {
        // The newest commit itself; what it leads to cannot be known.
        Err(_) if has_damage(verdict) => return Ok(()),
        history => history?,
    };
    for entry in history {
        let entry = match entry {
            Ok(entry) => entry,
            // It is named already, with its place.
            Err(_) if has_damage(verdict) => continue,
            Err(fault) => return Err(fault),
        };
        commits.insert(entry.id.clone());
        let named =
            message::values(&entry.message, message::AUDIT).filter_map(|anchor| anchor.rsplit_once('#'));
        for (path, hash) in named {
            anchors.insert(hash.to_owned());
            written.insert(path.to_owned());
        }
        let subject = || entry.message.lines().next().unwrap_or_default().to_owned();
        let Some(anchor) = message::trailer(&entry.message, message::AUDIT) else {
            let added = added_without_anchor(queue, &entry.id).into_iter();
            let gone =
                added.filter(|(path, hash)| !present.contains(hash.as_str()) && !verdict.is_closed(path));
            missing.extend(gone.map(|(path, _)| Missing {
                commit: entry.id.clone(),
                path,
                subject: subject(),
            }));
            continue;
        };
        verdict.anchors += 1;
        let Some((path, hash)) = anchor.rsplit_once('#') else { continue };
        if !present.contains(hash) && !verdict.is_closed(path) {
            missing.push(Missing { commit: entry.id.clone(), path: path.to_owned(), subject: subject() });
        }
    }
    let unwritten = parsed.iter().map(|(path, _)| path).filter(|path| !written.contains(*path));
    verdict.unanchored = unwritten.cloned().collect();
    for Missing { commit, path, subject } in without_the_intended(queue, missing, verdict)? {
        let text = format!(
            "the record of commit {} (“{}”) is missing",
            &commit[..12.min(commit.len())],
            shown(&subject)
        );
        verdict.findings.push(Finding::new("audit-missing", Severity::Error, &path, text).fix(format!(
            "see what it was: `git -C .swift show {}:{path}`",
            &commit[..12.min(commit.len())]
        )));
    }
    rewound(queue, &Known { commits, anchors, present }, verdict)
}

/// A record that a commit has added and that is not in the log.
struct Missing {
    commit: String,
    path: String,
    subject: String,
}

/// A person's `git revert` takes the record out together with the change, and that is theirs to do; a verb that takes the
/// queue out of the tree takes all of them, and a new one may follow.
fn without_the_intended(queue: &Queue, missing: Vec<Missing>, verdict: &Verdict) -> Result<Vec<Missing>> {
    if missing.is_empty() {
        return Ok(missing);
    }
    let intended = || -> Result<(HashSet<String>, Farewells)> {
        let graph = queue.home.graph()?;
        let reverted = graph.taken_back(message::is_of_a_verb);
        Ok((reverted, graph.farewells(message::is_farewell, layout::AUDIT)?))
    };
    let (reverted, farewells) = match intended() {
        Err(_) if has_damage(verdict) => return Ok(missing),
        intended => intended?,
    };
    let is_intended =
        |one: &Missing| reverted.contains(&one.commit) || farewells.took(&one.commit, &one.path);
    Ok(missing.into_iter().filter(|one| !is_intended(one)).collect())
}

/// The last record that a commit added to each segment, where its message names none: a person has made it, of what verbs
/// have written or as a squash of theirs. What a merge has brought its sides have added. A commit of which that cannot be
/// read, as at the edge of a shallow clone, tells nothing.
fn added_without_anchor(queue: &Queue, commit: &str) -> Vec<(String, Digest)> {
    if queue.home.is_merge(commit).unwrap_or(true) {
        return Vec::new();
    }
    // How many records a segment has, and the last of them.
    let end = |blob: Option<&str>| -> (usize, Option<Digest>) {
        let bytes = blob.and_then(|blob| queue.home.blob(blob).ok()).unwrap_or_default();
        let records = parse_bytes(&bytes).map(|segment| segment.records).unwrap_or_default();
        (records.len(), records.into_iter().next_back().map(|record| record.hash))
    };
    let mut touched = queue.home.touched(commit).unwrap_or_default();
    touched.retain(|touched| layout::is_of_log(&touched.path));
    let last = |touched: Touched| {
        let ((before, _), (after, last)) = (end(touched.before.as_deref()), end(touched.after.as_deref()));
        Some((touched.path, last.filter(|_| after > before)?))
    };
    touched.into_iter().filter_map(last).collect()
}

/// What is known to be there.
struct Known<'a> {
    /// Commits of the queue's history, and the records that they name.
    commits: HashSet<String>,
    anchors: HashSet<String>,
    /// Records in the log.
    present: HashSet<&'a str>,
}

/// Whether the record that a commit names is in the newest commit.
fn is_committed(queue: &Queue, entry: &Entry) -> bool {
    let anchor = message::trailer(&entry.message, message::AUDIT).and_then(|anchor| anchor.rsplit_once('#'));
    let committed = anchor.map(|(path, hash)| (queue.home.read_committed(path), hash));
    // Where git cannot say, it may.
    committed.is_none_or(|(read, hash)| {
        read.map_or(true, |bytes| bytes.is_some_and(|bytes| history::names(&bytes, hash)))
    })
}

/// How many commits are asked about; more are counted.
const MOST_ASKED: usize = 20;

/// A branch that was set back, or removed, has left commits of verbs. One that was written anew, by a rebase or with
/// another message, has its record in the log still, or the record's name in another commit.
fn rewound(queue: &Queue, known: &Known<'_>, verdict: &mut Verdict) -> Result<()> {
    let mut lost = Vec::new();
    for entry in queue.home.left_commits(&known.commits)? {
        let anchor = message::trailer(&entry.message, message::AUDIT);
        let Some((_, hash)) = anchor.and_then(|anchor| anchor.rsplit_once('#')) else { continue };
        if !known.anchors.contains(hash) {
            let is_present = known.present.contains(hash);
            lost.push((entry, is_present));
        }
    }
    let home = &queue.home;
    // Where only the branch was set back the files still have the records, and no commit has them.
    let is_written_anew = |(entry, is_present): &(Entry, bool)| {
        *is_present && home.is_related(&entry.id) && is_committed(queue, entry)
    };
    let is_lost = |left: &(Entry, bool)| !is_written_anew(left) && !home.is_kept(&left.0.id);
    let Some(at) = lost.iter().take(MOST_ASKED).position(is_lost) else { return Ok(()) };
    let (entry, is_present) = &lost[at];
    let more = match lost[at + 1..].iter().filter(|(_, other)| other == is_present).count() {
        0 => String::new(),
        1 => ", nor is 1 older one".to_owned(),
        more => format!(", nor are {more} older ones"),
    };
    let (id, subject) = (&entry.id[..12], shown(entry.message.lines().next().unwrap_or_default()));
    let text = format!(
        "commit {id} (“{subject}”) is not in the queue's branch any more{more}: it was set back or removed"
    );
    verdict.findings.push(
        Finding::new("rewound", Severity::Error, "", text)
            .fix(format!("`git branch rescue {id}` keeps it; `git log rescue` shows what it has")),
    );
    Ok(())
}
