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
    formats => "docs/formats.md",
    recovery => "docs/recovery.md",
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

fn has_commands(path: &str) -> bool {
    transcript::is_transcript(&fs::read_to_string(package().join(path)).unwrap())
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
