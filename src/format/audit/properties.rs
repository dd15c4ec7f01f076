//! Whatever is done to a segment is found.

use jiff::Timestamp;
use proptest::prelude::*;

use super::verify::DefectKind;
use super::*;
use crate::domain::event::{Event, EventKind, Fact};
use crate::domain::id::{EventId, OperationId, SegmentId, TaskId, WriterId};
use crate::domain::task::State;

fn fact() -> impl Strategy<Value = Fact> {
    let text = proptest::option::of("\\PC{0,20}|[\\x00-\\x7f]{0,20}|\n\\[\\[event\\]\\]\n");
    (any::<bool>(), text, any::<bool>()).prop_map(|(is_task, cause, has_content)| Fact {
        kind: if is_task { EventKind::TaskClaimed } else { EventKind::SessionStarted },
        task: is_task.then(|| TaskId::new(5, 7)),
        from: is_task.then_some(State::Ready),
        to: is_task.then_some(State::Claimed),
        cause,
        content: has_content.then(|| digest(b"x")),
    })
}

fn events(size: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<Event>> {
    let one = (fact(), 0_i64..4_000_000_000, any::<u64>(), 0_i32..2);
    proptest::collection::vec(one, size).prop_map(|facts| {
        let event = |(index, (fact, second, random, nanosecond))| Event {
            id: EventId::new(index as u64, u128::from(random)),
            at: Timestamp::new(second, nanosecond).unwrap(),
            actor: "ann \"b\"".parse().unwrap(),
            operation: OperationId::new(1, 1),
            fact,
        };
        facts.into_iter().enumerate().map(event).collect()
    })
}

/// A segment's header and its records as texts.
fn written(events: &[Event]) -> Vec<String> {
    let first = header(WriterId::new(1, 1), SegmentId::new(2, 2), Some(&digest(b"former")));
    let mut prev = parse(&first).unwrap().seed;
    let mut texts = vec![first];
    for event in events {
        let (text, hash) = append(&prev, event);
        assert!(text.starts_with("\n[[event]]\n"));
        texts.push(text);
        prev = hash;
    }
    texts
}

/// Whether reading or verifying shows anything.
fn is_found(bytes: &[u8]) -> bool {
    !parse_bytes(bytes).is_ok_and(|segment| verify(&segment).is_empty())
}

proptest! {
    #![proptest_config(crate::format::few_cases(64))]

    #[test]
    fn what_is_written_is_read(events in events(0..6)) {
        let segment = parse(&written(&events).concat()).unwrap();
        prop_assert_eq!(verify(&segment), vec![]);
        let read: Vec<_> = segment.records.into_iter().map(|record| record.event).collect();
        prop_assert_eq!(read, events);
    }

    #[test]
    fn events_of_some_kinds_are_those_of_all(events in events(0..6), noise in "\\PC{0,30}") {
        let kinds = [EventKind::SessionStarted, EventKind::SessionFinished];
        let wanted: Vec<_> = events.iter().filter(|event| kinds.contains(&event.fact.kind)).cloned().collect();
        let text = written(&events).concat();
        prop_assert_eq!(events_of_kinds(text.as_bytes(), &kinds), wanted.clone());
        prop_assert_eq!(events_of_kinds(text.replace("kind = ", "kind  = ").as_bytes(), &kinds), wanted.clone());
        prop_assert_eq!(events_of_kinds(format!("{text}\n{noise}").as_bytes(), &kinds), wanted);
    }

    #[test]
    fn dropped_repeated_and_swapped_records_are_found(events in events(3..6), at in 1_usize..3) {
        let texts = written(&events);
        let mut dropped = texts.clone();
        dropped.remove(at);
        prop_assert!(is_found(dropped.concat().as_bytes()));
        let mut swapped = texts.clone();
        swapped.swap(at, at + 1);
        prop_assert!(is_found(swapped.concat().as_bytes()));
        let mut repeated = texts.clone();
        repeated.insert(at, texts[at].clone());
        prop_assert!(is_found(repeated.concat().as_bytes()));
    }

    #[test]
    fn a_segment_cut_anywhere_keeps_the_records_before(events in events(1..4), cut in any::<prop::sample::Index>()) {
        let texts = written(&events);
        let whole = texts.concat();
        let cut = cut.index(whole.len() - texts[0].len()) + texts[0].len();
        let mut end = texts[0].len();
        let complete = texts[1..].iter().take_while(|text| { end += text.len(); end <= cut }).count();
        let at_boundary = texts[0].len() + texts[1..=complete].concat().len() == cut;
        let segment = parse_bytes(&whole.as_bytes()[..cut]).unwrap();
        prop_assert!(segment.records.len() >= complete);
        prop_assert_eq!(verify(&segment).is_empty(), at_boundary);
    }

    #[test]
    fn any_bytes_are_read_in_bounded_time(bytes in proptest::collection::vec(any::<u8>(), 0..400), events in events(1..3)) {
        let _ = parse_bytes(&bytes);
        let mut text = written(&events).concat().into_bytes();
        text.extend(bytes);
        prop_assert!(parse_bytes(&text).is_ok_and(|segment| segment.records.len() >= events.len() - 1));
    }
}

#[test]
fn every_changed_byte_is_found() {
    let fact = Fact::task(EventKind::TaskClaimed, TaskId::new(5, 7), Some(State::Ready), State::Claimed)
        .because("a \u{e9} \\ \"")
        .leaving(digest(b"x"));
    let event = |index| Event {
        id: EventId::new(index, 9),
        at: Timestamp::from_second(1_790_000_000).unwrap(),
        actor: "ann".parse().unwrap(),
        operation: OperationId::new(1, 1),
        fact: fact.clone(),
    };
    let text = written(&[event(1), event(2)]).concat().into_bytes();
    assert!(!is_found(&text));
    for at in 0..text.len() {
        for flip in [0x01, 0x02, 0x20, 0x80] {
            let mut damaged = text.clone();
            damaged[at] ^= flip;
            assert!(is_found(&damaged), "byte {at} xor {flip}: {}", String::from_utf8_lossy(&damaged));
        }
        let mut shorter = text.clone();
        shorter.remove(at);
        assert!(is_found(&shorter), "byte {at} removed");
        let mut longer = text.clone();
        longer.insert(at, b' ');
        assert!(is_found(&longer), "blank added at {at}");
    }
}

#[test]
fn defects_name_their_kind_and_line() {
    let mut fact = Fact::of(EventKind::SessionStarted);
    fact.cause = Some("why".to_owned());
    let event = Event {
        id: EventId::new(1, 9),
        at: Timestamp::UNIX_EPOCH,
        actor: "ann".parse().unwrap(),
        operation: OperationId::new(1, 1),
        fact,
    };
    let text = written(&[event]).concat();
    let cases = [
        (text.replace("session.started", "session.imagined"), DefectKind::UnknownKind, 12),
        (text.replace("\"why\"", "\"who\""), DefectKind::Hash, 7),
        (text.replace("\"why\"", "'why'"), DefectKind::Edited, 7),
        (text.replace("cause = ", "cause "), DefectKind::Unreadable, 13),
        (text[..text.len() - 80].to_owned(), DefectKind::CutOff, 14),
    ];
    for (damaged, what, line) in cases {
        let defects = verify(&parse(&damaged).unwrap());
        assert_eq!((defects[0].what, defects[0].line), (what, line), "{defects:?}");
    }
}

/// The time is printed by `cargo test --release --lib in_microseconds -- --nocapture`; the bound is a loose one, so
/// that a slow machine is no failure and a quadratic reader is.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn records_are_read_and_verified_in_microseconds() {
    let fact = Fact::task(EventKind::TaskClaimed, TaskId::new(5, 7), Some(State::Ready), State::Claimed)
        .leaving(digest(b"x"));
    let event = |index| Event {
        id: EventId::new(index, 9),
        at: Timestamp::from_second(1_790_000_000).unwrap(),
        actor: "ann".parse().unwrap(),
        operation: OperationId::new(1, 1),
        fact: fact.clone(),
    };
    let text = written(&(0..5_000).map(event).collect::<Vec<_>>()).concat();
    let began = std::time::Instant::now();
    let segment = parse(&text).unwrap();
    let (read, began) = (began.elapsed() / 5_000, std::time::Instant::now());
    assert!(verify(&segment).is_empty());
    let verified = began.elapsed() / 5_000;
    println!("a record: read in {read:?}, verified in {verified:?}");
    assert!((read + verified).as_micros() < 1_000);
}
