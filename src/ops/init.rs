//! Make a queue, or take over the one that is there; never a second one.

use std::path::{Path, PathBuf};

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::ProjectId;
use crate::domain::settings::{Role, Settings};
use crate::domain::text::slug;
use crate::format;
use crate::store::git::{
    Change, Created, Durability, Expect, Home, HomeKind, Request, Signing, project_paths,
};
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Mode, Operation, Tx};
use crate::store::{layout, message};

/// What the queue is to be.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// `None`: from the remote's URL, else from the folder's name.
    pub(crate) id: Option<ProjectId>,
    pub(crate) role: Role,
    pub(crate) kind: HomeKind,
    /// The name of the queue's own branch.
    pub(crate) branch: Option<String>,
}

/// How it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    New,
    /// The branch was there, from a clone.
    Adopted,
    /// Nothing had to be done.
    Existing,
    /// It was there, and became an orchestrator's.
    Promoted,
    /// A dry run: this would be made.
    Planned,
}

/// A queue that is there now.
#[derive(Debug)]
pub(crate) struct Initialised {
    pub(crate) how: How,
    pub(crate) id: ProjectId,
    pub(crate) role: Role,
    pub(crate) kind: HomeKind,
    pub(crate) root: PathBuf,
    pub(crate) branch: Option<String>,
    pub(crate) committed: Committed,
}

/// Make, adopt or complete the queue of the repository around `start`.
///
/// # Errors
/// [`Code::NoRepository`]; those of the commit engine, before anything is written.
pub(crate) fn init(start: &Path, operation: &Operation<'_>, wanted: &Wanted) -> Result<Initialised> {
    match Home::find(start) {
        Ok(home) => return existing(Queue::of(home)?, operation, wanted, How::Existing),
        Err(fault) if fault.code != Code::NotInitialised => return Err(fault),
        Err(_) => {}
    }
    let (checkout, _) = project_paths(start)?;
    let id = match &wanted.id {
        Some(id) => id.clone(),
        None => guess_id(&checkout),
    };
    let settings = Settings { role: wanted.role, branch: wanted.branch.clone(), ..Settings::of(id.clone()) };
    let branch = wanted.branch.as_deref().unwrap_or("swift");
    format::settings::check_branch(branch)?;
    let judge = |settings: &[u8]| check_taken_over(wanted, settings);
    Home::check_wanted(start, wanted.kind, wanted.branch.as_deref())?;
    if operation.mode == Mode::DryRun {
        Home::check_create(start, wanted.kind, branch, &judge)?;
        return Ok(Initialised {
            how: How::Planned,
            id,
            role: wanted.role,
            kind: wanted.kind,
            root: checkout.join(layout::FOLDER),
            branch: Some(branch.to_owned()),
            committed: Committed::default(),
        });
    }
    let subject = format!("begin the queue of {}", settings.id);
    let text = message::of(&subject, operation, &[], &[], None);
    let request = Request {
        changes: first_files(&settings),
        message: &text,
        durability: Durability::Full,
        signing: Signing::AsConfigured,
    };
    match Home::create(start, wanted.kind, branch, request, &judge)? {
        Created::New(home) => record_beginning(Queue::of(home)?),
        Created::Adopted(home) => existing(Queue::of(home)?, operation, wanted, How::Adopted),
        Created::Existing(home) => existing(Queue::of(home)?, operation, wanted, How::Existing),
    }
}

/// Whether a queue with these settings can be opened, and is the one that is asked for.
fn check_taken_over(wanted: &Wanted, settings: &[u8]) -> Result<()> {
    let settings = Queue::parse_settings(settings)?;
    check_id(wanted, &settings)
}

fn check_id(wanted: &Wanted, settings: &Settings) -> Result<()> {
    if wanted.id.as_ref().is_none_or(|id| *id == settings.id) {
        return Ok(());
    }
    Err(Fault::new(Code::Collision, format!("the queue is there already, as `{}`", settings.id))
        .hint("to rename it, change `id` in `.swift/swift.toml` and add the old id to `aliases`"))
}

/// A queue that is there already is where it is; nothing asked for otherwise is passed over without a word.
fn check_home(wanted: &Wanted, home: &Home) -> Result<()> {
    let there = |place: String| Fault::new(Code::Collision, format!("the queue is there already, {place}"));
    match (home.kind, &wanted.branch, &home.branch) {
        (HomeKind::Branch, _, branch) if wanted.kind == HomeKind::Tree => {
            let branch = branch.as_deref().unwrap_or("swift");
            Err(there(format!("on the branch `{branch}`")).hint("`swift home tree` moves it"))
        }
        (HomeKind::Branch, Some(wanted), Some(branch)) if wanted != branch => {
            Err(there(format!("on the branch `{branch}`"))
                .hint("`swift init` without `--branch` leaves it there"))
        }
        (HomeKind::Tree, Some(_), _) => {
            Err(there("in the tree".to_owned()).hint("`swift home branch` moves it to a branch of its own"))
        }
        _ => Ok(()),
    }
}

