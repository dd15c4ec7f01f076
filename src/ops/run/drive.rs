//! From a request to its end: attempts one after the other, as the policies say.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::agent::claude::{self, AnswerForm, Asked, Reach, Start};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::{self, Hold};
use crate::domain::route::{Head, Verdict};
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::evidence::{Due, End};
use crate::domain::run::next::{Count, Next};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::policy::Policy;
use crate::domain::run::record::Run;
use crate::domain::run::spend::Spend;
use crate::domain::run::tier::{Choice, Tier};
use crate::domain::task::{Folder, Task};
use crate::env;
use crate::format::audit::digest;
use crate::ops::{claim, route};
use crate::store::git::checkout::Checkout;
use crate::store::queue::Queue;
use crate::store::runs::{self, LiveLog};

use super::attempt::Attempt;
use super::conclude::{self, Fate};
use super::ground::{self, Place, Subject};
use super::purse::Purse;
use super::recorder::Recorder;
use super::{About, Caller, SessionWish, Wanted, Watch, account, begin, prompt, stale};

/// How much of a prompt is in the transcript.
const PROMPT_TOLD: usize = 16_000;

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Report {
    /// Every attempt, oldest first; at least one.
    pub(crate) runs: Vec<Run>,
    /// What would follow, had it not ended here.
    pub(crate) next: Next,
    /// Where the work lies.
    pub(crate) folder: Option<std::path::PathBuf>,
    pub(crate) notes: Vec<String>,
}

/// What is known before anything starts.
pub(crate) struct Plan {
    pub(crate) task: Option<(TaskId, Task, String)>,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) policy: Policy,
    pub(crate) choice: Choice,
    /// Why a person has to say yes first, if so.
    pub(crate) asks: Option<String>,
    pub(crate) program: crate::agent::find::Program,
    pub(crate) warning: Option<String>,
    pub(crate) earlier: Vec<Run>,
    pub(crate) reach: Reach,
    pub(crate) mcp_config: Option<String>,
    /// The run whose session goes on.
    pub(crate) resumes: Option<Run>,
    /// What it is told then; nothing: that it shall go on.
    pub(crate) said: String,
}

/// Look at everything that can refuse, and change nothing.
///
/// # Errors
/// [`Code::Recursion`], [`Code::NoClaude`], [`Code::TaskNotFound`], [`Code::Claimed`] and others.
pub(crate) fn plan(queue: &Queue, caller: &Caller<'_>, about: &About, wanted: &Wanted) -> Result<Plan> {
    ground::refuse_recursion()?;
    let policy = ground::policy(queue, wanted)?;
    let (program, warning) = ground::program(queue, caller)?;
    let (task, title, text) = match about {
        About::Prompt(text) => (None, title_of(text, &wanted.session), text.clone()),
        About::Task(reference) => {
            let item = queue.find(reference, &[Folder::Tasks])?;
            let id = item.id().ok_or_else(|| Fault::new(Code::TaskNotFound, "the task has no id yet"))?;
            // Who holds it, or that it is blocked, is better said before anything is made.
            lease::claim(&item.task, id, &caller.actor, caller.now(), SignedDuration::from_secs(1))?;
            let body = queue.document(&item.path)?.body().to_owned();
            (Some((id, (*item.task).clone(), body.clone())), item.task.title.clone(), body)
        }
    };
    let earlier = match &task {
        Some((id, ..)) => stale::runs_of(queue, caller, *id)?,
        None => Vec::new(),
    };
    let resumes = resumes(wanted, &earlier);
    let said = match &wanted.session {
        SessionWish::Of(_, said) => said.clone(),
        SessionWish::Usual => String::new(),
    };
    let (choice, asks) = choose(queue, about, wanted, &policy);
    let (reach, mcp_config) = (wanted.reach, wanted.mcp_config.clone());
    Ok(Plan {
        task,
        title,
        text,
        policy,
        choice,
        asks,
        program,
        warning,
        earlier,
        reach,
        mcp_config,
        resumes,
        said,
    })
}

