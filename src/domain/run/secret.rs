//! Hiding what looks like a secret before it is written down.

/// What stands where a secret was.
const MASK: &str = "[secret]";

/// How the secrets of well-known makers begin, and how long the rest has to be.
const KNOWN: [(&str, usize); 44] = [
    ("sk-ant-", 8),
    ("sk-proj-", 16),
    ("sk_live_", 12),
    ("rk_live_", 12),
    ("sk-", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xoxs-", 16),
    ("xapp-", 16),
    ("ghr_", 20),
    ("npm_", 30),
    ("hf_", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
    ("doo_v1_", 30),
    ("pypi-AgEI", 20),
    ("ya29.", 20),
    ("AGE-SECRET-KEY-1", 40),
    ("ASIA", 16),
    ("AKIA", 16),
    ("AIza", 30),
    ("eyJhbGciOi", 20),
    ("hvs.", 20),
    ("dckr_pat_", 20),
    ("shpat_", 20),
    ("whsec_", 20),
    ("tskey-", 16),
    ("sntrys_", 20),
    ("NRAK-", 20),
    ("ntn_", 30),
    ("secret_", 30),
    ("lin_api_", 20),
    ("figd_", 20),
    ("sq0csp-", 20),
    ("xoxe.", 16),
    ("EAAC", 60),
    ("hooks.slack.com/services/", 20),
];

/// Names whose values are secrets wherever they are assigned.
const NAMES: [&str; 20] = [
    "_pass",
    "api-key",
    "&sig",
    "\"auth\"",
    "password",
    "passwd",
    "secret",
    "secret_key",
    "secret_access_key",
    "api_key",
    "apikey",
    "access_token",
    "_token",
    "token",
    "mysql_pwd",
    "pgpassword",
    "accountkey",
    "sharedaccesskey",
    "client_secret",
    "private_key",
];

/// Headers whose whole values are secrets.
const HEADERS: [&str; 2] = ["authorization", "cookie"];

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

/// What a secret follows without a sign between: the words, and how long it is at least.
const BEFORE: [(&str, usize); 3] = [("bearer ", 20), ("password is ", 8), ("sshpass -p ", 6)];

/// Programs to which `-p` gives a password, on the same line.
const PROGRAMS: [&str; 3] = ["mysql", "mariadb", "docker login"];

/// `Bearer …`, `the password is …`, `mysql -p…`: the word goes that follows, if it is none of a sentence.
fn said(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut starts: Vec<(usize, usize)> = Vec::new();
    for (words, least) in BEFORE {
        starts.extend(lower.match_indices(words).map(|(at, _)| (at + words.len(), least)));
    }
    for program in PROGRAMS {
        for (at, _) in lower.match_indices(program) {
            let line = lower[at..].lines().next().unwrap_or_default();
            let option = line.find(" -p").map(|option| at + option + 3);
            starts.extend(option.map(|at| (at + usize::from(text[at..].starts_with(' ')), 6)));
        }
    }
    starts.sort_unstable();
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (start, least) in starts.into_iter().filter(|(start, _)| *start <= text.len()) {
        let length = text[start..].find(|c: char| c.is_whitespace() || "\"'`,;".contains(c));
        let word = &text[start..start + length.unwrap_or(text.len() - start)];
        let is_odd = word.contains(|c: char| c.is_ascii_digit()) && !word.starts_with(MASK);
        if start >= done && word.len() >= least && is_odd {
            out.push_str(&text[done..start]);
            out.push_str(MASK);
            done = start + word.len();
        }
    }
    out.push_str(&text[done..]);
    out
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.+/".contains(c)
}

fn known(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let end = rest[at..].find(|c| !is_token(c)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..end];
        out.push_str(&rest[..at]);
        out.push_str(if is_known(word) { MASK } else { word });
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn is_known(word: &str) -> bool {
    let is_hexadecimal = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    // Of an address the word is what follows `//`.
    KNOWN.iter().any(|(start, rest)| word.starts_with(start) && word.len() >= start.len() + rest)
        || word.strip_prefix("key-").is_some_and(is_hexadecimal)
        || word.contains("discord.com/api/webhooks/")
}

fn private_keys(text: &str) -> String {
    let Some(start) = text.find("-----BEGIN ").filter(|at| text[*at..].contains("PRIVATE KEY-----")) else {
        return text.to_owned();
    };
    let end = text[start..].find("-----END ").and_then(|end| {
        let close = start + end + "-----END ".len();
        text[close..].find("-----").map(|last| close + last + 5)
    });
    format!("{}{MASK}{}", &text[..start], &text[end.unwrap_or(text.len())..])
}

/// `password = "…"`, `API_KEY: …`: the value goes, the name stays.
fn assigned(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    for name in NAMES {
        for (at, _) in lower.match_indices(name) {
            cuts.extend(value_after(text, at + name.len(), |c| c.is_whitespace() || "\"'\\,;})".contains(c)));
        }
    }
    for name in HEADERS {
        for (at, _) in lower.match_indices(name) {
            cuts.extend(value_after(text, at + name.len(), |c| "\r\n\"'\\".contains(c)));
        }
    }
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

/// Where the value that is assigned here begins and, at such a letter, ends; `None` if nothing is assigned.
fn value_after(text: &str, at: usize, ends: impl Fn(char) -> bool) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let skipped = rest.len() - rest.trim_start_matches(['"', '\'', '\\', ' ', '\t']).len();
    let rest = rest[skipped..].strip_prefix(['=', ':'])?;
    let inner = rest.trim_start_matches(['"', '\'', '\\', ' ', '\t']);
    let start = text.len() - inner.len();
    let length = inner.find(ends).unwrap_or(inner.len());
    (length >= 6 && !inner.starts_with(MASK)).then_some((start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_goes_and_the_rest_stays() {
        let cases = [
            ("key sk-ant-api03-abcdefgh done", "key [secret] done"),
            ("ANTHROPIC_API_KEY=sk-ant-abcdefghij", "ANTHROPIC_API_KEY=[secret]"),
            ("\"password\": \"hunter2hunter2\", \"a\": 1", "\"password\": \"[secret]\", \"a\": 1"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ,", "[secret],"),
            ("the password is long, and secrets are kept", "the password is long, and secrets are kept"),
            ("tokens: 12345678", "tokens: 12345678"),
            ("postgres://u:hunter2@db/x and more", "postgres://u:[secret]@db/x and more"),
            ("https://user:pa:55@host:80/x?a=b@c", "https://user:[secret]@host:80/x?a=b@c"),
            ("https://host:80/a@b http://you@host", "https://host:80/a@b http://you@host"),
            ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key=[secret]"),
            ("GITLAB_TOKEN=abcdef123", "GITLAB_TOKEN=[secret]"),
            ("Authorization: Basic dXNlcjpwYXNz ok\nnext", "Authorization: [secret]\nnext"),
            ("-H \"Cookie: session=abc; b=c\" x", "-H \"Cookie: [secret]\" x"),
            ("token: abcdefgh12345678", "token: [secret]"),
            ("MYSQL_PWD=p4ssw0rd mysql", "MYSQL_PWD=[secret] mysql"),
            ("npm_0123456789abcdefghijABCDEFGHIJ012345", "[secret]"),
            ("an authorization is needed, and cookies", "an authorization is needed, and cookies"),
            ("Grüße sk-", "Grüße sk-"),
            ("Bearer abcdefghij0123456789 x", "Bearer [secret] x"),
            ("the password is hunter2hunter2.", "the password is [secret]"),
            ("the password is documented", "the password is documented"),
            ("DB_PASS=abcdef12 x", "DB_PASS=[secret] x"),
            ("curl -H 'x-api-key: abcdef12'", "curl -H 'x-api-key: [secret]'"),
            ("mysql -u root -phunter22 db", "mysql -u root -p[secret] db"),
            ("docker login -u a -p hunter22", "docker login -u a -p [secret]"),
            ("sshpass -p hunter22 ssh x", "sshpass -p [secret] ssh x"),
            ("{\"auth\":\"YWJjZGVmZ2g=\"}", "{\"auth\":\"[secret]\"}"),
            ("https://hooks.slack.com/services/T012/B012/abcdefghijklmnop", "https://[secret]"),
            ("?sv=2022&sig=abcdefgh%3D", "?sv=2022&sig=[secret]"),
            ("key-0123456789abcdef0123456789abcdef", "[secret]"),
            ("key-value stores and whsec_0123456789abcdefghij", "key-value stores and [secret]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", "[secret]\nx"),
        ];
        for (text, masked) in cases {
            assert_eq!(mask(text, &[]), masked);
        }
    }

    #[test]
    fn the_own_secrets_go_whatever_they_look_like() {
        assert_eq!(
            mask("say plain-old-word twice: plain-old-word", &["plain-old-word".to_owned()]),
            "say [secret] twice: [secret]"
        );
        assert_eq!(mask("short", &["sho".to_owned()]), "short");
    }
}
