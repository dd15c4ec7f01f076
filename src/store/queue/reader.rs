//! Reading one file as a task.

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::task::Folder;
use crate::format::{self, Limits};
use crate::store::files::{Most, Seen};
use crate::store::layout;

use super::{Item, id_in_conflict};

/// Reads single files as tasks.
pub(crate) struct Reader {
    pub(super) limits: Limits,
    pub(super) bytes: Most,
}

impl Reader {
    /// Read one file as a task; `read` gives its bytes, unless there are more of them than it is told.
    ///
    /// # Errors
    /// [`Code::NotAFile`], [`Code::Changed`], those of reading and parsing.
    pub(crate) fn item(
        &self,
        seen: &Seen,
        folder: Folder,
        read: impl FnOnce(Most) -> Result<Option<Vec<u8>>>,
    ) -> Result<Item> {
        if !layout::is_named_as_a_task(&seen.path) {
            return Err(Fault::new(
                Code::NotAFile,
                format!("`{}` is no task: its name has to end in `.md`", seen.path),
            )
            .hint(format!("look at it: `cat .swift/{}`", seen.path)));
        }
        let bytes = read(self.bytes)?.ok_or_else(|| Fault::new(Code::Changed, "the file is gone"))?;
        let task = format::parse_summary(&bytes, &self.limits)
            .map_err(|m| self.led(m.at(&seen.path), seen, &bytes))?;
        Ok(Item { path: seen.path.clone(), folder, task: Box::new(task), stamp: seen.stamp })
    }

    /// Where git's marks stand in a text without an id, no rule says which of the two holds.
    fn led(&self, fault: Fault, seen: &Seen, bytes: &[u8]) -> Fault {
        if fault.code != Code::Unsettled || id_in_conflict(bytes, &self.limits).is_some() {
            return fault;
        }
        let hint = format!("edit `.swift/{}`: leave one of the two texts, without git's marks", seen.path);
        Fault { hints: vec![hint], ..fault }
    }
}
