//! `projects/<id>.toml`: what an orchestrator knows of one project.
//!
//! Where the project lies on this machine is not in it: such paths are never committed.

use std::str::FromStr;

use super::edit::Edit;
use super::fields::Fields;
use super::malformed::Malformed;
use super::quote::{Newline, array, string};
use super::syntax;
use crate::domain::fault::{Code, Fault};
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::text::{is_hidden, shown};

/// The keys of the file, in the order of a new one.
const KEYS: &[&str] = &["schema", "id", "url", "aliases"];

/// A registered project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: ProjectId,
    /// Where git can get it from.
    pub(crate) url: Option<String>,
    pub(crate) aliases: Vec<ProjectName>,
}

/// Read an entry.
///
/// # Errors
/// [`Malformed`] with the place.
pub(crate) fn parse(text: &str) -> Result<Entry, Malformed> {
    let table = syntax::parse(text)?;
    let fields = Fields::new(text, &table);
    fields.check_schema()?;
    Ok(Entry {
        id: fields.required("id", fields.word("id")?)?,
        url: fields.word::<Url>("url")?.map(|url| url.0),
        aliases: fields.words("aliases")?,
    })
}

/// A new file.
pub(crate) fn render(entry: &Entry) -> String {
    let mut out = format!("schema = 1\nid = {}\n", string(entry.id.as_str()));
    for (key, value) in optional(entry) {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {value}\n"));
        }
    }
    out
}

/// The text with the entry's URL and aliases; every other byte stays.
///
/// # Errors
/// [`Malformed`], if the text cannot be read as an entry.
pub(crate) fn apply(text: &str, entry: &Entry) -> Result<String, Malformed> {
    let before = parse(text)?;
    let mut edit = Edit::new(text, Newline::of(text));
    for ((key, after), (_, before)) in optional(entry).into_iter().zip(optional(&before)) {
        match after {
            Some(value) if Some(&value) != before.as_ref() => edit.set(key, &value, KEYS),
            None if before.is_some() => edit.remove(&[key]),
            _ => {}
        }
    }
    Ok(edit.finish())
}

fn optional(entry: &Entry) -> [(&'static str, Option<String>); 2] {
    let aliases = (!entry.aliases.is_empty()).then(|| array(entry.aliases.iter().map(ProjectName::as_str)));
    [("url", entry.url.as_deref().map(string)), ("aliases", aliases)]
}

/// A URL that no program takes for an option, and that runs none (`ext::` does).
struct Url(String);

impl FromStr for Url {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let is_plain = !text.trim().is_empty() && !text.starts_with('-') && !text.chars().any(is_hidden);
        // What git takes for the name of a helper program before `::`.
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let helper = text.split_once("::").is_some_and(|(name, _)| name.chars().all(is_scheme));
        if is_plain && !helper && text.len() <= 2_000 {
            return Ok(Url(text.to_owned()));
        }
        Err(Fault::new(Code::InvalidValue, format!("`{}` is not a URL that git can be given", shown(text))))
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(url: Option<&str>, aliases: &[&str]) -> Entry {
        Entry {
            id: "acme/api".parse().unwrap(),
            url: url.map(str::to_owned),
            aliases: aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn entries_survive_the_way_there_and_back() {
        for entry in [entry(None, &[]), entry(Some("git@example.org:acme/api.git"), &["api", "a/b"])] {
            assert_eq!(parse(&render(&entry)), Ok(entry));
        }
    }

    #[test]
    fn dangerous_urls_are_refused() {
        for url in ["", "-oProxyCommand=x", "ext::sh -c x", "a\\nb"] {
            assert!(parse(&format!("id = \"a/b\"\nurl = \"{url}\"")).is_err(), "{url}");
        }
        assert!(parse("id = \"a/b\"\nurl = \"ssh://git@[::1]/x\"").is_ok());
    }

    #[test]
    fn changes_keep_the_rest() {
        let text = "# mine\nid = 'acme/api' # c\nurl = 'https://x' # u\n";
        assert_eq!(
            apply(text, &entry(Some("https://y"), &["z"])).unwrap(),
            "# mine\nid = 'acme/api' # c\nurl = \"https://y\" # u\naliases = [\"z\"]\n"
        );
        assert_eq!(apply(text, &entry(None, &[])).unwrap(), "# mine\nid = 'acme/api' # c\n");
        assert_eq!(apply(text, &entry(Some("https://x"), &[])).unwrap(), text);
    }
}
