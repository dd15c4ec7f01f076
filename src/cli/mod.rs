//! From what was typed to what is meant, and back: arguments → verb → view → output.

mod approval;
mod command;
mod context;
#[cfg(test)]
mod documents;
mod editor;
mod logging;
mod manual;
mod untold;

use std::path::PathBuf;

use clap::{Args as _, CommandFactory, FromArgMatches, Parser};

use crate::agent::guardian;
use crate::agent::process::is_of_a_run;
use crate::domain::actor::Actor;
use crate::domain::fault::{Code, Fault, Result, Status};
use crate::domain::prompt::SESAME;
use crate::domain::text::shown;
use crate::env;
use crate::env::signals::was_a_wait_given_up;
use crate::store::local::freeze;
use crate::store::tx::Mode;
use crate::ui::{Format, Ui};
use crate::view::{act_as, lead_from};

use command::Command;
use context::{Approval, Context, Shared};

/// The program without its commands.
fn top() -> clap::Command {
    clap::Command::new("swift").disable_help_subcommand(true)
}

/// Mail and a work queue for git projects and the coding agents that work in them
#[derive(Parser)]
#[command(name = "swift", version, disable_help_subcommand = true, propagate_version = false)]
#[command(after_help = "A last word `sesame` on any command is your yes to what it would propose.")]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// Run the program with the words of its command line; gives the exit status.
pub(crate) fn run() -> u8 {
    if let Some(status) = other_role() {
        return status;
    }
    let words = match env::arguments() {
        Ok(words) => words,
        Err(fault) => return failed(&Ui::new(Format::Text), &fault),
    };
    run_words(words, None)
}

/// The program is also the guardian of the programs that it starts.
fn other_role() -> Option<u8> {
    let words = env::raw_arguments();
    match words.split_first() {
        Some((word, rest)) if word == guardian::WORD => Some(guardian::guard(rest)),
        Some((word, rest)) if word == guardian::BECOME => Some(guardian::become_program(rest)),
        _ => None,
    }
}

/// An earlier proposal that is carried out now.
struct Bound {
    /// The command line as it was proposed.
    words: Vec<String>,
    /// The hash of the plan that was shown.
    basis: String,
    /// Where the approving command was started.
    start: PathBuf,
    /// Who acts, if the approving command says so.
    actor: Option<Actor>,
}

/// Run one command line, on behalf of an earlier proposal if there is one.
fn run_words(words: Vec<String>, bound: Option<Bound>) -> u8 {
    let (words, approved) = split_approval(asked_for_help(words));
    if let Some(folder) = folder(&words) {
        lead_from(&folder);
    }
    let format = if words.iter().any(|word| word == "--json") { Format::Json } else { Format::Text };
    let mut ui = Ui::new(format);
    if words.iter().any(|word| word == "--dry-run") {
        ui.rehearse(&typed(&words));
    }
    // What goes wrong in a hook must not stop anybody's prompt, nor be heard.
    let is_hook = words.first().is_some_and(|verb| verb == "hook");
    match parse(&words) {
        Ok(cli) => match execute(cli, words, approved, bound, ui) {
            Ok(status) => status,
            Err(_) if is_hook => DONE,
            Err((ui, fault)) => failed(&ui, &fault),
        },
        Err(Stop::Wrong(_)) if is_hook => DONE,
        Err(Stop::Said(text)) => match ui.raw(text.as_bytes()) {
            Ok(()) => 0,
            Err(fault) => failed(&ui, &fault),
        },
        Err(Stop::Wrong(fault)) if approved == Approved::Yes => {
            failed(&ui, &fault.hint("the last word, `sesame`, was taken as your yes"))
        }
        Err(Stop::Wrong(fault)) => failed(&ui, &fault),
    }
}

/// Whether the command line ends with the word that approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approved {
    Yes,
    NotYet,
}

/// Options that say how a command is told, not what it does.
const MANNERS: [&str; 7] = ["--json", "--dry-run", "--yes", "-y", "-v", "-vv", "--verbose"];

/// The option of that sort that has a value, which may be the next word.
const LOG_FORMAT: &str = "--log-format";

/// Whether the word at this place says how the command is told.
fn is_manner(words: &[String], at: usize) -> bool {
    let is_format = |word: &str| word == LOG_FORMAT;
    MANNERS.contains(&words[at].as_str())
        || words[at].strip_prefix(LOG_FORMAT).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        || at.checked_sub(1).is_some_and(|before| is_format(&words[before]))
}

/// The option that says where the command is meant.
const FOLDER: &str = "-C";

/// Options of every command whose value may be the next word.
const WITH_VALUE: [&str; 3] = [FOLDER, "--actor", LOG_FORMAT];

