//! A file of the person's own, outside of any queue, that is put in its place as a whole after their yes: the settings
//! of Claude Code, the file that starts the watcher. Whoever looks sees the old file or the new one, and what a killed
//! process left on its way is cleared away by the next.

use std::fs;
use std::io::{Result, Write as _};
use std::path::Path;

/// What the names of files begin with that are on their way into place.
const TEMPORARY: &str = ".swift-tmp-";

/// Put a file in its place, with the permissions of the one that is there, and let it survive a loss of power. The
/// folder has to be there.
pub(super) fn put(target: &Path, content: &[u8]) -> Result<()> {
    let folder = target.parent().unwrap_or(target);
    let temporary = folder.join(format!("{TEMPORARY}{}", std::process::id()));
    sweep(folder);
    let mut file = fs::File::create_new(&temporary)?;
    let mut write = || -> Result<()> {
        file.write_all(content)?;
        if let Ok(meta) = fs::metadata(target) {
            file.set_permissions(meta.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, target)
    };
    write().inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    fs::File::open(folder)?.sync_all()
}

/// Clear away what a process left on its way that is not there any more.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)?.parse().ok());
        let process = process.and_then(rustix::process::Pid::from_raw);
        let is_left = process.is_some_and(|process| rustix::process::test_kill_process(process).is_err());
        if is_left && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
