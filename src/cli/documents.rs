//! Documents that are made from the program: the catalogue of errors and the list of commands; and the table of the
//! routing rules, which is made of the file in which people write them.
//!
//! With `SWIFT_BLESS` set the tests write what they would otherwise compare.

#![expect(clippy::disallowed_methods, reason = "tests read and write the documents of the package")]

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use super::Cli;
use crate::domain::fault::Code;

const COMMANDS_BEGIN: &str = "<!-- commands -->\n";
const COMMANDS_END: &str = "<!-- end of commands -->\n";

#[test]
fn the_catalogue_of_errors_is_that_of_the_program() {
    let mut text = "# Errors\n\nMade from `src/domain/fault.rs`. With `--json` an error is \
        `{\"schema\":1,\"error\":{\"code\",\"message\",\"hints\",\"retryable\"}}` on stderr; scripts compare\n\
        `code`. Codes are never renamed. “Again” says whether the same command may succeed when it is simply repeated.\n\n\
        | code | status | again | meaning |\n|---|---|---|---|\n"
        .to_owned();
    for code in Code::ALL {
        let again = if code.retryable() { "yes" } else { "" };
        let status = code.status() as u8;
        let _ =
            writeln!(text, "| `{}` | {status} | {again} | {} |", code.as_str(), code.explanation().trim());
    }
    compare("docs/errors.md", &text);
}

#[test]
fn the_reference_has_every_command_and_option() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let present = std::fs::read_to_string(path).expect("the reference is there");
    let (before, rest) = present.split_once(COMMANDS_BEGIN).expect("the reference says where commands begin");
    let (_, after) = rest.split_once(COMMANDS_END).expect("the reference says where commands end");
    let mut cli = Cli::command();
    cli.build();
    let mut commands = String::new();
    for command in cli.get_subcommands() {
        describe("swift", command, &mut commands);
    }
    compare("docs/reference.md", &format!("{before}{COMMANDS_BEGIN}{commands}\n{COMMANDS_END}{after}"));
}

fn describe(above: &str, command: &Command, out: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage: Vec<String> = command.get_positionals().map(positional).collect();
    let usage = if usage.is_empty() { String::new() } else { format!(" {}", usage.join(" ")) };
    let _ = writeln!(out, "\n### `{name}{usage}`\n\n{about}.");
    let own = command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set());
    let rows: Vec<String> =
        own.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())).map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "\n{}", rows.join("\n"));
    }
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        describe(&name, inner, out);
    }
}

fn positional(arg: &Arg) -> String {
    let name = value(arg);
    if arg.is_required_set() { name } else { format!("[{name}]") }
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `- `-p`, `--priority PRIORITY`: low, medium, high or critical`
fn row(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let takes = if arg.get_action().takes_values() { format!(" {}", value(arg)) } else { String::new() };
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let long = arg.get_long().map(|long| format!("`--{long}{takes}`"));
    let names: Vec<String> = match (short, long) {
        (None, None) => vec![format!("`{}`", value(arg))],
        (Some(short), None) => [short.replace('`', "") + &takes].iter().map(|n| format!("`{n}`")).collect(),
        (short, long) => short.into_iter().chain(long).collect(),
    };
    let default: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default = if default.is_empty() || !arg.get_action().takes_values() {
        String::new()
    } else {
        format!(" (default: {})", default.join(", "))
    };
    format!("- {}: {help}{default}", names.join(", "))
}

#[test]
fn the_table_of_the_routing_rules_says_what_their_file_says() {
    compare("templates/routing.table", &crate::format::routing::builtin_table());
}

fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SWIFT_BLESS").is_some() {
        std::fs::write(&file, text).expect("the document can be written");
    }
    let present = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        present == text,
        "{path} is not what the program says; `SWIFT_BLESS=1 cargo test` writes it anew"
    );
}
