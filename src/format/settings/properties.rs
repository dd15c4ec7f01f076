//! Whatever the settings are, and whoever wrote them down, reading and changing agree, and a wrong line is named.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::domain::mode::Mode;
use crate::domain::settings::{CommitPolicy, Durability, Signing};
use crate::format::{policy, routing};

fn settings() -> impl Strategy<Value = Settings> {
    let words = (any::<bool>(), 0_usize..3, any::<bool>(), any::<bool>(), 0_usize..3);
    let numbers = (1_i64..i64::MAX, any::<u32>(), any::<u64>(), any::<u32>(), any::<u32>());
    let names = (
        vec("[a-z][a-z0-9]{0,9}", 0..3),
        proptest::option::of("[a-z]{1,9}(/[a-z0-9][a-z0-9_-]{0,3}[.]?[a-z])?"),
    );
    (words, numbers, names).prop_map(|(words, numbers, names)| Settings {
        role: [Role::Project, Role::Orchestrator][usize::from(words.0)],
        aliases: names.0.iter().map(|name| name.parse().unwrap()).collect(),
        commit: [CommitPolicy::Each, CommitPolicy::Session, CommitPolicy::Manual][words.1],
        durability: [Durability::Full, Durability::Fast][usize::from(words.2)],
        sign: [Signing::AsConfigured, Signing::Never][usize::from(words.3)],
        lease: SignedDuration::from_secs(numbers.0),
        attempts: numbers.1,
        max_bytes: numbers.2,
        undeliverable_after_days: numbers.3,
        undeliverable_attempts: numbers.4,
        mode: [Mode::Directive, Mode::Hybrid, Mode::Orchestration][words.4],
        branch: names.1,
        ..Settings::of("acme/api".parse().unwrap())
    })
}

/// Lines above the first header that are legal together in any order; a role besides them or not.
const LINES: &[&str] = &[
    "",
    "# mine, and [auto] role = 7",
    "role = 'project' # why",
    "schema = 1",
    "future = 1 # of a newer version",
    "aliases = [\n  'x', # x\n  \"y\",\n]",
    "\"lease\"  =\t'1h 30m'",
    "attempts = 0x10",
    "max_bytes = 1_000",
    "mine.role = \"orchestrator\"",
    "text = '''\nrole = \"orchestrator\"\n[route]\n'''",
];

/// Tables that may follow.
const TABLES: &[&str] = &[
    "[auto] # a\naccept = [\"from:x/y\", 'kind=bug & effort<=S']\nrole = 7",
    "[notify]\ncommand = ['say', \"it; rm\"]",
    "[run]\nmax_usd = 3\n[[verify]]\ncommand = ['make']",
    "[[route.rule]]\nname = 'x'\nwords = ['deploy']\ntier = 'opus'",
    "[mine.deep]\n\"odd key\" = { role = 'x', y = [ 1,\n 2 ] }",
];

/// A file by many hands: line ends and byte order mark as they may be.
fn by_hand() -> impl Strategy<Value = String> {
    let pieces = (subsequence(LINES, 0..LINES.len()).prop_shuffle(), subsequence(TABLES, 0..TABLES.len()));
    (pieces, any::<Index>(), any::<bool>(), any::<bool>()).prop_map(|((lines, tables), at, crlf, bom)| {
        let mut lines: Vec<&str> = lines;
        lines.insert(at.index(lines.len() + 1), "\"id\" = 'acme/api' # i");
        let text = [lines, tables].concat().join("\n") + "\n";
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        if bom { format!("\u{feff}{text}") } else { text }
    })
}

/// All readers of the file; none may fail in another way than by saying so.
fn read_by_all(text: &str) -> Result<Settings, Malformed> {
    let _ = policy::parse(text);
    let _ = routing::rules(Some(text));
    parse(text)
}

