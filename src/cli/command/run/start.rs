//! From what was typed to a run's end, told while it happens.

use crate::cli::approval::{self, Decision, Plan};
use crate::cli::context::{Approval, Context};
use crate::cli::{DETACH, DONE, own, verb};
use crate::domain::fault::{Code, Fault, Result, Status};
use crate::domain::id::{RunId, TaskId};
use crate::domain::prompt::SESAME;
use crate::domain::run::entry::Entry;
use crate::domain::run::evidence::End;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::Run as Record;
use crate::domain::text::shown;
use crate::env::signals::{Asked, Signals};
use crate::format::audit::digest;
use crate::format::transcript;
use crate::ops::run::drive::{self, Report};
use crate::ops::run::purse::Purse;
use crate::ops::run::way::Moment;
use crate::ops::run::{About, Caller, Wanted, Watch, account, background, plan, preview, way};
use crate::store::proposal;
use crate::store::tx::Mode;
use crate::ui::Format;
use crate::view::run::{RunPlanView, RunRow, RunView, progress};
use crate::view::simple::Answer;

use super::caller;

/// Whether anything is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Show,
    Start,
    /// By a process in the background.
    Detach,
}

/// Show the plan, or run it to its end.
pub(super) fn begin(context: &Context, about: &About, wanted: &Wanted, intent: Intent) -> Result<u8> {
    let queue = context.queue()?;
    let caller = caller(context)?;
    let plan = plan::plan(queue, &caller, about, wanted).map_err(|fault| explain(fault, about))?;
    if intent == Intent::Show || context.mode == Mode::DryRun {
        context
            .ui
            .show(&preview::preview(queue, &caller, &plan).map(|preview| plan_view(&plan, preview))?)?;
        return Ok(DONE);
    }
    if let Some(why) = &plan.asks
        && ask(context, &plan, why)? == Decision::Stop
    {
        return Ok(DONE);
    }
    account::look_again(queue, &caller)?;
    if intent == Intent::Detach {
        return detach(context, &caller, about);
    }
    let signals = Signals::listen();
    // In the background nobody listens; what is told is in the log.
    let is_heard = wanted.id.is_none();
    let mut tell = |entry: &Entry| {
        if is_heard {
            tell(context, entry);
        }
    };
    let mut wish = || (signals.asked() > Asked::Nothing).then_some(End::Cancelled);
    let report = drive::drive(
        queue,
        &caller,
        plan,
        &Purse::new(None, None),
        &mut Watch { tell: &mut tell, wish: &mut wish },
    )?;
    finish(context, &caller, &report)
}

/// The same command line, by a process in the background. It may have been proposed without the word for that.
fn detach(context: &Context, caller: &Caller<'_>, about: &About) -> Result<u8> {
    let text = match about {
        About::Task(text) | About::Prompt(text) => text,
    };
    let words = |id: RunId| {
        let mut words = attached(&context.words);
        let behind = verb(&words).map_or(0, |verb| verb + 1);
        words.splice(behind..behind, ["--taken-up".to_owned(), id.to_string()]);
        // The yes, if one was needed, has been given here.
        words.extend((context.approval != Approval::Ask).then(|| SESAME.to_owned()));
        words
    };
    let queue = context.queue()?;
    let id = background::start(queue, caller, &context.start, text, words)?;
    if context.approval != Approval::Ask {
        // Who has said yes to it in the background is not asked about the same once more.
        proposal::settle(&queue.local, &attached(&context.words))?;
    }
    let short = id.short();
    let answer = Answer::new(format!("run {short} begins in the background"))
        .field("run", id.to_string())
        .then(format!("swift run logs -f {short}"))
        .then(format!("swift run stop {short}"));
    context.ui.show(&answer)?;
    Ok(DONE)
}

/// The words of the command line without the one that sends it to the background.
fn attached(words: &[String]) -> Vec<String> {
    let at = words[..own(words)].iter().position(|word| word == DETACH);
    words.iter().enumerate().filter(|(place, _)| Some(*place) != at).map(|(_, word)| word.clone()).collect()
}

/// What may destroy something is not run without a yes to it.
fn ask(context: &Context, plan: &plan::Plan, why: &str) -> Result<Decision> {
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
        // Nobody means the whole id of a task as a prompt.
        About::Task(word) if fault.code == Code::TaskNotFound && word.parse::<TaskId>().is_err() => fault
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

fn finish(context: &Context, caller: &Caller<'_>, report: &Report) -> Result<u8> {
    let Some((last, earlier)) = report.runs.split_last() else {
        return Err(Fault::new(Code::Internal, "a run ended without a record"));
    };
    let way = way::on_from(context.queue()?, caller, last, Moment::AtItsEnd);
    let remarks = report.notes.iter().cloned().chain(way::remark(last, &way)).collect();
    context.ui.show(&RunView {
        way,
        run: row(last),
        earlier: earlier.iter().map(row).collect(),
        cost_usd: drive::spent(&report.runs),
        folder: report.folder.as_ref().map(|folder| folder.display().to_string()),
        parked_until: drive::parked(&report.next).map(|until| until.to_string()),
        remarks,
    })?;
    Ok(last.outcome().map_or(Status::Ours as u8, status))
}

fn row(run: &Record) -> RunRow {
    RunRow::new(run, &crate::store::layout::run_path(run.id, run.task))
}

/// The exit status that goes with an outcome.
fn status(outcome: Outcome) -> u8 {
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

fn plan_view(plan: &plan::Plan, preview: preview::Preview) -> RunPlanView {
    let (permission, allow) = plan.permissions();
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
        permission: permission.as_str(),
        allow,
        verify: plan.policy.verifiers.iter().map(|verifier| verifier.command.clone()).collect(),
        attempts_before: plan.earlier.len(),
        prompt_bytes: preview.prompt_bytes,
        remarks: plan.warning.iter().chain(&plan.asks).cloned().collect(),
    }
}
