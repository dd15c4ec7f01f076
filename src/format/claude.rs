//! The hooks in `.claude/settings.json`: put in and taken out without touching another byte.
//!
//! The file belongs to the person, may have comments, tabs, any line ends. Pieces are put between its values at
//! places that a parser tells; ours are known by the mark in their command.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::hooks::{EVENTS, MARK, command};
use super::malformed::Malformed;
use crate::domain::fault::Code;
use crate::domain::text::shown;

/// How deep values may nest.
const DEEPEST: usize = 100;

/// The largest settings file that is touched, in bytes.
pub(crate) const LARGEST: u64 = 1 << 20;

/// The text with our hooks in it; the same text if they are there already.
///
/// # Errors
/// [`Malformed`] if it is no settings file, or has something else where hooks have to be.
pub(crate) fn with_hooks(text: Option<&str>) -> Result<String, Malformed> {
    let Some(text) = text else { return with_hooks(Some("{}\n")) };
    let (mark, mut text) = split_mark(text);
    if text.trim().is_empty() {
        text = format!("{{}}{}", newline_of(&text));
    }
    for (event, verb, seconds) in EVENTS {
        text = with_hook(text, event, verb, seconds)?;
    }
    refuse_hidden(&text)?;
    Ok(format!("{mark}{text}"))
}

/// Of a key that is there twice the last one counts, and hooks in the first never run.
fn refuse_hidden(text: &str) -> Result<(), Malformed> {
    let Ok(settings) = serde_json::from_str::<serde_json::Value>(text) else { return Ok(()) };
    let is_hidden = |event: &str| !settings["hooks"][event].to_string().contains(MARK);
    match EVENTS.iter().find(|(event, ..)| is_hidden(event)) {
        Some((event, ..)) => {
            let at = text.rfind("\"hooks\"").unwrap_or_default();
            Err(Malformed::in_text(text, at, format!("`hooks`, or `{event}` in it, is there twice")))
        }
        None => Ok(()),
    }
}

/// The text without our hooks, and without what was there for them only.
///
/// # Errors
/// As [`with_hooks`].
pub(crate) fn without_hooks(text: &str) -> Result<String, Malformed> {
    if !text.contains(MARK) {
        return Ok(text.to_owned());
    }
    let (mark, mut text) = split_mark(text);
    while let Some(ranges) = ours(&text)? {
        for range in ranges.into_iter().rev() {
            text.replace_range(range, "");
        }
    }
    Ok(format!("{mark}{text}"))
}

/// Whether the settings say that no hook runs. What is no strict JSON, Claude Code does not read either.
pub(crate) fn turns_hooks_off(text: &str) -> bool {
    let settings = serde_json::from_str::<serde_json::Value>(text);
    settings.is_ok_and(|settings| settings["disableAllHooks"] == true)
}

/// Whether programs that know no comments can read it.
pub(crate) fn is_strict(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn split_mark(text: &str) -> (&'static str, String) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest.to_owned()),
        None => ("", text.to_owned()),
    }
}

fn newline_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The parsed text, as far as it is an object.
fn parse(text: &str) -> Result<Object<'_>, Malformed> {
    refuse_deep(text)?;
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default())
        .map_err(|error| Malformed::in_text(text, error.range().start, shown(&error.kind().to_string())))?;
    match parsed.value {
        Some(Value::Object(object)) => Ok(object),
        Some(other) => Err(Malformed::in_text(text, other.start(), "settings have to be an object")),
        None => Err(Malformed::in_text(text, 0, "there is no value")),
    }
}

fn refuse_deep(text: &str) -> Result<(), Malformed> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Malformed::in_text(text, at, "values nest too deep").with_code(Code::TooLarge));
        }
    }
    Ok(())
}

