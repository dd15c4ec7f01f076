//! What the settings say about runs: the `[run]` table and the `[[verify]]` entries of `swift.toml`.
//!
//! A key or section that is not known is refused here, because a limit that is misspelt would be none.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use super::malformed::Malformed;
use super::{duration, syntax};
use crate::domain::fault::Fault;
use crate::domain::run::policy::{Policy, Verifier};
use crate::domain::text::shown;

/// How long a verifier may take if nothing is said.
const VERIFIER_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// A word that knows its place.
type Text = Spanned<String>;

#[derive(Deserialize)]
struct File {
    run: Option<Run>,
    #[serde(default)]
    verify: Vec<Verify>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Run {
    tier: Option<Text>,
    timeout: Option<Text>,
    silence: Option<Text>,
    max_usd: Option<Spanned<f64>>,
    max_turns: Option<Spanned<u32>>,
    permission: Option<Text>,
    #[serde(default)]
    allow: Vec<Text>,
    #[serde(default)]
    deny: Vec<Text>,
    #[serde(default)]
    environment: Vec<Text>,
    retries: Option<Spanned<u32>>,
    backoff: Option<Text>,
    escalations: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    command: Spanned<Vec<String>>,
    timeout: Option<Text>,
}

/// Read the policy out of the settings; what is left out has its usual value.
///
/// # Errors
/// [`Malformed`] with the place.
pub(crate) fn parse(text: &str) -> Result<Policy, Malformed> {
    refuse_unknown_sections(text)?;
    let file: File = syntax::read(text)?;
    let run = file.run.unwrap_or_default();
    refuse_nonsense(text, &run)?;
    let usual = Policy::default();
    let length = |key: &str, value: Option<Text>, usual: Duration| match value {
        None => Ok(usual),
        Some(value) => {
            let length =
                duration::parse(value.get_ref()).map_err(|fault| wrong(text, &value, key, &fault.message))?;
            Ok(Duration::from_secs(length.as_secs().unsigned_abs()))
        }
    };
    if let Some(most) =
        run.max_usd.as_ref().filter(|most| !(most.as_ref().is_finite() && *most.as_ref() > 0.0))
    {
        return Err(wrong(text, most, "run.max_usd", "has to be more than nothing"));
    }
    Ok(Policy {
        tier: word(text, "run.tier", run.tier)?,
        timeout: length("run.timeout", run.timeout, usual.timeout)?,
        silence: length("run.silence", run.silence, usual.silence)?,
        max_usd: run.max_usd.map_or(usual.max_usd, Spanned::into_inner),
        max_turns: run.max_turns.map_or(usual.max_turns, Spanned::into_inner),
        permission: word(text, "run.permission", run.permission)?.unwrap_or(usual.permission),
        allow: plain(run.allow),
        deny: plain(run.deny),
        environment: plain(run.environment),
        retries: run.retries.map_or(usual.retries, Spanned::into_inner),
        backoff: length("run.backoff", run.backoff, usual.backoff)?,
        escalations: run.escalations.unwrap_or(usual.escalations),
        verifiers: file
            .verify
            .into_iter()
            .map(|verify| {
                let program = verify.command.as_ref().first();
                if program.is_none_or(|program| program.trim().is_empty()) {
                    return Err(wrong(text, &verify.command, "verify.command", "is empty"));
                }
                let timeout = length("verify.timeout", verify.timeout, VERIFIER_TIMEOUT)?;
                Ok(Verifier { command: verify.command.into_inner(), timeout })
            })
            .collect::<Result<_, Malformed>>()?,
    })
}

/// The sections of the settings, here and elsewhere.
const SECTIONS: [&str; 5] = ["run", "verify", "route", "auto", "notify"];

/// A section that is called almost like one of ours is ours, misspelt: a verifier that nobody runs, a limit that is none.
/// Others, and single keys that nobody knows, are somebody else's, unless they belong into `[run]`.
fn refuse_unknown_sections(text: &str) -> Result<(), Malformed> {
    let is_table = |value: &DeValue<'_>| matches!(value, DeValue::Table(_));
    let is_section = |value: &DeValue<'_>| match value {
        DeValue::Array(all) => !all.is_empty() && all.iter().all(|one| is_table(one.get_ref())),
        value => is_table(value),
    };
    for (name, value) in &syntax::parse(text)? {
        let told = |message: String| Malformed::in_text(text, name.span().start, message);
        let word = name.get_ref().as_ref();
        if let Some(meant) = meant(word).filter(|_| is_section(value.get_ref())) {
            return Err(told(format!("no section `{}` is known; `{meant}` may be meant", shown(word))));
        }
        if KEYS_OF_RUN.contains(&word) {
            return Err(told(format!("`{word}` belongs below `[run]`")));
        }
    }
    Ok(())
}

/// The section that a name may stand for which is none.
fn meant(name: &str) -> Option<&'static str> {
    /// `verifier` and `verify` have 0.892 of 1, `auth` and `auto` 0.883.
    const ALIKE: f64 = 0.885;
    let is_like = |section: &&str| strsim::jaro_winkler(&name.to_lowercase(), section) >= ALIKE;
    SECTIONS.into_iter().find(is_like).filter(|_| !SECTIONS.contains(&name))
}

