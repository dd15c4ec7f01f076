//! How a run ended, judged from the evidence. Nothing is believed because it was said.

use super::answer::{Answer, AnswerForm, Claim, Told};
use super::event::{ResultLine, Trouble};
use super::evidence::{Due, End, Evidence, Exit, Verdict};
use super::limit;
use super::outcome::{Failure, Outcome};

/// An outcome with its reasons, most important first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) outcome: Outcome,
    pub(crate) reasons: Vec<String>,
}

fn because(outcome: Outcome, reason: impl Into<String>) -> Option<Judgement> {
    Some(Judgement { outcome, reasons: vec![reason.into()] })
}

fn failed(failure: Failure, reason: impl Into<String>) -> Option<Judgement> {
    because(Outcome::Failed(failure), reason)
}

/// The one way in which a run ended. The first question that has an answer decides.
pub(crate) fn judge(evidence: &Evidence) -> Judgement {
    usage_limit(evidence)
        .or_else(|| cut_off(evidence))
        .or_else(|| process(evidence))
        .or_else(|| result(evidence))
        .or_else(|| own_words(evidence))
        .or_else(|| verifiers(evidence))
        .or_else(|| refusals(evidence))
        .or_else(|| nothing_to_show(evidence))
        .unwrap_or_else(|| completed(evidence))
}

/// Whether the process and its result line say that all went well: what is worth verifying.
pub(crate) fn is_worth_verifying(evidence: &Evidence) -> bool {
    usage_limit(evidence)
        .or_else(|| cut_off(evidence))
        .or_else(|| process(evidence))
        .or_else(|| result(evidence))
        .or_else(|| own_words(evidence))
        .is_none()
}

/// The structured event first, the text second.
fn usage_limit(evidence: &Evidence) -> Option<Judgement> {
    let result = evidence.finished.result.as_ref();
    let failed = result.is_none_or(|result| result.is_error != Some(false))
        && evidence.finished.exit != Exit::NeverStarted;
    if let Some(notice) = evidence.finished.limit.as_ref().filter(|notice| notice.is_rejected && failed) {
        let window = notice.window.as_deref().map(|window| format!(" ({window})")).unwrap_or_default();
        let told = result.and_then(|result| result.text.as_deref()).filter(|text| limit::is_told(text));
        let until = limit::believable(notice.resets_at, &evidence.now);
        return because(
            Outcome::Limit(until.or_else(|| limit::reset_in(told?, &evidence.now))),
            format!("the account's usage limit is reached{window}"),
        );
    }
    let text = result?.text.as_deref().unwrap_or_default();
    // What older versions say with status 0: the whole text, and nothing else, is this.
    if text.trim().starts_with("Claude AI usage limit reached|") {
        let until = limit::reset_in(text, &evidence.now);
        return because(Outcome::Limit(until), "the account's usage limit is reached");
    }
    let is_told = result?.is_usage_limit
        || limit::is_told(text)
        || (result?.api_status == Some(429) && text.contains("usage limit"));
    if failed && is_told {
        return because(Outcome::Limit(limit::reset_in(text, &evidence.now)), first_line(text));
    }
    None
}

/// We ended it ourselves.
fn cut_off(evidence: &Evidence) -> Option<Judgement> {
    match evidence.finished.end {
        End::OfItself => None,
        End::TimedOut => because(Outcome::TimedOut, "the time given to the run was over"),
        // It has said its last word; that it does not end is no fault of its work.
        End::Silent if has_spoken(evidence) => None,
        End::Silent => because(Outcome::TimedOut, "the run said nothing for too long"),
        End::Cancelled => because(Outcome::Cancelled, "a person stopped it"),
        End::LeaseLost => because(
            Outcome::Interrupted,
            "the task is not this run's any more: it was taken over, given back or ended",
        ),
        End::Hopeless => {
            let trouble = evidence.finished.trouble.unwrap_or(Trouble::Unknown);
            failed(failure_of(trouble), in_words(trouble))
        }
    }
}

/// It gave its result, then nothing more, and had to be ended: a known fault of Claude Code.
fn has_spoken(evidence: &Evidence) -> bool {
    evidence.finished.end == End::Silent && evidence.finished.result.is_some()
}

/// What the end of the process alone decides.
fn process(evidence: &Evidence) -> Option<Judgement> {
    if has_spoken(evidence) {
        return None;
    }
    match evidence.finished.exit {
        Exit::NeverStarted => failed(Failure::Start, obstacle(evidence)),
        Exit::OutOfMemory => failed(Failure::Killed, "killed by the kernel because memory ran out"),
        Exit::Signal(9) => failed(
            Failure::Killed,
            "killed by signal 9, which swift did not send; the kernel does that when memory runs out",
        ),
        Exit::Signal(signal @ (1 | 2 | 15)) => {
            because(Outcome::Interrupted, format!("ended by signal {signal}, which swift did not send"))
        }
        Exit::Code(code @ (129 | 130 | 143)) => {
            because(Outcome::Interrupted, format!("ended by signal {}, which swift did not send", code - 128))
        }
        Exit::Signal(signal) => failed(Failure::Crash, format!("crashed with signal {signal}")),
        Exit::Unknown => because(Outcome::Interrupted, "nobody saw how the process ended"),
        Exit::Code(code) => match &evidence.finished.result {
            Some(_) => None,
            None => without_result(evidence, code),
        },
    }
}

