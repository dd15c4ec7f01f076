//! What happens in an attempt: the process, what it left in git, what the verifiers say, and the judgement.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::agent::child::{Order, Stdout};
use crate::agent::claude;
use crate::agent::session::{self, Deadlines};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::event::Event;
use crate::domain::run::evidence::{End, Evidence, Exit, Finished, Product};
use crate::domain::run::judge::{self, Judgement};
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::{Run, RunEnding};
use crate::domain::run::spend;
use crate::domain::text::shown;
use crate::env;
use crate::store::git::checkout::{self, Branches, Standing};

use super::Caller;
use super::draft::Draft;
use super::ground::{self, GRACE, PREFIX, Place};
use super::plan::Plan;
use super::recorder::Recorder;
use super::review::some_of;
use super::stale;

/// Everything that an attempt needs.
pub(super) struct Execution<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) draft: &'a Draft,
    pub(super) plan: &'a Plan,
    pub(super) project: &'a Path,
    pub(super) live: PathBuf,
    /// The branch on which the queue is, if it has one of its own.
    pub(super) queue_branch: Option<&'a str>,
}

/// What a run has left in git.
#[derive(Default)]
struct Kept {
    commits: Vec<String>,
    product: Product,
    /// What is otherwise at other branches since it began.
    moved: Vec<String>,
}

