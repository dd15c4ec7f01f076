//! Executes documents: what a reader sees typed is typed, what is shown has to come out.
//!
//! A `console` fence holds commands (`$ swift list`) and their output: stdout, then stderr, then `[exit 3]` if
//! the status is not 0. There is no shell: `swift`, `git`, `cat`, `ls`, `mkdir` and `cd` with quoted words, and
//! `< file` at the end. A fence `toml ./path` writes a file first. In expected output `[..]` stands for any text
//! in a line, a line `...` for any lines. A word with `*` stands for the files that fit, as in a shell. Comments on
//! a line of their own prepare what is not the story: `<!-- project web -->`, `<!-- repository web -->`,
//! `<!-- orchestrator -->`, `<!-- later 2h -->`, `<!-- claude … -->` (what `claude` does when it is run).
//!
//! Whoever writes a document cannot know the ids that come out. `{rate-limiting}` in a command becomes, when the
//! document is blessed, the short reference of the task with these words in its file name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::{Place, Sandbox};

const PROGRAMS: [&str; 4] = ["git", "cat", "ls", "mkdir"];
const SHELL_SYNTAX: [&str; 8] = ["|", "||", "&", "&&", ";", ">", ">>", "<<"];

/// Execute a document of the package; with `SWIFT_BLESS` set, write down what came out.
pub(crate) fn check(document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(&path).unwrap();
    let replay = replay(document, &text);
    if std::env::var_os("SWIFT_BLESS").is_some() {
        if replay.text != text {
            fs::write(&path, replay.text).unwrap();
        }
        return;
    }
    let advice = "`SWIFT_BLESS=1 cargo test --test it` writes down what came out";
    assert!(replay.surprises.is_empty(), "\n{}\n{advice}\n", replay.surprises.join("\n"));
}

/// Whether a text has commands to execute.
pub(crate) fn is_transcript(text: &str) -> bool {
    text.lines().any(|line| Fence::opening(line).is_some_and(|fence| fence.info == "console"))
}

/// What executing a document gave.
struct Replay {
    /// The document with the outputs that came out.
    text: String,
    /// Each command that did not say what the document shows.
    surprises: Vec<String>,
}

fn replay(document: &str, text: &str) -> Replay {
    let sandbox = Sandbox::new();
    let mut here = sandbox.root();
    let mut replay = Replay { text: String::new(), surprises: Vec::new() };
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        replay.push(line);
        let Some(fence) = Fence::opening(line) else {
            prepare(&sandbox, line);
            continue;
        };
        let content: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !fence.is_closed_by(line)).collect();
        if fence.info == "console" {
            let place = format!("{document}:{}", number + 2);
            replay.console(&place, &content, &mut here, &fence);
        } else {
            if let Some((_, path)) = fence.info.split_once(" ./") {
                here.write(path, content.iter().map(|line| format!("{line}\n")).collect::<String>());
            }
            content.iter().for_each(|line| replay.push(line));
        }
        replay.push(fence.ticks);
    }
    replay
}

impl Replay {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Execute one fence, whose first line is at `place`.
    fn console(&mut self, place: &str, content: &[&str], here: &mut Place<'_>, fence: &Fence<'_>) {
        let mut content = content;
        while let Some((line, rest)) = content.split_first() {
            let typed =
                line.strip_prefix("$ ").unwrap_or_else(|| panic!("{place}: output before a command: {line}"));
            let end = rest.iter().position(|line| line.starts_with("$ ")).unwrap_or(rest.len());
            let (shown, next) = rest.split_at(end);
            let gap = shown.iter().rev().take_while(|line| line.is_empty()).count();
            let expected = &shown[..shown.len() - gap];

            let typed = &filled(place, typed, here);
            let said = execute(place, typed, here);
            let actual = lines_of(&said);
            assert!(
                !actual.iter().any(|line| fence.is_closed_by(line)),
                "{place}: `{typed}` needs a longer fence"
            );
            let fits = fits(expected, &actual);
            if !fits {
                let (expected, actual) = (expected.join("\n    "), actual.join("\n    "));
                self.surprises
                    .push(format!("{place}: $ {typed}\n  shown:\n    {expected}\n  came:\n    {actual}\n"));
            }
            self.push(&format!("$ {typed}"));
            if fits {
                expected.iter().for_each(|line| self.push(line));
            } else {
                renewed(expected, &actual).iter().for_each(|line| self.push(line));
            }
            (0..gap).for_each(|_| self.push(""));
            content = next;
        }
    }
}

