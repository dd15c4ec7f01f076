//! The file in the person's own configuration that starts the watcher with the session; only if they asked for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::local::{Local, SERVICE_FOLDERS};
use super::placed;
use super::queue::{Queue, SMALL_FILE};
use crate::domain::fault::{Code, Fault, Result};
use crate::env::{self, Platform};
use crate::format::service::{self, Manager, Service};

/// The file of one orchestrator: where it is or would be, and what it should say.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) path: PathBuf,
    pub(crate) manager: Manager,
    pub(crate) text: String,
    pub(crate) found: Found,
    /// Where it is noted which folders were made for it.
    local: Local,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    /// Exactly what would be written.
    Same,
    /// What was written by another version or for another place of the program; nobody has edited it.
    Older,
    /// Written for this orchestrator, and edited by hand.
    Edited,
    /// It is for the same project in another folder.
    ForAnother,
    /// Something that we did not write.
    Foreign,
}

impl Found {
    /// Whether there is a file that starts the watcher here.
    pub(crate) fn is_for_this(self) -> bool {
        matches!(self, Found::Same | Found::Older | Found::Edited)
    }

    /// Whether it is, to the byte, something that we wrote for this orchestrator.
    pub(crate) fn is_unedited(self) -> bool {
        matches!(self, Found::Same | Found::Older)
    }
}

impl Installation {
    /// Look at the place.
    ///
    /// # Errors
    /// [`Code::Unsupported`] where neither systemd nor launchd starts things, or a path cannot be written in such a
    /// file; [`Code::Io`].
    pub(crate) fn of(orchestrator: &Queue) -> Result<Installation> {
        let manager = match env::platform() {
            Platform::Linux => Manager::Systemd,
            Platform::MacOs => Manager::Launchd,
            Platform::Other => {
                return Err(Fault::new(
                    Code::Unsupported,
                    "only systemd (Linux) and launchd (macOS) are known here",
                )
                .hint("have `swift watch` started by what starts things on this system"));
            }
        };
        let root = &orchestrator.home.root;
        let (program, folder) = (env::program()?, root.parent().unwrap_or(root).to_owned());
        let wanted = Service {
            project: &orchestrator.settings.id,
            program: plain(&program)?,
            folder: plain(&folder)?,
        };
        let path = folder_of(manager)?.join(wanted.file_name(manager));
        let text = wanted.render(manager);
        let found = match read(&path)? {
            None => Found::Nothing,
            Some(there) if there == text => Found::Same,
            Some(there) if !service::is_ours(&there) => Found::Foreign,
            Some(there) if !service::is_for(&there, &wanted) => Found::ForAnother,
            Some(there) if service::is_as_written(&there) => Found::Older,
            Some(_) => Found::Edited,
        };
        Ok(Installation { path, manager, text, found, local: orchestrator.local.clone() })
    }

    /// Write it.
    ///
    /// # Errors
    /// [`Code::Io`]
    pub(crate) fn write(&self) -> Result<()> {
        let folder = self.path.parent().expect("a file in a folder");
        let made: Vec<&str> =
            folder.ancestors().take_while(|folder| !folder.exists()).filter_map(Path::to_str).collect();
        if !made.is_empty() {
            self.local.write(SERVICE_FOLDERS, made.join("\n").as_bytes())?;
        }
        fs::create_dir_all(folder).map_err(|error| io("make", folder, &error))?;
        placed::put(&self.path, self.text.as_bytes()).map_err(|error| io("write", &self.path, &error))
    }

    /// Remove it, and the folders that were made for it, as far as nothing else is in them.
    ///
    /// # Errors
    /// [`Code::Io`]
    pub(crate) fn remove(&self) -> Result<()> {
        self.path.parent().into_iter().for_each(placed::sweep);
        fs::remove_file(&self.path).map_err(|error| io("remove", &self.path, &error))?;
        let made = self.local.read_text(SERVICE_FOLDERS).unwrap_or_default();
        // Only above the file: a note is text that anybody can have written.
        let above = made.lines().map(Path::new).filter(|folder| self.path.starts_with(folder));
        let _ = above.map(fs::remove_dir).find(std::result::Result::is_err);
        let _ = self.local.remove(SERVICE_FOLDERS);
        Ok(())
    }
}

/// A path as text that can stand in such a file.
fn plain(path: &Path) -> Result<&str> {
    path.to_str().filter(|text| !text.chars().any(char::is_control)).ok_or_else(|| {
        let shown = crate::domain::text::shown(&path.to_string_lossy());
        Fault::new(Code::Unsupported, format!("`{shown}` cannot be written in a service file"))
            .hint("a folder whose name is UTF-8 without control characters can")
    })
}

fn folder_of(manager: Manager) -> Result<PathBuf> {
    let folder = match manager {
        Manager::Systemd => env::config_home().map(|config| config.join("systemd/user")),
        Manager::Launchd => env::home().map(|home| home.join("Library/LaunchAgents")),
    };
    folder.ok_or_else(|| Fault::new(Code::Io, "the variable HOME is not set").hint("set `HOME`"))
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() <= SMALL_FILE => {}
        Ok(_) => return Ok(Some(String::new())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("look at", path, &error)),
    }
    let bytes = fs::read(path).map_err(|error| io("read", path, &error))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::of_system(format_args!("{what} `{}`", path.display()), error)
}