/// Whether a reason is that the session which was to go on is not there. It is told at once, and costs nothing.
pub(crate) fn is_lost_session(reason: &str) -> bool {
    reason.starts_with("No conversation found with session ID")
}

fn without_result(evidence: &Evidence, code: i32) -> Option<Judgement> {
    let said = complaint(evidence, "");
    if code != 0 && is_lost_session(&said) {
        return failed(Failure::Start, said);
    }
    if let Some(trouble) = evidence.finished.trouble.filter(|_| code != 0) {
        return failed(failure_of(trouble), in_words(trouble));
    }
    match code {
        0 => failed(Failure::NoResult, "it ended with status 0 and gave no result"),
        126 | 127 => failed(Failure::Start, complaint(evidence, "the program could not be started")),
        code => failed(
            Failure::Crash,
            complaint(evidence, &format!("it ended with status {code} and gave no result")),
        ),
    }
}

/// What the result line says, together with the status.
fn result(evidence: &Evidence) -> Option<Judgement> {
    let line = evidence.finished.result.as_ref()?;
    let reason = line.terminal_reason.as_deref();
    let is_success = (evidence.finished.exit == Exit::Code(0) || has_spoken(evidence))
        && line.is_error == Some(false)
        && line.subtype.as_deref() == Some("success")
        && reason.is_none_or(|reason| reason == "completed");
    if is_success {
        let swallowed = line.turns == Some(0) && reason.is_none();
        return swallowed
            .then(|| {
                because(Outcome::Blocked, "the prompt was not given to a model: a hook or a command took it")
            })
            .flatten();
    }
    let text = line.text.as_deref().or(line.errors.first().map(String::as_str)).map(first_line);
    let say = |other: &str| text.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| other.to_owned());
    match (line.subtype.as_deref().unwrap_or_default(), reason.unwrap_or_default()) {
        ("error_max_turns", _) | (_, "max_turns") => failed(Failure::MaxTurns, say("the turns ran out")),
        ("error_max_budget_usd", _) | (_, "budget_exhausted") => {
            failed(Failure::Budget, say("the money for this run ran out"))
        }
        ("error_max_structured_output_retries", _) | (_, "structured_output_retry_exhausted") => {
            failed(Failure::AnswerForm, say("the answer never had the form that was asked"))
        }
        (_, "prompt_too_long" | "blocking_limit") => {
            failed(Failure::PromptTooLong, say("the prompt is too long"))
        }
        (_, "aborted_streaming" | "aborted_tools") => because(Outcome::Interrupted, "it was interrupted"),
        (_, "hook_stopped" | "stop_hook_prevented") => because(Outcome::Blocked, say("a hook stopped it")),
        _ if line.stop_reason.as_deref() == Some("refusal") => {
            failed(Failure::Refusal, say("the model refused to answer"))
        }
        ("error_during_execution", _) if evidence.finished.exit == Exit::Code(0) => {
            because(Outcome::Interrupted, say("it was interrupted"))
        }
        _ => api_error(evidence, line, say("it ended with an error")),
    }
}

fn api_error(evidence: &Evidence, line: &ResultLine, text: String) -> Option<Judgement> {
    let trouble = match (evidence.finished.trouble, line.api_status) {
        (Some(trouble), _) if trouble != Trouble::Unknown => Some(trouble),
        (_, Some(status)) => Some(Trouble::of(None, Some(status))),
        _ if line.terminal_reason.as_deref() == Some("api_error") => Some(Trouble::Connection),
        _ => None,
    };
    match trouble {
        Some(trouble) => failed(failure_of(trouble), text),
        None if text.starts_with("Not logged in") || text.starts_with("Invalid API key") => {
            failed(Failure::Login, text)
        }
        None if text.starts_with("Credit balance is too low") => failed(Failure::Billing, text),
        None if line.is_error == Some(false) && evidence.finished.exit != Exit::Code(0) => {
            failed(Failure::Crash, "it gave a result and ended with an error")
        }
        None => failed(Failure::Execution, text),
    }
}

fn failure_of(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Login => Failure::Login,
        Trouble::Billing => Failure::Billing,
        Trouble::RateLimit => Failure::RateLimit,
        Trouble::Overloaded => Failure::Overloaded,
        Trouble::Server => Failure::Server,
        Trouble::Connection => Failure::Connection,
        Trouble::UnknownModel => Failure::UnknownModel,
        Trouble::BadRequest => Failure::BadRequest,
        Trouble::Unknown => Failure::Execution,
    }
}