/// The opening line of a fenced block.
struct Fence<'a> {
    ticks: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opening(line: &'a str) -> Option<Self> {
        let info = line.trim_start_matches('`');
        let ticks = &line[..line.len() - info.len()];
        (ticks.len() >= 3 && !info.contains('`')).then(|| Fence { ticks, info: info.trim() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        line.trim_end().len() >= self.ticks.len() && line.trim_end().chars().all(|c| c == '`')
    }
}

/// Obey a comment that sets the scene.
fn prepare(sandbox: &Sandbox, line: &str) {
    let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) else { return };
    match comment.split(' ').collect::<Vec<_>>()[..] {
        ["project", name] => drop(sandbox.project(name)),
        ["repository", name] => drop(sandbox.repository(name)),
        ["orchestrator"] => drop(sandbox.orchestrator()),
        ["claude", ..] => sandbox.has_claude(comment.trim_start_matches("claude ")),
        ["later", span] => sandbox.later(span.parse().unwrap()),
        _ => {}
    }
}

/// What a command line says, with its status if that is not 0.
fn execute(place: &str, typed: &str, here: &mut Place<'_>) -> String {
    let mut words = shell_words::split(typed).unwrap_or_else(|error| panic!("{place}: {typed}: {error}"));
    let input = match &words[..] {
        [.., redirect, file] if redirect == "<" => Some(here.read(file)),
        _ => None,
    };
    words.truncate(words.len() - if input.is_some() { 2 } else { 0 });
    let syntax = words.iter().find(|word| SHELL_SYNTAX.contains(&word.as_str()));
    assert!(syntax.is_none(), "{place}: {typed}: there is no shell to understand `{}`", syntax.unwrap());

    let words: Vec<String> = words.into_iter().flat_map(|word| expanded(here, word)).collect();
    let (program, words) = words.split_first().unwrap_or_else(|| panic!("{place}: an empty command"));
    let words = words.to_vec();
    let call = match program.as_str() {
        "cd" => {
            *here = enter(here, words.first().map_or("$SANDBOX", String::as_str));
            return String::new();
        }
        "swift" => here.call(words),
        other if PROGRAMS.contains(&other) => here.program(other, words),
        other => panic!("{place}: `{other}` is not among the commands of a transcript"),
    };
    let output = if let Some(input) = input { call.stdin(input).run() } else { call.run() };
    let exit = if output.status == 0 { String::new() } else { format!("[exit {}]\n", output.status) };
    [output.stdout, output.stderr, exit]
        .iter()
        .flat_map(|text| text.lines())
        .map(|l| format!("{l}\n"))
        .collect()
}

/// A word with a star in its last part as the files that fit, sorted; any other word as it is.
fn expanded(here: &Place<'_>, word: String) -> Vec<String> {
    let (above, pattern) = word.rsplit_once('/').map_or(("", word.as_str()), |(above, last)| (above, last));
    let Some((head, tail)) = pattern.split_once('*') else { return vec![word] };
    let mut found = Vec::new();
    for folder in if above.contains('*') { expanded(here, above.to_owned()) } else { vec![above.to_owned()] }
    {
        let Ok(entries) = fs::read_dir(here.path(&folder)) else { continue };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let fit =
            names.filter(|n| n.len() >= head.len() + tail.len() && n.starts_with(head) && n.ends_with(tail));
        found.extend(fit.map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") }));
    }
    found.sort();
    if found.is_empty() { vec![word] } else { found }
}

/// A command with its `{words}` replaced by references, for those who write documents.
fn filled(place: &str, typed: &str, here: &Place<'_>) -> String {
    let Some((before, rest)) = typed.split_once('{') else { return typed.to_owned() };
    let Some((slug, after)) = rest.split_once('}') else { return typed.to_owned() };
    let named = files_below(&here.path("$SANDBOX")).into_iter().find_map(|path| {
        let name = path.file_name()?.to_str()?;
        let text =
            (name.ends_with(".md") && name.contains(slug)).then(|| fs::read_to_string(&path).ok())??;
        let id = text.lines().find_map(|line| line.strip_prefix("id = \""))?;
        id.get(10..16).map(str::to_owned)
    });
    let reference = named.unwrap_or_else(|| panic!("{place}: no task is called `{slug}`"));
    format!("{before}{reference}{}", filled(place, after, here))
}

/// All files below a folder, without those of git.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() && entry.file_name() != ".git" {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

/// Go to a folder that is there, and in the sandbox.
fn enter<'a>(here: &Place<'a>, dir: &str) -> Place<'a> {
    let target = here.path(dir).canonicalize().unwrap_or_else(|error| panic!("cd {dir}: {error}"));
    let root = here.path("$SANDBOX");
    let inside = target.strip_prefix(&root).unwrap_or_else(|_| panic!("cd {dir}: leaves the sandbox"));
    here.place(&format!("$SANDBOX/{}", inside.display()))
}