impl Execution<'_> {
    /// From the start of the process to the judgement. Without a place there is no process.
    pub(super) fn make(
        &self,
        place: Result<Place>,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) -> RunEnding {
        let place = match place {
            Ok(place) => place,
            Err(fault) => {
                let way_out = fault.hints.first().map(|hint| format!("; {hint}")).unwrap_or_default();
                let evidence = self.evidence(Finished::never(fault.message + &way_out));
                return self.ending(&evidence, &Kept::default(), None, recorder);
            }
        };
        self.take_over(&place, recorder);
        let start = self.draft.run.branch.as_ref().and_then(|_| checkout::head(&place.folder).ok().flatten());
        let branches = checkout::branches_at(self.project).ok();
        let standing = place.checkout.is_none().then(|| checkout::standing(self.project).ok()).flatten();
        let (finished, model) = self.process(&place, recorder, wish);
        let mut evidence = self.evidence(finished);
        self.note(&evidence, &Kept::default(), model.as_ref(), recorder);
        let left = self.keep(&place, start.as_deref(), recorder);
        let left = left.and_then(|kept| self.refuse_changes(standing.as_ref()).map(|()| kept));
        let (mut kept, trouble) = match left {
            Ok(kept) => (kept, None),
            Err(fault) => (Kept::default(), Some(fault)),
        };
        evidence.product = kept.product;
        kept.moved = self.moved(branches.as_ref(), recorder);
        self.note(&evidence, &kept, model.as_ref(), recorder);
        if trouble.is_none() && judge::is_worth_verifying(&evidence) {
            self.verify(&place, &mut evidence, recorder, wish);
        }
        let mut ending = self.ending(&evidence, &kept, model.as_ref(), recorder);
        let is_well = matches!(ending.outcome, Outcome::Completed | Outcome::WithoutResult);
        if let Some(fault) = trouble.filter(|_| is_well) {
            ending.outcome = Outcome::Failed(Failure::Worktree);
            ending.reasons = vec![recorder.masked(&fault.message)];
        }
        ending
    }

    fn evidence(&self, finished: Finished) -> Evidence {
        let now = self.caller.now().to_zoned(env::zone());
        Evidence::of(finished, self.plan.expected(), now)
    }

    /// The process, and the model that it said it used.
    fn process(
        &self,
        place: &Place,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) -> (Finished, Option<String>) {
        let policy = &self.plan.policy;
        let id = self.draft.run.id.to_string();
        let mut environment = claude::environment(&self.caller.environment, &policy.environment, &id, 1);
        self.sign(&mut environment);
        let arguments = self.draft.arguments(self.plan, place.sources);
        let order = Order {
            program: self.plan.program.path.clone(),
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: place.folder.clone(),
            environment,
            input: self.draft.prompt.clone().into_bytes(),
            held: Some(self.live.clone()),
            grace: GRACE,
            mark: Some(claude::mark(&self.live)),
        };
        let deadlines = Deadlines { whole: policy.timeout, silence: policy.silence };
        let (clock, mut model) = (self.caller.env, None);
        let mut seen = self.evidence(Finished { exit: Exit::Unknown, ..Finished::default() });
        self.note(&seen, &Kept::default(), None, recorder);
        let mut hear = |event: &Event| {
            seen.finished.hear(event);
            if let Event::Began { model: Some(told), .. } | Event::Fallback { to: told } = event {
                model = Some(told.clone());
            }
            if let Some(entry) = Entry::of(event, clock.now()) {
                recorder.add(entry);
            }
            if matches!(event, Event::Used(_) | Event::Result(_)) {
                self.note(&seen, &Kept::default(), model.as_ref(), recorder);
            }
        };
        let finished = session::run(order, Stdout::Messages, deadlines, &mut hear, wish);
        (finished, model)
    }

    /// Keep what is known by now: it is the record if this process is killed.
    fn note(&self, evidence: &Evidence, kept: &Kept, model: Option<&String>, recorder: &mut Recorder<'_>) {
        let known = self.ending(evidence, kept, model, recorder);
        let ending =
            RunEnding { outcome: Outcome::Interrupted, reasons: vec![stale::CUT_OFF.to_owned()], ..known };
        recorder.keep(&Run { ending: Some(ending), ..self.draft.run.clone() });
    }

    /// What the run writes to a queue is the run's, and not the person's.
    pub(super) fn sign(&self, environment: &mut Vec<(OsString, OsString)>) {
        environment.retain(|(name, _)| name != "SWIFT_ACTOR");
        environment.push((claude::LOG.into(), self.live.clone().into_os_string()));
        environment.push(("SWIFT_ACTOR".into(), format!("run-{}", self.draft.run.id.short()).into()));
    }

    /// What an earlier run could not commit any more, because its `swift` was killed, is that one's work.
    fn take_over(&self, place: &Place, recorder: &mut Recorder<'_>) {
        let Some(checkout) = place.checkout.as_ref().filter(|_| self.draft.run.attempt > 1) else { return };
        let Ok(Some(start)) = checkout::head(&checkout.path) else { return };
        let message = "Left by an earlier run, committed by swift.\n";
        // What cannot be committed as it is, is this run's to mend.
        let left = checkout::keep(checkout, &start, message).ok();
        if let Some(commit) = left.and_then(|left| left.committed) {
            let short = commit.get(..10).unwrap_or(&commit);
            let text = format!("what an earlier run left uncommitted is committed as {short}");
            recorder.add(Entry::new(self.caller.now(), EntryKind::Note, None, text));
        }
    }

    /// A run that may change no file is not done when files are otherwise, whoever has done that.
    fn refuse_changes(&self, before: Option<&Standing>) -> Result<()> {
        let Some(before) = before else { return Ok(()) };
        let changed = before.changed(&checkout::standing(self.project)?);
        if changed.is_empty() {
            return Ok(());
        }
        let text = format!("it may change no file, and while it ran these changed: {}", some_of(&changed));
        Err(Fault::new(Code::WrongState, text))
    }

    /// What is otherwise at branches that are not this run's. Somebody else may have done that meanwhile, so it is told and
    /// not judged.
    fn moved(&self, before: Option<&Branches>, recorder: &mut Recorder<'_>) -> Vec<String> {
        let Some((before, after)) = before.zip(checkout::branches_at(self.project).ok()) else {
            return Vec::new();
        };
        let is_own = |name: &str| name.starts_with(PREFIX) || self.queue_branch == Some(name);
        let moved = before.moves(&after, is_own);
        for text in &moved {
            let text = format!("while it ran, {text}");
            recorder.add(Entry::new(self.caller.now(), EntryKind::Note, None, text));
        }
        moved
    }

    /// Commit what was left uncommitted; the commits of this run, and whether the branch holds work that has not counted yet.
    fn keep(&self, place: &Place, start: Option<&str>, recorder: &mut Recorder<'_>) -> Result<Kept, Fault> {
        let (Some(checkout), Some(start)) = (&place.checkout, start) else { return Ok(Kept::default()) };
        // Where the run has left its worktree, nothing is committed: that could be somebody else's repository.
        checkout::confirm(self.project, checkout)?;
        ground::unlock(checkout)?;
        let run = &self.draft.run;
        let title: String = shown(&run.title).chars().take(60).collect();
        let message =
            format!("{title}\n\nLeft uncommitted by a run, committed by swift.\n\nSwift-Run: {}\n", run.id);
        let left = checkout::keep(checkout, start, &message)?;
        checkout::refuse_left_out(self.project, checkout)?;
        if let Some(commit) = &left.committed {
            let short = commit.get(..10).unwrap_or(commit);
            let text = format!("what was left uncommitted is committed as {short}");
            recorder.add(Entry::new(self.caller.now(), EntryKind::Note, None, text));
        }
        let from = self.draft.uncounted_from.as_deref().unwrap_or(start);
        let (commits, has_diff) = match checkout::left_since(&checkout.path, from, start)? {
            // It has found the work done: that is what it is judged by.
            Some(all) if left.commits.is_empty() && all.has_diff => (all.commits, true),
            Some(all) => (left.commits, all.has_diff),
            None => (left.commits, left.has_diff),
        };
        Ok(Kept { commits, product: Product { has_diff }, moved: Vec::new() })
    }

    fn ending(
        &self,
        evidence: &Evidence,
        kept: &Kept,
        model: Option<&String>,
        recorder: &Recorder<'_>,
    ) -> RunEnding {
        let Judgement { outcome, reasons } = judge::judge(evidence);
        let result = evidence.finished.result.as_ref();
        let answer = result.and_then(|result| result.answer.given());
        let summary = answer
            .map(|answer| answer.summary.clone())
            .or_else(|| result.and_then(|result| result.text.clone()));
        RunEnding {
            at: self.caller.now(),
            outcome,
            reasons: reasons.iter().map(|reason| recorder.masked(reason)).collect(),
            model: model.cloned(),
            turns: result.and_then(|result| result.turns).unwrap_or(0),
            spend: spend::of_run(&evidence.finished, self.draft.before.as_ref(), self.plan.policy.max_usd),
            summary: recorder.masked(&summary.unwrap_or_default().chars().take(8_000).collect::<String>()),
            denials: result
                .iter()
                .flat_map(|result| &result.denials)
                .map(|denial| recorder.masked_denial(denial))
                .collect(),
            verdicts: evidence.verdicts.clone(),
            commits: kept.commits.clone(),
            moved: kept.moved.clone(),
            leftovers: evidence.finished.leftovers,
        }
    }
}
