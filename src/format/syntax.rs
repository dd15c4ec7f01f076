//! TOML text to a table, for texts that may be hostile.
//!
//! The parser bounds how deep arrays and inline tables nest, but not how long a dotted key is: sixty thousand
//! parts become as many tables in each other, whose release exhausts the stack. So keys are counted before
//! (only if there are dots enough to matter).

use serde::de::DeserializeOwned;
use toml::de::DeTable;
use toml_parser::parser::{EventKind, RecursionGuard, parse_document};

use super::malformed::Malformed;
use crate::domain::text::shown;

/// How many dots the keys of one text may have together.
const DOTS: usize = 500;

/// How deep arrays and inline tables may nest; the same as in the parser.
const DEPTH: u32 = 80;

/// The text as a table whose values know their place.
pub(super) fn parse(text: &str) -> Result<DeTable<'_>, Malformed> {
    refuse_endless_keys(text)?;
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| defect(text, &error))
}

/// The text as a value of a form that is known.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    refuse_endless_keys(text)?;
    toml::from_str(text).map_err(|error| defect(text, &error))
}

/// What the parser says, in one line that can be shown.
fn defect(text: &str, error: &toml::de::Error) -> Malformed {
    let offset = error.span().map_or(0, |span| span.start);
    Malformed::in_text(text, offset, shown(error.message().lines().next().unwrap_or("not TOML")))
}

fn refuse_endless_keys(text: &str) -> Result<(), Malformed> {
    if text.bytes().filter(|b| *b == b'.').count() <= DOTS {
        return Ok(());
    }
    let mut dots = 0;
    let mut last = 0;
    let mut count = |event: toml_parser::parser::Event| {
        if event.kind() == EventKind::KeySep && dots <= DOTS {
            dots += 1;
            last = event.span().start();
        }
    };
    let tokens = toml_parser::Source::new(text).lex().into_vec();
    parse_document(&tokens, &mut RecursionGuard::new(&mut count, DEPTH), &mut ());
    if dots > DOTS {
        return Err(Malformed::in_text(text, last, format!("more than {DOTS} dots in keys")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_keys_and_nesting_are_refused_and_dots_in_strings_are_not() {
        for hostile in [
            format!("{}a = 1", "a.".repeat(30_000)),
            format!("[{}a]", "a.".repeat(30_000)),
            format!("a = {{ {}a = 1 }}", "a.".repeat(30_000)),
            format!("a = {}", "[".repeat(60_000)),
            format!("a = {}{}", "[".repeat(30_000), "]".repeat(30_000)),
            format!("a = {}", "{a=".repeat(20_000)),
            "a.b.c = 1\n".repeat(6_000),
        ] {
            assert!(parse(&hostile).is_err());
            assert!(read::<toml::Table>(&hostile).is_err());
        }
        assert!(parse(&format!("a = \"{}\"", ".".repeat(5_000))).is_ok());
        assert!(parse(&format!("a = [{}]", "1.5, ".repeat(5_000))).is_ok());
    }
}
