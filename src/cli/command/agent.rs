//! Working inside an agent's session: hooks, context, and how they are installed.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use clap::{Args, Subcommand};

use crate::cli::approval::{Decision as Approved, Plan, approve};
use crate::cli::context::Context;
use crate::cli::{DONE, detached, parse, split_approval, verb};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::RunId;
use crate::domain::mode::{Manner, Mode, manner};
use crate::domain::prompt::{Line, Meaning, SESAME, meaning, reads_a_pipe};
use crate::domain::route::{Decision, Head, Verdict};
use crate::domain::text::shown;
use crate::env;
use crate::format::hooks;
use crate::ops::integrate::{self, Wanted};
use crate::ops::run::background;
use crate::ops::{prime, route};
use crate::store::proposal;
use crate::ui;
use crate::view::integrate::plan_lines;
use crate::view::prime::PrimeView;
use crate::view::simple::Answer;

use super::Stay;
use super::run::caller;

/// The largest message that a hook reads, in bytes.
const LARGEST: u64 = 16 << 20;

/// How much of an answer is shown in a session, in characters.
const LONGEST_ANSWER: usize = 20_000;

/// `prime`
#[derive(Args)]
pub(in crate::cli) struct Prime {}

impl Prime {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let prime = prime::prime(context.queue()?, context.env.now())?;
        context.ui.show(&PrimeView::new(&prime))?;
        Ok(DONE)
    }
}

/// `integrate`
#[derive(Args)]
pub(in crate::cli) struct Integrate {
    #[command(subcommand)]
    with: Integration,
}

#[derive(Subcommand)]
enum Integration {
    /// Claude Code: hooks in `.claude/settings.json`, slash commands in `.claude/commands/swift`
    Claude(Claude),
}

#[derive(Args)]
struct Claude {
    /// Take out what was put in; all else stays to the byte
    #[arg(long)]
    remove: bool,
}

impl Integrate {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let Integration::Claude(claude) = self.with;
        let wanted = if claude.remove { Wanted::Removed } else { Wanted::Installed };
        let queue = context.queue()?;
        let plan = integrate::plan(queue, wanted)?;
        if plan.steps.is_empty() {
            context.ui.show(&Answer::new("nothing to do").field("files", Vec::<String>::new()))?;
            plan.notes.iter().for_each(|note| context.ui.note(note));
            return Ok(DONE);
        }
        let shown = Plan {
            lines: plan_lines(&plan.steps, &plan.notes),
            basis: plan.basis(),
            fields: serde_json::Map::new(),
            left: Vec::new(),
        };
        if approve(context, &queue.local, &shown)? == Approved::Stop {
            return Ok(DONE);
        }
        integrate::carry_out(queue, &plan)?;
        let files: Vec<String> = plan.steps.iter().map(|step| step.path.clone()).collect();
        let count = crate::view::count(files.len(), "file");
        let said = match wanted {
            Wanted::Installed => format!("Claude Code answers the words of swift here: {count} written"),
            Wanted::Removed if plan.is_restoring => {
                format!("Claude Code is as it was: {count} restored or removed")
            }
            Wanted::Removed => {
                format!("Claude Code has nothing of swift here any more: {count} changed or removed")
            }
        };
        context.ui.show(&Answer::new(said).field("files", files))?;
        plan.notes.iter().for_each(|note| context.ui.note(note));
        Ok(DONE)
    }
}

/// `hook`
#[derive(Args)]
pub(in crate::cli) struct Hook {
    /// The event: `user-prompt-submit` or `session-start`
    event: String,
    /// What becomes of a request, whatever the settings say: directive, orchestration or hybrid
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
}

impl Hook {
    /// Whatever goes wrong, the session goes on as if there were no hook.
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        if env::depth() == 0
            && let Ok(bytes) = ui::read_stdin(LARGEST)
            && let Some(input) = hooks::input(&bytes)
        {
            if let Some(cwd) = &input.cwd {
                context.start = PathBuf::from(cwd);
            }
            let answer = match self.event.as_str() {
                "user-prompt-submit" => input.prompt.and_then(|prompt| answer(context, &prompt, self.mode)),
                "session-start" => opening(context),
                _ => None,
            };
            if let Some(answer) = answer {
                context.ui.raw(format!("{answer}\n").as_bytes())?;
            }
        }
        Ok(DONE)
    }
}

