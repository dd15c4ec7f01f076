//! What is known before anything starts: what is asked for, whether it may be, with which model and within what limits.

use jiff::SignedDuration;

use crate::agent::claude::{self, Asked, Reach, Sources};
use crate::agent::find::Program;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{RunId, TaskId};
use crate::domain::lease;
use crate::domain::route::rules::Rules;
use crate::domain::route::{Decision, Head, Verdict};
use crate::domain::run::answer::AnswerForm;
use crate::domain::run::evidence::{Due, Expected};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::policy::{Permission, Policy};
use crate::domain::run::record::Run;
use crate::domain::run::secret::mask;
use crate::domain::run::tier::{Choice, Tier};
use crate::domain::task::{Folder, Task};
use crate::ops::route;
use crate::store::queue::Queue;

use super::{About, Caller, SessionWish, Wanted, ground, stale};

/// What is known before anything starts.
pub(crate) struct Plan {
    pub(crate) task: Option<(TaskId, Task, String)>,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) policy: Policy,
    pub(crate) choice: Choice,
    /// Why a person has to say yes first, if so.
    pub(crate) asks: Option<String>,
    pub(crate) program: Program,
    pub(crate) warning: Option<String>,
    pub(crate) earlier: Vec<Run>,
    pub(crate) reach: Reach,
    pub(crate) mcp_config: Option<String>,
    /// The id of the first run, where it was given before.
    pub(crate) id: Option<RunId>,
    /// The run whose session goes on.
    pub(crate) resumes: Option<Run>,
    /// What it is told then; nothing: that it shall go on.
    pub(crate) said: String,
}

impl Plan {
    /// The task, if it is about one.
    pub(crate) fn task_id(&self) -> Option<TaskId> {
        self.task.as_ref().map(|(id, ..)| *id)
    }

    /// What has to be there at the end. A prompt may want any form of answer; a task wants to know how it stands.
    pub(super) fn expected(&self) -> Expected {
        let form = if self.task.is_some() { AnswerForm::Status } else { AnswerForm::Free };
        Expected { due: self.due(), form }
    }

    fn due(&self) -> Due {
        let is_question = self.task.as_ref().is_some_and(|(_, task, _)| task.kind.as_str() == "question");
        match (self.reach, &self.task) {
            (Reach::ReadOnly, _) => Due::Text,
            (Reach::Write, Some(_)) if !is_question => Due::Diff,
            (Reach::Write, _) => Due::Something,
        }
    }

    /// The command line.
    pub(super) fn arguments(
        &self,
        choice: &Choice,
        session: &str,
        start: claude::Start,
        sources: Sources,
    ) -> Vec<String> {
        claude::arguments(&self.asked(choice, session, start, sources))
    }

    /// How permission is given, and the tools that are allowed by name.
    pub(crate) fn permissions(&self) -> (Permission, Vec<String>) {
        let asked = self.asked(&self.choice, "", claude::Start::New, Sources::UserAndProject);
        let (permission, allow, _) = claude::permissions(&asked);
        (permission, allow)
    }

    fn asked(&self, choice: &Choice, session: &str, start: claude::Start, sources: Sources) -> Asked {
        Asked {
            model: choice.model().to_owned(),
            session: session.to_owned(),
            start,
            max_turns: self.policy.max_turns,
            max_usd: self.policy.max_usd,
            permission: self.policy.permission,
            allow: self.policy.allow.clone(),
            deny: self.policy.deny.clone(),
            reach: self.reach,
            answer: self.expected().form,
            sources,
            mcp_config: self.mcp_config.clone(),
        }
    }
}

/// Look at everything that can refuse, and change nothing.
///
/// # Errors
/// [`Code::Recursion`], [`Code::NoClaude`], [`Code::TaskNotFound`], [`Code::Claimed`] and others.
pub(crate) fn plan(queue: &Queue, caller: &Caller<'_>, about: &About, wanted: &Wanted) -> Result<Plan> {
    ground::refuse_recursion()?;
    let mut policy = ground::policy(queue, wanted)?;
    let (program, warning) = ground::program(queue, caller)?;
    if wanted.reach == Reach::Write {
        ground::verifiers(caller, &policy)?;
    }
    let own = claude::secrets(&caller.environment);
    let hide = |text: &str| mask(text, &own);
    let mut earlier = Vec::new();
    let (task, title, text) = match about {
        About::Prompt(text) => {
            if let SessionWish::Of(run, _) = &wanted.session {
                earlier = stale::runs_of_session(queue, caller, run)?;
            }
            (None, title_of(text, &wanted.session, hide), text.clone())
        }
        About::Task(reference) => {
            let item = queue.find(reference, &[Folder::Tasks])?;
            let id = item.id().ok_or_else(|| Fault::new(Code::TaskNotFound, "the task has no id yet"))?;
            // A run that was cut off holds it until it gets its end.
            earlier = stale::runs_of(queue, caller, id)?;
            let item = queue.find(reference, &[Folder::Tasks])?;
            // Who holds it, or that it is blocked, is better said before anything is made.
            lease::claim(&item.task, id, &caller.actor, caller.now(), SignedDuration::from_secs(1))?;
            let body = queue.document(&item.path)?.body().to_owned();
            (Some((id, (*item.task).clone(), body.clone())), hide(&item.task.title), body)
        }
    };
    let resumes = resumes(wanted, &earlier);
    let said = match &wanted.session {
        SessionWish::Of(_, said) => said.clone(),
        SessionWish::Usual => String::new(),
    };
    let (mut choice, mut asks) = choose(queue, about, wanted, &policy);
    // Why a model was chosen is told in words of the request, and recorded.
    choice.reasons.iter_mut().for_each(|reason| *reason = hide(reason));
    // Words that reach the prompt beside the task are looked at as well.
    let sent_back = earlier.last().and_then(Run::sent_back_because).unwrap_or_default();
    for (whence, beside) in [("", said.as_str()), (route::SENT_BACK, sent_back)] {
        asks = asks.or_else(|| reason_to_ask(queue, beside).map(|why| format!("{whence}{why}")));
    }
    if choice.model.is_some() {
        // Who names a model means that one, which may be the only one that is paid for. A tier is where it begins.
        policy.escalations = 0;
    }
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
        id: wanted.id,
        resumes,
        said,
    })
}

/// How much of a line is looked at for its title.
const BEGINNING: usize = 4_000;

/// What lists and commits call a prompt. What is secret in it is hidden before it is cut: half a secret has the form of none.
fn title_of(text: &str, session: &SessionWish, hide: impl Fn(&str) -> String) -> String {
    if let SessionWish::Of(run, _) = session {
        return hide(&run.title);
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("prompt");
    let beginning: String = line.chars().take(BEGINNING).collect();
    hide(&beginning).chars().take(80).collect()
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
    let decision = decide(queue, about);
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

/// Why a person is asked about a text first, if they are.
fn reason_to_ask(queue: &Queue, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    let about = About::Prompt(text.to_owned());
    let decision = decide(queue, &about);
    (decision.verdict == Verdict::Ask).then(|| decision.reasons.join("; "))
}

/// By the rules as they are committed: like the policy, they say what an agent may do without being asked about.
fn decide(queue: &Queue, about: &About) -> Decision {
    let by = |rules: &Rules| match about {
        About::Task(reference) => route::task(queue, rules, reference, route::Named::default()),
        About::Prompt(text) => route::text(rules, text, Head::default()),
    };
    route::careful(route::committed_rules_of(queue), by)
}
