//! The table of outcomes.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::domain::run::event::{Denial, Event, LimitNotice};
use crate::domain::run::evidence::{Expected, Finished, Product};

fn good() -> Evidence {
    let result = ResultLine {
        subtype: Some("success".to_owned()),
        is_error: Some(false),
        terminal_reason: Some("completed".to_owned()),
        text: Some("did it".to_owned()),
        turns: Some(3),
        ..ResultLine::default()
    };
    let finished = Finished { exit: Exit::Code(0), result: Some(result), ..Finished::default() };
    let expected = Expected { due: Due::Diff, form: AnswerForm::Status };
    let now = Timestamp::from_second(1_893_400_000).unwrap().to_zoned(TimeZone::UTC);
    Evidence { product: Product { has_diff: true }, ..Evidence::of(finished, expected, now) }
}

fn with(change: impl FnOnce(&mut Evidence)) -> Outcome {
    let mut evidence = good();
    change(&mut evidence);
    judge(&evidence).outcome
}

fn line(change: impl FnOnce(&mut ResultLine)) -> Outcome {
    with(|e| change(e.finished.result.as_mut().unwrap()))
}

fn failing(change: impl FnOnce(&mut ResultLine)) -> Outcome {
    with(|e| {
        e.finished.exit = Exit::Code(1);
        let line = e.finished.result.as_mut().unwrap();
        line.is_error = Some(true);
        line.terminal_reason = Some("api_error".to_owned());
        change(line);
    })
}

fn verdict(passed: bool) -> Verdict {
    Verdict { command: vec!["make".to_owned()], passed, ended: "exit 1".to_owned(), said: String::new() }
}

fn claims(claim: Claim) -> Told {
    Told::Answer(Answer { claim, summary: "s".to_owned(), reason: Some("r".to_owned()) })
}

#[test]
fn nothing_less_than_everything_is_completed() {
    assert_eq!(judge(&good()).outcome, Outcome::Completed);
    assert_eq!(line(|l| l.terminal_reason = None), Outcome::Completed);
    assert_eq!(with(|e| e.finished.exit = Exit::Code(1)), Outcome::Failed(Failure::Crash));
    assert_eq!(line(|l| l.is_error = None), Outcome::Failed(Failure::Execution));
    assert_eq!(line(|l| l.is_error = Some(true)), Outcome::Failed(Failure::Execution));
    assert_eq!(line(|l| l.subtype = Some("new_kind".to_owned())), Outcome::Failed(Failure::Execution));
    assert_eq!(
        line(|l| l.terminal_reason = Some("new_kind".to_owned())),
        Outcome::Failed(Failure::Execution)
    );
    assert_eq!(with(|e| e.finished.result = None), Outcome::Failed(Failure::NoResult));
}

#[test]
fn older_versions_that_end_at_the_last_turn_with_status_0_are_not_believed() {
    let outcome = line(|l| {
        l.subtype = Some("error_max_turns".to_owned());
        l.terminal_reason = None;
    });
    assert_eq!(outcome, Outcome::Failed(Failure::MaxTurns));
}

#[test]
fn where_a_product_is_due_its_absence_is_told() {
    assert_eq!(with(|e| e.product.has_diff = false), Outcome::WithoutResult);
    let empty = |due| {
        with(|e| {
            e.expected.due = due;
            e.product.has_diff = false;
            e.finished.result.as_mut().unwrap().text = Some(" \n".to_owned());
        })
    };
    assert_eq!(empty(Due::Text), Outcome::WithoutResult);
    assert_eq!(empty(Due::Something), Outcome::WithoutResult);
    assert_eq!(
        with(|e| {
            e.expected.due = Due::Something;
            e.product.has_diff = false;
        }),
        Outcome::Completed
    );
}

#[test]
fn refused_tools_are_told_unless_verifiers_prove_the_work() {
    let denial = || vec![Denial { tool: "Bash".to_owned(), input: String::new() }];
    assert_eq!(line(|l| l.denials = denial()), Outcome::Denied);
    assert_eq!(with(|e| e.finished.refused.push("Write".to_owned())), Outcome::Denied);
    let proven = with(|e| {
        let line = e.finished.result.as_mut().unwrap();
        line.denials = denial();
        line.answer = claims(Claim::Done);
        e.verdicts = vec![verdict(true)];
    });
    assert_eq!(proven, Outcome::Completed);
    let only_said = with(|e| {
        let line = e.finished.result.as_mut().unwrap();
        line.denials = denial();
        line.answer = claims(Claim::Done);
    });
    assert_eq!(only_said, Outcome::Denied);
}

