//! The whole loop in a scratch folder: what a newcomer sees in a minute.
//!
//! Runs the program itself, once for each step, on real repositories, and shows each command with what it said and
//! with the commit that it left behind.

#![expect(clippy::disallowed_methods, reason = "the demonstration makes a folder and runs programs in it")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::domain::fault::{Code, Fault, Result};
use crate::env;
use crate::ui::{Format, Ui};

/// A stage with an orchestrator and two projects.
struct Stage<'u> {
    ui: &'u Ui,
    /// What was shown, where one document at the end is asked for.
    told: RefCell<String>,
    folder: PathBuf,
    program: PathBuf,
}

/// What was shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The scratch folder, which stays.
    pub(crate) folder: String,
    /// The commands and what they said; empty where a person has seen them already.
    pub(crate) transcript: String,
}

/// Show the loop.
///
/// # Errors
/// [`Code::Io`], or whatever a step of the loop said.
pub(crate) fn run(ui: &Ui) -> Result<Shown> {
    let folder = scratch()?;
    let stage = Stage { ui, told: RefCell::default(), program: env::program()?, folder };
    stage.say(&format!("# An orchestrator and two projects, in {}\n", stage.folder.display()))?;
    for name in ["hub", "web", "api"] {
        stage.repository(name)?;
    }
    stage.play("hub", &["init", "--orchestrator", "--id", "acme/hub"])?;
    stage.play("web", &["init", "--id", "acme/web"])?;
    stage.play("api", &["init", "--id", "acme/api"])?;
    stage.play("hub", &["register", "../web"])?;
    stage.play("hub", &["register", "../api"])?;
    stage.say("# web asks api for something, and notes something for itself\n")?;
    stage.play("web", &["task", "acme/api", "Add rate limiting", "--priority", "high"])?;
    stage.play("web", &["task", ".", "Show a message when the limit is reached"])?;
    stage.say("# The orchestrator carries; api accepts, works, finishes\n")?;
    stage.play("hub", &["outbox", "sesame"])?;
    stage.play("api", &["inbox", "sesame"])?;
    stage.play("api", &["next", "--why"])?;
    stage.play("api", &["claim"])?;
    let task = stage.first_claimed("api")?;
    stage.play("api", &["done", &task, "--result", "429 after 100 requests a minute"])?;
    stage.say("# The next round takes the receipt back to the sender\n")?;
    stage.play("hub", &["outbox", "sesame"])?;
    stage.play("web", &["list", "--state", "sent"])?;
    stage.play("web", &["audit", "verify"])?;
    stage.say("# All of it is ordinary git: review with `git -C web/.swift log -p`\n")?;
    stage.git("web", &["-C", ".swift", "log", "--oneline"])?;
    stage.git("web", &["status", "--short"])?;
    stage.say(&format!("# The scratch folder stays for you to look at: {}\n", stage.folder.display()))?;
    Ok(Shown { folder: stage.folder.display().to_string(), transcript: stage.told.into_inner() })
}

fn scratch() -> Result<PathBuf> {
    let folder = env::scratch_dir().join(format!("swift-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)
        .map_err(|error| Fault::of_system(format_args!("make `{}`", folder.display()), &error))?;
    Ok(folder)
}

impl Stage<'_> {
    fn say(&self, text: &str) -> Result<()> {
        let line = format!("{text}\n");
        match self.ui.format() {
            Format::Text => self.ui.raw(line.as_bytes()),
            Format::Json => {
                self.told.borrow_mut().push_str(&line);
                Ok(())
            }
        }
    }

    /// A repository with one commit, and a name for its commits if the person has none yet.
    fn repository(&self, name: &str) -> Result<()> {
        let folder = self.folder.join(name);
        self.quiet(&self.folder, "git", &["init", "--quiet", "--initial-branch=main", name])?;
        self.quiet(&folder, "git", &["config", "user.name", "Demo"])?;
        self.quiet(&folder, "git", &["config", "user.email", "demo@example.org"])?;
        self.quiet(&folder, "git", &["config", "commit.gpgsign", "false"])?;
        self.quiet(&folder, "git", &["commit", "--quiet", "--allow-empty", "--message", "Begin"])?;
        Ok(())
    }

    /// One step: the command, what it said, and the commit that it made.
    fn play(&self, place: &str, words: &[&str]) -> Result<()> {
        let shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.say(&format!("{place}$ swift {}", shown.join(" ")))?;
        let before = self.tips()?;
        let said = self.run_program(place, words)?;
        self.say(said.trim_end())?;
        for (name, tip) in self.tips()? {
            if before.iter().all(|(_, old)| *old != tip) {
                self.git(&name, &["-C", ".swift", "log", "--stat=90", "-1", "--format=%h %s"])?;
            }
        }
        Ok(())
    }

    /// The newest commit of each queue that is there.
    fn tips(&self) -> Result<Vec<(String, String)>> {
        let mut tips = Vec::new();
        for name in ["hub", "web", "api"] {
            if self.folder.join(name).join(".swift").exists() {
                let tip =
                    self.quiet(&self.folder.join(name), "git", &["-C", ".swift", "rev-parse", "HEAD"])?;
                tips.push((name.to_owned(), tip));
            }
        }
        Ok(tips)
    }

    fn run_program(&self, place: &str, words: &[&str]) -> Result<String> {
        let output = Command::new(&self.program).args(words).current_dir(self.folder.join(place)).output();
        let output = output.map_err(|error| Fault::of_system("run swift", &error))?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            Ok(text)
        } else {
            Err(Fault::new(Code::Internal, text.trim().to_owned()))
        }
    }

    fn git(&self, place: &str, words: &[&str]) -> Result<()> {
        self.say(&format!("{place}$ git {}", words.join(" ")))?;
        let said = self.quiet(&self.folder.join(place), "git", words)?;
        self.say(&said)
    }

    fn quiet(&self, folder: &Path, program: &str, words: &[&str]) -> Result<String> {
        let output = Command::new(program).args(words).current_dir(folder).output();
        let output = output.map_err(|error| Fault::of_system(format_args!("run {program}"), &error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Fault::new(Code::Git, format!("{program} {}: {text}", words.join(" "))))
    }

    /// The task that is claimed in a project.
    fn first_claimed(&self, place: &str) -> Result<String> {
        let text = self.run_program(place, &["list", "--state", "claimed", "--json"])?;
        let list: serde_json::Value = serde_json::from_str(text.lines().next().unwrap_or_default())
            .map_err(|error| Fault::new(Code::Internal, format!("the list cannot be read: {error}")))?;
        let id = list["tasks"][0]["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| Fault::new(Code::Internal, "no task is claimed"))
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}
