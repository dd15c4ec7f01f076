//! Whatever a run was, and whatever became of its record, it is read or refused.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::domain::id::{RunId, TaskId};
use crate::domain::run::outcome::Failure;
use crate::domain::run::tier::Tier;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Any instant that there is, also those for which TOML has no year.
fn instant() -> impl Strategy<Value = Timestamp> {
    let odd = (Timestamp::MIN.as_second()..Timestamp::MAX.as_second(), 0_i32..1_000_000_000)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap());
    prop_oneof![
        Just(Timestamp::from_second(1_700_000_000).unwrap()),
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        odd
    ]
}

/// Any run; what the stream of a program said may be as odd as it likes.
fn any_run() -> impl Strategy<Value = Run> {
    let text = "(\\PC|\n|\"|\\[end\\]|=|\u{202e}|\u{0}){0,20}";
    let number = prop_oneof![0_u64..1_000_000_000_000, any::<u64>(), Just(u64::MAX)];
    (text, number, 0..4, instant(), instant()).prop_map(|(text, number, kind, at, until)| {
        let outcomes = [
            Outcome::Completed,
            Outcome::Failed(Failure::Crash),
            Outcome::Limit(Some(until)),
            Outcome::Limit(None),
        ];
        run(&text, number, outcomes[kind as usize], at)
    })
}

fn usual(outcome: Outcome) -> Run {
    run("x", 1, outcome, Timestamp::from_second(1_700_000_000).unwrap())
}

fn run(text: &str, number: u64, outcome: Outcome, at: Timestamp) -> Run {
    let tokens = Tokens { input: number, output: 2, cache_read: 3, cache_write: 4 };
    Run {
        id: RunId::new(1, 2),
        task: number.is_multiple_of(2).then(|| TaskId::new(3, 4)),
        title: text.to_owned(),
        attempt: 2,
        follows: Some(RunId::new(1, 1)),
        actor: "ann".parse().unwrap(),
        token: number.is_multiple_of(3).then_some(number),
        request: "abc".to_owned(),
        choice: Choice {
            tier: Tier::Opus,
            model: Some(text.to_owned()),
            rule: "r".to_owned(),
            reasons: vec![text.to_owned()],
        },
        session: "s".to_owned(),
        resumed: true,
        branch: Some("b".to_owned()),
        base: None,
        started_at: at,
        ending: Some(RunEnding {
            at,
            outcome,
            reasons: vec![text.to_owned()],
            model: None,
            turns: number,
            spend: Spend {
                usd: 0.25,
                figures: Figures::Estimated,
                tokens,
                session_usd: 1.0,
                session_models: BTreeMap::from([(text.to_owned(), tokens)]),
            },
            summary: text.to_owned(),
            denials: vec![Denial { tool: text.to_owned(), input: text.to_owned() }],
            verdicts: vec![Verdict {
                command: vec![text.to_owned()],
                passed: false,
                ended: text.to_owned(),
                said: text.to_owned(),
            }],
            commits: vec!["c".to_owned()],
            moved: vec![text.to_owned()],
            leftovers: 1,
        }),
        review: Some(Review {
            at,
            by: "bob".parse().unwrap(),
            decision: Decision::Rejected(text.to_owned()),
        }),
    }
}

proptest! {
    #![proptest_config(crate::format::few_cases(256))]

    #[test]
    fn what_is_written_is_read(run in any_run()) {
        prop_assert_eq!(parse(&render(&run)), Ok(run));
    }

    #[test]
    fn a_damaged_record_is_read_or_refused(
        run in any_run(), at in any::<Index>(), with in vec(any::<u8>(), 0..4), cut in 0_usize..40,
    ) {
        let mut bytes = render(&run).into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        if let Ok(run) = parse(&String::from_utf8_lossy(&bytes)) {
            prop_assert_eq!(parse(&render(&run)), Ok(run));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n|=|\"|\\[end\\]|schema = 1\n){0,60}") {
        let _ = parse(&text);
    }
}

#[test]
fn a_failure_without_its_kind_is_refused() {
    let text = render(&usual(Outcome::Failed(Failure::Crash))).replace("failure = \"crash\"\n", "");
    assert!(parse(&text).unwrap_err().to_string().contains("`failed` is no outcome"));
    let newer = render(&usual(Outcome::Completed)).replace("schema = 1", "schema = 2");
    assert_eq!(parse(&newer).unwrap_err().code, Code::NewerSchema);
}