fn title_of(text: &str, session: &SessionWish) -> String {
    if let SessionWish::Of(run, _) = session {
        return run.title.clone();
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("prompt");
    line.chars().take(80).collect()
}

fn resumes(wanted: &Wanted, earlier: &[Run]) -> Option<Run> {
    match &wanted.session {
        SessionWish::Of(run, _) => Some((**run).clone()),
        SessionWish::Usual => {
            let last = earlier.last()?;
            matches!(last.outcome(), Some(Outcome::Limit(_))).then(|| last.clone())
        }
    }
}

/// Which model: asked for on the command line, else set for all runs, else what the routing says.
fn choose(queue: &Queue, about: &About, wanted: &Wanted, policy: &Policy) -> (Choice, Option<String>) {
    let fixed = |tier: Tier, rule: &str, why: &str| Choice {
        tier,
        model: wanted.model.clone(),
        rule: rule.to_owned(),
        reasons: vec![why.to_owned()],
    };
    if let (SessionWish::Of(run, _), None, None) = (&wanted.session, wanted.tier, &wanted.model) {
        let reasons = vec![format!("as in run {}, which goes on", run.id.short())];
        return (Choice { rule: "resumed".to_owned(), reasons, ..run.choice.clone() }, None);
    }
    let decision = route::or_middle(decide(queue, about));
    let asks = (decision.verdict == Verdict::Ask).then(|| decision.reasons.join("; "));
    let choice = match (wanted.tier, policy.tier) {
        (Some(tier), _) => fixed(tier, "asked", "asked for on the command line"),
        (None, _) if wanted.model.is_some() => fixed(decision.tier, "asked", "asked for on the command line"),
        (None, Some(tier)) => fixed(tier, "settings", "the settings say so for every run"),
        (None, None) => Choice {
            tier: decision.tier,
            model: decision.model.map(|model| model.as_str().to_owned()),
            rule: decision.rule,
            reasons: decision.reasons,
        },
    };
    (choice, asks)
}

fn decide(queue: &Queue, about: &About) -> Result<route::Routed> {
    let rules = route::rules_of(queue)?;
    match about {
        About::Task(reference) => route::task(queue, &rules, reference, route::Named::default()),
        About::Prompt(text) => route::text(&rules, text, Head::default()),
    }
}

/// The command line of a plan.
pub(crate) fn arguments(
    plan: &Plan,
    choice: &Choice,
    session: &str,
    start: Start,
    sources: claude::Sources,
) -> Vec<String> {
    claude::arguments(&Asked {
        model: choice.model().to_owned(),
        session: session.to_owned(),
        start,
        max_turns: plan.policy.max_turns,
        max_usd: plan.policy.max_usd,
        permission: plan.policy.permission,
        allow: plan.policy.allow.clone(),
        deny: plan.policy.deny.clone(),
        reach: plan.reach,
        answer: if plan.task.is_some() { AnswerForm::Status } else { AnswerForm::Free },
        sources,
        mcp_config: plan.mcp_config.clone(),
    })
}

/// What would be started.
pub(crate) struct Preview {
    pub(crate) arguments: Vec<String>,
    /// Names of variables.
    pub(crate) environment: Vec<String>,
    pub(crate) checkout: Option<Checkout>,
    pub(crate) folder: std::path::PathBuf,
    pub(crate) prompt_bytes: usize,
}

/// What would be started; nothing is made for it.
///
/// # Errors
/// Those of git.
pub(crate) fn preview(queue: &Queue, caller: &Caller<'_>, plan: &Plan) -> Result<Preview> {
    let project = runs::project_folder(queue);
    let subject = match (&plan.task, &plan.resumes) {
        (Some((id, ..)), _) => Subject::Task(*id, &plan.earlier),
        (None, Some(run)) => Subject::Again(run),
        (None, None) => Subject::Prompt(caller.env.run_id()),
    };
    let checkout = match plan.reach {
        Reach::Write => Some(ground::checkout_for(queue, project, subject)?),
        Reach::ReadOnly => None,
    };
    let session = plan.resumes.as_ref().map(|run| run.session.clone());
    let start = if session.is_some() { Start::Resumed } else { Start::New };
    let session = session.unwrap_or_else(|| caller.env.session_uuid());
    let branch = checkout.as_ref().map(|checkout| checkout.branch.as_str());
    let prompt = match &plan.task {
        Some((_, task, body)) => {
            prompt::of_task(task, body, queue.settings.id.as_str(), branch, &plan.earlier)
        }
        None => prompt::of_text(&plan.text),
    };
    let environment = claude::environment(&caller.environment, &plan.policy.environment, "", 1);
    Ok(Preview {
        arguments: arguments(plan, &plan.choice, &session, start, claude::Sources::UserAndProject),
        environment: environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect(),
        folder: checkout.as_ref().map_or_else(|| project.to_owned(), |checkout| checkout.path.clone()),
        checkout,
        prompt_bytes: prompt.len(),
    })
}

/// Run it to its end.
///
/// # Errors
/// Those of [`plan`], [`Code::AccountRests`], and those of the first commit: nothing has been started then.
pub(crate) fn drive(
    queue: &Queue,
    caller: &Caller<'_>,
    plan: Plan,
    purse: &Purse,
    watch: &mut Watch<'_>,
) -> Result<Report> {
    if stale::kills_its_runs(&plan.earlier) {
        let short = plan.task.as_ref().map(|(id, ..)| id.short()).unwrap_or_default();
        (watch.tell)(&Entry::new(
            caller.now(),
            EntryKind::Note,
            None,
            format!("the last {} runs of task {short} were killed or cut off", stale::MOST_KILLED),
        ));
    }
    let mut drive = Drive {
        queue,
        caller,
        count: Count::default(),
        choice: plan.choice.clone(),
        resumes: plan.resumes.clone(),
        hold: None,
        purse,
        runs: Vec::new(),
        notes: plan.warning.iter().cloned().collect(),
        folder: None,
        max_usd: plan.policy.max_usd,
        plan,
    };
    drive.all_attempts(watch)
}

struct Drive<'a> {
    queue: &'a Queue,
    caller: &'a Caller<'a>,
    plan: Plan,
    count: Count,
    choice: Choice,
    resumes: Option<Run>,
    hold: Option<Hold>,
    purse: &'a Purse,
    runs: Vec<Run>,
    notes: Vec<String>,
    folder: Option<std::path::PathBuf>,
    /// What one run may cost if there is enough.
    max_usd: f64,
}