fn opening(context: &Context) -> Option<String> {
    let queue = match context.queue() {
        Ok(queue) => queue,
        Err(fault) => return unreadable("SessionStart", &fault),
    };
    let prime = prime::prime(queue, context.env.now()).ok()?;
    Some(hooks::context("SessionStart", PrimeView::new(&prime).context()))
}

/// Settings that cannot be read hold for nobody: that nothing is advised or enforced then has to be said. Where there is no
/// queue at all, there is nothing to say.
fn unreadable(event: &str, fault: &Fault) -> Option<String> {
    let is_about_settings = matches!(fault.code, Code::Malformed | Code::NewerSchema | Code::Unsettled);
    is_about_settings.then(|| {
        let text = format!(
            "The settings of this project's queue cannot be read, so `swift` neither routes nor runs anything here until \
             they are mended: {}. {}",
            shown(&fault.message),
            fault.hints.join("; ")
        );
        hooks::context(event, text.trim_end())
    })
}

fn answer(context: &Context, prompt: &str, mode: Option<Mode>) -> Option<String> {
    match meaning(prompt) {
        Meaning::Command(line) => executed(context, line),
        Meaning::Request => advised(context, prompt, mode),
        Meaning::Nothing => None,
    }
}

/// The command's own answer. A line that is no command after all goes to the model, with the reason beside it.
fn executed(context: &Context, line: Line) -> Option<String> {
    if line.words == [SESAME] && !is_something_waiting(context) {
        return None;
    }
    let understood = |words: &[String]| parse(&split_approval(words.to_vec()).0);
    let (words, cli) = match understood(&line.words) {
        Ok(cli) => (line.words, cli),
        Err(stop) => match line.with_whole_title.map(|whole| (understood(&whole), whole)) {
            Some((Ok(cli), whole)) => (whole, cli),
            _ => return explained(&stop.into_fault()?),
        },
    };
    if reads_a_pipe(&words) {
        let fault = Fault::new(Code::Usage, "`-` reads what is piped in, and nothing is inside of a session");
        return explained(&fault.hint("give the text itself, or the name of a file"));
    }
    let words = match cli.command.stay() {
        Stay::Short => words,
        Stay::Detached => detached(&words),
        Stay::Endless(why) => return explained(&not_here(&words, why)),
    };
    told(context, &words).map(|told| hooks::answered(&told))
}

/// A command that would not come to an end inside of a session.
fn not_here(words: &[String], why: &str) -> Fault {
    let verb = verb(words).and_then(|verb| words.get(verb)).map(String::as_str).unwrap_or_default();
    Fault::new(Code::Usage, format!("`swift {}` is not for the inside of a session: {why}", shown(verb)))
        .hint(format!("in a terminal of your own: `swift {}`", shown(&shell_words::join(words))))
}

fn is_something_waiting(context: &Context) -> bool {
    context.queue().is_ok_and(|queue| !proposal::all(&queue.local).is_empty())
}

fn explained(fault: &Fault) -> Option<String> {
    let hints: Vec<String> = fault.hints.iter().map(|hint| format!("hint: {hint}")).collect();
    let text = format!(
        "The line looks like a command for `swift`, which cannot carry it out and did nothing.\nerror: {}\n{}",
        fault.message,
        hints.join("\n")
    );
    Some(hooks::context("UserPromptSubmit", text.trim_end()))
}

/// What the program itself says to these words, in a process of its own: whatever becomes of it, the hook goes on. `None` if
/// the folder, or the program, is gone.
#[expect(
    clippy::disallowed_methods,
    reason = "a hook starts this very program with the words that were typed"
)]
fn told(context: &Context, words: &[String]) -> Option<String> {
    let ended = Command::new(env::program().ok()?)
        .args(words)
        .current_dir(&context.start)
        .env_remove("EDITOR")
        .env_remove("VISUAL")
        .stdin(Stdio::null())
        .output();
    let text = match ended {
        Ok(output) => said(&output),
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => not_begun(&error),
    };
    let told: String = text.chars().take(LONGEST_ANSWER).collect();
    Some(format!("$ swift {}\n{told}", shell_words::join(words)))
}