fn with_hook(text: String, event: &str, verb: &str, seconds: u32) -> Result<String, Malformed> {
    let command = command(verb);
    let group = format!(
        r#"{{ "hooks": [{{ "type": "command", "command": {}, "timeout": {seconds} }}] }}"#,
        super::quote_json(&command)
    );
    let root = parse(&text)?;
    let Some(hooks) = root.get("hooks") else {
        let member = Piece::new(
            "\"hooks\": {",
            vec![Piece::new(&format!("{}: [", super::quote_json(event)), vec![Piece::leaf(&group)], "]")],
            "}",
        );
        return Ok(splice(&text, &Container::of_object(&root), &member));
    };
    let Value::Object(hooks) = &hooks.value else {
        return Err(Malformed::in_text(&text, hooks.value.start(), "`hooks` has to be an object"));
    };
    let Some(groups) = hooks.get(event) else {
        let member = Piece::new(&format!("{}: [", super::quote_json(event)), vec![Piece::leaf(&group)], "]");
        return Ok(splice(&text, &Container::of_object(hooks), &member));
    };
    let Value::Array(groups) = &groups.value else {
        let message = format!("`hooks.{event}` has to be an array");
        return Err(Malformed::in_text(&text, groups.value.start(), message));
    };
    match own_command(groups) {
        Some((range, found)) if found != command => {
            let mut text = text.clone();
            text.replace_range(range, &super::quote_json(&command));
            Ok(text)
        }
        Some(_) => Ok(text),
        None => Ok(splice(&text, &Container::of_array(groups), &Piece::leaf(&group))),
    }
}

/// Our command in the groups of an event.
fn own_command<'a>(groups: &'a Array<'_>) -> Option<(Range<usize>, &'a str)> {
    groups.elements.iter().filter_map(hooks_of).flat_map(|hooks| &hooks.elements).find_map(|hook| {
        let text = command_of(hook)?;
        text.value.contains(MARK).then(|| (text.range.start..text.range.end, text.value.as_ref()))
    })
}

fn hooks_of<'a, 't>(group: &'a Value<'t>) -> Option<&'a Array<'t>> {
    match group {
        Value::Object(group) => match &group.get("hooks")?.value {
            Value::Array(hooks) => Some(hooks),
            _ => None,
        },
        _ => None,
    }
}

