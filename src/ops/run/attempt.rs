//! One attempt: the process, what it left in git, and what the verifiers say.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::agent::child::{Order, Stdout};
use crate::agent::claude;
use crate::agent::session::{self, Deadlines, Finished};
use crate::domain::fault::Fault;
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::event::Event;
use crate::domain::run::evidence::{Due, End, Evidence, Exit, Product, Verdict};
use crate::domain::run::judge::{self, Judgement};
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::policy::{Policy, Verifier};
use crate::domain::run::record::{Run, RunEnding};
use crate::domain::run::spend::{self, Spend};
use crate::store::git::checkout;

use super::Caller;
use super::ground::{GRACE, Place};
use super::recorder::Recorder;

/// How much of what a verifier says goes into the record.
const SAID: usize = 2_000;

/// Everything that an attempt needs.
pub(crate) struct Attempt<'a> {
    pub(crate) caller: &'a Caller<'a>,
    pub(crate) run: &'a Run,
    pub(crate) place: &'a Place,
    pub(crate) policy: &'a Policy,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) prompt: String,
    pub(crate) live: PathBuf,
    pub(crate) due: Due,
    /// What the session had cost before.
    pub(crate) before: Option<Spend>,
}

impl Attempt<'_> {
    /// From the start of the process to the judgement.
    pub(crate) fn make(
        &self,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) -> RunEnding {
        let start = self.run.branch.as_ref().and_then(|_| checkout::head(&self.place.folder).ok().flatten());
        let mut model = None;
        let finished = self.process(recorder, wish, &mut model);
        let mut evidence = evidence(&finished, self.due);
        let kept = self.keep(start.as_deref(), recorder);
        let (commits, trouble) = match kept {
            Ok((commits, product)) => {
                evidence.product = product;
                (commits, None)
            }
            Err(fault) => (Vec::new(), Some(fault)),
        };
        if trouble.is_none() && judge::is_worth_verifying(&evidence) {
            self.verify(&mut evidence, recorder, wish);
        }
        let mut judgement = judge::judge(&evidence);
        let is_well = matches!(judgement.outcome, Outcome::Completed | Outcome::WithoutResult);
        if let Some(fault) = trouble.filter(|_| is_well) {
            judgement =
                Judgement { outcome: Outcome::Failed(Failure::Worktree), reasons: vec![fault.message] };
        }
        self.ending(&finished, &evidence, judgement, commits, model, recorder)
    }

    fn process(
        &self,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
        model: &mut Option<String>,
    ) -> Finished {
        let mut environment = claude::environment(
            &self.caller.environment,
            &self.policy.environment,
            &self.run.id.to_string(),
            1,
        );
        self.sign(&mut environment);
        let order = Order {
            program: self.program.clone(),
            arguments: self.arguments.iter().map(OsString::from).collect(),
            folder: self.place.folder.clone(),
            environment,
            input: self.prompt.clone().into_bytes(),
            held: Some(self.live.clone()),
            grace: GRACE,
            mark: Some(self.mark()),
        };
        let deadlines = Deadlines { whole: self.policy.timeout, silence: self.policy.silence };
        let clock = self.caller.env;
        let mut hear = |event: &Event| {
            if let Event::Began { model: Some(told), .. } | Event::Fallback { to: told } = event {
                *model = Some(told.clone());
            }
            if let Some(entry) = Entry::of(event, clock.now()) {
                recorder.add(entry);
            }
        };
        session::run(order, Stdout::Messages, deadlines, &mut hear, wish)
    }

    fn mark(&self) -> String {
        claude::mark(&self.live)
    }

    /// What the run writes to a queue is the run's, and not the person's.
    fn sign(&self, environment: &mut Vec<(OsString, OsString)>) {
        environment.retain(|(name, _)| name != "SWIFT_ACTOR");
        environment.push((claude::LOG.into(), self.live.clone().into_os_string()));
        environment.push(("SWIFT_ACTOR".into(), format!("run-{}", self.run.id.short()).into()));
    }

    /// Commit what was left uncommitted; the commits of this run, and whether the branch differs from its base.
    fn keep(
        &self,
        start: Option<&str>,
        recorder: &mut Recorder<'_>,
    ) -> Result<(Vec<String>, Product), Fault> {
        let (Some(checkout), Some(start)) = (&self.place.checkout, start) else {
            return Ok((Vec::new(), Product::default()));
        };
        // Where the run has left its worktree, nothing is committed: that could be somebody else's repository.
        checkout::confirm(checkout)?;
        let title: String = crate::domain::text::shown(&self.run.title).chars().take(60).collect();
        let message = format!(
            "{title}\n\nLeft uncommitted by a run, committed by swift.\n\nSwift-Run: {}\n",
            self.run.id
        );
        if let Some(commit) = checkout::commit_all(&checkout.path, &message)? {
            let text =
                format!("what was left uncommitted is committed as {}", commit.get(..10).unwrap_or(&commit));
            recorder.add(Entry::new(self.caller.now(), EntryKind::Note, None, text));
        }
        let tip = checkout::head(&checkout.path)?.unwrap_or_else(|| start.to_owned());
        let commits = checkout::commits(&checkout.path, start, &tip)?;
        let has_diff = checkout::differs(&checkout.path, &checkout.base, &tip, &[])?;
        Ok((commits, Product { has_diff }))
    }

    /// The verifiers of the committed policy, one after the other, in the worktree.
    fn verify(
        &self,
        evidence: &mut Evidence,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) {
        if self.place.checkout.is_none() || !evidence.product.has_diff {
            return;
        }
        for verifier in &self.policy.verifiers {
            let (verdict, end) = self.ask(verifier, recorder, wish);
            let entry = EntryKind::Verify;
            recorder.add(Entry::new(
                self.caller.now(),
                entry,
                Some(verdict.command.join(" ")),
                verdict.ended.clone(),
            ));
            evidence.verdicts.push(verdict);
            if let Some(end) = end {
                evidence.end = end;
                return;
            }
        }
    }

    fn ask(
        &self,
        verifier: &Verifier,
        recorder: &Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) -> (Verdict, Option<End>) {
        let id = self.run.id.to_string();
        let mut environment =
            claude::plain_environment(&self.caller.environment, &self.policy.environment, &id, 1);
        self.sign(&mut environment);
        let (program, arguments) =
            verifier.command.split_first().map_or(("", &[][..]), |(p, a)| (p.as_str(), a));
        let order = Order {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: self.place.folder.clone(),
            environment,
            input: Vec::new(),
            held: Some(self.live.clone()),
            grace: Duration::from_secs(2),
            mark: Some(self.mark()),
        };
        let deadlines = Deadlines { whole: verifier.timeout, silence: verifier.timeout };
        let finished = session::run(order, Stdout::Text, deadlines, &mut |_| {}, wish);
        let ended = match (finished.end, finished.exit) {
            (End::TimedOut | End::Silent, _) => {
                format!("took longer than {} s", verifier.timeout.as_secs())
            }
            (End::OfItself, Exit::Code(code)) => format!("exit {code}"),
            (End::OfItself, Exit::Signal(signal)) => format!("ended by signal {signal}"),
            (End::OfItself, _) => "could not be started".to_owned(),
            _ => "stopped".to_owned(),
        };
        let passed = finished.end == End::OfItself && finished.exit == Exit::Code(0);
        let said = recorder.masked(&last_of(&finished.said, SAID));
        let stopped = matches!(finished.end, End::Cancelled | End::LeaseLost).then_some(finished.end);
        (Verdict { command: verifier.command.clone(), passed, ended, said }, stopped)
    }

    fn ending(
        &self,
        finished: &Finished,
        evidence: &Evidence,
        judgement: Judgement,
        commits: Vec<String>,
        model: Option<String>,
        recorder: &Recorder<'_>,
    ) -> RunEnding {
        let result = finished.result.as_ref();
        let answer = result.and_then(|result| result.answer.as_ref());
        let summary = answer
            .map(|answer| answer.summary.clone())
            .or_else(|| result.and_then(|result| result.text.clone()));
        RunEnding {
            at: self.caller.now(),
            outcome: judgement.outcome,
            reasons: judgement.reasons.iter().map(|reason| recorder.masked(reason)).collect(),
            model,
            turns: result.and_then(|result| result.turns).unwrap_or(0),
            spend: spend::of_run(result, self.before.as_ref()),
            summary: recorder.masked(&summary.unwrap_or_default().chars().take(8_000).collect::<String>()),
            denials: result.map(|result| result.denials.clone()).unwrap_or_default(),
            verdicts: evidence.verdicts.clone(),
            commits,
            leftovers: finished.leftovers,
        }
    }
}

fn evidence(finished: &Finished, due: Due) -> Evidence {
    Evidence {
        exit: finished.exit,
        end: finished.end,
        result: finished.result.clone(),
        limit: finished.limit.clone(),
        trouble: finished.trouble,
        refused: finished.refused.clone(),
        complaint: finished.said.lines().rev().find(|line| !line.trim().is_empty()).map(judge::first_line),
        ..Evidence::none(due)
    }
}

/// The end of a text, cut between characters.
fn last_of(text: &str, most: usize) -> String {
    let start = text.len().saturating_sub(most);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[start..].to_owned()
}
