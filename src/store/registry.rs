//! The projects that an orchestrator carries for. Who they are is committed; where they lie on this machine is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::layout;
use super::local::is_frozen;
use super::queue::{self, Queue};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::text::as_word;
use crate::format::conflict;
use crate::format::registry::{self, Entry};

/// The file that maps project ids to folders of this machine.
pub(crate) const PATHS: &str = "paths.json";

/// The file in which a project remembers who carries for it.
const CARRIER: &str = "orchestrator";

/// One registered project.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) entry: Entry,
    /// Where it lies on this machine; `None` until somebody tells.
    pub(crate) path: Option<PathBuf>,
    /// The files that have its id, whatever they are called; the entry is that of the first.
    pub(crate) files: Vec<String>,
    /// Where everybody who is registered lies, as far as anybody has told.
    places: Arc<BTreeMap<ProjectId, PathBuf>>,
}

/// All registered projects, sorted by id.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    pub(crate) projects: Vec<Project>,
    pub(crate) problems: Vec<Problem>,
}

impl Registry {
    /// Read the registry of an orchestrator.
    ///
    /// # Errors
    /// [`Code::Io`] if the folder cannot be listed; a single bad file is a problem of the list.
    pub(crate) fn read(queue: &Queue) -> Result<Registry> {
        let found = queue.paths(layout::PROJECTS)?;
        let mut all = Registry { projects: Vec::new(), problems: found.problems };
        let places = paths(queue).unwrap_or_else(|fault| {
            all.problems.push(Problem::at(format!("{}/{PATHS}", layout::LOCAL), fault));
            BTreeMap::new()
        });
        for file in found.files.into_iter().filter(|file| file.ends_with(".toml")) {
            match entry(queue, &file) {
                Ok(entry) => {
                    if let Some(known) = all.projects.iter_mut().find(|known| known.entry.id == entry.id) {
                        all.problems.push(twice(&entry.id, &file));
                        known.files.push(file);
                        continue;
                    }
                    let path = places.get(entry.id.as_str()).map(PathBuf::from);
                    let (files, places) = (vec![file], Arc::default());
                    all.projects.push(Project { entry, path, files, places });
                }
                Err(fault) => all.problems.push(Problem::at(file, fault)),
            }
        }
        all.projects.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
        let placed = all.projects.iter().filter_map(|p| Some((p.entry.id.clone(), p.path.clone()?)));
        let places = Arc::new(placed.collect());
        all.projects.iter_mut().for_each(|project| project.places = Arc::clone(&places));
        Ok(all)
    }

    /// The project that a name stands for: an id first, then an alias that only one project has.
    ///
    /// # Errors
    /// [`Code::UnknownProject`] with what is known, [`Code::Ambiguous`] for an alias of several.
    pub(crate) fn resolve(&self, name: &ProjectName) -> Result<&Project> {
        if let Some(project) = self.projects.iter().find(|p| p.entry.id.as_str() == name.as_str()) {
            return Ok(project);
        }
        let mut named = self.projects.iter().filter(|p| p.entry.aliases.contains(name));
        match (named.next(), named.next()) {
            (Some(project), None) => Ok(project),
            (Some(a), Some(b)) => Err(Fault::new(
                Code::Ambiguous,
                format!("`{name}` is an alias of `{}` and of `{}`", a.entry.id, b.entry.id),
            )
            .hint("use the project's id")),
            (None, _) => Err(self.unknown(name)),
        }
    }

    fn unknown(&self, name: &ProjectName) -> Fault {
        let usual = name.as_str().parse().map(|id: ProjectId| layout::project_path(&id));
        if let Some(problem) = self.problems.iter().find(|problem| Ok(&problem.path) == usual.as_ref()) {
            let text = format!("what is registered of `{name}` cannot be read: {}", problem.fault.message);
            return Fault { message: text, code: Code::UnknownProject, ..problem.fault.clone() };
        }
        let known: Vec<&str> = self.projects.iter().map(|p| p.entry.id.as_str()).collect();
        let fault = Fault::new(Code::UnknownProject, format!("no project `{name}` is registered"))
            .hint("`swift register <path>` adds a project");
        if known.is_empty() { fault } else { fault.hint(format!("registered: {}", known.join(", "))) }
    }
}

fn twice(id: &ProjectId, path: &str) -> Problem {
    let text = format!("`{id}` is there twice: `{path}` names it too");
    let usual = layout::project_path(id);
    let hint = format!("one file is enough: `{usual}` is its usual name");
    Problem::at(path.to_owned(), Fault::new(Code::Collision, text).hint(hint))
}

fn entry(queue: &Queue, path: &str) -> Result<Entry> {
    let text = queue.read_text(path)?.ok_or_else(|| Fault::new(Code::Changed, "the file is gone"))?;
    registry::parse(&text).map_err(|malformed| match conflict::sides(&text) {
        Some(_) => queue::marks_in(&queue.home, path),
        None => malformed.at(path),
    })
}