/// Where the command's own name stands, behind options of every command.
fn verb(words: &[String]) -> Option<usize> {
    let mut at = 0;
    while words.get(at)?.starts_with('-') {
        at += if WITH_VALUE.contains(&words[at].as_str()) { 2 } else { 1 };
    }
    Some(at)
}

/// The words that belong to the program, before those of which `--` says that they are nothing but words.
fn own(words: &[String]) -> usize {
    words.iter().position(|word| word == "--").unwrap_or(words.len())
}

/// Whether the word at this place says where the command is meant.
fn is_place(words: &[String], at: usize) -> bool {
    let is_folder = words[at].starts_with(FOLDER) && !words[at].starts_with("--");
    at < own(words) && (is_folder || at.checked_sub(1).is_some_and(|before| words[before] == FOLDER))
}

/// The folder that `-C` names, as it was typed.
fn folder(words: &[String]) -> Option<String> {
    let at = (0..words.len()).find(|&at| is_place(words, at))?;
    match words[at][FOLDER.len()..].trim_start_matches('=') {
        "" => words.get(at + 1).cloned(),
        joined => Some(joined.to_owned()),
    }
}

/// Begin in the background.
const DETACH: &str = "--detach";

/// The same command line, begun in the background.
fn detached(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    let behind = verb(&words).map_or(words.len(), |verb| (verb + 1).min(words.len()));
    words.insert(behind, DETACH.to_owned());
    words
}

/// The command itself, without the manner in which it was given and the way to the project: what a proposal, which lies
/// there, is known by.
fn essential(words: &[String]) -> Vec<String> {
    let kept = (0..words.len()).filter(|&at| !is_manner(words, at) && !is_place(words, at));
    kept.map(|at| words[at].clone()).collect()
}

/// The command as a person would type it to have it done.
fn typed(words: &[String]) -> String {
    format!("swift {}", shell_words::join(essential(words)))
}

fn split_approval(mut words: Vec<String>) -> (Vec<String>, Approved) {
    let last = (0..words.len()).rev().find(|&at| !is_manner(&words, at) && !is_place(&words, at));
    let verb = verb(&words).unwrap_or(words.len());
    if let Some(last) = last.filter(|&last| last > verb && words[last] == SESAME) {
        words.remove(last);
        return (words, Approved::Yes);
    }
    (words, Approved::NotYet)
}

/// `swift help VERB` is `swift VERB --help`.
fn asked_for_help(mut words: Vec<String>) -> Vec<String> {
    if let Some(verb) = verb(&words).filter(|&verb| words[verb] == "help") {
        words.remove(verb);
        words.push("--help".to_owned());
    }
    words
}

impl Stop {
    fn into_fault(self) -> Option<Fault> {
        match self {
            Stop::Wrong(fault) => Some(fault),
            Stop::Said(_) => None,
        }
    }
}

/// Why there is nothing to execute.
enum Stop {
    /// Help or version.
    Said(String),
    Wrong(Fault),
}

fn parse(words: &[String]) -> Result<Cli, Stop> {
    // Fifty commands are a good part of what a small verb costs, and one of them is meant. Whatever is not plain and
    // legal is looked at again with all of them, which gives the better answer.
    if let Some(cli) = words.first().and_then(|verb| parse_alone(verb, words)) {
        return Ok(cli);
    }
    parsed(Cli::command(), words).map_err(|error| stop(&error, words))
}

/// Take the line for one of this verb and no other.
fn parse_alone(verb: &str, words: &[String]) -> Option<Cli> {
    parsed(Command::alone(Shared::augment_args(top()), verb)?, words).ok()
}

fn parsed(command: clap::Command, words: &[String]) -> Result<Cli, clap::Error> {
    let line = std::iter::once("swift").chain(words.iter().map(String::as_str));
    command.try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches))
}

fn stop(error: &clap::Error, words: &[String]) -> Stop {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Said(error.render().to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let verb = verb(words).map(|verb| &words[verb]);
            let help = verb.map_or_else(|| "swift".to_owned(), |verb| format!("swift {}", shown(verb)));
            Stop::Wrong(
                Fault::new(Code::Usage, format!("`{help}` needs a command"))
                    .hint(format!("`{help} --help` lists the commands")),
            )
        }
        _ => Stop::Wrong(usage(error)),
    }
}

