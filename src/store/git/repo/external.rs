//! The only place that starts `git`: argument vectors, no shell, and an environment that points nowhere else.
//!
//! Used for what cannot be done in-process: indexes with extensions that only git understands, ignore rules,
//! and maintenance. Hooks of the person are switched off.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::OrIo as _;

/// Variables by which git would work on another repository than the one that is meant.
const LOCAL: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_REFLOG_ACTION",
    "GIT_EXTERNAL_DIFF",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_TRACE",
    "GIT_TRACE2",
];

/// One call of git.
pub(in crate::store::git) struct Git {
    folder: PathBuf,
    index: Option<PathBuf>,
    input: Vec<u8>,
    settings: Vec<(String, String)>,
}

/// How a call ended.
pub(in crate::store::git) struct Answer {
    pub(in crate::store::git) code: Option<i32>,
    pub(in crate::store::git) output: Vec<u8>,
    errors: String,
}

impl Answer {
    /// Everything that git says on stderr, on one line: a sentence that ends in a colon is nothing without its list.
    pub(in crate::store::git) fn complaint_in_full(&self) -> String {
        let words: Vec<&str> = self.errors.split_whitespace().collect();
        let text = words.join(" ");
        text.trim_start_matches("fatal: ").trim_start_matches("error: ").chars().take(2_000).collect()
    }

    /// The first thing that git says on stderr, without its own mark.
    pub(in crate::store::git) fn complaint(&self) -> String {
        let first = self.errors.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        first.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
    }
}

impl Git {
    /// git in a folder of the checkout that is meant.
    pub(in crate::store::git) fn at(folder: &Path) -> Git {
        Git { folder: folder.to_owned(), index: None, input: Vec::new(), settings: Vec::new() }
    }

    /// Work on this index.
    pub(in crate::store::git) fn index(mut self, index: &Path) -> Git {
        self.index = Some(index.to_owned());
        self
    }

    /// With these settings, whatever the configuration says.
    pub(in crate::store::git) fn with(mut self, settings: Vec<(String, String)>) -> Git {
        self.settings = settings;
        self
    }

    /// What git reads.
    pub(in crate::store::git) fn input(mut self, input: Vec<u8>) -> Git {
        self.input = input;
        self
    }

    /// Run it and be content with nothing but success.
    pub(in crate::store::git) fn run(self, arguments: &[&str]) -> Result<Vec<u8>> {
        let answer = self.ask(arguments)?;
        if answer.code == Some(0) {
            return Ok(answer.output);
        }
        let reason = answer.complaint();
        let verb = arguments.first().unwrap_or(&"");
        Err(Fault::new(Code::Git, format!("`git {verb}` failed: {reason}"))
            .hint("`git fsck` tells whether the repository is whole; then run the same command again"))
    }

    /// Run it, whatever the exit status.
    pub(in crate::store::git) fn ask(self, arguments: &[&str]) -> Result<Answer> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().or_io("start", Path::new("git"))?;
        let mut stdin = child.stdin.take().expect("the input is piped");
        let input = self.input;
        // git may answer before it has read everything; a thread keeps both pipes moving.
        let feeder = std::thread::Builder::new().spawn(move || {
            // git says itself what is wrong when it stops reading.
            let _ = stdin.write_all(&input);
        });
        let Ok(feeder) = feeder else {
            // Without its input it ends by itself.
            let _ = child.wait();
            return Err(Fault::new(Code::Io, "the system gives no thread that would feed git")
                .hint("`ulimit -a` shows how much a program may have"));
        };
        let output = child.wait_with_output().or_io("run", Path::new("git"))?;
        feeder.join().expect("feeding does not panic");
        if output.status.code().is_none() {
            // What it would have said of the repository nobody knows.
            let verb = arguments.first().unwrap_or(&"");
            return Err(Fault::new(
                Code::Io,
                format!("`git {verb}` was ended from outside: {}", output.status),
            )
            .hint("run the same command again"));
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Answer { code: output.status.code(), output: output.stdout, errors })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for name in LOCAL {
            command.env_remove(name);
        }
        // A pull or a prompt of an editor would hang a verb.
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        // Nothing goes over the network unasked; what a partial clone lacks is named instead.
        command.env("GIT_NO_LAZY_FETCH", "1");
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        // Not as words, which a `=` in a name would end.
        if !self.settings.is_empty() {
            command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        }
        for (number, (name, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command.arg("-C").arg(&self.folder);
        command.args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "maintenance.auto=false",
            "-c",
            "submodule.recurse=false",
        ]);
        command
    }
}
