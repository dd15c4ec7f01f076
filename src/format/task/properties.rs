//! Whatever a task or a file is, reading and writing agree.

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::domain::id::TaskId;
use crate::domain::lease::Lease;
use crate::domain::route::Tier;
use crate::domain::task::{Dependency, Effort, Ending, Priority, Receipt, Stage, State};

fn instant() -> impl Strategy<Value = Timestamp> {
    let usual = (0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap());
    let odd = (Timestamp::MIN.as_second()..Timestamp::MAX.as_second(), 0_i32..1_000_000_000)
        .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap());
    prop_oneof![4 => usual, 1 => odd]
}

fn date() -> impl Strategy<Value = Date> {
    (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn id() -> impl Strategy<Value = TaskId> {
    (0_u64..1 << 48, any::<u128>()).prop_map(|(time, random)| TaskId::new(time, random))
}

/// Any text: ordinary, with control characters, or made to look like something else.
fn text() -> impl Strategy<Value = String> {
    let hostile = "(\n|\r\n|\\+\\+\\+|<<<<<<< |=======|>>>>>>> |\"\"\"|'''|\\\\|\\[lease\\]|title = 1|#| |\u{202e}|\u{0}){0,8}";
    prop_oneof!["[a-zA-Z ,.äß世]{0,20}", "\\PC{0,20}", hostile]
}

fn title() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("t{}", text.replace(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}'], " ")))
}

fn lease() -> impl Strategy<Value = Lease> {
    ("[a-zä\"]{1,9}", any::<u64>(), instant()).prop_map(|(holder, token, expires_at)| Lease {
        holder: holder.parse().unwrap(),
        token,
        expires_at,
    })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    (instant(), any::<bool>(), of(text())).prop_map(|(at, by, note)| Receipt {
        stage: Stage::Accepted,
        at,
        by: by.then(|| "acme/api".parse().unwrap()),
        note,
    })
}

fn ending() -> impl Strategy<Value = Ending> {
    let state = prop_oneof![Just(State::Done), Just(State::Refused), Just(State::Dead)];
    (state, instant(), any::<bool>(), of(text())).prop_map(|(state, at, by, note)| Ending {
        state,
        at,
        by: by.then(|| "ann".parse().unwrap()),
        note,
    })
}

fn task() -> impl Strategy<Value = Task> {
    let who = (of(id()), title(), any::<bool>(), any::<bool>(), 0_usize..4);
    let more = (vec(title(), 0..3), of(instant()), vec((id(), any::<bool>()), 0..3), of(date()));
    let state = (prop_oneof![Just(0), any::<u64>()], 0_u32..3, of(lease()), of(text()), of(instant()));
    (who, more, state, of(receipt()), of(ending())).prop_map(|(who, more, state, receipt, ending)| Task {
        id: who.0,
        title: who.1,
        from: who.2.then(|| "acme/web".parse().unwrap()),
        to: who.3.then(|| "api".parse().unwrap()),
        kind: ["task", "bug", "own-kind", "x_1"][who.4].parse().unwrap(),
        priority: [Priority::Low, Priority::Medium, Priority::High, Priority::Critical][who.4],
        effort: [Effort::S, Effort::M, Effort::L, Effort::Xl][who.4],
        labels: more.0,
        created: more.1,
        after: more
            .2
            .into_iter()
            .map(|(task, far)| Dependency { project: far.then(|| "a/b".parse().unwrap()), task })
            .collect(),
        due: more.3,
        tier: [None, Some(Tier::Haiku), Some(Tier::Sonnet), Some(Tier::Opus)][who.4],
        model: who.2.then(|| "claude-opus-5-5".parse().unwrap()),
        token: state.0,
        attempts: state.1,
        lease: state.2,
        blocked: state.3,
        defer_until: state.4,
        receipt,
        ending,
    })
}

/// The same file as somebody else might have written it.
fn disguised(file: &str, how: u8) -> String {
    let file = match how & 1 {
        1 => file.replacen("title = ", "# mine\nmine = { x = 1 } # c\n  \"title\"\t=  ", 1),
        _ => file.to_owned(),
    };
    let file = match how & 2 {
        2 => format!("\u{feff}{}", file.replacen("+++\n", "+++ \t\n", 1)),
        _ => file,
    };
    match how & 4 {
        4 => file.replacen("\n+++\n", "\n\n# end\n[other]\nkind = 7\n[[other.list]]\n\n+++\n", 1),
        _ => file,
    }
}

fn with_crlf(file: &str) -> String {
    file.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// Lines of a file, without the keys that changed.
fn lines_besides<'a>(file: &'a str, ours: &[&str]) -> Vec<&'a str> {
    file.split_inclusive('\n')
        .filter(|line| !ours.iter().any(|key| line.trim_start().starts_with(key)))
        .collect()
}

/// Both readers give the same answer.
fn agreed(bytes: &[u8]) -> Result<Document, Malformed> {
    let limits = Limits { file_bytes: 20_000, head_bytes: 4_000 };
    let document = Document::parse(bytes, &limits);
    let summary = parse_summary(bytes, &limits);
    assert_eq!(document.as_ref().map(Document::task), summary.as_ref());
    if let Ok(document) = &document {
        assert_eq!(document.to_bytes(), bytes);
    }
    document
}

proptest! {
    #![proptest_config(crate::format::few_cases(256))]

    #[test]
    fn what_is_written_is_read(task in task(), body in text()) {
        let document = Document::new(&task, &body);
        let again = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(again.task(), &task);
        prop_assert_eq!(again.body(), document.body());
        if body.ends_with('\n') && !body.contains(['\r', '\0', '<']) {
            prop_assert_eq!(again.body(), body);
        }
    }

    #[test]
    fn any_task_becomes_any_other_in_place(one in task(), other in task(), how in 0_u8..8, crlf in any::<bool>()) {
        let file = disguised(&String::from_utf8(Document::new(&one, "body\n").to_bytes()).unwrap(), how);
        // Line ends within strings are content, so only files without them can be turned.
        let file = if crlf && !file.contains("\"\"\"") { with_crlf(&file) } else { file };
        let mut document = agreed(file.as_bytes()).unwrap();
        prop_assert_eq!(document.task(), &one);
        document.apply(&other);
        let changed = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(changed.task(), &other);
        prop_assert_eq!(changed.body(), document.body());
        document.apply(&one);
        let back = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(back.task(), &one);
    }

    #[test]
    fn only_the_lines_of_changed_keys_change(one in task(), token in 1_u64..9, lease in lease(), how in 0_u8..8) {
        let one = Task { token: 0, lease: None, ..one };
        let file = disguised(&String::from_utf8(Document::new(&one, "body\n").to_bytes()).unwrap(), how);
        let mut document = agreed(file.as_bytes()).unwrap();
        document.apply(&Task { priority: Priority::Low, token, ..one.clone() });
        let changed = String::from_utf8(document.to_bytes()).unwrap();
        let ours = ["priority = ", "token = "];
        prop_assert_eq!(lines_besides(&changed, &ours), lines_besides(&file, &ours));
        document.apply(&Task { lease: Some(lease), ..one.clone() });
        document.apply(&one);
        prop_assert_eq!(String::from_utf8(document.to_bytes()).unwrap(), file);
    }

    #[test]
    fn the_readers_agree_on_damaged_files(
        one in task(), at in any::<prop::sample::Index>(), with in vec(any::<u8>(), 0..4), cut in 0_usize..4, how in 0_u8..8,
    ) {
        let file = disguised(&String::from_utf8(Document::new(&one, "body\n").to_bytes()).unwrap(), how);
        let mut bytes = file.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        let _ = agreed(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let _ = agreed(&bytes);
        let _ = agreed(&[b"+++\n", &*bytes, b"\n+++\n"].concat());
    }

    #[test]
    fn any_toml_is_read_or_refused_and_can_be_changed(
        lines in vec("(title|lease|token|\"labels\"|x\\.y|\\[lease|\\[\\[x|result\\.at|id) ?(=|\\]|\\]\\]|\\.) ?(1|'a'|\\[|\\]|\\{|\\}|\\{ holder = 'a' \\}|\"\"\"|\"|#|2026-01-01){0,2}", 0..6)
    ) {
        let file = format!("+++\ntitle = 'x'\n{}\n+++\n", lines.join("\n"));
        let Ok(mut document) = agreed(file.as_bytes()) else { return Ok(()) };
        let mut task = Task::titled("y");
        task.token = 7;
        task.ending = document.task().ending.clone();
        document.apply(&task);
        let changed = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(changed.task(), &task);
    }
}

/// Pieces of heads that are legal alone, and often together.
const ODD: &[&str] = &[
    "",
    "# a comment",
    "mine.x = 1 # own",
    "mine.y = { z = [1, {q = 2}] }",
    "labels = [\n  'a', # one\n  \"b\",\n]",
    "after = []",
    "'kind'=\"bug\"",
    "priority = \"\"\"\\\n   high\"\"\"",
    "created = 2026-01-01 10:00:00.5+01:00",
    "lease = { holder = 'a', token = 1, expires_at = 2026-01-01, extra = {x = 1} } # l",
    "lease.holder = 'a'\nlease . \"token\" = 1\nlease.expires_at = '2026-01-01'",
    "result.state = 'done'\nresult.at = 2026-01-01\nresult.extra = 1",
    "receipt = {at=2026-01-01,stage='accepted',note='''n'''}",
    "[lease] # l\nexpires_at = 2026-01-01T00:00:00Z\n# own\n\nholder = 'a'\ntoken = 1",
    "[lease.extra]\nx = 1",
    "[ \"receipt\" ]\nby = 'a/b'\nstage = 'done'\nat = 2026-01-01",
    "[result]\nat = 2026-01-01\nnote = \"\"\"\n[lease]\ntitle = 1\"\"\"\nstate = 'dead'\nextra = 7",
    "[[mine.v]]\ntitle = 7",
    "[mine]\ntoken = 7",
];

proptest! {
    #![proptest_config(crate::format::few_cases(256))]

    #[test]
    fn odd_heads_become_any_task_and_keep_what_is_not_ours(
        pieces in proptest::sample::subsequence(ODD, 0..6), other in task(), crlf in any::<bool>()
    ) {
        let file = format!("+++\n  \"title\"\t= 'x' # t\n{}\n+++\nbody", pieces.join("\n"));
        let file = if crlf { with_crlf(&file) } else { file };
        let Ok(mut document) = agreed(file.as_bytes()) else { return Ok(()) };
        let before = document.task().clone();
        document.apply(&other);
        let changed = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(changed.task(), &other);
        let text = String::from_utf8(changed.to_bytes()).unwrap();
        for piece in pieces.iter().filter(|piece| piece.contains("mine") || piece.starts_with('#')) {
            let piece = if crlf { with_crlf(piece) } else { (*piece).to_owned() };
            prop_assert!(text.contains(&piece), "{piece} in {text}");
        }
        document.apply(&before);
        let back = agreed(&document.to_bytes()).unwrap();
        prop_assert_eq!(back.task(), &before);
    }
}

/// The time is printed by `cargo test --release --lib in_microseconds -- --nocapture`; the bound is a loose one, so
/// that a slow machine is no failure.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn heads_are_read_in_microseconds() {
    let mut task = Task::titled("Add rate limiting to the public endpoints");
    task.id = Some(TaskId::new(1_790_000_000_000, 77));
    task.from = Some("acme/web".parse().unwrap());
    task.to = Some("acme/api".parse().unwrap());
    task.labels = vec!["api".to_owned(), "limits".to_owned()];
    task.created = Some(Timestamp::from_second(1_790_000_000).unwrap());
    task.due = Some("2026-12-01".parse().unwrap());
    task.token = 3;
    let file = Document::new(&task, &"A paragraph of the body.\n".repeat(20)).to_bytes();
    let rounds: u32 = 5_000;
    let measure = |what: &str, read: &dyn Fn()| {
        let began = std::time::Instant::now();
        (0..rounds).for_each(|_| read());
        let each = began.elapsed() / rounds;
        println!("a {what}: {each:?} for a file of {} bytes", file.len());
        assert!(each.as_micros() < 1_000);
    };
    let limits = Limits::default();
    measure("summary", &|| drop(std::hint::black_box(parse_summary(&file, &limits))));
    measure("document", &|| drop(std::hint::black_box(Document::parse(&file, &limits))));
}
