//! Commands about the program itself, and the word alone.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::agent::process::is_of_a_run;
use crate::cli::context::Context;
use crate::cli::{Bound, Cli, DONE, detached, manual, parse, run_words};
use crate::demo;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::prompt::WORDS;
use crate::domain::text::shown;
use crate::store::proposal::{self, Proposal};
use crate::store::tx::Mode;
use crate::ui::Format;
use crate::view::simple::Answer;

use super::Stay;

/// `sesame`
#[derive(Args)]
pub(in crate::cli) struct Sesame {
    /// If it is a run, begin it in the background
    #[arg(long)]
    detach: bool,
}

impl Sesame {
    /// What waits may be a run.
    pub(super) fn stay(&self) -> Stay {
        if self.detach { Stay::Short } else { Stay::Detached }
    }

    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        if is_of_a_run() {
            return Err(Fault::new(Code::ApprovalNeeded, "a run cannot say the yes of a person")
                .hint("a person says it outside of the run: `swift sesame`"));
        }
        let mut waiting = proposal::all(&context.queue()?.local);
        let chosen = match waiting.len() {
            1 => waiting.remove(0),
            0 => {
                return Err(Fault::new(Code::NothingToApprove, "nothing to approve")
                    .hint("`swift start` shows how things stand"));
            }
            _ => return Err(several(&waiting)),
        };
        let mut words = retold(context, &chosen);
        if self.detach {
            words = without_wait(words)?;
        }
        let bound = Bound {
            words: chosen.words,
            basis: chosen.basis,
            start: context.start.clone(),
            actor: context.actor_of_this_line.clone(),
        };
        Ok(run_words(words, Some(bound)))
    }
}

/// The command line, so that nobody has to wait for its end.
///
/// # Errors
/// [`Code::Usage`] if somebody has to; the proposal goes on waiting then.
fn without_wait(words: Vec<String>) -> Result<Vec<String>> {
    // What cannot be understood any more says so itself.
    let Ok(cli) = parse(&words) else { return Ok(words) };
    match cli.command.stay() {
        Stay::Short => Ok(words),
        Stay::Detached => Ok(detached(&words)),
        Stay::Endless(why) => {
            let line = shown(&shell_words::join(&words));
            Err(Fault::new(Code::Usage, format!("`swift {line}` does not go to the background: {why}"))
                .hint(format!("in a terminal of your own: `swift {line} sesame`")))
        }
    }
}

/// The proposal's command line, told in the way that this one was asked.
fn retold(context: &Context, chosen: &Proposal) -> Vec<String> {
    let mut words = chosen.words.clone();
    words.retain(|word| word != "--json");
    if context.mode == Mode::DryRun {
        words.push("--dry-run".to_owned());
    }
    if context.ui.format() == Format::Json {
        words.push("--json".to_owned());
    }
    words
}

fn several(waiting: &[Proposal]) -> Fault {
    let fault = Fault::new(Code::ManyProposals, format!("{} proposals wait; say which", waiting.len()));
    waiting.iter().fold(fault, |fault, proposal| {
        fault.hint(format!(
            "`swift {} sesame`  (proposed {})",
            shown(&shell_words::join(&proposal.words)),
            proposal.at
        ))
    })
}

/// `demo`
#[derive(Args)]
pub(in crate::cli) struct Demo {}

impl Demo {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        if context.mode == Mode::DryRun {
            return Err(Fault::new(
                Code::Usage,
                "the demonstration is a run of its own: it cannot be rehearsed",
            )
            .hint("`swift demo` works in a scratch folder that nothing else uses"));
        }
        let shown = demo::run(&context.ui)?;
        if context.ui.format() == Format::Json {
            let answer = Answer::new("").field("folder", shown.folder).field("transcript", shown.transcript);
            context.ui.show(&answer)?;
        }
        Ok(DONE)
    }
}

/// A text for another program: as it is, or as the one field of a document.
fn print(context: &Context, text: &str) -> Result<u8> {
    match context.ui.format() {
        Format::Text => context.ui.raw(text.as_bytes())?,
        Format::Json => context.ui.show(&Answer::new("").field("text", text))?,
    }
    Ok(DONE)
}

/// `completions`
#[derive(Args)]
pub(in crate::cli) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "swift", &mut text);
        print(context, &String::from_utf8_lossy(&text))
    }
}

/// `man`
#[derive(Args)]
pub(in crate::cli) struct Man {
    /// The command whose page it is (default: the program's own)
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
}

impl Man {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        print(context, &String::from_utf8_lossy(&manual::page(&self.words)?))
    }
}

/// A shell that can be given words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum WordShell {
    Bash,
    Zsh,
    Fish,
}

/// `shell-init`
#[derive(Args)]
pub(in crate::cli) struct ShellInit {
    /// The shell
    shell: WordShell,
}

impl ShellInit {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let text = match self.shell {
            WordShell::Bash => include_str!("../../../templates/shell/init.bash"),
            WordShell::Zsh => include_str!("../../../templates/shell/init.zsh"),
            WordShell::Fish => include_str!("../../../templates/shell/init.fish"),
        };
        print(context, &text.replace("@WORDS@", &WORDS.join(" ")))
    }
}
