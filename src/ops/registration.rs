//! Enter projects into an orchestrator's registry, and take them out.

use std::path::Path;

use super::carrier;
use super::init::{id_of_url, is_remote};
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::settings::Role;
use crate::domain::text::{as_word, led_to, shown};
use crate::format::registry::{self as format, Entry};
use crate::store::git::project_paths;
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::registry::{self, Project, Registry};
use crate::store::tx::{Committed, Mode, Operation, Tx};

/// A project that was entered.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) entry: Entry,
    /// Where it lies on this machine; `None` if nobody has told yet.
    pub(crate) path: Option<String>,
    /// Whether it was there already and nothing was committed.
    pub(crate) again: bool,
    /// Entries in whose place it is, because it was called so before.
    pub(crate) replaced: Vec<ProjectId>,
    pub(crate) committed: Committed,
}

/// Enter the project at `place` (a folder on this machine).
///
/// # Errors
/// [`Code::NotOrchestrator`]; [`Code::Collision`] if another project has the id; those of opening its queue.
pub(crate) fn register(
    orchestrator: &Queue,
    operation: &Operation<'_>,
    place: &Path,
    id: Option<&ProjectId>,
    aliases: Vec<ProjectName>,
) -> Result<Registered> {
    require_orchestrator(orchestrator)?;
    let project = Queue::open(place).map_err(|fault| {
        // What is advised is to be done there, and not in the orchestrator.
        let folder = project_paths(place).map_or_else(|_| place.to_owned(), |(folder, _)| folder);
        let hints = fault.hints.iter().map(|hint| led_to(hint, &as_word(&folder))).collect();
        let fault = Fault { hints, ..fault };
        fault.hint("`swift register PATH` takes the folder of a project that has a queue")
    })?;
    refuse_another(&project, id)?;
    let known = Registry::read(orchestrator)?;
    let present = known.projects.iter().find(|p| p.entry.id == project.settings.id);
    refuse_second(present, &project)?;
    let renamed = renamed(&known, &project);
    refuse_living(&renamed, &project)?;
    let entry = entry(&project, present, &renamed, aliases);
    refuse_taken_names(&known, &entry, &renamed)?;
    let path = project_folder(&project);
    if operation.mode == Mode::Write {
        // A path without an entry means nothing; an entry without its path would be out of reach.
        registry::set_path(orchestrator, &entry.id, Some(&path))?;
        carrier::tell(orchestrator, &project)?;
    }
    let committed = write(orchestrator, operation, present, &entry, &renamed)?;
    // Where it lay under a former id stays noted, so that taking this back restores everything.
    let again = present.is_some_and(|p| p.entry == entry);
    let replaced = renamed.iter().map(|old| old.entry.id.clone()).collect();
    Ok(Registered { entry, path: Some(path.display().to_string()), again, replaced, committed })
}

/// A project is called what its own settings say.
fn refuse_another(project: &Queue, id: Option<&ProjectId>) -> Result<()> {
    let own = &project.settings.id;
    if id.is_none_or(|id| id == own) {
        return Ok(());
    }
    let folder = project_folder(project);
    let place = project.home.root.join(layout::SETTINGS);
    Err(Fault::new(Code::Collision, format!("the queue in {} is `{own}`", folder.display()))
        .hint(format!("`swift register {}` enters it under that id", as_word(&folder)))
        .hint(format!("to rename it, change `id` in `{}` and add the old id to `aliases`", place.display())))
}

/// Enter a project by its URL alone: it is known from now on, and reached once somebody tells where it lies here.
///
/// # Errors
/// [`Code::NotOrchestrator`]; [`Code::InvalidValue`] if the URL tells no id and none is given; [`Code::Collision`].
pub(crate) fn register_url(
    orchestrator: &Queue,
    operation: &Operation<'_>,
    url: &str,
    id: Option<ProjectId>,
    aliases: Vec<ProjectName>,
) -> Result<Registered> {
    require_orchestrator(orchestrator)?;
    refuse_path(url)?;
    let url = without_login(url);
    let Some(id) = id.or_else(|| id_of_url(&url)) else {
        return Err(Fault::new(
            Code::InvalidValue,
            format!("`{}` does not tell the project's id", shown(&url)),
        )
        .hint("say it: `swift register <url> --id acme/api`"));
    };
    let known = Registry::read(orchestrator)?;
    let present = known.projects.iter().find(|p| p.entry.id == id);
    let mut entry = Entry { id, url: Some(url), aliases };
    if let Some(present) = present {
        let old = present.entry.aliases.iter().filter(|alias| !entry.aliases.contains(alias));
        let old: Vec<ProjectName> = old.cloned().collect();
        entry.aliases.splice(0..0, old);
    }
    refuse_taken_names(&known, &entry, &[])?;
    let committed = write(orchestrator, operation, present, &entry, &[])?;
    let again = present.is_some_and(|p| p.entry == entry);
    Ok(Registered { entry, path: None, again, replaced: Vec::new(), committed })
}

