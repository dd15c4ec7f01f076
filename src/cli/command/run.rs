//! `run` and what belongs to it.
//!
//! `run` takes a task or a prompt, or one of a few words that are never taken for a prompt, whatever stands before.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::SignedDuration;

use crate::agent::claude::Reach;
use crate::agent::signals::{Asked, Signals};
use crate::cli::DONE;
use crate::cli::approval::{self, Decision, Plan};
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result, Status};
use crate::domain::id::SHORTEST_REFERENCE;
use crate::domain::run::entry::Entry;
use crate::domain::run::evidence::End;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::policy::Permission;
use crate::domain::run::record::Run as Record;
use crate::domain::run::tier::Tier;
use crate::domain::text::shown;
use crate::env;
use crate::format::audit::digest;
use crate::format::{duration, transcript};
use crate::ops::run::drive::{self, Report};
use crate::ops::run::purse::Purse;
use crate::ops::run::{About, Caller, SessionWish, Wanted, Watch, account, list};
use crate::store::runs;
use crate::store::tx::Mode;
use crate::ui::{Format, read_stdin};
use crate::view::problem;
use crate::view::run::{BreakerRow, RunPlanView, RunRow, RunView, RunsView, progress};

/// The largest prompt: what Claude Code takes over stdin, less some room.
const LARGEST_PROMPT: u64 = 9 << 20;

fn length(text: &str) -> Result<Duration, Fault> {
    duration::parse(text).map(|length: SignedDuration| length.unsigned_abs())
}

pub(super) fn money(text: &str) -> Result<f64, Fault> {
    let usd = text.trim_start_matches('$').parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd > 0.0);
    usd.ok_or_else(|| Fault::new(Code::InvalidValue, format!("`{}` is no amount of US dollars", shown(text))))
}

/// Who acts in a run.
///
/// # Errors
/// As [`Context::actor`].
pub(super) fn caller(context: &Context) -> Result<Caller<'_>> {
    Ok(Caller { env: &context.env, actor: context.actor()?, environment: env::variables() })
}

/// What a run may do and cost.
#[derive(Args, Debug, Clone)]
pub(super) struct Limits {
    /// How strong a model (default: what the routing says)
    #[arg(long)]
    tier: Option<Tier>,
    /// A model by its name
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// How long it may take, such as `30m`
    #[arg(long, value_name = "DURATION", value_parser = length)]
    timeout: Option<Duration>,
    /// What it may cost, in US dollars
    #[arg(long, value_name = "USD", value_parser = money)]
    max_usd: Option<f64>,
    /// How many turns it may take
    #[arg(long, value_name = "N")]
    max_turns: Option<u32>,
    /// How tools are treated that are not allowed by name
    #[arg(long, value_name = "MODE")]
    permission_mode: Option<Permission>,
    /// Allow a tool by name, such as `Bash(cargo test:*)`; may be given several times
    #[arg(long, value_name = "TOOL")]
    allow: Vec<String>,
    /// Change no files: work in the project's folder, and answer in text
    #[arg(long)]
    read_only: bool,
    /// Servers of tools, as Claude Code reads them
    #[arg(long, value_name = "FILE")]
    mcp_config: Option<String>,
}

impl Limits {
    pub(super) fn wanted(&self, context: &Context, session: SessionWish) -> Result<Wanted> {
        let plain = |word: &String| !word.is_empty() && !word.starts_with('-') && shown(word) == *word;
        if let Some(wrong) = self.model.iter().chain(&self.allow).find(|word| !plain(word)) {
            return Err(Fault::new(Code::InvalidValue, format!("`{}` names no model or tool", shown(wrong))));
        }
        let mcp_config =
            self.mcp_config.as_ref().map(|file| context.start.join(file).to_string_lossy().into_owned());
        Ok(Wanted {
            tier: self.tier,
            model: self.model.clone(),
            timeout: self.timeout,
            max_usd: self.max_usd,
            max_turns: self.max_turns,
            permission: self.permission_mode,
            allow: self.allow.clone(),
            reach: if self.read_only { Reach::ReadOnly } else { Reach::Write },
            mcp_config,
            session,
        })
    }
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
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        match self.verb {
            Some(RunVerb::Show(command)) => command.run(context),
            Some(RunVerb::Logs(command)) => command.run(context),
            Some(RunVerb::Stop(command)) => command.run(context),
            Some(RunVerb::Resume(command)) => command.run(context),
            None => {
                let about = about(&self.what)?;
                let wanted = self.limits.wanted(context, SessionWish::Usual)?;
                begin(context, &about, &wanted, if self.plan { Intent::Show } else { Intent::Start })
            }
        }
    }
}

/// Whether anything is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Show,
    Start,
}

/// The words that are no prompts.
const VERBS: [&str; 4] = ["show", "logs", "stop", "resume"];

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
        [word] if is_reference(word) => return Ok(About::Task(word.clone())),
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(Fault::new(Code::InvalidValue, "the prompt is empty"));
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

