//! Modes of the files that the engine makes, in the git folder and in that of the queue.
//!
//! git makes them as the umask says unless `core.sharedRepository` widens them for a group or for everybody.
//! The engine does the same, so that no colleague is locked out of an object that the queue has written.

use std::fs::{File, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::Mode;

use super::OrIo as _;
use crate::domain::fault::{Code, Fault, Result};

/// The bits that have to be added to what the umask left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) enum Sharing {
    /// As the umask says.
    Umask,
    /// These bits are added.
    Add(u32),
    /// Exactly these bits.
    Exactly(u32),
}

impl Sharing {
    /// The meaning of a value of `core.sharedRepository`.
    pub(in crate::store::git) fn parse(value: Option<&str>) -> Result<Sharing> {
        let Some(value) = value else { return Ok(Sharing::Umask) };
        match value.to_ascii_lowercase().as_str() {
            "" | "umask" | "false" | "no" | "off" | "0" => Ok(Sharing::Umask),
            "group" | "true" | "yes" | "on" | "1" => Ok(Sharing::Add(0o660)),
            "all" | "world" | "everybody" | "2" => Ok(Sharing::Add(0o664)),
            number => match u32::from_str_radix(number, 8) {
                Ok(mode) if mode & 0o600 == 0o600 => Ok(Sharing::Exactly(mode & 0o666)),
                _ => Err(Fault::new(
                    Code::Unsupported,
                    format!("core.sharedRepository has the value `{value}`"),
                )
                .hint("`git config core.sharedRepository group` is the usual value")),
            },
        }
    }

    /// Widen a file that is not wide enough. One that is stays untouched: another member of the group may have made
    /// it, and only its owner may change its mode.
    pub(in crate::store::git) fn file(self, file: &File, path: &Path) -> Result<()> {
        if self == Sharing::Umask {
            return Ok(());
        }
        let mode = file.metadata().or_io("inspect", path)?.permissions().mode() & 0o777;
        let wide = self.widen(mode);
        if wide == mode {
            return Ok(());
        }
        file.set_permissions(Permissions::from_mode(wide)).or_io("share", path)
    }

    /// Make a folder, and the folders above it, below a folder that exists; returns those that were made.
    pub(in crate::store::git) fn make_folders(self, path: &Path) -> Result<Vec<std::path::PathBuf>> {
        match std::fs::create_dir(path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(Vec::new()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let parent = path.parent().expect("the root folder exists");
                let mut made = self.make_folders(parent)?;
                made.extend(self.make_folders(path)?);
                return Ok(made);
            }
            Err(error) => return Err(error).or_io("make the folder", path),
        }
        if self != Sharing::Umask {
            self.folder(&File::open(path).or_io("open", path)?, path)?;
        }
        Ok(vec![path.to_owned()])
    }

    /// Widen a folder that was just made; what is made in it belongs to the same group.
    pub(super) fn folder(self, folder: impl AsFd, path: &Path) -> Result<()> {
        if self == Sharing::Umask {
            return Ok(());
        }
        let mode = rustix::fs::fstat(&folder).or_io("inspect", path)?.st_mode & 0o777;
        let wide = self.widen(mode);
        let wide = wide | ((wide & 0o444) >> 2) | 0o2000;
        rustix::fs::fchmod(folder, Mode::from_raw_mode(wide)).or_io("share", path)
    }

    fn widen(self, mode: u32) -> u32 {
        let tweak = |bits: u32| if mode & 0o200 == 0 { bits & !0o222 } else { bits };
        let execute = |bits: u32| if mode & 0o100 == 0 { bits } else { bits | ((bits & 0o444) >> 2) };
        match self {
            Sharing::Umask => mode,
            Sharing::Add(bits) => mode | execute(tweak(bits)),
            Sharing::Exactly(bits) => execute(tweak(bits)) | (mode & !0o777),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        assert_eq!(Sharing::parse(None), Ok(Sharing::Umask));
        assert_eq!(Sharing::parse(Some("group")), Ok(Sharing::Add(0o660)));
        assert_eq!(Sharing::parse(Some("all")), Ok(Sharing::Add(0o664)));
        assert_eq!(Sharing::parse(Some("0660")), Ok(Sharing::Exactly(0o660)));
        assert!(Sharing::parse(Some("0444")).is_err());
    }

    #[test]
    fn read_only_objects_stay_read_only() {
        assert_eq!(Sharing::Add(0o660).widen(0o400), 0o440);
        assert_eq!(Sharing::Add(0o660).widen(0o600), 0o660);
        assert_eq!(Sharing::Exactly(0o640).widen(0o600), 0o640);
    }
}