fn in_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Login => "the login was refused",
        Trouble::Billing => "the account cannot pay",
        Trouble::RateLimit => "too many requests",
        Trouble::Overloaded => "the model's servers are overloaded",
        Trouble::Server => "the model's servers failed",
        Trouble::Connection => "there is no connection to the model's servers",
        Trouble::UnknownModel => "the model is not known",
        Trouble::BadRequest => "the request was refused as wrong",
        Trouble::Unknown => "a request to the model failed",
    }
}

/// The answer in the form that was asked, if it was asked and given.
fn answer(evidence: &Evidence) -> Option<&Answer> {
    told(evidence).and_then(Told::given)
}

fn told(evidence: &Evidence) -> Option<&Told> {
    let line = evidence.finished.result.as_ref()?;
    (evidence.expected.form == AnswerForm::Status).then_some(&line.answer)
}

/// A run that says that it is not done is believed; one that says what nobody asked for is not.
fn own_words(evidence: &Evidence) -> Option<Judgement> {
    let answer = match told(evidence)? {
        Told::Nothing => return None,
        Told::Malformed => {
            return failed(Failure::AnswerForm, "the answer does not have the form that was asked");
        }
        Told::Answer(answer) => answer,
    };
    let reason = answer.reason.clone().filter(|reason| !reason.trim().is_empty());
    let reason = reason.unwrap_or_else(|| answer.summary.clone());
    match answer.claim {
        Claim::Done => None,
        Claim::NeedsPerson => because(Outcome::Blocked, reason),
        Claim::NeedsStrongerModel => failed(Failure::NeedsStrongerModel, reason),
    }
}

/// A run that says that it is done is not.
fn verifiers(evidence: &Evidence) -> Option<Judgement> {
    let no: Vec<&Verdict> = evidence.verdicts.iter().filter(|verdict| !verdict.passed).collect();
    if no.is_empty() {
        return None;
    }
    let reasons =
        no.iter().map(|verdict| format!("`{}`: {}", verdict.command.join(" "), verdict.ended)).collect();
    Some(Judgement { outcome: Outcome::Failed(Failure::Verifier), reasons })
}

/// Refused tools make a run denied, unless it says that it is done and verifiers agree.
fn refusals(evidence: &Evidence) -> Option<Judgement> {
    let tools = refused_tools(evidence);
    let is_proven = answer(evidence).is_some_and(|answer| answer.claim == Claim::Done)
        && !evidence.verdicts.is_empty()
        && has_product(evidence);
    if tools.is_empty() || is_proven {
        return None;
    }
    because(Outcome::Denied, format!("refused: {}", tools.join(", ")))
}

/// The tools that were refused, each once.
pub(crate) fn refused_tools(evidence: &Evidence) -> Vec<String> {
    let told = evidence
        .finished
        .result
        .iter()
        .flat_map(|result| result.denials.iter().map(|denial| denial.tool.clone()));
    let mut tools: Vec<String> = told.chain(evidence.finished.refused.iter().cloned()).collect();
    tools.sort();
    tools.dedup();
    tools
}

fn has_product(evidence: &Evidence) -> bool {
    let has_text = evidence.finished.result.as_ref().is_some_and(|result| {
        let said = result.text.as_deref().unwrap_or_default();
        !said.trim().is_empty()
            || result.answer.given().is_some_and(|answer| !answer.summary.trim().is_empty())
    });
    match evidence.expected.due {
        Due::Diff => evidence.product.has_diff,
        Due::Text => has_text,
        Due::Something => evidence.product.has_diff || has_text,
    }
}

fn nothing_to_show(evidence: &Evidence) -> Option<Judgement> {
    if has_product(evidence) {
        return None;
    }
    let what = match evidence.expected.due {
        Due::Diff => "nothing was changed",
        Due::Text => "the answer is empty",
        Due::Something => "nothing was changed and the answer is empty",
    };
    because(Outcome::WithoutResult, what)
}

fn completed(evidence: &Evidence) -> Judgement {
    let mut reasons = Vec::new();
    if !evidence.verdicts.is_empty() {
        reasons.push(format!("verified by {}", evidence.verdicts.len()));
    }
    if told(evidence) == Some(&Told::Nothing) {
        reasons.push("it did not say itself whether it is done".to_owned());
    }
    if has_spoken(evidence) {
        reasons.push("it did not end after its result, and was ended".to_owned());
    }
    let refused = refused_tools(evidence);
    if !refused.is_empty() {
        reasons.push(format!("done although refused: {}", refused.join(", ")));
    }
    Judgement { outcome: Outcome::Completed, reasons }
}

fn complaint(evidence: &Evidence, otherwise: &str) -> String {
    let last = evidence.finished.said.lines().rev().map(first_line).find(|line| !line.is_empty());
    last.unwrap_or_else(|| otherwise.to_owned())
}

/// Why nothing was started, in words of our own. They are not cut: a command that is to be typed may stand at their end.
fn obstacle(evidence: &Evidence) -> String {
    let said = evidence.finished.said.lines().map(str::trim).rfind(|line| !line.is_empty());
    said.unwrap_or("the program could not be started").to_owned()
}

/// The first line, not too long.
pub(crate) fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().chars().take(300).collect()
}

#[cfg(test)]
mod tests;
