//! Manual pages, made of the same arguments and documents as everything else that tells of the program.

use std::io::Write as _;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::Cli;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;

const REFERENCE: &str = include_str!("../../docs/reference.md");
const FORMATS: &str = include_str!("../../docs/formats.md");

/// Sections of the first page: heading, document, and the heading there of the table.
const TABLES: [(&str, &str, &str); 3] = [
    ("EXIT STATUS", REFERENCE, "Exit status"),
    ("ENVIRONMENT", REFERENCE, "Environment"),
    ("FILES IN .swift/", FORMATS, "Layout"),
];

/// The page of the program, or of the command that these words name.
///
/// # Errors
/// [`Code::Usage`] if there is no such command.
pub(super) fn page(words: &[String]) -> Result<Vec<u8>> {
    let mut program = Cli::command();
    program.build();
    let mut command = &program;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            Fault::new(Code::Usage, format!("no command `{}` has a page", shown(&words.join(" "))))
                .hint("`swift --help` lists the commands")
        })?;
    }
    let mut text = Vec::new();
    let written = write(&mut text, command.clone());
    written
        .map_err(|error| Fault::new(Code::Internal, format!("the manual page cannot be made: {error}")))?;
    Ok(text)
}

fn write(text: &mut Vec<u8>, mut command: Command) -> std::io::Result<()> {
    let usage = command.render_usage().to_string();
    let (is_program, has_commands) = (command.get_name() == "swift", command.has_subcommands());
    let example =
        command.get_subcommands().next().map(|inner| bare(&inner.get_bin_name().unwrap_or_default()[6..]));
    let man = Man::new(command);
    man.render_title(text)?;
    man.render_name_section(text)?;
    let usage = usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[OPTION ...]");
    writeln!(text, ".SH SYNOPSIS\n{}", bare(&usage))?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if has_commands {
        man.render_subcommands_section(text)?;
    }
    if let Some(example) = example {
        writeln!(text, ".PP\n\\fBswift man {example}\\fR prints the page of that command, and so on.")?;
    }
    if is_program {
        for (heading, document, section) in TABLES {
            writeln!(text, ".SH \"{heading}\"")?;
            table(text, document, section)?;
        }
        man.render_extra_section(text)?;
        man.render_version_section(text)?;
    } else {
        writeln!(
            text,
            ".SH \"SEE ALSO\"\n\\fBswift\\fR(1), which tells of exit status, environment and files"
        )?;
    }
    Ok(())
}

/// The rows of the first table below a heading.
fn table(text: &mut Vec<u8>, document: &str, section: &str) -> std::io::Result<()> {
    let heading = format!("## {section}");
    let below = document.lines().skip_while(|line| *line != heading);
    let rows =
        below.skip_while(|line| !line.starts_with("|--")).skip(1).take_while(|line| line.starts_with('|'));
    for row in rows {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let (name, what) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        writeln!(text, ".TP\n\\fB{}\\fR\n{}", bare(name), bare(what))?;
    }
    Ok(())
}

/// Text of a document without its marks, and without what would mean something to a reader of manual pages.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    // `[words](place)` is its words.
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once("](") {
            Some((words, link)) if !words.contains('[') && link.contains(')') => {
                out.push_str(words);
                rest = link.split_once(')').map_or("", |(_, rest)| rest);
            }
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    let plain = out.replace('`', "").replace('\\', "\\e").replace('-', "\\-");
    if plain.starts_with(['.', '\'']) { format!("\\&{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        String::from_utf8(page(&words).unwrap()).unwrap()
    }

    #[test]
    fn links_and_marks_are_gone() {
        assert_eq!(bare("`a` in [b](c.md#d), [e] and -f"), "a in b, [e] and \\-f");
        assert_eq!(bare(".swift"), "\\&.swift");
    }

    #[test]
    fn the_first_page_has_everything() {
        let page = text(&[]);
        for part in
            ["EXIT STATUS", "yes is needed", "SWIFT_ACTOR", "FILES IN", "outbox/<id>", "swift\\-undo(1)"]
        {
            assert!(page.contains(part), "{part} in\n{page}");
        }
    }

    #[test]
    fn each_page_that_is_pointed_to_can_be_printed() {
        fn walk(words: &[&str], command: &Command) {
            let own = text(words);
            assert!(own.contains(".SH SYNOPSIS"), "{words:?}");
            for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
                let words = [words, &[inner.get_name()]].concat();
                let pointer =
                    format!("swift\\-{}(1)", words.join("\\-").replace("shell-init", "shell\\-init"));
                assert!(own.contains(&pointer), "{pointer} in\n{own}");
                walk(&words, inner);
            }
        }
        let mut program = Cli::command();
        program.build();
        walk(&[], &program);
        assert!(page(&["nothing".to_owned()]).is_err());
    }
}