#[test]
fn verifiers_weigh_more_than_words() {
    let outcome = with(|e| {
        e.finished.result.as_mut().unwrap().answer = claims(Claim::Done);
        e.verdicts = vec![verdict(true), verdict(false)];
    });
    assert_eq!(outcome, Outcome::Failed(Failure::Verifier));
}

#[test]
fn a_run_that_says_that_it_is_not_done_is_believed() {
    assert_eq!(line(|l| l.answer = claims(Claim::NeedsPerson)), Outcome::Blocked);
    assert_eq!(
        line(|l| l.answer = claims(Claim::NeedsStrongerModel)),
        Outcome::Failed(Failure::NeedsStrongerModel)
    );
}

#[test]
fn a_prompt_that_a_hook_took_is_blocked() {
    let outcome = line(|l| {
        l.terminal_reason = None;
        l.turns = Some(0);
    });
    assert_eq!(outcome, Outcome::Blocked);
    assert_eq!(
        failing(|l| {
            l.is_error = Some(false);
            l.terminal_reason = Some("hook_stopped".to_owned());
        }),
        Outcome::Blocked
    );
}

#[test]
fn errors_of_the_servers_are_told_apart() {
    let cases = [
        (401, Failure::Login),
        (403, Failure::Login),
        (402, Failure::Billing),
        (404, Failure::UnknownModel),
        (400, Failure::BadRequest),
        (429, Failure::RateLimit),
        (500, Failure::Server),
        (502, Failure::Server),
        (529, Failure::Overloaded),
    ];
    for (status, failure) in cases {
        assert_eq!(failing(|l| l.api_status = Some(status)), Outcome::Failed(failure), "{status}");
    }
    assert_eq!(failing(|_| {}), Outcome::Failed(Failure::Connection));
    let word = |word: &str| {
        with(|e| {
            e.finished
                .hear(&Event::ApiError { kind: Trouble::of(Some(word), Some(400)), text: String::new() });
            e.finished.exit = Exit::Code(1);
            e.finished.result.as_mut().unwrap().is_error = Some(true);
        })
    };
    assert_eq!(word("billing_error"), Outcome::Failed(Failure::Billing));
    let not_logged_in = |l: &mut ResultLine| {
        l.terminal_reason = None;
        l.text = Some("Not logged in · Please run /login".to_owned());
    };
    assert_eq!(failing(not_logged_in), Outcome::Failed(Failure::Login));
    assert_eq!(failing(|l| l.stop_reason = Some("refusal".to_owned())), Outcome::Failed(Failure::Refusal));
    assert_eq!(
        failing(|l| l.terminal_reason = Some("prompt_too_long".to_owned())),
        Outcome::Failed(Failure::PromptTooLong)
    );
    assert_eq!(
        failing(|l| l.subtype = Some("error_max_budget_usd".to_owned())),
        Outcome::Failed(Failure::Budget)
    );
    assert_eq!(
        failing(|l| l.subtype = Some("error_max_structured_output_retries".to_owned())),
        Outcome::Failed(Failure::AnswerForm)
    );
}

#[test]
fn trouble_that_is_over_is_forgotten() {
    let outcome = with(|e| {
        e.finished.hear(&Event::Retrying { attempt: 1, status: Some(529), kind: Trouble::Overloaded });
        e.finished.hear(&Event::Text("here".to_owned()));
        e.finished.result = None;
        e.finished.exit = Exit::Code(1);
    });
    assert_eq!(outcome, Outcome::Failed(Failure::Crash));
}