/// Where projects lie. Nobody but a person knows that, so a file that cannot be read is not taken for an empty one.
fn paths(queue: &Queue) -> Result<BTreeMap<String, String>> {
    let Some(bytes) = queue.local.read(PATHS) else { return Ok(BTreeMap::new()) };
    serde_json::from_slice(&bytes).map_err(|error| {
        let path = format!("{}/{PATHS}", layout::LOCAL);
        Fault::new(Code::Malformed, format!("{path}: it cannot be read: {error}"))
            .hint(format!("look at it: `cat .swift/{path}`"))
            .hint("mended, or taken away, it is no obstacle: `swift register <path>` tells again where a project lies")
    })
}

/// Remember where a project lies on this machine; `None` forgets it.
///
/// # Errors
/// [`Code::Io`].
pub(crate) fn set_path(queue: &Queue, id: &ProjectId, path: Option<&Path>) -> Result<()> {
    if is_frozen() {
        return Ok(());
    }
    // Somebody else may enter another project at the same moment.
    let _turn = queue.local.turn()?;
    let mut all = paths(queue)?;
    match path {
        Some(path) => all.insert(id.to_string(), path.display().to_string()),
        None => all.remove(id.as_str()),
    };
    let text = serde_json::to_vec_pretty(&all).expect("a map of texts is plain data");
    queue.local.write(PATHS, &text)
}

/// Tell a project where its orchestrator lies on this machine.
///
/// # Errors
/// [`Code::Io`].
pub(crate) fn set_carrier(project: &Queue, orchestrator: Option<&Path>) -> Result<()> {
    match orchestrator {
        Some(path) => project.local.write(CARRIER, path.display().to_string().as_bytes()),
        None => project.local.remove(CARRIER),
    }
}

/// Where the project's orchestrator lies on this machine, if it was ever told.
pub(crate) fn carrier(project: &Queue) -> Option<PathBuf> {
    project.local.read_text(CARRIER).map(PathBuf::from)
}

/// Why a project's queue cannot be opened: it is not there, or its settings cannot be read.
fn unreachable(id: &ProjectId, path: &Path, fault: &Fault) -> Fault {
    let look = format!("look there: `swift -C {} list`", as_word(path));
    let look = Some(look).filter(|_| path.is_dir());
    let or = if look.is_some() { "or " } else { "" };
    let unreachable = |message: String| {
        let fault = Fault::new(Code::Unreachable, message);
        look.into_iter().fold(fault, Fault::hint)
    };
    if matches!(fault.code, Code::Malformed | Code::NewerSchema) {
        let settings = format!("the settings of `{id}` cannot be read: {fault}");
        return unreachable(settings);
    }
    unreachable(format!("`{id}` is not there: {fault}"))
        .hint(format!("{or}tell where it lies now: `swift register <path>`"))
}

impl Project {
    /// Whether its queue has a file, where it lies on this machine.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.path.as_ref().is_some_and(|place| place.join(layout::FOLDER).join(path).is_file())
    }

    /// Where another project lies that is registered under this name, which the one here calls itself.
    fn namesake(&self, own: &ProjectId) -> Option<&Path> {
        let other = self.places.get(own).filter(|_| *own != self.entry.id)?;
        (self.path.as_ref() != Some(other)).then_some(other)
    }
}

/// Refuse to go by what is registered where a project goes by the name of another one.
///
/// # Errors
/// [`Code::Unreachable`].
pub(crate) fn refuse_namesake(project: &Project) -> Result<()> {
    let Some(Ok(queue)) = project.path.as_deref().map(Queue::open) else { return Ok(()) };
    match (&project.path, project.namesake(&queue.settings.id)) {
        (Some(path), Some(other)) => {
            Err(goes_by_anothers_name(&project.entry.id, path, &queue.settings.id, other))
        }
        _ => Ok(()),
    }
}

/// Whether it was renamed, and another one too, or a line was copied: nobody but a person can tell who is meant.
fn goes_by_anothers_name(id: &ProjectId, path: &Path, own: &ProjectId, other: &Path) -> Fault {
    let text = format!(
        "`{}` is registered as `{id}` and calls itself `{own}`, as which `{}` is registered",
        path.display(),
        other.display()
    );
    let settings = path.join(".swift").join(layout::SETTINGS);
    Fault::new(Code::Unreachable, text)
        .hint(format!("`{id}` as `id` in `{}` makes it what it was", settings.display()))
        .hint(
            "if they are called so now: without each other's names in `aliases`, `swift unregister` both, then \
             `swift register` both",
        )
}

/// A queue on this machine by path; reached only if it is what the registry says.
///
/// # Errors
/// [`Code::Unreachable`] with the reason.
pub(crate) fn reach(project: &Project) -> Result<Queue> {
    let id = &project.entry.id;
    let Some(path) = &project.path else {
        return Err(Fault::new(
            Code::Unreachable,
            format!("nobody has told where `{id}` lies on this machine"),
        )
        .hint("`swift register <path>` tells it"));
    };
    let queue = Queue::open(path).map_err(|fault| unreachable(id, path, &fault))?;
    let own = &queue.settings.id;
    if let Some(other) = project.namesake(own) {
        return Err(goes_by_anothers_name(id, path, own, other));
    }
    if own != id && !queue.settings.aliases.iter().any(|alias| alias.as_str() == id.as_str()) {
        return Err(Fault::new(Code::Unreachable, format!("`{}` holds `{own}`, not `{id}`", path.display()))
            .hint(format!("`swift register {}` enters it under its present id", path.display())));
    }
    Ok(queue)
}
