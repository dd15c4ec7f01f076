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
    transcripts => "tests/cases/transcripts.md",
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
