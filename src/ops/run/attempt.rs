//! One attempt, from its record to its record.

use std::time::Duration;

use crate::agent::claude;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::evidence::End;
use crate::domain::run::next::Next;
use crate::domain::run::record::{Run, RunEnding};
use crate::store::background;
use crate::store::git::checkout::{self, Checkout};
use crate::store::kept;
use crate::store::runs::{self, LiveLog};

use super::conclude::{self, Concluded, Fate};
use super::draft::{Basis, Draft};
use super::drive::Drive;
use super::execute::Execution;
use super::ground::{self, Place};
use super::keeper::Keeper;
use super::recorder::Recorder;
use super::{Watch, account, begin, leftover, stale};

/// How much of a prompt is in the transcript.
const PROMPT_TOLD: usize = 16_000;

impl Drive<'_> {
    /// Make it; gives what follows.
    pub(super) fn attempt(&mut self, watch: &mut Watch<'_>) -> Result<Next> {
        let basis = self.basis();
        let (earlier, mut draft) = (basis.earlier(), basis.draft()?);
        account::admit(self.queue, self.caller, self.choice.model())?;
        self.folder = draft.wanted.as_ref().map(|checkout| checkout.path.clone());
        let live = LiveLog::begin(self.queue, draft.run.id)?;
        let live_path = live.path.clone();
        let begun = self.begin(&mut draft);
        let place = begun.inspect_err(|_| runs::forget_live(self.queue, draft.run.id))?;
        let mut recorder = Recorder::new(live, claude::secrets(&self.caller.environment), watch.tell);
        let told: String = draft.prompt.chars().take(PROMPT_TOLD).collect();
        recorder.add(Entry::new(self.caller.now(), EntryKind::Prompt, None, told));
        let mut keeper = Keeper::new(self.queue, self.caller, self.hold.clone(), self.plan.task_id());
        let mut wish = || {
            let stop = runs::is_asked_to_stop(self.queue, draft.run.id).then_some(End::Cancelled);
            stop.or_else(|| (watch.wish)()).or_else(|| keeper.look())
        };
        let execution = Execution {
            caller: self.caller,
            draft: &draft,
            plan: &self.plan,
            project: runs::project_folder(self.queue),
            live: live_path,
            queue_branch: self.queue.home.branch.as_deref(),
        };
        let ending = execution.make(place, &mut recorder, &mut wish);
        self.end(Run { ending: Some(ending), ..draft.run }, &earlier, recorder)
    }

    fn basis(&self) -> Basis<'_> {
        Basis {
            queue: self.queue,
            caller: self.caller,
            plan: &self.plan,
            choice: &self.choice,
            resumes: self.resumes.as_ref(),
            attempts: &self.runs,
        }
    }

    /// Commit the record, and make the worktree meanwhile: the one waits for the disk, the other for the processor.
    /// What is wrong with the worktree is an end of the run that the record tells of.
    fn begin(&mut self, draft: &mut Draft) -> Result<Result<Place>> {
        let project = runs::project_folder(self.queue);
        let length = self.queue.settings.lease;
        let (held, wanted) = (self.hold.take(), draft.wanted.clone());
        let is_new =
            |wanted: &&Checkout| checkout::branch_tip(project, &wanted.branch).is_ok_and(|tip| tip.is_none());
        let new = wanted.as_ref().filter(is_new);
        let (begun, place) = std::thread::scope(|scope| {
            let place = scope.spawn(|| ground::place(project, wanted.clone()));
            let begun = begin::begin(self.queue, self.caller, &mut draft.run, held, length);
            (begun, place.join().expect("making a worktree does not panic"))
        });
        let begun = begun.inspect_err(|_| leftover::forsake(self.queue, new))?;
        self.hold = begun.hold;
        self.pause = None;
        if let Some(why) = begun.unrecorded {
            let text = format!("its record could not be committed, so nothing was started: {why}");
            return Ok(Err(Fault::new(Code::Busy, text)));
        }
        // Until the record was there, somebody could merge the branch or clear it up.
        let is_gone =
            place.as_ref().is_ok_and(|place| place.checkout.is_some() && !runs::has_worktree(&place.folder));
        let place = if is_gone { ground::place(project, wanted) } else { place };
        background::forget(self.queue, draft.run.id);
        Ok(place)
    }

    /// Decide what follows, and commit it all.
    fn end(&mut self, run: Run, earlier: &[Run], mut recorder: Recorder<'_>) -> Result<Next> {
        let Some(ending) = run.ending.clone() else { return Ok(Next::End) };
        let (next, fate) = self.decide(&run, &ending, earlier);
        let transcript = recorder.transcript(self.caller.now());
        self.pause = (fate == Fate::Held).then(|| runs::Pause::begin(self.queue, run.id));
        let hold = self.hold.as_ref();
        let concluded = conclude::conclude(self.queue, self.caller, &run, &transcript, hold, &fate);
        let concluded =
            concluded.map(Some).or_else(|fault| self.keep(&run, &transcript, &mut recorder, fault));
        // Until here its live log was locked, which tells everybody that the run has not ended.
        drop(recorder);
        self.notes.extend(ground::uncommitted_settings(self.queue).filter(|note| !self.notes.contains(note)));
        let why = ending.reasons.join("; ");
        self.runs.push(run);
        if let Some(concluded) = concluded? {
            self.notes.extend(concluded.untouched);
            self.notes.extend(concluded.committed.debt.map(|debt| format!("not committed yet: {debt}")));
        }
        if fate != Fate::Held {
            self.hold = None;
        }
        account::ended(self.queue, self.caller, self.choice.model(), ending.outcome, &next, &why)?;
        Ok(next)
    }

    /// The end cannot be committed now: it is kept, and committed by the next command that looks at runs.
    fn keep(
        &mut self,
        run: &Run,
        transcript: &str,
        recorder: &mut Recorder<'_>,
        fault: Fault,
    ) -> Result<Option<Concluded>> {
        recorder.keep(run);
        if !recorder.is_kept() && !kept::keep_elsewhere(run) {
            return Err(fault);
        }
        kept::keep_transcript(self.queue, run.id, transcript);
        self.notes.push(format!("how it ended is kept, and `swift runs` records it: {}", fault.message));
        Ok(None)
    }

    /// What follows, and what becomes of the task.
    fn decide(&self, run: &Run, ending: &RunEnding, earlier: &[Run]) -> (Next, Fate) {
        let all: Vec<Run> = earlier.iter().chain([run]).cloned().collect();
        if run.task.is_some() && stale::kills_its_runs(&all) {
            return (Next::End, Fate::Blocked(stale::quarantine_reason()));
        }
        if self.has_lost_its_session(Some(run)) {
            return (Next::Retry { after: Duration::ZERO }, Fate::Held);
        }
        let next =
            account::next(self.caller, ending.outcome, self.choice.tier, self.count, &self.plan.policy);
        let fate = match &next {
            Next::Retry { .. } | Next::Escalate { .. } => Fate::Held,
            Next::Park { until } => conclude::fate(run, ending, Some(*until)),
            Next::End | Next::StopAll => conclude::fate(run, ending, None),
        };
        (next, fate)
    }
}
