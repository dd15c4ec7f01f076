//! Commands about the program itself, and the word alone.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::agent::process::is_of_a_run;
use crate::cli::context::Context;
use crate::cli::{Bound, Cli, DONE, manual, run_words};
use crate::demo;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::prompt::WORDS;
use crate::domain::text::shown;
use crate::store::proposal::{self, Proposal};
use crate::store::tx::Mode;
use crate::ui::Format;
use crate::view::simple::Answer;

/// `sesame`
#[derive(Args)]
pub(in crate::cli) struct Sesame {}

impl Sesame {
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
        let words = retold(context, &chosen);
        let bound = Bound {
            words: chosen.words,
            basis: chosen.basis,
            start: context.start.clone(),
            actor: context.actor_of_this_line.clone(),
        };
        Ok(run_words(words, Some(bound)))
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
        context.ui.raw(&text)?;
        Ok(DONE)
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
        context.ui.raw(&manual::page(&self.words)?)?;
        Ok(DONE)
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
        context.ui.raw(text.replace("@WORDS@", &WORDS.join(" ")).as_bytes())?;
        Ok(DONE)
    }
}