fn command_of<'a, 't>(hook: &'a Value<'t>) -> Option<&'a jsonc_parser::ast::StringLit<'t>> {
    match hook {
        Value::Object(hook) => match &hook.get("command")?.value {
            Value::StringLit(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The next pieces of text that are there for our sake only, in their order.
fn ours(text: &str) -> Result<Option<Vec<Range<usize>>>, Malformed> {
    let root = parse(text)?;
    let whole = Container::of_object(&root);
    let Some((place, Value::Object(hooks))) = member(&root, "hooks") else { return Ok(None) };
    let events = Container::of_object(hooks);
    for (event, _, _) in EVENTS {
        let Some((event_place, Value::Array(groups))) = member(hooks, event) else { continue };
        for (group_place, group) in groups.elements.iter().enumerate() {
            let Some(list) = hooks_of(group) else { continue };
            let is_ours = |hook: &Value<'_>| command_of(hook).is_some_and(|text| text.value.contains(MARK));
            let Some(hook_place) = list.elements.iter().position(is_ours) else { continue };
            let range = if list.elements.len() > 1 {
                Container::of_array(list).without(text, hook_place)
            } else if groups.elements.len() > 1 {
                Container::of_array(groups).without(text, group_place)
            } else if hooks.properties.len() > 1 {
                events.without(text, event_place)
            } else {
                whole.without(text, place)
            };
            return Ok(Some(range));
        }
    }
    Ok(None)
}

fn member<'a, 't>(object: &'a Object<'t>, name: &str) -> Option<(usize, &'a Value<'t>)> {
    let place = object.properties.iter().position(|property| property.name.as_str() == name)?;
    Some((place, &object.properties[place].value))
}

/// An object or array, by the places of what is in it.
struct Container {
    range: Range<usize>,
    children: Vec<Range<usize>>,
}

impl Container {
    fn of_object(object: &Object<'_>) -> Container {
        let children = object.properties.iter().map(|property| property.range.start..property.range.end);
        Container { range: object.range.start..object.range.end, children: children.collect() }
    }

    fn of_array(array: &Array<'_>) -> Container {
        let children = array.elements.iter().map(|element| element.start()..element.end());
        Container { range: array.range.start..array.range.end, children: children.collect() }
    }

    /// What to take away so that one child is gone, with its comma and its line.
    fn without(&self, text: &str, place: usize) -> Vec<Range<usize>> {
        let child = &self.children[place];
        match (place.checked_sub(1).map(|before| &self.children[before]), self.children.get(place + 1)) {
            (_, Some(next)) => std::iter::once(child.start..next.start).collect(),
            (Some(before), None) => {
                let between = &text[before.end..child.start];
                if between.chars().all(|c| c == ',' || c.is_whitespace()) {
                    return std::iter::once(before.end..child.end).collect();
                }
                // What is said behind the child before stays; the comma between them goes.
                let comma = between.starts_with(',').then_some(before.end..before.end + 1);
                comma
                    .into_iter()
                    .chain(std::iter::once(line_end_before(text, child.start)..child.end))
                    .collect()
            }
            (None, None) => {
                let inner = self.range.start + 1..self.range.end - 1;
                let around = [&text[inner.start..child.start], &text[child.end..inner.end]];
                let is_plain = around.iter().all(|text| text.chars().all(|c| c == ',' || c.is_whitespace()));
                let range = if is_plain { inner } else { line_end_before(text, child.start)..child.end };
                std::iter::once(range).collect()
            }
        }
    }
}

/// The place after the last character before this one that is no white space.
fn line_end_before(text: &str, at: usize) -> usize {
    text[..at].trim_end().len()
}

/// A value to put in, in lines.
struct Piece {
    head: String,
    inner: Vec<Piece>,
    tail: String,
}

impl Piece {
    fn new(head: &str, inner: Vec<Piece>, tail: &str) -> Piece {
        Piece { head: head.to_owned(), inner, tail: tail.to_owned() }
    }

    fn leaf(text: &str) -> Piece {
        Piece::new(text, Vec::new(), "")
    }

    /// The text; its first line stands where it is put, the others have their indentation.
    fn render(&self, indent: &str, unit: &str, newline: &str) -> String {
        let mut text = self.head.clone();
        if !self.inner.is_empty() {
            let deeper = format!("{indent}{unit}");
            let inner: Vec<String> =
                self.inner.iter().map(|piece| piece.render(&deeper, unit, newline)).collect();
            let lines = inner.join(&format!(",{newline}{deeper}"));
            text.push_str(&format!("{newline}{deeper}{lines}{newline}{indent}"));
        }
        text.push_str(&self.tail);
        text
    }

    /// The text on one line.
    fn line(&self) -> String {
        let inner: Vec<String> = self.inner.iter().map(Piece::line).collect();
        format!("{}{}{}", self.head, inner.join(", "), self.tail)
    }
}

/// The text with a piece as the last child of a container.
fn splice(text: &str, container: &Container, piece: &Piece) -> String {
    let newline = newline_of(text);
    let unit = unit_of(text);
    let Some(last) = container.children.last() else {
        return into_empty(text, container, piece, &unit);
    };
    let is_on_one_line = !text[container.range.start..last.end].contains('\n');
    let (added, comment_end) = if is_on_one_line {
        (format!(", {}", piece.line()), last.end)
    } else {
        let indent = indent_at(text, last.start);
        let line = format!("{newline}{indent}{}", piece.render(&indent, &unit, newline));
        (line, end_of_line_comment(text, last.end))
    };
    if is_on_one_line {
        return format!("{}{added}{}", &text[..last.end], &text[last.end..]);
    }
    // A comma goes to the former last child unless it has one; what is said behind it on its line stays there.
    let after = &text[last.end..container.range.end];
    let has_comma = after.trim_start().starts_with(',');
    let comma = if has_comma { "" } else { "," };
    format!("{}{comma}{}{added}{}", &text[..last.end], &text[last.end..comment_end], &text[comment_end..])
}

fn into_empty(text: &str, container: &Container, piece: &Piece, unit: &str) -> String {
    let newline = newline_of(text);
    let indent = indent_at(text, container.range.start);
    let deeper = format!("{indent}{unit}");
    let inner = &text[container.range.start + 1..container.range.end - 1];
    let kept = inner.trim_end();
    let start = container.range.start + 1 + kept.len();
    let added = format!("{newline}{deeper}{}{newline}{indent}", piece.render(&deeper, unit, newline));
    format!("{}{added}{}", &text[..start], &text[container.range.end - 1..])
}

/// The white space at the beginning of the line that a place is on.
fn indent_at(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..at].chars().take_while(|c| *c == ' ' || *c == '\t').collect()
}

/// One step of indentation as the file has it; two spaces if it has none.
fn unit_of(text: &str) -> String {
    let indented = text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    let unit = indented.map(|line| line.chars().take_while(|c| *c == ' ' || *c == '\t').collect::<String>());
    unit.unwrap_or_else(|| "  ".to_owned())
}

/// Where a comment behind a value, on the same line, ends; the value's own end if there is none.
fn end_of_line_comment(text: &str, end: usize) -> usize {
    let line = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
    let rest = text[end..line].trim_end_matches('\r');
    let said = rest.trim_start().trim_start_matches(',').trim_start();
    let is_comment = said.starts_with("//") || (said.starts_with("/*") && said.ends_with("*/"));
    if is_comment || rest.trim() == "," { end + rest.trim_end().len() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Installing and removing gives the same bytes back, and a second installation changes nothing.
    fn comes_back(text: &str) {
        let with = with_hooks(Some(text)).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(with.contains("UserPromptSubmit") && with.contains("SessionStart"), "{with}");
        assert_eq!(with.matches(MARK).count(), 2, "{with}");
        assert!(parse(&split_mark(&with).1).is_ok(), "{with}");
        assert!(!is_strict(text) || is_strict(&with), "{with}");
        assert_eq!(with_hooks(Some(&with)).unwrap(), with, "a second time");
        assert_eq!(without_hooks(&with).unwrap(), text, "from\n{with}");
    }

    #[test]
    fn hooks_that_would_not_run_are_refused() {
        let event = r#"{"hooks":{"SessionStart":[],"SessionStart":[]}}"#;
        for text in [r#"{"hooks":{},"hooks":{}}"#, event] {
            assert!(with_hooks(Some(text)).unwrap_err().to_string().contains("twice"), "{text}");
        }
    }

    #[test]
    fn what_was_put_in_is_taken_out_to_the_byte() {
        let other = r#"{ "hooks": [{ "type": "command", "command": "lint" }] }"#;
        for text in [
            "{\n  \"model\": \"opus\"\n}\n".to_owned(),
            "{\n\t\"model\": \"opus\",\n\t\"env\": {\n\t\t\"A\": \"1\"\n\t}\n}".to_owned(),
            "{\"model\":\"opus\"}".to_owned(),
            "{ \"permissions\": { \"allow\": [\"Bash(ls)\"] } }\n".to_owned(),
            "{\r\n    \"model\": \"opus\"\r\n}\r\n".to_owned(),
            "\u{feff}{\n  \"a\": 1\n}\n".to_owned(),
            "{\n  // mine\n  \"a\": 1, // why\n  \"b\": 2 // last\n}\n".to_owned(),
            "{\n  \"a\": 1 /* x */\n}\n".to_owned(),
            format!("{{\n  \"hooks\": {{\n    \"Stop\": [{other}]\n  }},\n  \"z\": 0\n}}\n"),
            format!("{{\n  \"hooks\": {{\n    \"UserPromptSubmit\": [\n      {other}\n    ]\n  }}\n}}\n"),
            format!("{{\"hooks\": {{\"UserPromptSubmit\": [{other}], \"SessionStart\": [{other}]}}}}"),
            format!("{{\n  \"hooks\": {{ \"SessionStart\": [{other}] }}\n}}\n"),
            "{}".to_owned(),
            "{}\n".to_owned(),
        ] {
            comes_back(&text);
        }
    }

    #[test]
    fn a_new_file_is_one_that_a_person_would_write() {
        let text = with_hooks(None).unwrap();
        assert!(is_strict(&text));
        assert!(
            text.starts_with("{\n  \"hooks\": {\n    \"UserPromptSubmit\": [\n      { \"hooks\": [{"),
            "{text}"
        );
        assert_eq!(without_hooks(&text).unwrap(), "{}\n");
    }

    #[test]
    fn a_command_of_a_former_version_is_replaced_where_it_stands() {
        let text = with_hooks(None).unwrap();
        let old = text.replace("2>/dev/null || true", "--old");
        assert_eq!(with_hooks(Some(&old)).unwrap(), text);
    }

    #[test]
    fn what_others_put_beside_ours_stays() {
        let text = with_hooks(None).unwrap();
        let more = text.replace("}] }", "}, { \"type\": \"command\", \"command\": \"lint\" }] }");
        let left = without_hooks(&more).unwrap();
        assert_eq!(left.matches("\"lint\"").count(), 2);
        assert!(!left.contains(MARK) && is_strict(&left), "{left}");
    }

    #[test]
    fn what_is_no_settings_file_is_refused_with_its_place() {
        for (text, place) in [
            ("[]", "1:1"),
            ("{\n  \"a\": }", "2:8"),
            ("{\"hooks\": []}", "1:11"),
            ("{\"hooks\": {\"SessionStart\": {}}}", "1:28"),
            ("{\"a\": 1} x", "1:10"),
        ] {
            let error = with_hooks(Some(text)).unwrap_err().to_string();
            assert!(error.starts_with(place), "{text}: {error}");
        }
        let deep = format!("{{\"a\": {}", "[".repeat(200_000));
        assert!(with_hooks(Some(&deep)).is_err());
    }
}
