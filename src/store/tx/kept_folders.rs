//! Git keeps no empty folder: what stays in the place of the last task of one.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::fault::Result;
use crate::store::git::{Change, Expect};
use crate::store::layout;
use crate::store::queue::Queue;

/// The files that keep folders of tasks out of which these changes take everything.
pub(super) fn keep_folders(queue: &Queue, changes: &[Change]) -> Result<Vec<Change>> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.content.is_none()) {
        if let (Some(_), Some((folder, name))) =
            (layout::folder_of(&change.path), change.path.rsplit_once('/'))
        {
            left.entry(folder).or_default().insert(name);
        }
    }
    let mut kept = Vec::new();
    for (folder, gone) in left {
        let path = format!("{folder}/{}", layout::KEEP);
        let comes = changes.iter().any(|change| {
            change.content.is_some()
                && change.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        });
        if !comes
            && queue.read(&path)?.is_none()
            && queue.names_in(folder)?.iter().all(|name| gone.contains(name.as_str()))
        {
            kept.push(Change { path, content: Some(Vec::new()), expect: Expect::Absent });
        }
    }
    Ok(kept)
}