/// The registry is committed, and what it says has to hold on every machine.
fn refuse_path(url: &str) -> Result<()> {
    if is_remote(url) {
        return Ok(());
    }
    let message = format!("`{}` is a place on this machine, and the registry is committed", shown(url));
    Err(Fault::new(Code::InvalidValue, message).hint(
        "clone it, run `swift init` there, and `swift register PATH`: where that is stays on this machine",
    ))
}

fn require_orchestrator(queue: &Queue) -> Result<()> {
    if queue.settings.role == Role::Orchestrator {
        return Ok(());
    }
    Err(Fault::new(
        Code::NotOrchestrator,
        format!("`{}` is a project, not an orchestrator", queue.settings.id),
    )
    .hint("run it in the orchestrator's checkout")
    .hint("`swift init --orchestrator` makes this one carry for others too"))
}

/// The folder that holds `.swift`.
fn project_folder(queue: &Queue) -> std::path::PathBuf {
    queue.home.root.parent().map_or_else(|| queue.home.root.clone(), Path::to_owned)
}

/// The same id at another place of this machine is another project, or a copy, unless the old place is gone.
fn refuse_second(present: Option<&Project>, project: &Queue) -> Result<()> {
    let Some(known) = present else { return Ok(()) };
    match registry::reach(known) {
        Ok(other) if other.home.root != project.home.root => Err(Fault::new(
            Code::Collision,
            format!("`{}` is registered at `{}` already", known.entry.id, project_folder(&other).display()),
        )
        .hint(
            "a clone of it is the same project, and shares its queue through git: one of them is registered",
        )
        .hint(format!("to have this one registered: `swift unregister {}` first", known.entry.id))
        .hint("a project of its own, which is no clone, gets another `id` in its `.swift/swift.toml`")),
        Ok(_) => Ok(()),
        Err(_) => registry::refuse_namesake(known).map_err(|it| Fault { code: Code::Collision, ..it }),
    }
}

/// Entries under former ids of this project: it says itself that it was called so.
fn renamed<'k>(known: &'k Registry, project: &Queue) -> Vec<&'k Project> {
    let former = |id: &ProjectId| project.settings.aliases.iter().any(|alias| alias.as_str() == id.as_str());
    let same_place = |p: &Project| p.path.as_deref() == Some(project_folder(project).as_path());
    let other = |p: &&Project| p.entry.id != project.settings.id;
    known.projects.iter().filter(other).filter(|p| former(&p.entry.id) || same_place(p)).collect()
}

/// A name that a project says it had, and that another one has, which is there: a slip, and no renaming.
fn refuse_living(renamed: &[&Project], project: &Queue) -> Result<()> {
    for old in renamed {
        let living = registry::reach(old)
            .ok()
            .filter(|other| other.settings.id == old.entry.id && other.home.root != project.home.root);
        if let Some(other) = living {
            let (id, own) = (&old.entry.id, &project.settings.id);
            let text = format!(
                "`{own}` has `{id}` among its aliases, which is another project, at `{}`",
                project_folder(&other).display()
            );
            let place = project.home.root.join(layout::SETTINGS);
            return Err(Fault::new(Code::Collision, text)
                .hint(format!("take `{id}` out of `aliases` in `{}`", place.display())));
        }
    }
    Ok(())
}

fn entry(
    project: &Queue,
    present: Option<&Project>,
    renamed: &[&Project],
    aliases: Vec<ProjectName>,
) -> Entry {
    let id = project.settings.id.clone();
    let mut all: Vec<ProjectName> = present.map(|p| p.entry.aliases.clone()).unwrap_or_default();
    let former =
        renamed.iter().flat_map(|p| std::iter::once((&p.entry.id).into()).chain(p.entry.aliases.clone()));
    for name in aliases.into_iter().chain(former).chain(project.settings.aliases.iter().cloned()) {
        if name.as_str() != id.as_str() && !all.contains(&name) {
            all.push(name);
        }
    }
    let url = project.home.remote_url().map(|url| without_login(&url));
    let url = url.filter(|url| is_remote(url)).or_else(|| present.and_then(|p| p.entry.url.clone()));
    Entry { id, url: url.filter(|url| is_remote(url)), aliases: all }
}

