//! What a trial counted, as rows of a table.

use std::any::Any;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::verdict::Found;
use super::{Home, Trial};
use crate::sandbox::Traced;

/// One verb in one home under one trial.
#[derive(Debug)]
pub(super) struct Row {
    home: Home,
    trial: Trial,
    verb: &'static str,
    /// How many calls of the verb touch the world.
    calls: usize,
    /// How often it was struck, and how often it took another way and did not come to the call.
    tried: usize,
    pub(super) missed: usize,
    /// What was found: the old state, the new one, success in spite of the blow.
    old: usize,
    new: usize,
    went_on: usize,
    /// How often git could not commit until the next verb had run.
    blocked: usize,
    pub(super) failures: Vec<String>,
}

impl Row {
    pub(super) fn new(home: Home, trial: Trial, verb: &'static str, rehearsal: &Traced) -> Self {
        let calls = rehearsal.touches.len();
        let (tried, missed, old, new, went_on, blocked) = Default::default();
        Row { home, trial, verb, calls, tried, missed, old, new, went_on, blocked, failures: Vec::new() }
    }

    /// Have it judged what a blow has left. A panic says what does not hold, after `told`, which says what the blow was.
    pub(super) fn judge(&mut self, told: &str, hold: impl FnOnce() -> Found) {
        self.tried += 1;
        match catch_unwind(AssertUnwindSafe(hold)) {
            Ok(found) => self.note(&found),
            Err(panic) => self.failures.push(format!("{told}\n{}", said(&*panic))),
        }
    }

    fn note(&mut self, found: &Found) {
        self.old += usize::from(found.is_old);
        self.new += usize::from(!found.is_old);
        self.went_on += usize::from(found.went_on);
        self.blocked += usize::from(found.blocked);
    }

    /// Add the row to the file that `SWIFT_PROVE` names.
    pub(super) fn write(&self) {
        let Some(path) = std::env::var_os("SWIFT_PROVE") else { return };
        let Row { home, trial, verb, calls, tried, missed, old, new, went_on, blocked, failures } = self;
        let mut line = format!(
            "{trial}\t{home}\t{verb}\t{calls}\t{tried}\t{missed}\t{old}\t{new}\t{went_on}\t{blocked}\t{}\n",
            failures.len()
        );
        for failure in failures {
            line.push_str(&format!("# {}\n", failure.replace('\n', "\n# ")));
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// A word where the person sees it: a test that did nothing must not look like one that did.
pub(crate) fn skipped() {
    let word = "SKIPPED a crash test: the system does not let a process follow its own children\n";
    std::io::stderr().write_all(word.as_bytes()).ok();
}

/// The text of a panic.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