/// clap's explanation as one of our faults: its first line is the message, its tips are hints.
fn usage(error: &clap::Error) -> Fault {
    use clap::error::{ContextKind, ContextValue};
    if let Some(fault) = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Fault>()) {
        let argument = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => argument.clone(),
            _ => "the command line".to_owned(),
        };
        let message = format!("{argument}: {}", fault.message);
        return Fault { code: Code::Usage, message, hints: fault.hints.clone() };
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("the command line cannot be understood").trim_start_matches("error: ");
    let mut fault = Fault::new(Code::Usage, first);
    for line in lines {
        match (line.strip_prefix("tip: "), line.strip_prefix("Usage: ")) {
            (Some(tip), _) => fault = fault.hint(tip),
            (None, Some(usage)) => fault = fault.hint(format!("usage: {usage}")),
            (None, None) if line.starts_with("For more") => {}
            (None, None) => fault.message = format!("{} {line}", fault.message),
        }
    }
    fault
}

fn execute(
    mut cli: Cli,
    words: Vec<String>,
    approved: Approved,
    mut bound: Option<Bound>,
    ui: Ui,
) -> std::result::Result<u8, (Ui, Fault)> {
    if let Some(actor) = bound.as_mut().and_then(|bound| bound.actor.take()) {
        cli.shared.actor = Some(actor);
    }
    if let Some(actor) = &cli.shared.actor {
        act_as(actor.as_str());
    }
    let (words, start, approval) = match bound {
        Some(bound) => (bound.words, Some(bound.start), Approval::Bound(bound.basis)),
        // A run is no person: what it approves itself would be approved by nobody.
        None if (approved == Approved::Yes || cli.shared.yes) && !is_of_a_run() => {
            (essential(&words), None, Approval::Given)
        }
        None => (essential(&words), None, Approval::Ask),
    };
    if let Err(fault) = cli.shared.logging.begin(cli.command.length()) {
        return Err((ui, fault));
    }
    let mode = if cli.shared.dry_run { Mode::DryRun } else { Mode::Write };
    if mode == Mode::DryRun {
        freeze();
    }
    let mut context = match Context::new(cli.shared, words, start, approval, mode, ui) {
        Ok(context) => context,
        Err(both) => return Err(*both),
    };
    match cli.command.run(&mut context) {
        Ok(_) if was_a_wait_given_up() => Err((context.ui, untold::cut_short())),
        Ok(status) => Ok(status),
        Err(fault) => {
            let fault = untold::with_deed(&context, context.without_proposal(fault));
            Err((context.ui, fault))
        }
    }
}

fn failed(ui: &Ui, fault: &Fault) -> u8 {
    ui.fail(fault);
    fault.code.status() as u8
}

/// The status of success.
const DONE: u8 = 0;

/// The status of work in several projects, of which some could not be done: whoever starts it unattended has to learn of
/// it. What the environment refuses no repetition mends, so that comes first.
fn ended(failed: &[(String, Code)]) -> u8 {
    let all = failed.iter().map(|(_, code)| code.status() as u8);
    let (refused, first) = (Status::Environment as u8, failed.first().map(|(_, code)| code.status() as u8));
    if all.into_iter().any(|status| status == refused) { refused } else { first.unwrap_or(DONE) }
}

/// The status of a check that found something.
const FINDINGS: u8 = Status::Findings as u8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sesame_approves_only_as_the_last_of_several_words() {
        let split = |line: &str| split_approval(line.split(' ').map(str::to_owned).collect());
        assert_eq!(split("outbox sesame"), (vec!["outbox".to_owned()], Approved::Yes));
        assert_eq!(split("sesame"), (vec!["sesame".to_owned()], Approved::NotYet));
        assert_eq!(split("--json sesame").1, Approved::NotYet);
        for alone in
            ["-C hub sesame", "-Chub sesame", "--json -C hub sesame", "--actor x sesame", "sesame -C hub"]
        {
            assert_eq!(split(alone).1, Approved::NotYet, "{alone}");
        }
        for places in
            ["-C hub outbox sesame", "outbox -C hub sesame", "outbox sesame -C hub", "outbox sesame -C=hub"]
        {
            let (words, approved) = split(places);
            assert_eq!((essential(&words), approved), (vec!["outbox".to_owned()], Approved::Yes), "{places}");
            assert_eq!(folder(&words).as_deref(), Some("hub"), "{places}");
        }
        assert_eq!(split("search sesame street").1, Approved::NotYet);
        for manner in ["-v", "--log-format json", "--log-format=json", "-vv --json"] {
            let (words, approved) = split(&format!("outbox sesame {manner}"));
            assert_eq!((essential(&words), approved), (vec!["outbox".to_owned()], Approved::Yes));
        }
        assert_eq!(
            split("outbox sesame --json"),
            (vec!["outbox".to_owned(), "--json".to_owned()], Approved::Yes)
        );
    }
}
