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
    /// Whether its commits are signed, if that is said.
    pub(crate) sign: Option<Signing>,
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
    let lying = Lying::read(start, wanted)?;
    let settings = match &lying {
        Some(lying) => lying.settings.clone(),
        None => first_settings(wanted, &checkout),
    };
    let id = settings.id.clone();
    let branch = settings.branch.as_deref().unwrap_or("swift");
    format::settings::check_branch(branch)?;
    let judge = |found: &[u8]| check_taken_over(wanted, lying.as_ref(), found);
    let changes = first_files(start, wanted, &settings, lying.as_ref())?;
    Home::check_wanted(start, wanted.kind, wanted.branch.as_deref())?;
    if operation.mode == Mode::DryRun {
        Home::check_create(start, wanted.kind, branch, &judge)?;
        return Ok(Initialised {
            how: How::Planned,
            id,
            role: settings.role,
            kind: wanted.kind,
            root: checkout.join(layout::FOLDER),
            branch: Some(branch.to_owned()),
            committed: Committed::default(),
        });
    }
    let subject = format!("begin the queue of {}", settings.id);
    let text = message::of(&subject, operation, &[], &[], None);
    let request = Request { changes, message: &text, durability: Durability::Full, signing: settings.sign };
    match Home::create(start, wanted.kind, branch, request, &judge).map_err(may_be_unsigned)? {
        Created::New(home) => record_beginning(Queue::of(home)?, operation, wanted),
        Created::Adopted(home) => {
            home.note_left_in_tree()?;
            existing(Queue::of(home)?, operation, wanted, How::Adopted)
        }
        Created::Existing(home) => existing(Queue::of(home)?, operation, wanted, How::Existing),
    }
}

fn first_settings(wanted: &Wanted, checkout: &Path) -> Settings {
    let id = wanted.id.clone().unwrap_or_else(|| guess_id(checkout));
    Settings {
        role: wanted.role,
        branch: wanted.branch.clone(),
        sign: wanted.sign.unwrap_or(Signing::AsConfigured),
        ..Settings::of(id)
    }
}

/// Where git cannot sign, there are no settings yet that could say that it need not.
fn may_be_unsigned(fault: Fault) -> Fault {
    if fault.code != Code::Signing {
        return fault;
    }
    let mut hints = fault.hints;
    hints.retain(|hint| !hint.contains(layout::SETTINGS));
    hints.push("the same command with `--unsigned` leaves the commits of the queue unsigned".to_owned());
    Fault { hints, ..fault }
}

/// Whether a queue with these settings can be opened, and is the one that is asked for.
fn check_taken_over(wanted: &Wanted, lying: Option<&Lying>, found: &[u8]) -> Result<()> {
    let settings = Queue::parse_settings(found)?;
    check_id(wanted, &settings)?;
    check_sign(wanted, &settings)?;
    match lying {
        Some(lying) if lying.settings.id != settings.id => {
            let (own, other) = (&lying.settings.id, &settings.id);
            let text = format!("it is that of `{other}`, and `.swift/swift.toml` says `{own}`");
            Err(Fault::new(Code::Collision, text).hint(Lying::ASIDE))
        }
        _ => Ok(()),
    }
}

fn check_sign(wanted: &Wanted, settings: &Settings) -> Result<()> {
    if wanted.sign.is_none_or(|sign| sign == settings.sign) {
        return Ok(());
    }
    let text = "`.swift/swift.toml` is there already, and its commits are to be signed";
    Err(Fault::new(Code::Collision, text)
        .hint("`sign = \"never\"` in `.swift/swift.toml` leaves the commits of the queue unsigned"))
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

/// The files that the queue begins with; those that lie there already are taken as they are.
fn first_files(
    start: &Path,
    wanted: &Wanted,
    settings: &Settings,
    lying: Option<&Lying>,
) -> Result<Vec<Change>> {
    let initial = format::settings::initial(settings);
    let files = [
        (".gitattributes", layout::GIT_ATTRIBUTES.as_bytes()),
        (".gitignore", layout::GIT_IGNORE.as_bytes()),
        (layout::SETTINGS, lying.map_or(initial.as_bytes(), |lying| &lying.bytes)),
    ];
    let change = |(path, text): (&str, &[u8])| {
        let there = Home::lying(start, wanted.kind, path)?;
        let expect = match &there {
            Some(bytes) if has_lines(bytes, text) => Expect::Bytes(bytes.clone()),
            Some(_) => return Err(lies_there(path)),
            None => Expect::Absent,
        };
        let content = Some(there.unwrap_or_else(|| text.to_vec()));
        Ok(Change { path: path.to_owned(), content, expect })
    };
    files.into_iter().map(change).collect()
}

/// Whether a file says all that the queue's own would, whatever else it says.
fn has_lines(bytes: &[u8], text: &[u8]) -> bool {
    let lines = |text| <[u8]>::split(text, |byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut needed = lines(text).filter(|line| !line.starts_with(b"#"));
    needed.all(|needed| needed.is_empty() || lines(bytes).any(|line| line == needed))
}

fn lies_there(path: &str) -> Fault {
    let text = format!("`.swift/{path}` is there already, and is not what a queue has there");
    Fault::new(Code::Collision, text).hint(Lying::ASIDE)
}

/// Settings that git does not have: made by hand, or copied from elsewhere.
struct Lying {
    bytes: Vec<u8>,
    settings: Settings,
}

impl Lying {
    const ASIDE: &str = "`mv .swift .swift-old` puts it aside; then `swift init` begins without it";

    fn read(start: &Path, wanted: &Wanted) -> Result<Option<Lying>> {
        let Some(bytes) = Home::lying(start, wanted.kind, layout::SETTINGS)? else { return Ok(None) };
        let settings = Queue::parse_settings(&bytes).map_err(|fault| {
            let message = format!("what lies in `.swift` is no queue: {}", fault.message);
            Fault { message, ..fault }.hint(Lying::ASIDE)
        })?;
        check_id(wanted, &settings)?;
        check_sign(wanted, &settings)?;
        let branch = settings.branch.as_deref().unwrap_or("swift");
        if wanted.branch.as_deref().is_some_and(|wanted| wanted != branch) {
            let text =
                format!("`.swift/swift.toml` is there already, and says that the branch is `{branch}`");
            return Err(Fault::new(Code::Collision, text).hint(Lying::ASIDE));
        }
        Ok(Some(Lying { bytes, settings }))
    }
}

fn record_beginning(queue: Queue, operation: &Operation<'_>, wanted: &Wanted) -> Result<Initialised> {
    if wanted.role == Role::Orchestrator && queue.settings.role == Role::Project {
        return existing(queue, operation, wanted, How::New);
    }
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
    check_sign(wanted, &queue.settings)?;
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