/// The keys of `[run]`, and of nothing else.
const KEYS_OF_RUN: [&str; 12] = [
    "tier",
    "timeout",
    "silence",
    "max_usd",
    "max_turns",
    "permission",
    "allow",
    "deny",
    "environment",
    "retries",
    "backoff",
    "escalations",
];

/// More tries than this are a typing error.
const MOST_RETRIES: u32 = 100;

fn refuse_nonsense(text: &str, run: &Run) -> Result<(), Malformed> {
    if let Some(turns) = run.max_turns.as_ref().filter(|turns| *turns.get_ref() == 0) {
        return Err(wrong(text, turns, "run.max_turns", "has to be more than nothing"));
    }
    if let Some(retries) = run.retries.as_ref().filter(|retries| *retries.get_ref() > MOST_RETRIES) {
        return Err(wrong(text, retries, "run.retries", &format!("is more than {MOST_RETRIES}")));
    }
    let is_name = |name: &&Text| !name.get_ref().is_empty() && !name.get_ref().contains(['=', '\0']);
    if let Some(name) = run.environment.iter().find(|name| !is_name(name)) {
        let what = format!("`{}` is no name of a variable", shown(name.get_ref()));
        return Err(wrong(text, name, "run.environment", &what));
    }
    for (key, list) in [("run.allow", &run.allow), ("run.deny", &run.deny)] {
        if let Some(tool) = list.iter().find(|tool| tool.get_ref().trim().is_empty()) {
            return Err(wrong(text, tool, key, "has an entry that names no tool"));
        }
    }
    Ok(())
}

fn plain(list: Vec<Text>) -> Vec<String> {
    list.into_iter().map(Spanned::into_inner).collect()
}

fn word<T: std::str::FromStr<Err = Fault>>(
    text: &str,
    key: &str,
    value: Option<Text>,
) -> Result<Option<T>, Malformed> {
    value
        .map(|value| value.get_ref().parse().map_err(|fault: Fault| wrong(text, &value, key, &fault.message)))
        .transpose()
}

fn wrong<T>(text: &str, value: &Spanned<T>, key: &str, what: &str) -> Malformed {
    Malformed::in_text(text, value.span().start, format!("{key}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::policy::Permission;
    use crate::domain::run::tier::Tier;

    #[test]
    fn nothing_said_is_the_usual() {
        assert_eq!(parse("id = \"a/b\"\n[route]\nx = 1\n"), Ok(Policy::default()));
    }

    #[test]
    fn what_is_said_counts() {
        let text = "id = \"a/b\"\n[run]\ntier = \"opus\"\ntimeout = \"5m\"\nmax_usd = 3\npermission = \"dontAsk\"\nallow = [\"Bash(cargo test:*)\"]\n[[verify]]\ncommand = [\"cargo\", \"test\"]\n[[verify]]\ncommand = [\"make\"]\ntimeout = \"7s\"\n";
        let policy = parse(text).unwrap();
        assert_eq!(
            (policy.tier, policy.permission, policy.max_usd),
            (Some(Tier::Opus), Permission::DontAsk, 3.0)
        );
        assert_eq!(policy.timeout, Duration::from_secs(300));
        assert_eq!(policy.verifiers[0].timeout, VERIFIER_TIMEOUT);
        assert_eq!(policy.verifiers[1].timeout, Duration::from_secs(7));
    }

    #[test]
    fn a_misspelt_limit_is_refused_and_not_ignored() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(refused("[run]\nmax_usdd = 3\n").starts_with("2:1: unknown field `max_usdd`"));
        assert!(refused("[run]\ntimeout = \"soon\"\n").contains("run.timeout: `soon`"));
        assert!(refused("[run]\nmax_usd = -1\n").contains("run.max_usd"));
        assert!(refused("[run]\nmax_usd = inf\n").starts_with("2:11: run.max_usd"));
        assert!(refused("[[verify]]\ncommand = []\n").contains("verify.command"));
        assert!(refused("[[verify]]\ncommand = \"make\"\n").contains("invalid type"));
        assert!(refused("[run]\nmax_turns = 0\n").contains("run.max_turns"));
        assert!(refused("[run]\nretries = 1000000\n").contains("run.retries"));
        assert!(refused("[run]\nenvironment = [\"A=B\"]\n").contains("run.environment"));
        assert!(refused("[run]\nallow = [\"\"]\n").contains("run.allow"));
    }

    #[test]
    fn a_misspelt_section_is_refused_and_a_key_of_another_version_is_not() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(
            refused("id = \"a/b\"\n[[verifier]]\ncommand = []\n")
                .starts_with("2:3: no section `verifier` is known; `verify` may be meant")
        );
        assert!(refused("[runn]\nmax_usd = 1\n").contains("no section `runn`"));
        assert!(refused("id = \"a/b\"\nmax_usd = 1\n").starts_with("2:1: `max_usd` belongs below"));
        assert_eq!(parse("id = \"a/b\"\nlater = [1, 2]\n[auto]\n[notify]\n"), Ok(Policy::default()));
    }
}