/// Show the plan, or run it to its end.
fn begin(context: &Context, about: &About, wanted: &Wanted, intent: Intent) -> Result<u8> {
    let queue = context.queue()?;
    let caller = caller(context)?;
    let plan = drive::plan(queue, &caller, about, wanted).map_err(|fault| explain(fault, about))?;
    if intent == Intent::Show || context.mode == Mode::DryRun {
        context.ui.show(&drive::preview(queue, &caller, &plan).map(|preview| plan_view(&plan, preview))?)?;
        return Ok(DONE);
    }
    if let Some(why) = &plan.asks
        && ask(context, &plan, why)? == Decision::Stop
    {
        return Ok(DONE);
    }
    account::look_again(queue, &caller)?;
    let signals = Signals::listen();
    let mut tell = |entry: &Entry| tell(context, entry);
    let mut wish = || (signals.asked() > Asked::Nothing).then_some(End::Cancelled);
    let report = drive::drive(
        queue,
        &caller,
        plan,
        &Purse::new(None, None),
        &mut Watch { tell: &mut tell, wish: &mut wish },
    )?;
    finish(context, &report)
}

/// What may destroy something is not run without a yes to it.
fn ask(context: &Context, plan: &drive::Plan, why: &str) -> Result<Decision> {
    let lines = vec![
        format!("run \u{201c}{}\u{201d} with {}", shown(&plan.title), plan.choice.model()),
        format!("careful: {}", shown(why)),
    ];
    let mut asked = Plan::of_lines(lines);
    asked.basis = digest(format!("{}\n{}\n{}", asked.basis, plan.title, plan.text).as_bytes());
    approval::approve(context, &context.queue()?.local, &asked)
}

/// A word that looks like a task and is none may have been meant as a prompt.
fn explain(fault: Fault, about: &About) -> Fault {
    match about {
        About::Task(word) if fault.code == Code::TaskNotFound => fault
            .hint(format!("a prompt of one word is given with a blank: `swift run \"{} \"`", shown(word))),
        _ => fault,
    }
}

/// Progress is talk; with `--json` it is the stream.
fn tell(context: &Context, entry: &Entry) {
    match context.ui.format() {
        // A reader that has gone away does not end the run.
        Format::Json => _ = context.ui.raw(transcript::render(entry).as_bytes()),
        Format::Text => {
            if let Some(line) = progress(entry) {
                context.ui.progress(&line);
            }
        }
    }
}

fn finish(context: &Context, report: &Report) -> Result<u8> {
    let Some((last, earlier)) = report.runs.split_last() else {
        return Err(Fault::new(Code::Internal, "a run ended without a record"));
    };
    context.ui.show(&RunView {
        run: row(last),
        earlier: earlier.iter().map(row).collect(),
        folder: report.folder.as_ref().map(|folder| folder.display().to_string()),
        parked_until: drive::parked(&report.next).map(|until| until.to_string()),
        remarks: report.notes.clone(),
    })?;
    Ok(last.outcome().map_or(Status::Ours as u8, status))
}

fn row(run: &Record) -> RunRow {
    RunRow::new(run, &crate::store::layout::run_path(run.id, run.task))
}

/// The exit status that goes with an outcome.
pub(super) fn status(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Completed => DONE,
        Outcome::WithoutResult | Outcome::TimedOut => Status::Findings as u8,
        Outcome::Denied | Outcome::Blocked | Outcome::Limit(_) => Status::Held as u8,
        Outcome::Failed(
            Failure::Start
            | Failure::Login
            | Failure::Billing
            | Failure::RateLimit
            | Failure::Overloaded
            | Failure::Server
            | Failure::Connection,
        ) => Status::Environment as u8,
        Outcome::Failed(_) => Status::Findings as u8,
        Outcome::Cancelled | Outcome::Interrupted => Status::Interrupted as u8,
    }
}

fn plan_view(plan: &drive::Plan, preview: drive::Preview) -> RunPlanView {
    RunPlanView {
        title: plan.title.clone(),
        task: plan.task.as_ref().map(|(id, ..)| id.to_string()),
        tier: plan.choice.tier.as_str(),
        model: plan.choice.model().to_owned(),
        rule: plan.choice.rule.clone(),
        route_reasons: plan.choice.reasons.clone(),
        program: plan.program.path.display().to_string(),
        arguments: preview.arguments,
        environment: preview.environment,
        branch: preview.checkout.as_ref().map(|checkout| checkout.branch.clone()),
        folder: preview.folder.display().to_string(),
        base: preview.checkout.map(|checkout| checkout.base),
        timeout_seconds: plan.policy.timeout.as_secs(),
        silence_seconds: plan.policy.silence.as_secs(),
        max_usd: plan.policy.max_usd,
        max_turns: plan.policy.max_turns,
        permission: plan.policy.permission.as_str(),
        allow: plan.policy.allow.clone(),
        verify: plan.policy.verifiers.iter().map(|verifier| verifier.command.clone()).collect(),
        attempts_before: plan.earlier.len(),
        prompt_bytes: preview.prompt_bytes,
        remarks: plan.warning.iter().chain(&plan.asks).cloned().collect(),
    }
}

