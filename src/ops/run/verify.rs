//! The verifiers of the committed policy, one after the other, in the worktree of a run.

use std::ffi::OsString;
use std::time::Duration;

use crate::agent::child::{Order, Stdout};
use crate::agent::claude;
use crate::agent::session::{self, Deadlines};
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::evidence::{End, Evidence, Exit, Finished, Verdict};
use crate::domain::run::policy::Verifier;
use crate::store::git::checkout::{self, Checkout};

use super::execute::Execution;
use super::ground::Place;
use super::recorder::Recorder;
use super::review::some_of;

/// How much of what a verifier says goes into the record.
const SAID: usize = 2_000;

/// How long a verifier may take to end when it is asked.
const GRACE: Duration = Duration::from_secs(2);

impl Execution<'_> {
    /// Ask them all; what they say becomes part of the evidence.
    pub(super) fn verify(
        &self,
        place: &Place,
        evidence: &mut Evidence,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) {
        let Some(checkout) = place.checkout.as_ref().filter(|_| evidence.product.has_diff) else { return };
        let judged = checkout::head(&checkout.path).ok().flatten();
        if self.plan.policy.verifiers.is_empty() {
            return;
        }
        let ignored = checkout::ignored(self.project, &checkout.path).unwrap_or_default();
        self.ask(place, checkout, evidence, recorder, wish);
        if !ignored.is_empty() {
            // What is not committed may be what makes them pass.
            for verdict in evidence.verdicts.iter_mut().filter(|verdict| verdict.passed) {
                verdict.ended += &format!("; beside it lay what git ignores: {}", some_of(&ignored));
            }
        }
        if let Some(judged) = judged.filter(|_| !evidence.verdicts.is_empty()) {
            let kept = self.tidy(checkout, &judged, recorder);
            if let Some((verdict, kept)) = evidence.verdicts.last_mut().zip(kept) {
                verdict.ended += &format!("; {kept}");
            }
        }
    }

    /// What is judged is what is merged: what was written meanwhile, builds that git ignores apart, is not. Whether that
    /// was a verifier or a person nobody can tell, so it is kept; gives the words for that.
    fn tidy(&self, checkout: &Checkout, judged: &str, recorder: &mut Recorder<'_>) -> Option<String> {
        let name = self.draft.run.id.random_part();
        let (told, kept) = match checkout::put_back(self.project, checkout, judged, &name) {
            Ok(None) => return None,
            Ok(Some(kept)) => {
                let short = judged.get(..10).unwrap_or(judged);
                let told = format!(
                    "what was written in the worktree meanwhile is kept: `git log --patch {short}..{kept}`"
                );
                (told.clone(), Some(told))
            }
            Err(fault) => {
                (format!("what was written in the worktree meanwhile stays: {}", fault.message), None)
            }
        };
        recorder.add(Entry::new(self.caller.now(), EntryKind::Note, None, told));
        kept
    }

    fn ask(
        &self,
        place: &Place,
        checkout: &Checkout,
        evidence: &mut Evidence,
        recorder: &mut Recorder<'_>,
        wish: &mut dyn FnMut() -> Option<End>,
    ) {
        for verifier in &self.plan.policy.verifiers {
            let order = self.verification(place, verifier);
            let deadlines = Deadlines { whole: verifier.timeout, silence: verifier.timeout };
            let finished = session::run(order, Stdout::Text, deadlines, &mut |_| {}, wish);
            let verdict = Verdict {
                command: verifier.command.clone(),
                passed: finished.end == End::OfItself && finished.exit == Exit::Code(0),
                ended: ended(&finished, verifier) + &rewritten(checkout, verifier),
                said: recorder.masked(&last_of(&finished.said, SAID)),
            };
            let (name, text) = (verdict.command.join(" "), verdict.ended.clone());
            recorder.add(Entry::new(self.caller.now(), EntryKind::Verify, Some(name), text));
            evidence.verdicts.push(verdict);
            if matches!(finished.end, End::Cancelled | End::LeaseLost) {
                evidence.finished.end = finished.end;
                return;
            }
        }
    }

    fn verification(&self, place: &Place, verifier: &Verifier) -> Order {
        let id = self.draft.run.id.to_string();
        let more = &self.plan.policy.environment;
        let mut environment = claude::plain_environment(&self.caller.environment, more, &id, 1);
        self.sign(&mut environment);
        let (program, arguments) =
            verifier.command.split_first().map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
        Order {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            folder: place.folder.clone(),
            environment,
            input: Vec::new(),
            held: Some(self.live.clone()),
            grace: GRACE,
            mark: Some(claude::mark(&self.live)),
        }
    }
}

/// Programs that are given their program as a file.
const INTERPRETERS: [&str; 9] = ["sh", "bash", "dash", "zsh", "python", "python3", "node", "ruby", "perl"];

/// That the run has changed the very program that verifies: then a person should look at it.
fn rewritten(checkout: &Checkout, verifier: &Verifier) -> String {
    let Some(head) = checkout::head(&checkout.path).ok().flatten() else { return String::new() };
    let is_changed =
        |word: &&str| checkout::paths_differ(&checkout.path, &checkout.base, &head, &[word]).unwrap_or(false);
    let is_interpreted = verifier.command.first().is_some_and(|first| INTERPRETERS.contains(&first.as_str()));
    let program =
        verifier.command.iter().skip(usize::from(is_interpreted)).map(|word| word.trim_start_matches("./"));
    let named = program.take(1).find(|word| !word.is_empty() && !word.starts_with(['-', '/', '.']));
    named.filter(is_changed).map(|path| format!("; the run changed {path} itself")).unwrap_or_default()
}

fn ended(finished: &Finished, verifier: &Verifier) -> String {
    match (finished.end, finished.exit) {
        (End::TimedOut | End::Silent, _) => format!("took longer than {} s", verifier.timeout.as_secs()),
        (End::OfItself, Exit::Code(code)) => format!("exit {code}"),
        (End::OfItself, Exit::Signal(signal)) => format!("ended by signal {signal}"),
        (End::OfItself, _) => "could not be started".to_owned(),
        _ => "stopped".to_owned(),
    }
}

/// The end of a text, cut between characters.
fn last_of(text: &str, most: usize) -> String {
    let start = text.len().saturating_sub(most);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[start..].to_owned()
}