impl Drive<'_> {
    fn all_attempts(&mut self, watch: &mut Watch<'_>) -> Result<Report> {
        loop {
            let next = match self.one(watch) {
                Ok(next) => next,
                Err(fault) if self.runs.is_empty() => return Err(fault),
                Err(fault) => {
                    self.notes.push(fault.message);
                    self.release();
                    Next::End
                }
            };
            let goes_on = match &next {
                Next::Retry { after } => {
                    self.count.retries += 1;
                    self.wait(*after, watch)
                }
                Next::Escalate { to } => {
                    self.count.escalations += 1;
                    self.escalate(*to);
                    true
                }
                _ => false,
            };
            if !goes_on {
                if matches!(next, Next::Retry { .. }) {
                    self.release();
                }
                let (runs, notes) = (std::mem::take(&mut self.runs), std::mem::take(&mut self.notes));
                return Ok(Report { runs, next, folder: self.folder.take(), notes });
            }
        }
    }

    fn escalate(&mut self, to: Tier) {
        let outcome = self.runs.last().and_then(Run::outcome).map(|outcome| outcome.to_string());
        let why = format!("{} {}", self.choice.tier, outcome.unwrap_or_default());
        self.choice = Choice { tier: to, model: None, rule: "escalation".to_owned(), reasons: vec![why] };
        self.resumes = None;
    }

    /// Wait, unless somebody wishes an end; gives whether to go on.
    fn wait(&mut self, length: Duration, watch: &mut Watch<'_>) -> bool {
        let until = env::moment() + length;
        let mut keeper = Keeper::new(self.queue, self.caller, self.hold.clone(), self.task_id());
        while env::moment() < until {
            if (watch.wish)().or_else(|| keeper.look()).is_some() {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(50).min(length));
        }
        true
    }

    fn task_id(&self) -> Option<TaskId> {
        self.plan.task.as_ref().map(|(id, ..)| *id)
    }

    /// Give the task back when no attempt follows after all.
    fn release(&mut self) {
        if let (Some(hold), Some(task)) = (self.hold.take(), self.task_id()) {
            // Held by nobody in a moment anyway.
            let _ = claim::release(self.queue, &self.caller.operation("release"), &task.to_string(), &hold);
        }
    }

    /// One attempt, if there is money and leave for it.
    fn one(&mut self, watch: &mut Watch<'_>) -> Result<Next> {
        let promise = self.purse.ask(self.max_usd)?;
        self.plan.policy.max_usd = promise.usd;
        let before = self.runs.len();
        let next = self.attempt(watch);
        match self.runs.get(before).and_then(|run| run.ending.as_ref()) {
            Some(ending) => self.purse.settle(promise, ending.spend.usd),
            None => self.purse.give_back(promise),
        }
        next
    }

    /// One attempt, from its record to its record.
    fn attempt(&mut self, watch: &mut Watch<'_>) -> Result<Next> {
        let run_id = self.caller.env.run_id();
        let earlier: Vec<Run> = self.plan.earlier.iter().chain(&self.runs).cloned().collect();
        let subject = match (&self.resumes, self.task_id(), self.runs.last()) {
            (_, Some(task), _) => Subject::Task(task, &earlier),
            (Some(run), None, _) | (None, None, Some(run)) if run.branch.is_some() => Subject::Again(run),
            _ => Subject::Prompt(run_id),
        };
        account::admit(self.queue, self.caller, self.choice.model())?;
        let place = ground::place(self.queue, self.plan.reach, subject)?;
        self.folder = place.checkout.as_ref().map(|checkout| checkout.path.clone());
        let prompt = self.prompt(&place, &earlier);
        let mut run = self.record(run_id, &place, &prompt, &earlier);
        let before = self.before(&run, &earlier);
        let live = LiveLog::begin(self.queue, run.id)?;
        let live_path = live.path.clone();
        let length = self.queue.settings.lease;
        self.hold = begin::begin(self.queue, self.caller, &run, self.hold.take(), length)?;
        let start = if run.resumed { Start::Resumed } else { Start::New };
        let arguments = arguments(&self.plan, &self.choice, &run.session, start, place.sources);
        let mut recorder = Recorder::new(live, claude::secrets(&self.caller.environment), watch.tell);
        let told: String = prompt.chars().take(PROMPT_TOLD).collect();
        recorder.add(Entry::new(self.caller.now(), EntryKind::Prompt, None, told));
        let mut keeper = Keeper::new(self.queue, self.caller, self.hold.clone(), self.task_id());
        let id = run.id;
        let mut wish = || {
            let stop = runs::is_asked_to_stop(self.queue, id).then_some(End::Cancelled);
            stop.or_else(|| (watch.wish)()).or_else(|| keeper.look())
        };
        let attempt = Attempt {
            caller: self.caller,
            run: &run,
            place: &place,
            policy: &self.plan.policy,
            program: self.plan.program.path.clone(),
            arguments,
            prompt,
            live: live_path,
            due: self.due(),
            before,
        };
        let ending = attempt.make(&mut recorder, &mut wish);
        let mut next =
            account::next(self.caller, ending.outcome, self.choice.tier, self.count, &self.plan.policy);
        let (outcome, why) = (ending.outcome, ending.reasons.join("; "));
        run.ending = Some(ending.clone());
        let all: Vec<Run> = earlier.iter().chain([&run]).cloned().collect();
        let is_killer = run.task.is_some() && stale::kills_its_runs(&all);
        if is_killer {
            next = Next::End;
        }
        let fate = match &next {
            _ if is_killer => Fate::Blocked(stale::quarantine_reason()),
            Next::Retry { .. } | Next::Escalate { .. } => Fate::Held,
            Next::Park { until } => conclude::fate(&run, &ending, Some(*until)),
            Next::End | Next::StopAll => conclude::fate(&run, &ending, None),
        };
        let transcript = recorder.transcript(self.caller.now());
        let concluded =
            conclude::conclude(self.queue, self.caller, &run, &transcript, self.hold.as_ref(), &fate)?;
        // Until here its live log was locked, which tells everybody that the run has not ended.
        drop(recorder);
        self.notes.extend(concluded.untouched);
        self.notes.extend(concluded.committed.debt.map(|debt| format!("not committed yet: {debt}")));
        if fate != Fate::Held {
            self.hold = None;
        }
        self.runs.push(run);
        account::ended(self.queue, self.caller, self.choice.model(), outcome, &next, &why)?;
        Ok(next)
    }

    fn due(&self) -> Due {
        let is_question =
            self.plan.task.as_ref().is_some_and(|(_, task, _)| task.kind.as_str() == "question");
        match (self.plan.reach, &self.plan.task) {
            (Reach::ReadOnly, _) => Due::Text,
            (Reach::Write, Some(_)) if !is_question => Due::Diff,
            (Reach::Write, _) => Due::Something,
        }
    }

    fn prompt(&self, place: &Place, earlier: &[Run]) -> String {
        if self.resumes.is_some() {
            return match self.plan.said.trim() {
                "" => prompt::to_go_on(earlier),
                said => prompt::of_text(said),
            };
        }
        let branch = place.checkout.as_ref().map(|checkout| checkout.branch.as_str());
        match &self.plan.task {
            Some((_, task, body)) => {
                prompt::of_task(task, body, self.queue.settings.id.as_str(), branch, earlier)
            }
            None => prompt::of_text(&self.plan.text),
        }
    }

    fn record(&self, id: crate::domain::id::RunId, place: &Place, prompt: &str, earlier: &[Run]) -> Run {
        let before = self.resumes.as_ref().map_or(0, |run| run.attempt);
        let attempts = u32::try_from(earlier.len()).unwrap_or(u32::MAX).max(before);
        let follows = self.resumes.as_ref().or_else(|| self.runs.last()).map(|run| run.id);
        let session = self.resumes.as_ref().map(|run| run.session.clone());
        Run {
            id,
            task: self.task_id(),
            title: self.plan.title.clone(),
            attempt: attempts.saturating_add(1),
            follows,
            actor: self.caller.actor.clone(),
            request: digest(prompt.as_bytes()),
            choice: self.choice.clone(),
            resumed: session.is_some(),
            session: session.unwrap_or_else(|| self.caller.env.session_uuid()),
            branch: place.checkout.as_ref().map(|checkout| checkout.branch.clone()),
            base: place.checkout.as_ref().map(|checkout| checkout.base.clone()),
            started_at: self.caller.now(),
            ending: None,
            review: None,
        }
    }

    /// What the session of a run had cost when it was last seen.
    fn before(&self, run: &Run, earlier: &[Run]) -> Option<Spend> {
        let same = earlier.iter().chain(&self.resumes).filter(|other| other.session == run.session);
        let spends = same.filter_map(|other| other.ending.as_ref()).map(|ending| ending.spend.clone());
        spends.max_by(|a, b| a.session_usd.total_cmp(&b.session_usd))
    }
}

