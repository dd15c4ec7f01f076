//! The rules of the house that a compiler does not know, checked against the source.
//!
//! The import table in the crate documentation of `src/lib.rs` is the law for `src`; the other rules are short
//! and stand here. Source is read as text: comments are dropped, then names are looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Text that no source file contains, and why.
const UNWANTED: [(&str, &str); 9] = [
    ("#[allow(", "`#[expect(lint, reason = \"…\")]` says why and notices when it is over"),
    ("#![allow(", "`#![expect(lint, reason = \"…\")]` says why and notices when it is over"),
    ("#[ignore", "a test that does not run proves nothing"),
    ("sleep(", "wait for a condition with a limit, not for a time"),
    ("TODO:", "unfinished work is not in the source"),
    ("FIXME", "unfinished work is not in the source"),
    ("/home/", "a path of one machine"),
    ("/root/", "a path of one machine"),
    ("/Users/", "a path of one machine"),
];

/// Names that say nothing about a file.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "manager", "misc", "utils"];

/// Which modules each module may use; `None` for one that may use them all.
type Table = BTreeMap<String, Option<BTreeSet<String>>>;

#[test]
fn modules_use_only_what_the_table_allows() {
    let table = table(&read("src/lib.rs"));
    let files =
        below("src").into_iter().filter(|path| !["src/lib.rs", "src/main.rs"].contains(&path.as_str()));
    let mut wrong = Vec::new();
    for path in files {
        let at = Module::of(&path);
        let Some(allowed) = table.get(at.room) else {
            wrong.push(format!("{path}: `{}` is not in the table of src/lib.rs", at.room));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        for used in uses(&read(&path), &at, &table) {
            if used != at.room && !allowed.contains(&used) {
                wrong.push(format!("{path}: `{}` may not use `{used}`", at.room));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_table_speaks_of_its_own_modules_only() {
    let table = table(&read("src/lib.rs"));
    assert!(table.contains_key("domain") && table.contains_key("store"), "no import table in src/lib.rs");
    let named = table.values().flatten().flatten();
    let unknown: Vec<_> = named.filter(|name| !table.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "not a row of the table: {unknown:?}");
}

#[test]
fn every_source_file_is_compiled() {
    for (root, folder) in [("src/lib.rs", "src"), ("tests/it/main.rs", "tests/it")] {
        let reached = reached_from(root, folder);
        let files = below(folder).into_iter().filter(|path| path != "src/main.rs");
        let lost: Vec<_> = files.filter(|path| !reached.contains(path)).collect();
        assert!(lost.is_empty(), "no `mod` leads from {root} to {lost:?}");
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<_> = sources().into_iter().filter(|path| !read(path).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "without `//!` head: {silent:?}");
}

#[test]
fn no_source_file_contains_what_is_unwanted() {
    let mut wrong = Vec::new();
    for path in sources().into_iter().filter(|path| path != "tests/it/architecture.rs") {
        for (number, line) in read(&path).lines().enumerate() {
            // Waiting for another program is looking again up to a limit, and has one place.
            let waits = path == "src/store/git/disk/patience.rs" && line.contains("sleep(");
            let found = UNWANTED.iter().filter(|(text, _)| line.contains(text) && !waits);
            wrong.extend(found.map(|(text, why)| format!("{path}:{}: `{text}`: {why}", number + 1)));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_file_has_a_name_that_says_something() {
    let empty = |path: &String| path.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part));
    let wrong: Vec<_> = sources().into_iter().filter(empty).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_readme_names_commands_that_the_gate_runs() {
    let readme = fs::read_to_string(package("README.md")).unwrap_or_default();
    assert_eq!(unknown_commands(&readme, &read(".ci/run"), &read(".justfile")), [""; 0]);
}

#[test]
fn the_gate_can_be_started() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(package(".ci/run")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111, ".ci/run is not executable");
}

/// Where a file stands in the tree of modules.
struct Module<'a> {
    /// The first module on the way.
    room: &'a str,
    /// How many modules deep; `super` as often as that is the crate.
    depth: usize,
}

impl<'a> Module<'a> {
    fn of(path: &'a str) -> Self {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let mut parts = inner.split('/');
        Module { room: parts.next().unwrap(), depth: 1 + parts.count() }
    }
}

/// The rows `name <- others # remark` in the documentation at the head of `source`.
fn table(source: &str) -> Table {
    let head = source.lines().map_while(|line| line.strip_prefix("//!"));
    head.filter_map(|line| line.split_once("<-"))
        .map(|(name, others)| {
            let others = others.split('#').next().unwrap().trim();
            let set = others.split_whitespace().map(str::to_owned).collect();
            (name.trim().to_owned(), (others != "everything").then_some(set))
        })
        .collect()
}

/// The modules of the crate that a source names, by `crate::` or by enough `super::`.
fn uses(source: &str, at: &Module<'_>, table: &Table) -> BTreeSet<String> {
    let code = without_comments(source);
    let mut found = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        found.extend(first_names(&code[start + "crate::".len()..]));
    }
    for (start, _) in code.match_indices("super::").filter(|(start, _)| !code[..*start].ends_with("super::"))
    {
        let rest = code[start..].trim_start_matches("super::");
        let climbed = (code.len() - start - rest.len()) / "super::".len();
        if climbed >= at.depth {
            found.extend(first_names(rest).into_iter().filter(|name| table.contains_key(name)));
        }
    }
    found
}

/// `a` of `a::b`; `a` and `c` of `{a::b, c::{d, e}}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.trim_start().strip_prefix('{') else { return vec![identifier(path)] };
    let mut names = vec![identifier(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(identifier(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn without_comments(source: &str) -> String {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or(""));
    code.collect::<Vec<_>>().join("\n")
}

/// The files that `mod` lines lead to from a root file.
fn reached_from(root: &str, folder: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![(root.to_owned(), folder.to_owned())];
    while let Some((file, folder)) = waiting.pop() {
        for name in declared(&read(&file)) {
            let inner = format!("{folder}/{name}");
            let candidates = [format!("{inner}.rs"), format!("{inner}/mod.rs")];
            waiting
                .extend(candidates.into_iter().filter(|c| package(c).is_file()).map(|c| (c, inner.clone())));
        }
        reached.insert(file);
    }
    reached
}

/// The names in lines such as `mod name;` and `pub(crate) mod name;`.
fn declared(source: &str) -> Vec<&str> {
    let lines = source.lines().filter_map(|line| line.trim().strip_suffix(';'));
    lines
        .filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            ["mod", name] => Some(name),
            [visible, "mod", name] if visible.starts_with("pub") => Some(name),
            _ => None,
        })
        .collect()
}

/// Lines in the shell fences of the README that promise a check or a recipe which is not there.
fn unknown_commands(readme: &str, gate: &str, recipes: &str) -> Vec<String> {
    let mut shell = false;
    let mut unknown = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            shell = matches!(line.trim_start_matches('`').trim(), "sh" | "shell" | "bash");
        }
        let command = line.split(" #").next().unwrap_or("").trim();
        let known = match command.split_whitespace().collect::<Vec<_>>()[..] {
            ["just", recipe, ..] => recipes.lines().any(|line| line.strip_prefix(recipe) == Some(":")),
            ["cargo", "fmt" | "clippy" | "test" | "doc", ..] => gate.contains(command),
            _ => true,
        };
        if shell && !known {
            unknown.push(command.to_owned());
        }
    }
    unknown
}

fn sources() -> Vec<String> {
    [below("src"), below("tests")].concat()
}

/// All Rust files below a folder, in order.
fn below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(package(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&path));
        } else if path.ends_with(".rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(package(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn package(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn uses_are_found_however_they_are_written() {
    let table =
        table("//! domain <-\n//! store <- domain\n//! ops <- domain # verbs\n//! cli <- everything\n");
    let check = |path: &str, source: &str, expected: &[&str]| {
        let found: Vec<_> = uses(source, &Module::of(path), &table).into_iter().collect();
        assert_eq!(found, expected, "{path}: {source}");
    };
    check(
        "src/ops/task.rs",
        "use crate::store::git;\n// crate::cli\nlet x = crate::domain::id();",
        &["domain", "store"],
    );
    check("src/ops/task.rs", "use crate::{cli::{a, b},\n    store};", &["cli", "store"]);
    check("src/ops/task.rs", "use super::super::store;\nuse super::cli;", &["store"]);
    check("src/ops.rs", "use super::store;\nuse super::Request;", &["store"]);
    check("src/ops/mod.rs", "use super::{store, Request};", &["store"]);
    assert_eq!(table["domain"], Some(BTreeSet::new()));
    assert_eq!(table["ops"], Some(["domain".to_owned()].into()));
    assert_eq!(table["cli"], None);
}

#[test]
fn a_promise_of_the_readme_without_a_recipe_is_found() {
    let readme =
        "cargo doc --open\n```sh\njust check # all\njust fly\ncargo test --locked\ncargo fmt --wide\n```\n";
    assert_eq!(
        unknown_commands(readme, "step cargo test --locked\n", "check:\n"),
        ["just fly", "cargo fmt --wide"]
    );
}