/// `run show`
#[derive(Args)]
struct RunShow {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
}

impl RunShow {
    fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let stored = list::find(queue, &caller(context)?, &self.run)?;
        let folder = stored.run.branch.as_ref().and_then(|branch| runs::worktree_path(queue, branch).ok());
        let parked = match stored.run.outcome() {
            Some(Outcome::Limit(until)) => until.map(|until| until.to_string()),
            _ => None,
        };
        context.ui.show(&RunView {
            run: RunRow::new(&stored.run, &stored.path),
            earlier: Vec::new(),
            folder: folder.map(|folder| folder.display().to_string()),
            parked_until: parked,
            remarks: Vec::new(),
        })?;
        Ok(DONE)
    }
}

/// `run logs`
#[derive(Args)]
struct RunLogs {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
    /// Go on until it ends
    #[arg(long, short = 'f')]
    follow: bool,
}

impl RunLogs {
    fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let caller = caller(context)?;
        let mut stored = list::find(queue, &caller, &self.run)?;
        let mut told = 0;
        loop {
            let entries = list::log(queue, &stored)?;
            for entry in entries.iter().skip(told) {
                show_entry(context, entry)?;
            }
            told = told.max(entries.len());
            if !self.follow || stored.run.ending.is_some() {
                return Ok(DONE);
            }
            std::thread::park_timeout(Duration::from_millis(200));
            stored = list::find(queue, &caller, &stored.run.id.to_string())?;
        }
    }
}

/// In a log everything is shown, as data.
fn show_entry(context: &Context, entry: &Entry) -> Result<()> {
    if context.ui.format() == Format::Json {
        return context.ui.raw(transcript::render(entry).as_bytes());
    }
    match progress(entry) {
        Some(line) => context.ui.raw(format!("{}  {line}\n", entry.at).as_bytes()),
        None => Ok(()),
    }
}

/// `run stop`
#[derive(Args)]
struct RunStop {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
}

impl RunStop {
    fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let stored = list::find(queue, &caller(context)?, &self.run)?;
        list::stop(queue, &stored)?;
        let short = stored.run.id.short();
        let answer = crate::view::simple::Answer::new(format!("asked run {short} to stop"))
            .field("run", stored.run.id.to_string())
            .then(format!("swift run logs -f {short}"));
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}

/// `run resume`
#[derive(Args)]
struct RunResume {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
    /// What to say to it
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    limits: Limits,
}

impl RunResume {
    fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let run = list::find(queue, &caller(context)?, &self.run)?.run;
        if run.ending.is_none() {
            return Err(Fault::new(Code::WrongState, format!("run {} still runs", run.id.short()))
                .hint(format!("`swift run logs -f {}` follows it", run.id.short())));
        }
        let said = self.text.join(" ");
        let about = match run.task {
            Some(task) => About::Task(task.to_string()),
            None => About::Prompt(said.clone()),
        };
        let mut wanted = self.limits.wanted(context, SessionWish::Of(Box::new(run.clone()), said))?;
        if run.branch.is_none() {
            wanted.reach = Reach::ReadOnly;
        }
        begin(context, &about, &wanted, Intent::Start)
    }
}

/// `runs`
#[derive(Args)]
pub(in crate::cli) struct Runs {
    /// How many, newest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    most: usize,
    /// Only those of this task
    #[arg(long, value_name = "REF")]
    task: Option<String>,
}

impl Runs {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let found = list::all(queue, &caller(context)?)?;
        let mut rows: Vec<RunRow> =
            found.all.iter().rev().map(|stored| RunRow::new(&stored.run, &stored.path)).collect();
        if let Some(task) = &self.task {
            rows.retain(|row| {
                row.task.as_ref().is_some_and(|id| id == task || id[10..].starts_with(task.as_str()))
            });
        }
        rows.truncate(self.most);
        let cost_usd = rows.iter().map(|row| row.cost_usd).sum();
        let seen = account::seen(queue, context.env.now());
        context.ui.show(&RunsView {
            runs: rows,
            cost_usd,
            breakers: seen.iter().map(BreakerRow::new).collect(),
            problems: problem::rows(&found.problems),
        })?;
        Ok(DONE)
    }
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
        assert!(about(&[]).is_err() && about(&[" ".to_owned()]).is_err());
        let words = |words: &[&str]| about(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(words(&["resume", "k3v9q2"]).is_err() && words(&["stop"]).is_err());
        assert!(words(&["stop the server"]).is_ok());
    }
}
