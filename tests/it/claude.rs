//! A project in which runs are made with a `claude` of our own, and what can be asked about them.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::sandbox::{Arguments, Call, Place, Sandbox};
use crate::world::{add, text};

/// The program that stands in for Claude Code; `tests/fake/claude` tells how it is told what to do.
const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");

/// A project, and the program that its runs start.
pub(crate) struct Scene<'a> {
    sandbox: &'a Sandbox,
    pub(crate) place: Place<'a>,
}

/// What a run that goes well does.
pub(crate) const GOOD: &str = "init; tool Bash 'make it'; change; result 'did it'";

impl<'a> Scene<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Scene<'a> {
        Scene { sandbox, place: sandbox.project("web") }
    }

    /// From now on runs do this.
    pub(crate) fn script(&self, script: &str) {
        self.sandbox.home().write("fake.sh", script);
    }

    /// Put this into the settings, committed as a person would.
    pub(crate) fn settings(&self, more: &str) {
        let settings = self.place.read(".swift/swift.toml");
        self.place.write(".swift/swift.toml", format!("{settings}\n{more}"));
        self.place.git("-C .swift add --all");
        self.place.git(["-C", ".swift", "commit", "--quiet", "--message", "settings"]);
    }

    /// A task; its id.
    pub(crate) fn task(&self, title: &str) -> String {
        add(&self.place, ".", title)
    }

    /// `swift` with the fake in place.
    pub(crate) fn call(&self, args: impl Arguments) -> Call<'a> {
        self.place.call(args).env("SWIFT_CLAUDE", FAKE)
    }

    /// `swift run` of a task or prompt; its status and its record.
    #[track_caller]
    pub(crate) fn run(&self, args: impl Arguments) -> (i32, Value) {
        let mut words = args.into_arguments();
        words.insert(0, "run".to_owned());
        words.push("--json".to_owned());
        let output = self.call(words).run();
        let last = output.stdout.lines().last().unwrap_or_else(|| panic!("{}", output.stderr));
        let document: Value =
            serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {last}\n{}", output.stderr));
        (output.status, document)
    }

    /// The state of a task.
    pub(crate) fn state(&self, task: &str) -> String {
        text(&self.place.json(["show", task])["task"]["state"])
    }

    /// What the fake kept of a start.
    pub(crate) fn seen(&self, start: u32, what: &str) -> String {
        self.sandbox.home().read(&format!("seen/{start}/{what}"))
    }

    /// How often the fake was started.
    pub(crate) fn starts(&self) -> usize {
        fs::read_dir(self.sandbox.home().path("seen")).map_or(0, Iterator::count)
    }

    /// All records, oldest first.
    pub(crate) fn runs(&self) -> Vec<Value> {
        let mut runs = self.call("runs --json -n 1000").run().json()["runs"].as_array().unwrap().clone();
        runs.reverse();
        runs
    }
}

/// Wait until something is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "not within a minute: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// The living processes whose command line or environment has this text.
pub(crate) fn processes_with(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        let is_number = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        if is_number
            && entry.file_name().to_string_lossy() != std::process::id().to_string()
            && holds(&path, mark)
        {
            let command = fs::read(path.join("cmdline")).unwrap_or_default();
            found.push(format!(
                "{}: {}",
                path.display(),
                String::from_utf8_lossy(&command).replace('\0', " ")
            ));
        }
    }
    found
}

fn holds(path: &Path, mark: &str) -> bool {
    let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
    let is_zombie = stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
    let has = |file: &str| {
        let bytes = fs::read(path.join(file)).unwrap_or_default();
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    !is_zombie && (has("cmdline") || has("environ"))
}
