//! `run` and what belongs to it.
//!
//! `run` takes a task or a prompt, or one of a few words that are never taken for a prompt, whatever stands before.

mod clean;
mod hand;
mod limits;
mod look;
mod start;

use clap::{Args, Subcommand};

use crate::agent::detached;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{RunId, SHORTEST_REFERENCE};
use crate::env;
use crate::ops::run::{About, Caller, SessionWish};
use crate::ui::read_stdin;

use hand::{RunResume, RunStop};
pub(super) use limits::{Limits, money};
pub(in crate::cli) use look::Runs;
use look::{RunLogs, RunShow};
use start::{Intent, begin};

use super::Stay;

/// The largest prompt: what Claude Code takes over stdin, less some room.
const LARGEST_PROMPT: u64 = 9 << 20;

/// Who acts in a run.
///
/// # Errors
/// As [`Context::actor`].
pub(super) fn caller(context: &Context) -> Result<Caller<'_>> {
    Ok(Caller { env: &context.env, actor: context.actor()?, environment: env::variables() })
}

/// `run`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Run {
    #[command(subcommand)]
    verb: Option<RunVerb>,
    /// A task, or a prompt in words; `-` reads the prompt from stdin
    #[arg(value_name = "REF|PROMPT")]
    what: Vec<String>,
    #[command(flatten)]
    limits: Limits,
    /// Show what would be started, and start nothing
    #[arg(long)]
    plan: bool,
    /// Start it in the background, and say which run it is
    #[arg(long, conflicts_with = "plan")]
    detach: bool,
    /// Take up a run that was asked for, under the id that it was given
    #[arg(long, hide = true, value_name = "RUN", conflicts_with_all = ["plan", "detach"])]
    taken_up: Option<RunId>,
}

/// What else there is to do with runs.
#[derive(Subcommand)]
enum RunVerb {
    /// Show everything about one run
    Show(RunShow),
    /// Show what a run said
    Logs(RunLogs),
    /// Ask a run to stop
    Stop(RunStop),
    /// Go on with a run's session
    Resume(RunResume),
}

impl Run {
    /// Where nobody can wait for its end it begins in the background.
    pub(super) fn stay(&self) -> Stay {
        match &self.verb {
            Some(RunVerb::Logs(logs)) if logs.is_following() => {
                Stay::Endless("it follows what happens, without end")
            }
            Some(RunVerb::Resume(_)) => Stay::Endless("it lasts as long as the session that it goes on with"),
            None if self.taken_up.is_some() => Stay::Endless("it lasts as long as the run"),
            None if !self.plan && !self.detach => Stay::Detached,
            _ => Stay::Short,
        }
    }

    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        match self.verb {
            Some(RunVerb::Show(command)) => command.run(context),
            Some(RunVerb::Logs(command)) => command.run(context),
            Some(RunVerb::Stop(command)) => command.run(context),
            Some(RunVerb::Resume(command)) => command.run(context),
            None => {
                let about = about(&self.what)?;
                let mut wanted = self.limits.wanted(context, SessionWish::Usual)?;
                wanted.id = self.taken_up;
                if self.taken_up.is_some() {
                    detached::settle();
                }
                let intent = match (self.plan, self.detach) {
                    (true, _) => Intent::Show,
                    (_, true) => Intent::Detach,
                    _ => Intent::Start,
                };
                begin(context, &about, &wanted, intent)
            }
        }
    }
}

/// The words that are no prompts.
const VERBS: [&str; 4] = ["show", "logs", "stop", "resume"];

/// What lists show where others have their reference.
const UNNAMED: &str = "new";

/// One word in the form of a reference is a task; everything else is a prompt.
fn about(words: &[String]) -> Result<About> {
    let text = match words {
        [] => {
            return Err(Fault::new(Code::Usage, "nothing is said that could be run")
                .hint("`swift run REF` runs a task, `swift run \"…\"` a prompt"));
        }
        [dash] if dash == "-" => String::from_utf8(read_stdin(LARGEST_PROMPT)?)
            .map_err(|_| Fault::new(Code::InvalidValue, "the prompt on stdin is not UTF-8"))?,
        [word, ..] if VERBS.contains(&word.as_str()) => {
            return Err(Fault::new(
                Code::Usage,
                format!("`{word}` is no prompt; the words of `run` come before its options"),
            )
            .hint(format!("`swift run {word} --help` tells about it"))
            .hint("a prompt that begins with it is one argument: `swift run \"…\"`"));
        }
        [word] if word == UNNAMED => {
            return Err(Fault::new(
                Code::Usage,
                "`new` stands for a task that was written by hand and has no reference yet",
            )
            .hint("`swift work --max-runs 1` runs what is first, and gives it one"));
        }
        [word] if is_reference(word) => return Ok(About::Task(word.clone())),
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(Fault::new(Code::InvalidValue, "the prompt is empty"));
    }
    if text.contains('\0') {
        return Err(Fault::new(Code::InvalidValue, "the prompt has a NUL in it, so it is no text"));
    }
    if text.len() as u64 > LARGEST_PROMPT {
        return Err(Fault::new(Code::TooLarge, format!("the prompt has more than {LARGEST_PROMPT} bytes")));
    }
    Ok(About::Prompt(text))
}

fn is_reference(word: &str) -> bool {
    word.len() >= SHORTEST_REFERENCE
        && word.len() <= 26
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_task(words: &[&str]) -> bool {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        matches!(about(&words), Ok(About::Task(_)))
    }

    #[test]
    fn one_word_in_the_form_of_a_reference_is_a_task() {
        assert!(is_task(&["k3v9q2"]) && is_task(&["01kahz3v9q2k3v9q2k3v9q2k3v"]));
        assert!(!is_task(&["fix the typo"]) && !is_task(&["Fix"]) && !is_task(&["fix", "it"]));
        assert!(about(&["new".to_owned()]).is_err());
        assert!(about(&[]).is_err() && about(&[" ".to_owned()]).is_err());
        let words = |words: &[&str]| about(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(words(&["resume", "k3v9q2"]).is_err() && words(&["stop"]).is_err());
        assert!(words(&["stop the server"]).is_ok());
    }
}