/// What a program printed. One that was cut off cannot say so itself, and nothing at all would look as if it had gone well.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let mut text = vec![text(&output.stdout), text(&output.stderr)];
    text.retain(|text| !text.is_empty());
    if output.status.code().is_none() {
        text.push("error: the command was cut off and could not say whether it was carried out".to_owned());
        text.push("hint: `swift log` shows what happened last".to_owned());
    }
    text.join("\n")
}

/// The person has typed a command, so it is the person who has to hear that it came to nothing.
fn not_begun(error: &std::io::Error) -> String {
    let fault = Fault::of_system("nothing was done: swift cannot be started", error);
    format!("error: {}\nhint: type it in a terminal of your own", fault.message)
}

/// Advice on the model, or the hand-over to a run.
fn advised(context: &Context, prompt: &str, mode: Option<Mode>) -> Option<String> {
    let queue = match context.queue() {
        Ok(queue) => queue,
        Err(fault) => return unreadable("UserPromptSubmit", &fault),
    };
    let manner = manner(mode, queue.settings.mode, env::surroundings().attendance());
    let rules = match manner {
        Manner::Directive => route::rules_of(queue),
        // The run goes by what is committed.
        Manner::Orchestration => route::committed_rules_of(queue),
    };
    let decision = route::careful(rules, |rules| route::text(rules, prompt, Head::default()));
    let is_known = decision.confidence.share() > 0.35 || decision.verdict == Verdict::Ask;
    match manner {
        Manner::Directive if !is_known => None,
        Manner::Directive => Some(hooks::context("UserPromptSubmit", &advice(&decision))),
        Manner::Orchestration => hand_over(context, prompt, &decision),
    }
}

fn advice(decision: &Decision) -> String {
    let reasons = decision.reasons.join("; ");
    let tier = decision.tier;
    let model = decision.model.as_ref().map_or_else(|| tier.to_string(), ToString::to_string);
    let what = match decision.verdict {
        Verdict::Ask => {
            "Ask the person before anything of it is done, and say what would be lost.".to_owned()
        }
        Verdict::Direct | Verdict::Escalate => {
            format!("Where you give work to a subagent, give it to `{model}`.")
        }
    };
    format!(
        "Routing by the rules of this project (`swift route`): {} at `{model}`, confidence {:.2}: {reasons}. {what}",
        decision.verdict,
        decision.confidence.share()
    )
}

/// Orchestration: a run in the background does it at the model that was decided, and no model sees the prompt here. What
/// needs a person first, and what cannot be handed over, goes to the session with a word about it.
fn hand_over(context: &Context, prompt: &str, decision: &Decision) -> Option<String> {
    let advice = advice(decision);
    if decision.verdict == Verdict::Ask {
        return Some(hooks::context("UserPromptSubmit", &advice));
    }
    let words = |id: RunId| ["run", "--taken-up", &id.to_string(), "-"].map(str::to_owned).into();
    let handed = || {
        let (queue, caller) = (context.queue()?, caller(context)?);
        background::foresee(queue, &caller)?;
        background::start(queue, &caller, &context.start, prompt, words)
    };
    Some(match handed() {
        Ok(id) => hooks::answered(&handed_over(id, decision)),
        Err(fault) => {
            let text = format!(
                "{advice} This project hands requests to `swift run`, which was not possible now: {}.",
                fault.message
            );
            hooks::context("UserPromptSubmit", &text)
        }
    })
}

/// What the person reads instead of an answer.
fn handed_over(id: RunId, decision: &Decision) -> String {
    let short = id.short();
    let model = decision.model.as_ref().map_or_else(|| decision.tier.to_string(), ToString::to_string);
    format!(
        "Run {short} does this, with {model} ({}), in a worktree of its own: `mode` in .swift/swift.toml, or \
         the hook, says that requests go through `swift run`.\n\
         swift run logs -f {short}   follows it\n\
         swift run stop {short}      ends it\n\
         swift review {short}        shows what it changed, when it is done",
        decision.reasons.join("; ")
    )
}
