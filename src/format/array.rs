//! Adds items to an array as it is written: comments, line breaks and odd quoting in it belong to the person.

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

use super::quote::{Newline, string};

/// What is written in front of the value, so that it can be read alone.
const KEY: &str = "a=";

/// The text of an array with more items at its end; `None` if the value is no array.
pub(super) fn grown(value: &str, items: &[String], newline: Newline) -> Option<String> {
    let array = Array::of(value)?;
    let items: Vec<String> = items.iter().map(|item| string(item)).collect();
    let mut text = value.to_owned();
    let Some(last) = &array.last else {
        text.insert_str(array.open, &items.join(", "));
        return Some(text);
    };
    let anchor = array.comma.unwrap_or(last.end);
    let Some(indent) = indent(value, last.start) else {
        let (between, end) = if array.comma.is_some() { (" ", ",") } else { (", ", "") };
        text.insert_str(anchor, &format!("{between}{}{end}", items.join(", ")));
        return Some(text);
    };
    // A comment beside the last item stays beside it.
    let line_end = value[anchor..].find(['\r', '\n']).map_or(value.len(), |at| anchor + at);
    let at = if line_end < array.close { line_end } else { anchor };
    let lines: Vec<String> = items.iter().map(|item| format!("{}{indent}{item}", newline.as_str())).collect();
    let (between, end) = if array.comma.is_some() { ("", ",") } else { (",", "") };
    text.insert_str(at, &format!("{}{end}", lines.join(",")));
    text.insert_str(last.end, between);
    Some(text)
}

/// What stands before an item that begins a line.
fn indent(value: &str, item: usize) -> Option<&str> {
    let before = &value[..item];
    let line = &before[before.rfind('\n')? + 1..];
    line.trim().is_empty().then_some(line)
}

/// Where the parts of an array stand that matter at its end.
#[derive(Debug, Default)]
struct Array {
    /// Behind the bracket that opens it.
    open: usize,
    last: Option<std::ops::Range<usize>>,
    /// Behind the comma that follows the last item.
    comma: Option<usize>,
    /// Before the bracket that closes it.
    close: usize,
}

impl Array {
    /// The array that a value is, if it holds nothing but plain values.
    fn of(value: &str) -> Option<Array> {
        let text = format!("{KEY}{value}");
        let tokens = Source::new(&text).lex().into_vec();
        let mut events: Vec<Event> = Vec::new();
        parse_document(&tokens, &mut events, &mut ());
        let mut array = Array::default();
        for event in &events {
            let span = event.span();
            let (start, end) = (span.start().checked_sub(KEY.len()), span.end().checked_sub(KEY.len()));
            let (Some(start), Some(end)) = (start, end) else { continue };
            match event.kind() {
                EventKind::ArrayOpen if array.open == 0 => array.open = end,
                EventKind::Scalar if array.open > 0 => {
                    (array.last, array.comma) = (Some(start..end), None);
                }
                EventKind::ValueSep => array.comma = Some(end),
                EventKind::ArrayClose if array.close == 0 => array.close = start,
                EventKind::Whitespace | EventKind::Comment | EventKind::Newline => {}
                EventKind::KeyValSep => {}
                _ => return None,
            }
        }
        (array.open > 0 && array.close > 0).then_some(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_added_in_the_way_in_which_the_others_are_written() {
        let cases = [
            ("[]", r#"["c"]"#),
            ("[ # none\n]", "[\"c\" # none\n]"),
            ("['a', \"b\"]", r#"['a', "b", "c"]"#),
            ("['a', 'b',]", r#"['a', 'b', "c",]"#),
            ("[ 'a' # x, y\n]", "[ 'a', \"c\" # x, y\n]"),
            ("[ 'a',  # x\n  'b' ]", "[ 'a',  # x\n  'b',\n  \"c\" ]"),
            ("[\n  'a', # x\n  'b', # y\n]", "[\n  'a', # x\n  'b', # y\n  \"c\",\n]"),
            ("[\r\n\t'a' # ] x\r\n]", "[\r\n\t'a', # ] x\n\t\"c\"\r\n]"),
            ("[\n  'a'\n  ,\n]", "[\n  'a'\n  ,\n  \"c\",\n]"),
        ];
        for (value, expected) in cases {
            let text = grown(value, &["c".to_owned()], Newline::Lf).unwrap();
            assert_eq!(text, expected);
            super::super::syntax::parse(&format!("a = {text}\n")).unwrap();
        }
        let two = grown("[\n  'a',\n]", &["b".to_owned(), "c".to_owned()], Newline::Crlf).unwrap();
        assert_eq!(two, "[\n  'a',\r\n  \"b\",\r\n  \"c\",\n]");
    }

    #[test]
    fn what_is_no_array_of_plain_values_is_left_to_others() {
        for value in ["'a'", "[['a']]", "{ b = [] }", "[{}]"] {
            assert_eq!(grown(value, &["c".to_owned()], Newline::Lf), None, "{value}");
        }
    }
}
