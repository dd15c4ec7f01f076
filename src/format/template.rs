//! Templates: task files whose head may lack anything, also the title, or that have no head at all.
//!
//! Four are part of the program; a queue may have more, or others under the same names, in `.swift/templates`.

use super::edit::Edit;
use super::file::{File, Limits};
use super::malformed::Malformed;
use super::quote::{Newline, string};
use super::syntax;
use crate::domain::fault::Code;

/// The templates that are part of the program.
const BUILTIN: [(&str, &str); 4] = [
    ("feature", include_str!("../../templates/feature.md")),
    ("bug", include_str!("../../templates/bug.md")),
    ("task", include_str!("../../templates/task.md")),
    ("question", include_str!("../../templates/question.md")),
];

/// Their names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of one of them.
pub(crate) fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// A body without the lines that one of them has put there: its headings and what it asks for, which nobody has said.
pub(crate) fn without_prompts(body: &str) -> String {
    let bodies = BUILTIN.iter().filter_map(|(_, text)| text.rsplit_once("\n+++\n"));
    let prompts: Vec<&str> = bodies.flat_map(|(_, body)| body.lines()).collect();
    let is_said = |line: &&str| line.trim().is_empty() || !prompts.contains(&line.trim_end());
    body.lines().filter(is_said).collect::<Vec<_>>().join("\n")
}

/// The text of a task file made from a template; all but the title is as in the template.
///
/// # Errors
/// [`Malformed`], if the template has a head that cannot be read.
pub(crate) fn fill(template: &str, title: &str) -> Result<String, Malformed> {
    let limits = Limits::default();
    if template.len() > limits.file_bytes {
        let message = format!("the template has {} bytes and may have {}", template.len(), limits.file_bytes);
        return Err(Malformed::whole(Code::TooLarge, message));
    }
    let newline = Newline::of(template);
    if !template.trim_start_matches('\u{feff}').starts_with("+++") {
        return Ok(headless(template, title, newline));
    }
    let file = File::split(template.as_bytes(), &limits)?;
    syntax::parse(file.head).map_err(|defect| defect.below(1))?;
    let mut edit = Edit::new(file.head, newline);
    edit.set("title", &string(title), &["schema", "id"]);
    Ok([file.opening, &edit.finish(), file.closing, file.body].concat())
}

fn headless(body: &str, title: &str, newline: Newline) -> String {
    let end = newline.as_str();
    let title = string(title);
    format!("+++{end}schema = 1{end}title = {title}{end}+++{end}{end}{}", body.trim_start_matches('\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::task::Document;

    #[test]
    fn what_a_template_asks_is_told_from_what_somebody_says() {
        for name in names() {
            let body = builtin(name).unwrap().rsplit_once("+++").unwrap().1;
            assert_eq!(without_prompts(body).trim(), "", "{name}");
        }
        let filled = "## What happens\n\nIt hangs.\n\n## Done when\r\n\n- [ ]\n- [ ] it does not\n";
        let lines: Vec<String> =
            without_prompts(filled).lines().map(str::to_owned).filter(|l| !l.is_empty()).collect();
        assert_eq!(lines, ["It hangs.", "- [ ] it does not"]);
    }

    fn task(text: &str) -> Document {
        Document::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn every_builtin_template_becomes_a_task() {
        for name in names() {
            let text = builtin(name).unwrap();
            let filled = fill(text, "A \"title\"").unwrap();
            assert_eq!(filled, text.replace("title = \"\"", "title = \"A \\\"title\\\"\""));
            let document = task(&filled);
            assert_eq!((document.task().kind.as_str(), &*document.task().title), (name, "A \"title\""));
        }
        assert_eq!(builtin("../x"), None);
    }

    #[test]
    fn templates_may_lack_everything() {
        for (template, expected) in [
            ("", "+++\nschema = 1\ntitle = \"x\"\n+++\n\n"),
            ("Text\r\n", "+++\r\nschema = 1\r\ntitle = \"x\"\r\n+++\r\n\r\nText\r\n"),
            ("+++\n+++\nText\n", "+++\ntitle = \"x\"\n+++\nText\n"),
            (
                "+++\nschema = 1\n# c\nkind = 'bug'\n+++\n",
                "+++\nschema = 1\ntitle = \"x\"\n# c\nkind = 'bug'\n+++\n",
            ),
        ] {
            let filled = fill(template, "x").unwrap();
            assert_eq!(filled, expected);
            assert_eq!(task(&filled).task().title, "x");
        }
        assert!(fill("+++\nkind = \n+++\n", "x").is_err());
    }
}
