//! The words of swift in real shells: what ends in `sesame` is ours, all else goes where it went before.
//!
//! A shell that is not installed is passed over with a word on stderr.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::sandbox::{Output, Place, Sandbox};

/// A program, a function and an alias that were there before, and a word that nothing answers to.
const BASH: &str = "\
shopt -s expand_aliases
function next { echo \"function next $*\"; return 3; }
alias start='echo alias start'
alias outbox='outbox --color'
eval \"$(swift shell-init bash)\"
eval \"$(swift shell-init bash)\"
";

const ZSH: &str = "\
function next { echo \"function next $*\"; return 3; }
alias start='echo alias start'
alias outbox='outbox --color'
eval \"$(swift shell-init zsh)\"
eval \"$(swift shell-init zsh)\"
";

const FISH: &str = "\
function next; echo \"function next $argv\"; return 3; end
alias start='echo alias start'
alias outbox='outbox --color'
swift shell-init fish | source
swift shell-init fish | source
";

/// The same lines in all three shells; `$?` is spelled as the shell has it.
const TYPED: &str = "\
task . 'From the shell' sesame
next a b
echo \"status $?\"
start 'x  y'
outbox 'p  q'
next -n 1 sesame
finish
echo \"status $?\"
task sesame seeds
echo \"status $?\"
";

fn bed(sandbox: &Sandbox) -> Place<'_> {
    let place = sandbox.project("web");
    let bin = sandbox.place("bin");
    symlink(env!("CARGO_BIN_EXE_swift"), bin.path("swift")).unwrap();
    program(&bin, "outbox");
    place
}

fn program(bin: &Place<'_>, name: &str) {
    bin.write(name, "#!/bin/sh\nprintf program\nfor a; do printf ' <%s>' \"$a\"; done\necho\n");
    std::fs::set_permissions(bin.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a shell says to these lines; nothing if it is not installed.
#[expect(clippy::print_stderr, reason = "a test that is passed over says so")]
fn typed(place: &Place<'_>, shell: &str, options: &[&str], lines: &str) -> Option<Output> {
    let path = std::env::var("PATH").unwrap();
    if !std::env::split_paths(&path).any(|folder| folder.join(shell).is_file()) {
        eprintln!("{shell} is not installed: its words are not tried");
        return None;
    }
    let path = format!("{}:{path}", place.path("$SANDBOX/bin").display());
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    Some(place.program(shell, options).env("PATH", &path).stdin(lines).run())
}

fn check(shell: &str, options: &[&str], before: &str, status: &str) {
    let sandbox = Sandbox::new();
    let place = bed(&sandbox);
    let lines = format!("{before}{}", TYPED.replace("$?", status));
    let Some(output) = typed(&place, shell, options, &lines) else { return };
    let said: Vec<&str> = output.stdout.lines().collect();
    assert!(said[0].starts_with("added ") && said[0].ends_with("  From the shell"), "{output:?}");
    let rest = [
        "function next a b",
        "status 3",
        "alias start x  y",
        "program <--color> <p  q>",
        "    1.00  ",
        "status 127",
        "status 127",
    ];
    assert_eq!(said.len(), rest.len() + 2, "{output:?}");
    for (line, beginning) in said[2..].iter().zip(rest) {
        assert!(line.starts_with(beginning), "{line:?} does not begin with {beginning:?}: {output:?}");
    }
    assert_eq!(place.json("list")["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn bash_has_the_words_and_keeps_its_own() {
    check("bash", &["--norc"], BASH, "$?");
}

#[test]
fn bash_has_the_words_when_it_minds_the_standard() {
    check("bash", &["--norc", "--posix", "-u"], BASH, "$?");
}

#[test]
fn zsh_has_the_words_and_keeps_its_own() {
    check("zsh", &["-f"], ZSH, "$?");
}

#[test]
fn fish_has_the_words_and_keeps_its_own() {
    check("fish", &["--no-config"], FISH, "$status");
}

#[test]
fn without_swift_on_the_path_every_line_goes_where_it_went_before() {
    let sandbox = Sandbox::new();
    let place = bed(&sandbox);
    let words = place.swift_ok("shell-init bash");
    let bin = sandbox.place("bin");
    std::fs::remove_file(bin.path("swift")).unwrap();
    program(&bin, "task");
    let lines = format!("set -eu\n{words}\ntask . sesame\n");
    let output = typed(&place, "bash", &["--norc"], &lines).unwrap();
    assert_eq!((output.status, output.stdout.as_str()), (0, "program <.> <sesame>\n"), "{output:?}");
}
