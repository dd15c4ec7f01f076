//! The documents that are executed, one test each. A document with commands that is not listed here fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::transcript;

macro_rules! documents {
    ($($name:ident => $path:literal,)+) => {
        const LISTED: &[&str] = &[$($path),+];

        $(#[test]
        fn $name() {
            transcript::check($path);
        })+
    };
}

documents! {
    readme => "README.md",
    claude_code => "docs/claude-code.md",
    events => "docs/events.md",
    formats => "docs/formats.md",
    hands_off => "docs/hands-off.md",
    merging => "docs/merging.md",
    recovery => "docs/recovery.md",
    routing => "docs/routing.md",
    run_claude => "docs/run-claude.md",
    checks => "tests/cases/checks.md",
    hand => "tests/cases/hand.md",
    inbox => "tests/cases/inbox.md",
    init => "tests/cases/init.md",
    json => "tests/cases/json.md",
    look => "tests/cases/look.md",
    next => "tests/cases/next.md",
    outbox => "tests/cases/outbox.md",
    registry => "tests/cases/registry.md",
    sesame => "tests/cases/sesame.md",
    sessions => "tests/cases/sessions.md",
    task => "tests/cases/task.md",
    transcripts => "tests/cases/transcripts.md",
    undo => "tests/cases/undo.md",
    work => "tests/cases/work.md",
}

#[test]
fn every_document_with_commands_is_listed() {
    let found: BTreeSet<String> = documents().into_iter().filter(|path| has_commands(path)).collect();
    let listed: BTreeSet<String> = LISTED.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(found, listed, "`documents!` in tests/it/documents.rs lists what is executed");
}

/// What a person is told to do next must not be able to destroy anything.
#[test]
fn no_document_shows_a_destructive_command_as_advice() {
    const DESTRUCTIVE: [&str; 7] =
        ["rm -", "reset --hard", "--force", "branch -D", "clean -", "checkout --", "update-ref -d"];
    let mut wrong = Vec::new();
    for path in documents() {
        for line in read(&path).lines().map(str::trim) {
            let is_advice = ["hint: ", "next: ", "fix: "].iter().any(|start| line.starts_with(start));
            if is_advice && DESTRUCTIVE.iter().any(|command| line.contains(command)) {
                wrong.push(format!("{path}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_promises_names_tests_that_exist() {
    let mut sources = vec!["src".to_owned(), "tests".to_owned()];
    let mut tests = String::new();
    while let Some(path) = sources.pop() {
        for entry in fs::read_dir(package().join(&path)).unwrap().map(Result::unwrap) {
            let inner = format!("{path}/{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => sources.push(inner),
                false if inner.ends_with(".rs") => tests.push_str(&read(&inner)),
                false => {}
            }
        }
    }
    let promises = read("docs/promises.md");
    let held = promises.split("*Held by:*").skip(1).filter_map(|part| part.split("\n\n").next());
    let named: Vec<&str> = held.flat_map(|part| part.split('`').skip(1).step_by(2)).collect();
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(named.len() > 40 && missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in documents() {
        let text = read(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.contains("://") && !leads(&path, target) {
                wrong.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a link from one document leads to a file, and to a heading in it.
fn leads(from: &str, target: &str) -> bool {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(from).parent().unwrap();
    let file = if file.is_empty() { package().join(from) } else { package().join(folder).join(file) };
    let Ok(text) = fs::read_to_string(file) else { return false };
    heading.is_empty()
        || text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
}

/// The name that a heading has in links.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

fn read(path: &str) -> String {
    fs::read_to_string(package().join(path)).unwrap()
}

fn has_commands(path: &str) -> bool {
    transcript::is_transcript(&read(path))
}

/// `README.md`, and all Markdown below `docs` and `tests/cases`.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec!["README.md".to_owned(), "docs".to_owned(), "tests/cases".to_owned()];
    while let Some(path) = waiting.pop() {
        let absolute = package().join(&path);
        if absolute.is_dir() {
            let entries = fs::read_dir(absolute).unwrap().map(|entry| entry.unwrap().file_name());
            waiting.extend(entries.map(|name| format!("{path}/{}", name.to_str().unwrap())));
        } else if absolute.is_file() && path.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
