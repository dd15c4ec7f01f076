//! Writes down what a run says: the live log as it comes, and a transcript that is bounded. Secrets are masked first.

use std::collections::VecDeque;

use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::event::Denial;
use crate::domain::run::record::Run;
use crate::domain::run::secret::mask;
use crate::format::transcript;
use crate::store::runs::LiveLog;

/// How much of the beginning is kept.
const HEAD: usize = 384 << 10;

/// How much of the end is kept.
const TAIL: usize = 128 << 10;

/// Keeps what is said.
pub(crate) struct Recorder<'w> {
    live: LiveLog,
    secrets: Vec<String>,
    tell: &'w mut dyn FnMut(&Entry),
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    dropped: u64,
}

impl<'w> Recorder<'w> {
    /// A recorder that hides these secrets, whatever they look like.
    pub(crate) fn new(live: LiveLog, secrets: Vec<String>, tell: &'w mut dyn FnMut(&Entry)) -> Recorder<'w> {
        Recorder {
            live,
            secrets,
            tell,
            head: String::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            dropped: 0,
        }
    }

    /// Write a line down.
    pub(crate) fn add(&mut self, mut entry: Entry) {
        entry.text = self.masked(&entry.text);
        entry.name = entry.name.map(|name| self.masked(&name));
        let line = transcript::render(&entry);
        self.live.add(&line);
        (self.tell)(&entry);
        if self.head.len() + line.len() <= HEAD && self.tail.is_empty() {
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > TAIL {
            let Some(line) = self.tail.pop_front() else { break };
            self.tail_bytes -= line.len();
            self.dropped += 1;
        }
    }

    /// Keep the record as it would be if the run were cut off now.
    pub(crate) fn keep(&mut self, run: &Run) {
        self.live.keep(run);
    }

    /// Whether what was kept has survived a loss of power.
    pub(crate) fn is_kept(&self) -> bool {
        self.live.is_kept()
    }

    /// A text without secrets.
    pub(crate) fn masked(&self, text: &str) -> String {
        mask(text, &self.secrets)
    }

    /// What was refused, without secrets.
    pub(crate) fn masked_denial(&self, denial: &Denial) -> Denial {
        Denial { tool: self.masked(&denial.tool), input: self.masked(&denial.input) }
    }

    /// The transcript so far.
    pub(crate) fn transcript(&self, at: jiff::Timestamp) -> String {
        let mut text = self.head.clone();
        if self.dropped > 0 {
            let note = format!("{} lines were left out here", self.dropped);
            text.push_str(&transcript::render(&Entry::new(at, EntryKind::Note, None, note)));
        }
        text.extend(self.tail.iter().map(String::as_str));
        text
    }
}
