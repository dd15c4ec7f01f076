//! Hiding what looks like a secret before it is written down.
//!
//! A secret is known by itself ([`shape`]), by the name that it is assigned to ([`mod@assigned`]), or by the words that
//! stand before it ([`mod@said`]); one of several words or of letters alone is told from a sentence ([`phrase`]). What programs and texts are made of stays: a type, a call, a word of a language is no
//! secret, whatever it is assigned to.

mod assigned;
mod name;
mod phrase;
mod said;
mod shape;

use assigned::assigned;
use said::said;
use shape::known;

/// What stands where a secret was.
const MASK: &str = "[secret]";

/// The text without the given secrets, and without what has the form of one.
pub(crate) fn mask(text: &str, own: &[String]) -> String {
    let mut out = text.to_owned();
    for secret in own.iter().filter(|secret| secret.len() >= 6) {
        if out.contains(secret.as_str()) {
            out = out.replace(secret.as_str(), MASK);
        }
    }
    said(&assigned(&in_addresses(&private_keys(&known(&out)))))
}

/// `postgres://user:password@host`: the password goes.
fn in_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        rest = after;
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c)).unwrap_or(rest.len());
        let Some(host) = rest[..end].rfind('@') else { continue };
        if let Some((user, password)) =
            rest[..host].split_once(':').filter(|(_, password)| !password.is_empty())
        {
            let hidden = if password == MASK { password } else { MASK };
            out.push_str(&format!("{user}:{hidden}"));
            rest = &rest[host..];
        }
    }
    out.push_str(rest);
    out
}

/// Keys in their own lines, each from its beginning to its end; one that is cut off goes to the end of the text.
fn private_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN ") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let title = from.lines().next().unwrap_or("");
        if !title.contains("PRIVATE KEY") {
            out.push_str("-----BEGIN ");
            rest = &from["-----BEGIN ".len()..];
            continue;
        }
        let end = from.find("-----END ").and_then(|end| {
            let close = end + "-----END ".len();
            from[close..].find("-----").map(|last| close + last + 5)
        });
        out.push_str(MASK);
        rest = &from[end.unwrap_or(from.len())..];
    }
    out.push_str(rest);
    out
}

/// The text with a mask in each of these places, of which the first counts where they overlap.
fn without(text: &str, mut cuts: Vec<(usize, usize)>) -> String {
    cuts.sort_unstable();
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (start, end) in cuts {
        if start >= done {
            out.push_str(&text[done..start]);
            out.push_str(MASK);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests;
