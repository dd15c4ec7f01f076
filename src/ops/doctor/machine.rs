//! What belongs to this machine: a note that is no file is read by nobody and cannot be written, and on a disk that takes
//! nothing no verb writes anything.

use crate::domain::text::as_word;
use crate::ops::finding::{Finding, Severity};
use crate::store::git::Barred;
use crate::store::queue::Queue;
use crate::store::watcher::Paused;
use crate::store::{layout, local};

/// What is wrong with the machine's own notes.
pub(super) fn notes(queue: &Queue, findings: &mut Vec<Finding>) {
    for name in local::NOTES {
        if queue.local.is_no_file(name) {
            let path = format!("{}/{name}", layout::LOCAL);
            let text = "is not a file: what was noted there is not known, and nothing can be noted";
            let fix = format!("`mv .swift/{path} .swift/{path}.aside` makes room for a new one");
            findings.push(Finding::new("not-a-file", Severity::Warning, &path, text).fix(fix));
        } else if name == local::PAUSED
            && let Err(fault) = Paused::read(&queue.local)
        {
            findings.push(Finding::of_fault(&format!("{}/{name}", layout::LOCAL), &fault));
        }
    }
}

/// Whether this queue, or a part of it, can only be read from here. Nothing is wrong with it then.
pub(super) fn writable(queue: &Queue, findings: &mut Vec<Finding>) {
    let home = &queue.home;
    let all = [home.root.as_path(), home.git_dir(), home.common_dir.as_path()];
    for barred in home.barred() {
        let (place, why, look) = match barred {
            Barred::Disk(place) => {
                let look = format!("`findmnt -T {}` shows what is mounted there", as_word(&place));
                (place, "is mounted read-only", look)
            }
            Barred::User(place) => {
                let look = format!("`ls -ld {}` shows whose it is", as_word(&place));
                (place, "may not be written to by this user", look)
            }
        };
        let reach = match all.contains(&place.as_path()) {
            true => {
                "verbs that write end with status 9 and change nothing, and no round or watcher carries a task to here \
                 or from here"
            }
            false => "verbs that write there end with status 9 and change nothing",
        };
        let message = format!("{} {why}: everything can be read; {reach}", place.display());
        findings.push(Finding::new("not-writable", Severity::Note, "", message).fix(look));
    }
}
