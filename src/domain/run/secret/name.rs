//! Names that say that their value is a secret, and values that may be one.

use super::MASK;

/// What the values of a name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Whatever it is, it is a secret: `password`.
    Password,
    /// A secret if it looks as if nobody had thought of it: `token`, which in programs is a word of a language, too.
    Token,
    /// A secret only if it is long as well: `sort_key` is a name, `DEPLOY_KEY` is not.
    Key,
    /// A header of a request, of which all is a secret.
    Header,
}

const PASSWORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "_pass",
    "_pw",
    "_pwd",
    "pwd",
    "pass",
    "passwort",
    "client_secret",
    "secret_key",
];

const TOKENS: [&str; 9] = [
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "accountkey",
    "sharedaccesskey",
    "private_key",
    "_credentials",
];

/// The name that a word is, if its values are secrets.
pub(super) fn name(word: &str) -> Option<Name> {
    let lower = word.trim_matches('-').to_ascii_lowercase().replace('-', "_");
    let ends = |names: &[&str]| {
        names.iter().any(|name| {
            let before = lower.strip_suffix(name);
            // `bypass` is none, `pgpassword` is one.
            before.is_some_and(|before| {
                name.len() > 4 || before.is_empty() || name.starts_with('_') || before.ends_with('_')
            })
        })
    };
    match lower.as_str() {
        "authorization" | "proxy_authorization" | "cookie" | "set_cookie" => Some(Name::Header),
        "sig" | "auth" | "mysql_pwd" => Some(Name::Token),
        _ if ends(&PASSWORDS) => Some(Name::Password),
        _ if ends(&TOKENS) => Some(Name::Token),
        _ if lower.ends_with("_key") || lower.ends_with("_auth") || lower == "key" => Some(Name::Key),
        _ => None,
    }
}

/// Whether the word is written as the name of a variable of the environment: `API_TOKEN`.
pub(super) fn is_variable(word: &str) -> bool {
    word.len() > 2
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// What stands where a value would: a type, a word that tells what is asked for.
const PLACEHOLDERS: [&str; 24] = [
    "string",
    "boolean",
    "number",
    "object",
    "required",
    "optional",
    "undefined",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "hidden",
    "redacted",
    "changeme",
    "default",
    "prompt",
    "option",
    "unknown",
    "symbol",
    "invalid",
    "missing",
    "string;",
    "example",
    "private",
];

/// Whether a text may be a secret at all.
pub(super) fn may_be(value: &str) -> bool {
    let first = value.chars().next().unwrap_or(' ');
    let is_path = value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("~/")
        || (first == '/' && value[1..].contains(['/', '.']));
    let is_one_letter = value.chars().all(|c| c == first);
    value.len() >= 6
        && !value.starts_with(MASK)
        && !"$<{[(*&%`".contains(first)
        && !is_path
        && !is_one_letter
        && !value.contains("://")
        && !PLACEHOLDERS.contains(&value.to_ascii_lowercase().as_str())
}

/// Whether there is something in it that words and names do not have.
pub(super) fn is_odd(value: &str) -> bool {
    let is_number = value.chars().all(|c| c.is_ascii_digit() || ".,_-:".contains(c));
    !is_number && value.contains(|c: char| c.is_ascii_digit() || "!@#^*+=~?$%&".contains(c))
}

/// Whether it is long and odd, as what a machine has made.
pub(super) fn is_made(value: &str) -> bool {
    let has = |is: fn(&char) -> bool| value.chars().any(|c| is(&c));
    value.len() >= 16
        && has(char::is_ascii_digit)
        && has(char::is_ascii_alphabetic)
        && !value.contains(['/', '.', ' ', ':'])
}

/// Whether it is written as programs write names: `parser.next(`, `self.token`, `Vec<u8>`.
pub(super) fn is_code(value: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let is_part = |part: &str| is_name(part) || (part.len() < 3 && part.chars().all(|c| c.is_ascii_digit()));
    value.contains(['(', '[', '{', '<', '>', '|'])
        || value.contains("::")
        || value.contains("->")
        || (value.trim_end_matches('.').contains('.')
            && value.len() < 40
            && value.trim_end_matches('.').split('.').all(is_part)
            && value.split('.').all(|part| part.len() < 20))
}

/// Whether it is one name: `token2`.
pub(super) fn is_identifier(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
