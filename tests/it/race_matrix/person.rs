//! Somebody who works in the same repository beside the races.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::sandbox::Place;

/// Somebody who works in the same repository and knows nothing of the queue.
pub(super) struct Person<'a> {
    pub(super) place: &'a Place<'a>,
    pub(super) in_tree: bool,
    /// What they write; in each race something else.
    pub(super) text: String,
}

impl Person<'_> {
    /// Commit, look, switch, put aside and collect until it is enough; how many commands that were.
    pub(super) fn works_until(&self, stop: &AtomicBool) -> usize {
        let mut commands = 0;
        let mut git = |words: &str| {
            let output = self.place.program("git", words).run();
            commands += 1;
            // In-tree both write the same index, and who comes second is told so by git; a queue of its own has its own.
            let lost = self.in_tree
                && ["index.lock", "cannot lock ref", "unable to write new index"]
                    .iter()
                    .any(|part| output.stderr.contains(part));
            assert!(output.status == 0 || lost, "`{}`: {}{}", output.shown, output.stdout, output.stderr);
            !lost
        };
        for n in 0.. {
            self.place.write("mine.txt", format!("{} {n}\n", self.text));
            // What git was refused to take up it does not know.
            if git("add mine.txt") {
                git("commit --quiet --message mine -- mine.txt");
            }
            git("status --porcelain");
            if !self.in_tree {
                git("checkout --quiet -B side");
                self.place.write("mine.txt", format!("{n} changed\n"));
                git("stash --quiet");
                git("stash pop --quiet");
                git("checkout --quiet -- mine.txt");
                git("checkout --quiet main");
            }
            if n % 4 == 3 {
                git("gc --quiet");
            }
            if stop.load(Ordering::SeqCst) {
                return commands;
            }
        }
        commands
    }
}
