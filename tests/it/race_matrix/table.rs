//! What the races came to, as rows of a table.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use super::{Heat, Race, Setting};

/// What one race came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) times: Vec<Duration>,
    wall: Duration,
    won: usize,
    told: usize,
    /// How many commands of git the person has typed beside it.
    pub(super) commands: usize,
}

impl Outcome {
    pub(super) fn note(&mut self, heat: &Heat) {
        self.times.extend(heat.ended.iter().map(|timed| timed.took));
        self.wall += heat.wall;
        let won = heat.ended.iter().filter(|timed| timed.output.status == 0).count();
        self.won += won;
        self.told += heat.ended.len() - won;
    }

    /// Milliseconds in which such a share of the verbs, in percent, have ended.
    fn within(&mut self, share: usize) -> u128 {
        self.times.sort();
        let at = (self.times.len() * share / 100).min(self.times.len() - 1);
        self.times[at].as_millis()
    }
}

/// The table, and what did not hold.
pub(super) struct Rows {
    lines: Vec<String>,
    failures: Vec<String>,
}

const HEAD: [&str; 2] = [
    "| race | home | finished before | processes | verbs | verbs/s | median ms | p99 ms | won | told | person's git commands | failures |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
];

impl Rows {
    pub(super) fn begin() -> Self {
        Rows { lines: HEAD.map(str::to_owned).to_vec(), failures: Vec::new() }
    }

    pub(super) fn add(&mut self, race: &Race, setting: Setting, outcome: Result<Outcome, String>) {
        let home = if setting.in_tree { "in-tree" } else { "own branch" };
        let cell = format!("{} | {home} | {} | {}", race.name, setting.finished, setting.writers);
        self.lines.push(match outcome {
            Ok(mut outcome) => {
                let rate = outcome.times.len() as f64 / outcome.wall.as_secs_f64();
                let (median, late) = (outcome.within(50), outcome.within(99));
                let Outcome { times, won, told, commands, .. } = outcome;
                let verbs = times.len();
                format!(
                    "| {cell} | {verbs} | {rate:.0} | {median} | {late} | {won} | {told} | {commands} | 0 |"
                )
            }
            Err(why) => {
                self.failures.push(format!("{cell}: {why}"));
                format!("| {cell} | | | | | | | | 1 |")
            }
        });
    }

    /// Show the table, in the file that `SWIFT_PROVE` names if there is one; nothing may have failed.
    pub(super) fn end(self) {
        let table = self.lines.join("\n");
        match std::env::var_os("SWIFT_PROVE") {
            Some(path) => fs::write(path, format!("{table}\n")).unwrap(),
            None => std::io::stderr().write_all(format!("{table}\n").as_bytes()).unwrap(),
        }
        assert!(
            self.failures.is_empty(),
            "{} did not hold:\n{}",
            self.failures.len(),
            self.failures.join("\n\n")
        );
    }
}
