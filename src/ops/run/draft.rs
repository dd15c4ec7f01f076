//! An attempt before it begins: its record, its prompt, and the worktree that it wants. Nothing is made for it.

use crate::agent::claude::{Reach, Sources, Start};
use crate::domain::fault::Result;
use crate::domain::id::RunId;
use crate::domain::run::outcome::Outcome;
use crate::domain::run::record::Run;
use crate::domain::run::spend::Spend;
use crate::domain::run::tier::Choice;
use crate::format::audit::digest;
use crate::store::git::checkout::Checkout;
use crate::store::queue::Queue;
use crate::store::runs;

use super::ground::{self, Subject, is_merged};
use super::plan::Plan;
use super::{Caller, prompt};

/// What an attempt is made from.
pub(super) struct Basis<'a> {
    pub(super) queue: &'a Queue,
    pub(super) caller: &'a Caller<'a>,
    pub(super) plan: &'a Plan,
    pub(super) choice: &'a Choice,
    /// The run whose session goes on.
    pub(super) resumes: Option<&'a Run>,
    /// The attempts that this request has seen so far.
    pub(super) attempts: &'a [Run],
}

/// An attempt that could begin.
pub(super) struct Draft {
    pub(super) run: Run,
    pub(super) prompt: String,
    /// `None` for a run that changes nothing.
    pub(super) wanted: Option<Checkout>,
    /// What its session had cost when it was last seen.
    pub(super) before: Option<Spend>,
    /// The commit of its branch after which work has not counted yet: nothing counts twice.
    pub(super) uncounted_from: Option<String>,
}

impl Basis<'_> {
    /// # Errors
    /// Those of git.
    pub(super) fn draft(&self) -> Result<Draft> {
        let given = self.plan.id.filter(|_| self.attempts.is_empty());
        let id = given.unwrap_or_else(|| self.caller.env.run_id());
        let earlier = self.earlier();
        let wanted = match self.plan.reach {
            Reach::ReadOnly => None,
            Reach::Write => {
                let project = runs::project_folder(self.queue);
                Some(ground::checkout_for(self.queue, project, self.subject(id, &earlier))?)
            }
        };
        let prompt = self.prompt(wanted.as_ref(), &earlier);
        let run = self.record(id, wanted.as_ref(), &prompt, &earlier);
        let before = self.before(&run, &earlier);
        let uncounted_from = wanted.as_ref().map(|checkout| uncounted_from(checkout, &earlier));
        Ok(Draft { run, prompt, wanted, before, uncounted_from })
    }

    /// All runs of the task, those of this request last.
    pub(super) fn earlier(&self) -> Vec<Run> {
        self.plan.earlier.iter().chain(self.attempts).cloned().collect()
    }

    fn subject<'r>(&'r self, id: RunId, earlier: &'r [Run]) -> Subject<'r> {
        match (self.resumes, self.plan.task_id(), self.attempts.last()) {
            (_, Some(task), _) => Subject::Task(task, earlier),
            (Some(run), None, _) | (None, None, Some(run)) if run.branch.is_some() => Subject::Again(run),
            _ => Subject::Prompt(id),
        }
    }

    fn prompt(&self, wanted: Option<&Checkout>, earlier: &[Run]) -> String {
        if self.resumes.is_some() {
            return match self.plan.said.trim() {
                "" => prompt::to_go_on(earlier),
                said => prompt::to_go_on_with(said, earlier),
            };
        }
        let branch = wanted.map(|checkout| checkout.branch.as_str());
        match &self.plan.task {
            Some((_, task, body)) => {
                prompt::of_task(task, body, self.queue.settings.id.as_str(), branch, earlier)
            }
            None => prompt::of_text(&self.plan.text),
        }
    }

    fn record(&self, id: RunId, wanted: Option<&Checkout>, prompt: &str, earlier: &[Run]) -> Run {
        let before = self.resumes.map_or(0, |run| run.attempt);
        let attempts = u32::try_from(earlier.len()).unwrap_or(u32::MAX).max(before);
        let session = self.resumes.map(|run| run.session.clone());
        Run {
            id,
            task: self.plan.task_id(),
            title: self.plan.title.clone(),
            attempt: attempts.saturating_add(1),
            follows: self.resumes.or(self.attempts.last()).map(|run| run.id),
            actor: self.caller.actor.clone(),
            token: None,
            request: digest(prompt.as_bytes()),
            choice: self.choice.clone(),
            resumed: session.is_some(),
            session: session.unwrap_or_else(|| self.caller.env.session_uuid()),
            branch: wanted.map(|checkout| checkout.branch.clone()),
            base: wanted.map(|checkout| checkout.base.clone()),
            started_at: self.caller.now(),
            ending: None,
            review: None,
        }
    }

    fn before(&self, run: &Run, earlier: &[Run]) -> Option<Spend> {
        let same = earlier.iter().chain(self.resumes).filter(|other| other.session == run.session);
        let spends = same.filter_map(|other| other.ending.as_ref()).map(|ending| ending.spend.clone());
        spends.max_by(|a, b| a.session_usd.total_cmp(&b.session_usd))
    }
}

/// Where the branch was when a person last looked at it; else where it began. What attempts have left since is on the
/// branch, and is the work of the one that says that it is done.
fn uncounted_from(checkout: &Checkout, earlier: &[Run]) -> String {
    let is_here = |run: &&Run| {
        run.branch.as_ref() == Some(&checkout.branch) && run.base.as_ref() == Some(&checkout.base)
    };
    let here = earlier.iter().rev().take_while(|run| !is_merged(run)).filter(is_here);
    let mut counted = here.skip_while(|run| !has_counted(run));
    let end = counted.find_map(|run| run.ending.as_ref()?.commits.last());
    end.unwrap_or(&checkout.base).clone()
}

/// A task is gone when its work has counted, unless it could not be written to; a prompt's session can go on after that.
fn has_counted(run: &Run) -> bool {
    run.review.is_some() || (run.task.is_none() && run.outcome() == Some(Outcome::Completed))
}

impl Draft {
    /// The command line.
    pub(super) fn arguments(&self, plan: &Plan, sources: Sources) -> Vec<String> {
        let start = if self.run.resumed { Start::Resumed } else { Start::New };
        plan.arguments(&self.run.choice, &self.run.session, start, sources)
    }
}
