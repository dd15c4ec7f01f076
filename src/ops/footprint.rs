//! Everything on this machine that belongs to a queue.

use crate::domain::fault::Result;
use crate::ops::integrate;
use crate::ops::run::account;
use crate::ops::run::leftover::{self, Standing};
use crate::store::git::checkout;
use crate::store::queue::Queue;
use crate::store::{footprint, runs};

pub(crate) use footprint::Entry;

/// The places and their sizes.
///
/// # Errors
/// Those of listing folders.
pub(crate) fn of(queue: &Queue) -> Result<Vec<Entry>> {
    let mut entries = footprint::of(queue)?;
    let account = account::shelf(queue).path(account::FILE);
    let bytes = footprint::size(&account);
    if bytes > 0 {
        let path = account.display().to_string();
        entries.push(Entry {
            path,
            bytes,
            what: "which accounts and models rest; for all projects of this machine",
        });
    }
    for step in integrate::installed(queue).map(|plan| plan.steps).unwrap_or_default() {
        entries.push(Entry {
            bytes: step.bytes() as u64,
            path: runs::project_folder(queue).join(&step.path).display().to_string(),
            what: "hooks and slash commands for Claude Code; `swift integrate claude --remove` takes them out",
        });
    }
    for leftover in leftover::all(queue)? {
        let what = match leftover.standing {
            Standing::Done => "a run worked here; its work is merged",
            Standing::Uncommitted => "a run worked here; some of its work is not committed",
            Standing::Unmerged => "a run worked here; its work is not merged",
        };
        let (path, bytes) = match &leftover.worktree {
            Some(path) => (format!("{} (branch {})", path.display(), leftover.branch), footprint::size(path)),
            None => (format!("branch {}", leftover.branch), 0),
        };
        entries.push(Entry { path, bytes, what });
    }
    for path in checkout::kept(runs::project_folder(queue))? {
        entries.push(Entry { path, bytes: 0, what: "what was written beside a run while verifiers ran" });
    }
    Ok(entries)
}