#[test]
fn a_limit_is_told_by_the_event_first_and_by_the_text_second() {
    let reset = Timestamp::from_second(1_893_456_000).unwrap();
    let notice = |is_rejected| LimitNotice { is_rejected, resets_at: Some(reset), window: None };
    let by_event = with(|e| {
        e.finished.limit = Some(notice(true));
        e.finished.exit = Exit::Code(1);
        e.finished.result.as_mut().unwrap().is_error = Some(true);
    });
    assert_eq!(by_event, Outcome::Limit(Some(reset)));
    assert_eq!(with(|e| e.finished.limit = Some(notice(false))), Outcome::Completed, "a warning is none");
    assert_eq!(
        with(|e| e.finished.limit = Some(notice(true))),
        Outcome::Completed,
        "it went on and succeeded"
    );
    let text = |text: &str| failing(|l| l.text = Some(text.to_owned()));
    assert_eq!(text("You've hit your limit · resets Jan 1, 2030, 12am (UTC)"), Outcome::Limit(Some(reset)));
    assert_eq!(
        text("Claude usage limit reached. It resets 2030-01-01T00:00:00Z."),
        Outcome::Limit(Some(reset))
    );
    assert_eq!(failing(|l| l.is_usage_limit = true), Outcome::Limit(None));
    let by_status = failing(|l| {
        l.api_status = Some(429);
        l.text = Some(
            "API Error: Request rejected (429) · This request would exceed your account's usage limit."
                .to_owned(),
        );
    });
    assert_eq!(by_status, Outcome::Limit(None));
    let old = line(|l| l.text = Some("Claude AI usage limit reached|1893456000".to_owned()));
    assert_eq!(old, Outcome::Limit(Some(reset)), "older versions say it with status 0");
    let past = with(|e| {
        let resets_at = Some(Timestamp::from_second(1_000).unwrap());
        e.finished.limit = Some(LimitNotice { is_rejected: true, resets_at, window: None });
        e.finished.exit = Exit::Code(1);
        e.finished.result.as_mut().unwrap().is_error = Some(true);
    });
    assert_eq!(past, Outcome::Limit(None), "nobody waits for what has been");
    for seconds in [None, Some(1_000), Some(1_893_456_000_000)] {
        let by_both = with(|e| {
            let resets_at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
            e.finished.limit = Some(LimitNotice { is_rejected: true, resets_at, window: None });
            e.finished.exit = Exit::Code(1);
            let line = e.finished.result.as_mut().unwrap();
            line.is_error = Some(true);
            line.text = Some("You've hit your limit · resets Jan 1, 2030, 12am (UTC)".to_owned());
        });
        assert_eq!(by_both, Outcome::Limit(Some(reset)), "the event tells no time that can be: {seconds:?}");
    }
    let prose = line(|l| l.text = Some("I fixed the message `Claude AI usage limit reached|1`".to_owned()));
    assert_eq!(prose, Outcome::Completed, "prose is no limit");
}

#[test]
fn the_end_of_the_process_is_told_apart() {
    let cases = [
        (Exit::Signal(9), Outcome::Failed(Failure::Killed)),
        (Exit::OutOfMemory, Outcome::Failed(Failure::Killed)),
        (Exit::Signal(11), Outcome::Failed(Failure::Crash)),
        (Exit::Signal(15), Outcome::Interrupted),
        (Exit::Code(143), Outcome::Interrupted),
        (Exit::Code(129), Outcome::Interrupted),
        (Exit::Unknown, Outcome::Interrupted),
        (Exit::NeverStarted, Outcome::Failed(Failure::Start)),
    ];
    for (exit, outcome) in cases {
        assert_eq!(with(|e| e.finished.exit = exit), outcome, "{exit:?}");
    }
    let crash = with(|e| {
        e.finished.exit = Exit::Code(1);
        e.finished.result = None;
    });
    assert_eq!(crash, Outcome::Failed(Failure::Crash));
    let interrupted = with(|e| {
        let line = e.finished.result.as_mut().unwrap();
        line.subtype = Some("error_during_execution".to_owned());
        line.is_error = Some(true);
        line.terminal_reason = Some("aborted_tools".to_owned());
    });
    assert_eq!(interrupted, Outcome::Interrupted);
}

#[test]
fn what_we_ended_ourselves_has_our_reason() {
    let cases = [
        (End::TimedOut, Outcome::TimedOut),
        (End::Silent, Outcome::TimedOut),
        (End::Cancelled, Outcome::Cancelled),
        (End::LeaseLost, Outcome::Interrupted),
        (End::Hopeless, Outcome::Failed(Failure::Login)),
    ];
    for (end, outcome) in cases {
        let judged = with(|e| {
            e.finished.end = end;
            e.finished.exit = Exit::Signal(15);
            e.finished.result = None;
            e.finished.trouble = Some(Trouble::Login);
        });
        assert_eq!(judged, outcome, "{end:?}");
    }
}

#[test]
fn an_answer_that_was_asked_for_is_looked_at() {
    let malformed = |form| {
        with(|e| {
            e.expected.form = form;
            e.finished.result.as_mut().unwrap().answer = Told::Malformed;
        })
    };
    assert_eq!(malformed(AnswerForm::Status), Outcome::Failed(Failure::AnswerForm));
    assert_eq!(malformed(AnswerForm::Free), Outcome::Completed, "nobody asked");
    let silent = judge(&good());
    assert_eq!(silent.outcome, Outcome::Completed, "its work is judged, not its words");
    assert_eq!(silent.reasons, ["it did not say itself whether it is done"]);
}