fn first_files(settings: &Settings) -> Vec<Change> {
    let file = |path: &str, text: &str| Change {
        path: path.to_owned(),
        content: Some(text.as_bytes().to_vec()),
        expect: Expect::Absent,
    };
    vec![
        file(".gitattributes", layout::GIT_ATTRIBUTES),
        file(".gitignore", layout::GIT_IGNORE),
        file(layout::SETTINGS, &format::settings::initial(settings)),
    ]
}

fn record_beginning(queue: Queue) -> Result<Initialised> {
    let head = queue.home.history()?.next().transpose()?.map(|entry| entry.id);
    Ok(report(&queue, How::New, Committed { commit: head, debt: operation_debt(&queue)? }))
}

fn operation_debt(queue: &Queue) -> Result<Option<String>> {
    let debts = queue.home.debts()?;
    Ok((!debts.is_empty()).then(|| "the commit has to wait; the next verb makes it".to_owned()))
}

/// The queue that is there; with `--orchestrator` it carries for others from now on.
fn existing(queue: Queue, operation: &Operation<'_>, wanted: &Wanted, how: How) -> Result<Initialised> {
    check_id(wanted, &queue.settings)?;
    if how == How::Existing {
        check_home(wanted, &queue.home)?;
        queue.home.refuse_unwritable()?;
        if operation.mode == Mode::Write && !queue.home.is_hidden()? {
            queue.home.hide()?;
        }
    }
    if wanted.role == Role::Orchestrator && queue.settings.role == Role::Project {
        let committed = promote(&queue, operation)?;
        let queue = Queue::of(queue.home)?;
        return Ok(report(&queue, How::Promoted, committed));
    }
    Ok(report(&queue, how, Committed::default()))
}

fn promote(queue: &Queue, operation: &Operation<'_>) -> Result<Committed> {
    let mut tx = Tx::begin(queue, operation)?;
    let bytes = tx.read(layout::SETTINGS)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let new = format::settings::set_role(&text, Role::Orchestrator).map_err(|m| m.at(layout::SETTINGS))?;
    tx.put(layout::SETTINGS, new.into_bytes())?;
    tx.record(Fact::of(EventKind::ProjectInitialised).because("becomes an orchestrator"));
    tx.commit("carry for other projects from now on")
}

fn report(queue: &Queue, how: How, committed: Committed) -> Initialised {
    Initialised {
        how,
        id: queue.settings.id.clone(),
        role: queue.settings.role,
        kind: queue.home.kind,
        root: queue.home.root.clone(),
        branch: queue.home.branch.clone(),
        committed,
    }
}

/// `org/name` from the remote's URL; else `local/<folder>`.
fn guess_id(checkout: &Path) -> ProjectId {
    let url = crate::store::git::remote_url_at(checkout);
    url.as_deref().and_then(id_of_url).unwrap_or_else(|| {
        let name = checkout.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("local/{}", slug(&name)).parse().expect("a slug is a name")
    })
}

/// Whether a URL leads to the same place from every machine: neither a path nor `file://`.
pub(super) fn is_remote(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => !scheme.eq_ignore_ascii_case("file"),
        None => url.split_once(':').is_some_and(|(host, _)| !host.is_empty() && !host.contains('/')),
    }
}

/// The last two parts of the path of a git URL, without `.git`. Folders of a local path say nothing about owners.
pub(crate) fn id_of_url(url: &str) -> Option<ProjectId> {
    if !is_remote(url) {
        return None;
    }
    let path = url.trim_end_matches('/').trim_end_matches(".git");
    let mut parts = path.rsplit(['/', ':']);
    let (name, owner) = (parts.next()?, parts.next()?);
    format!("{owner}/{name}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_remote_urls_only() {
        let id = |url| id_of_url(url).map(|id| id.to_string());
        assert_eq!(id("git@github.com:acme/api.git"), Some("acme/api".to_owned()));
        assert_eq!(id("https://example.com/group/sub/tool.git/"), Some("sub/tool".to_owned()));
        assert_eq!(id("ssh://git@host:2222/acme/web"), Some("acme/web".to_owned()));
        assert_eq!(id("/srv/git/api.git"), None);
        assert_eq!(id("file:///srv/git/api.git"), None);
        assert_eq!(id("../api"), None);
        assert_eq!(id("./a:b/api"), None);
        assert_eq!(id("FILE:///srv/git/api.git"), None);
    }
}
