//! What the settings say about runs: the `[run]` table and the `[[verify]]` entries of `swift.toml`.
//!
//! A key that is not known is refused here, because a limit that is misspelt would be none.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::malformed::Malformed;
use super::{duration, syntax};
use crate::domain::fault::Fault;
use crate::domain::run::policy::{Policy, Verifier};

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
    max_turns: Option<u32>,
    permission: Option<Text>,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    environment: Vec<String>,
    retries: Option<u32>,
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
    let file: File = syntax::read(text)?;
    let run = file.run.unwrap_or_default();
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
        max_turns: run.max_turns.unwrap_or(usual.max_turns),
        permission: word(text, "run.permission", run.permission)?.unwrap_or(usual.permission),
        allow: run.allow,
        deny: run.deny,
        environment: run.environment,
        retries: run.retries.unwrap_or(usual.retries),
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
    }
}