/// Keeps the lease of a task while its run goes on.
struct Keeper<'a> {
    queue: &'a Queue,
    caller: &'a Caller<'a>,
    held: Option<(Hold, TaskId)>,
    renewed: std::time::Instant,
}

impl<'a> Keeper<'a> {
    fn new(queue: &'a Queue, caller: &'a Caller<'a>, hold: Option<Hold>, task: Option<TaskId>) -> Keeper<'a> {
        Keeper { queue, caller, held: hold.zip(task), renewed: env::moment() }
    }

    /// Renew when it is time; a reason to end if the lease is lost.
    fn look(&mut self) -> Option<End> {
        let (hold, task) = self.held.as_ref()?;
        let length = self.queue.settings.lease;
        let every = Duration::try_from(length).unwrap_or_default() / 3;
        if self.renewed.elapsed() < every {
            return None;
        }
        match claim::renew(self.queue, &self.caller.operation("renew"), &task.to_string(), hold, length) {
            Ok(_) => {
                self.renewed = env::moment();
                None
            }
            // Somebody is in the middle of something; soon again.
            Err(fault) if matches!(fault.code, Code::Busy | Code::Changed) => None,
            Err(fault)
                if matches!(
                    fault.code,
                    Code::LeaseLost | Code::Claimed | Code::TaskNotFound | Code::WrongState
                ) =>
            {
                Some(End::LeaseLost)
            }
            Err(_) => None,
        }
    }
}

/// Until when a task waits, if it does.
pub(crate) fn parked(next: &Next) -> Option<Timestamp> {
    match next {
        Next::Park { until } => Some(*until),
        _ => None,
    }
}