/// Lines without trailing blanks, which editors eat.
fn lines_of(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last() == Some(&"") {
        lines.pop();
    }
    lines
}

/// Whether the output is what the document shows.
fn fits(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"...", rest)) => (0..=actual.len()).any(|skipped| fits(rest, &actual[skipped..])),
        Some((line, rest)) => {
            actual.split_first().is_some_and(|(first, others)| line_fits(line, first) && fits(rest, others))
        }
    }
}

fn line_fits(expected: &str, actual: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected.trim_end() == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.any(|at| line_fits(rest, &tail[at..]))
        }),
    }
}

/// The new output, with the wildcard lines of the old one where they still fit.
fn renewed<'a>(expected: &[&'a str], actual: &[&'a str]) -> Vec<&'a str> {
    let wild = |line: &&str| line.contains("[..]");
    actual
        .iter()
        .map(|came| *expected.iter().filter(|e| wild(e)).find(|e| line_fits(e, came)).unwrap_or(came))
        .collect()
}

#[test]
fn wildcards_stand_for_text_and_for_lines() {
    let check = |expected: &str, actual: &str, answer: bool| {
        assert_eq!(fits(&lines_of(expected), &lines_of(actual)), answer, "{expected:?} and {actual:?}");
    };
    check("", "", true);
    check("a", "a  \n", true);
    check("a", "b", false);
    check("a", "", false);
    check("a [..] c", "a b c", true);
    check("a [..] c[..]", "a b c d", true);
    check("a [..] c", "a b d", false);
    check("...", "", true);
    check("a\n...\nd", "a\nb\nc\nd", true);
    check("a\n...\nd", "a\nb\nc", false);
}

#[test]
fn a_difference_is_told_and_rewritten() {
    let text = "<!-- repository web -->\n<!-- later 1h -->\n```console\n$ cd web\n$ cat README.md\n# api\n\n$ ls\n[..].md\n```\nend\n";
    let replay = replay("tour.md", text);
    assert_eq!(replay.text, text.replace("# api", "# web"));
    assert_eq!(replay.surprises, ["tour.md:4: $ cat README.md\n  shown:\n    # api\n  came:\n    # web\n"]);
}

#[test]
fn wildcards_survive_rewriting() {
    let text = "```console\n$ mkdir b\n$ ls .. nowhere\nx\nls: [..]: No such file or directory\n```\n";
    let replay = replay("tour.md", text);
    assert!(replay.text.contains("\nls: [..]: No such file or directory\n[exit 2]\n"), "{}", replay.text);
}

#[test]
#[should_panic(expected = "there is no shell to understand `|`")]
fn shell_syntax_is_refused() {
    replay("tour.md", "```console\n$ git log | cat\n```\n");
}

#[test]
#[should_panic(expected = "`rm` is not among the commands")]
fn other_programs_are_refused() {
    replay("tour.md", "```console\n$ rm x\n```\n");
}

#[test]
#[should_panic(expected = "leaves the sandbox")]
fn no_transcript_leaves_its_sandbox() {
    replay("tour.md", "```console\n$ cd ..\n```\n");
}