proptest! {
    #![proptest_config(crate::format::few_cases(256))]

    #[test]
    fn a_new_file_says_what_any_settings_say(settings in settings()) {
        prop_assert_eq!(read_by_all(&initial(&settings)), Ok(settings));
    }

    #[test]
    fn a_role_is_changed_in_any_file_and_nothing_else(text in by_hand()) {
        let before = read_by_all(&text).unwrap();
        let changed = set_role(&text, Role::Orchestrator).unwrap();
        prop_assert_eq!(read_by_all(&changed), Ok(Settings { role: Role::Orchestrator, ..before.clone() }));
        prop_assert_eq!(policy::parse(&changed), policy::parse(&text));
        let back = set_role(&changed, Role::Project).unwrap();
        prop_assert_eq!(parse(&back), Ok(before));
        let rest = |text: &str| -> Vec<String> {
            let lines = text.trim_start_matches('\u{feff}').split_inclusive('\n');
            let is_role = |line: &&str| line.starts_with("role = \"") || line.starts_with("role = 'project'");
            lines.filter(|line| !is_role(line)).map(str::to_owned).collect()
        };
        // The text that only looks like a role is a line in a string, which the filter leaves out on both sides.
        prop_assert_eq!(rest(&changed), rest(&text));
        prop_assert_eq!(text.starts_with('\u{feff}'), changed.starts_with('\u{feff}'));
        prop_assert_eq!(text.matches("\r\n").count() == text.matches('\n').count(),
            changed.matches("\r\n").count() == changed.matches('\n').count());
    }

    #[test]
    fn a_wrong_line_is_named_wherever_it_stands(
        text in by_hand(),
        wrong in select(&[
            ("durability = 'slow'", 14), ("commit = 7", 10), ("sign = []", 8), ("undeliverable_attempts = -1", 26),
            ("undeliverable_after_days = 4294967296", 28), ("branch = 'a..b'", 10), ("mode = \"\\u202e\"", 8),
        ][..]),
        at in 0_usize..20,
    ) {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split_inclusive('\n').collect();
        // Only above what goes over several lines, so that the wrong line stays a line of its own.
        let most = lines.iter().position(|l| l.contains("aliases") || l.contains("'''") || l.starts_with('[')).unwrap_or(lines.len());
        let at = at.min(most);
        let damaged = [mark, &lines[..at].concat(), wrong.0, newline, &lines[at..].concat()].concat();
        let defect = read_by_all(&damaged).unwrap_err();
        let column = if at == 0 { wrong.1 + mark.chars().count() } else { wrong.1 };
        prop_assert_eq!((defect.line, defect.column), (at + 1, column), "{} in {:?}", defect, damaged);
        let hidden = defect.to_string().chars().any(crate::domain::text::is_hidden);
        prop_assert!(!hidden);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        text in by_hand(), at in any::<Index>(), with in vec(any::<u8>(), 0..4), cut in 0_usize..4,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        let text = String::from_utf8_lossy(&bytes);
        if read_by_all(&text).is_ok() {
            let changed = set_role(&text, Role::Orchestrator).unwrap();
            prop_assert_eq!(parse(&changed).unwrap().role, Role::Orchestrator);
        }
    }

    #[test]
    fn any_toml_is_read_or_refused_and_can_be_changed(
        lines in vec("(role|lease|\"aliases\"|auto|auto\\.accept|x\\.y|\\[auto|\\[notify|\\[run|\\[\\[verify|\\[\\[route\\.rule|command|name) ?(=|\\]|\\]\\]|\\.) ?(1|'a'|\\[|\\]|\\{|\\}|\\{ accept = 'all' \\}|\"\"\"|\"|#|2026-01-01|inf|nan|-1){0,2}", 0..6)
    ) {
        let text = format!("id = 'a/b'\n{}\n", lines.join("\n"));
        if let Ok(before) = read_by_all(&text) {
            let role = if before.role == Role::Project { Role::Orchestrator } else { Role::Project };
            let changed = set_role(&text, role).unwrap();
            prop_assert_eq!(read_by_all(&changed), Ok(Settings { role, ..before }), "{}", changed);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}") {
        let _ = read_by_all(&text);
        let _ = read_by_all(&format!("id = 'a/b'\n{text}"));
    }
}
