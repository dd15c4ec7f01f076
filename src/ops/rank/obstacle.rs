//! What stands in the way of a task, and what is known of the one that it waits for.

use crate::domain::text::shown;
use crate::store::queue::Item;

/// What kind of thing is in a task's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Somebody's work, or a time.
    Passing,
    /// It waits for itself, or for a task that nobody knows.
    NeverMet,
    /// A file that has to be put in order first.
    Unreadable,
}

/// Why a task cannot be started now.
pub(super) struct Why {
    pub(super) obstacle: Obstacle,
    pub(super) reason: String,
}

impl Why {
    pub(super) fn passing(reason: String) -> Why {
        Why { obstacle: Obstacle::Passing, reason }
    }

    pub(super) fn never(reason: String) -> Why {
        Why { obstacle: Obstacle::NeverMet, reason }
    }

    pub(super) fn unread(short: &str, path: &str, project: &str) -> Why {
        let reason =
            format!("waits for {short}, whose file in {project} cannot be read: `.swift/{}`", shown(path));
        Why { obstacle: Obstacle::Unreadable, reason }
    }
}

/// What a project has under an id.
pub(super) enum Found {
    Read(Item),
    /// A file at this path that cannot be read as a task.
    Unread(String),
    Nothing,
}