/// The registry is committed and pushed: a URL in it is without the user and the password that one machine has in it, and
/// without what the web takes for a query, such as a token. The user of ssh is part of the address.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let is_web = scheme.starts_with("http") || scheme.starts_with("ftp");
    let rest = if is_web { rest.split(['?', '#']).next().unwrap_or_default() } else { rest };
    let url = format!("{scheme}://{rest}");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((login, host)) = authority.rsplit_once('@') else { return url };
    match login.split_once(':') {
        None if scheme.starts_with("ssh") || scheme.starts_with("git") => url,
        Some((user, _)) if scheme.starts_with("ssh") => format!("{scheme}://{user}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}

/// What the project was called before is its own.
fn refuse_taken_names(known: &Registry, entry: &Entry, former: &[&Project]) -> Result<()> {
    let is_former = |p: &Project| former.iter().any(|former| former.entry.id == p.entry.id);
    for other in known.projects.iter().filter(|p| p.entry.id != entry.id && !is_former(p)) {
        let clash = entry.aliases.iter().find(|alias| other.entry.aliases.contains(alias));
        if let Some(alias) = clash {
            return Err(Fault::new(
                Code::Collision,
                format!("`{alias}` is an alias of `{}` already", other.entry.id),
            )
            .hint("choose another alias"));
        }
        let is_another = |a: &Entry, b: &Entry| a.aliases.iter().any(|alias| alias.as_str() == b.id.as_str());
        if is_another(entry, &other.entry) || is_another(&other.entry, entry) {
            let text =
                format!("an alias of one of `{}` and `{}` is the id of the other", entry.id, other.entry.id);
            let holder = if is_another(entry, &other.entry) { entry } else { &other.entry };
            return Err(Fault::new(Code::Collision, text).hint(format!(
                "`{}` has it from `--alias`, or from `aliases` in its `.swift/swift.toml`",
                holder.id
            )));
        }
        if other.entry.id.as_str().eq_ignore_ascii_case(entry.id.as_str()) {
            return Err(Fault::new(
                Code::Collision,
                format!("`{}` differs from `{}` in case only", entry.id, other.entry.id),
            )
            .hint("edit `id` in its `.swift/swift.toml`"));
        }
    }
    Ok(())
}

fn write(
    orchestrator: &Queue,
    operation: &Operation<'_>,
    present: Option<&Project>,
    entry: &Entry,
    renamed: &[&Project],
) -> Result<Committed> {
    let mut tx = Tx::begin(orchestrator, operation)?;
    for old in renamed {
        remove_files(&mut tx, old)?;
        tx.record(Fact::of(EventKind::ProjectUnregistered).because(old.entry.id.as_str()));
    }
    if present.map(|p| &p.entry) != Some(entry) {
        let own = present.and_then(|p| p.files.first().cloned());
        let path = own.unwrap_or_else(|| layout::project_path(&entry.id));
        let text = match tx.read(&path)? {
            Some(bytes) => format::apply(&String::from_utf8_lossy(&bytes), entry).map_err(|m| m.at(&path))?,
            None => format::render(entry),
        };
        tx.put(&path, text.into_bytes())?;
        tx.record(Fact::of(EventKind::ProjectRegistered).because(entry.id.as_str()));
    }
    tx.commit(&format!("register {}", entry.id))
}

/// What names a project is its `id`: its file may be called anything, and there may be a second one.
fn remove_files(tx: &mut Tx<'_>, project: &Project) -> Result<()> {
    project.files.iter().try_for_each(|file| tx.remove(file))
}

/// Take a project out of the registry; its own queue stays as it is.
///
/// # Errors
/// [`Code::UnknownProject`]; those of the commit.
pub(crate) fn unregister(
    orchestrator: &Queue,
    operation: &Operation<'_>,
    name: &ProjectName,
) -> Result<Entry> {
    require_orchestrator(orchestrator)?;
    let mut tx = Tx::begin(orchestrator, operation)?;
    let known = Registry::read(orchestrator)?;
    let project = known.resolve(name)?;
    let entry = project.entry.clone();
    remove_files(&mut tx, project)?;
    tx.record(Fact::of(EventKind::ProjectUnregistered).because(entry.id.as_str()));
    let reached = registry::reach(project);
    tx.commit(&format!("unregister {}", entry.id))?;
    if operation.mode == Mode::Write {
        // Where it lies stays noted, so that taking this back restores everything.
        if let Ok(other) = reached {
            // The commit is made. A project that still knows the way here is not carried for any more.
            let _ = registry::set_carrier(&other, None);
        }
    }
    Ok(entry)
}

/// A registered project and whether it can be reached.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) project: Project,
    /// `None`: reached. Otherwise why not.
    pub(crate) fault: Option<Fault>,
}

/// All registered projects.
///
/// # Errors
/// [`Code::NotOrchestrator`]; those of reading the registry.
pub(crate) fn projects(orchestrator: &Queue) -> Result<(Vec<Standing>, Vec<Problem>)> {
    require_orchestrator(orchestrator)?;
    let registry = Registry::read(orchestrator)?;
    let standing = |project: Project| Standing { fault: registry::reach(&project).err(), project };
    Ok((registry.projects.into_iter().map(standing).collect(), registry.problems))
}
