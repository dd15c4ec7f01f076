//! The worst files that were found, in `tests/corpus`, one folder for each reader, and what each reader says of them.
//!
//! `expected.txt` in each folder has one line for each file: its name, and `read` or the refusal with its place. Files
//! that are too large to keep are made here. With `SWIFT_BLESS` set, the list is written instead of compared.

#![expect(clippy::disallowed_methods, reason = "tests read the corpus, and time its readers")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::malformed::Malformed;
use super::{Document, Limits, audit, parse_summary, policy, registry, routing, run, session, settings};

/// So long may any of the files take, on the slowest machine and without optimisation. What is not linear takes hours.
const PATIENCE: Duration = Duration::from_secs(60);

type Reader = fn(&[u8]) -> Result<(), Malformed>;

#[test]
fn settings_of_the_corpus_are_read_or_refused_as_expected() {
    check("settings", |bytes| text(bytes, whole_settings));
}

#[test]
fn registry_entries_of_the_corpus_are_read_or_refused_as_expected() {
    check("registry", |bytes| text(bytes, |text| registry::parse(text).map(drop)));
}

#[test]
fn run_records_of_the_corpus_are_read_or_refused_as_expected() {
    check("runs", |bytes| text(bytes, |text| run::parse(text).map(drop)));
}

#[test]
fn tasks_of_the_corpus_are_read_or_refused_as_expected() {
    check("tasks", |bytes| {
        let limits = Limits::default();
        let document = Document::parse(bytes, &limits);
        assert_eq!(document.as_ref().map(Document::task), parse_summary(bytes, &limits).as_ref());
        document.map(drop)
    });
}

/// Nothing that grows without a bound takes any reader more than a moment.
#[test]
fn what_is_endless_is_read_or_refused_in_bounded_time() {
    let readers: [(&str, Reader); 5] = [
        ("settings", |bytes| text(bytes, whole_settings)),
        ("registry", |bytes| text(bytes, |text| registry::parse(text).map(drop))),
        ("runs", |bytes| text(bytes, |text| run::parse(text).map(drop))),
        ("sessions", |bytes| text(bytes, |text| session::parse(text).map(drop))),
        ("audit", |bytes| text(bytes, |text| audit::parse_bytes(text.as_bytes()).map(drop))),
    ];
    for (what, endless) in endless() {
        for (reader, read) in readers {
            for content in [endless.clone(), format!("id = 'a/b'\n{endless}")] {
                let begun = Instant::now();
                let _ = read(content.as_bytes());
                assert!(begun.elapsed() < PATIENCE, "{what} took {reader} {:?}", begun.elapsed());
            }
        }
    }
}

/// Texts of about the size up to which a verb reads a small file.
fn endless() -> Vec<(&'static str, String)> {
    let numbered = |line: &dyn Fn(u32) -> String, count: u32| (0..count).map(line).collect::<String>();
    vec![
        ("a key of endless parts", format!("{}a = 1", "a.".repeat(500_000))),
        ("a header of endless parts", format!("[{}a]", "a.".repeat(500_000))),
        ("deep arrays", format!("x = {}{}", "[".repeat(500_000), "]".repeat(500_000))),
        ("deep tables", format!("x = {}", "{a=".repeat(300_000))),
        ("many keys", numbered(&|n| format!("k{n} = {n}\n"), 60_000)),
        ("many headers", numbered(&|n| format!("[k{n}]\n"), 60_000)),
        ("many of one array", numbered(&|_| "[[verify]]\n".to_owned(), 60_000)),
        ("many elements", format!("aliases = [{}]", "'x', ".repeat(100_000))),
        ("many open strings", "x = \"\"\"\n".repeat(100_000)),
        ("many escapes", format!("url = \"{}\"", "\\u202e".repeat(100_000))),
        ("many line ends", "\r\n".repeat(500_000)),
        ("many bare carriage returns", "\r".repeat(500_000)),
        ("many marks", "\u{feff}".repeat(300_000)),
        ("many wrong lines", "= = =\n".repeat(100_000)),
        ("many conflicts", "<<<<<<< a\n=======\n>>>>>>> b\n".repeat(30_000)),
        ("one long comment", format!("#{}", " ".repeat(1_000_000))),
        ("one long number", format!("attempts = {}", "9".repeat(500_000))),
        ("one long word", format!("lease = '{}'", "1h ".repeat(200_000))),
        ("one long schedule", format!("[auto]\nschedule = '{}'", "0-59/1,".repeat(100_000))),
        ("one long rule", format!("[auto]\naccept = '{}all'", "kind=bug & ".repeat(50_000))),
        ("one long pattern", format!("[[route.rule]]\nname='x'\nwords=['{}']", "a* ".repeat(100_000))),
        ("one long branch", format!("branch = '{}a'", "a/".repeat(200_000))),
    ]
}

/// All that is read out of one settings file, in the order in which verbs ask for it.
fn whole_settings(text: &str) -> Result<(), Malformed> {
    settings::parse(text)?;
    policy::parse(text)?;
    routing::rules(Some(text)).map(drop)
}

fn text(bytes: &[u8], read: impl FnOnce(&str) -> Result<(), Malformed>) -> Result<(), Malformed> {
    match std::str::from_utf8(bytes) {
        Ok(text) => read(text),
        Err(error) => Err(Malformed::in_text("", 0, format!("not UTF-8 from byte {}", error.valid_up_to()))),
    }
}

fn check(folder: &str, read: Reader) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let list = folder.join("expected.txt");
    let mut said = String::new();
    for (name, path) in files(&folder) {
        let begun = Instant::now();
        let bytes = std::fs::read(&path).expect("a file of the corpus");
        let verdict = read(&bytes).map_or_else(|defect| defect.to_string(), |()| "read".to_owned());
        assert!(begun.elapsed() < PATIENCE, "{name} took {:?}", begun.elapsed());
        let is_plain = !verdict.chars().any(crate::domain::text::is_hidden);
        assert!(is_plain, "{name}: what is said of it has hidden characters: {verdict:?}");
        said.push_str(&format!("{name}: {verdict}\n"));
    }
    if std::env::var_os("SWIFT_BLESS").is_some() {
        std::fs::write(&list, &said).expect("the list can be written");
    }
    assert_eq!(std::fs::read_to_string(&list).unwrap_or_default(), said, "{}", list.display());
}

fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("the corpus is there").map(|entry| entry.expect("an entry").path());
    let named = entries.map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path));
    named.filter(|(name, _)| name != "expected.txt").collect()
}
