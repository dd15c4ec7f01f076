//! Secrets that are known by themselves: how those of well-known makers begin, and what form they have.

use super::MASK;

/// How the secrets of well-known makers begin, and how long the rest has to be.
const KNOWN: [(&str, usize); 98] = [
    ("sk-ant-", 8),
    ("sk-proj-", 16),
    ("sk_live_", 12),
    ("rk_live_", 12),
    ("sk_test_", 16),
    ("rk_test_", 16),
    ("sk-", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("glptt-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("glcbt-", 16),
    ("glsoat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxa-", 16),
    ("xoxs-", 16),
    ("xoxr-", 16),
    ("xoxe.", 16),
    ("xoxe-", 16),
    ("xapp-", 16),
    ("npm_", 30),
    ("hf_", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
    ("doo_v1_", 30),
    ("dor_v1_", 30),
    ("pypi-AgEI", 20),
    ("rubygems_", 30),
    ("ya29.", 20),
    ("GOCSPX-", 20),
    ("AGE-SECRET-KEY-1", 40),
    ("ASIA", 16),
    ("AKIA", 16),
    ("AIza", 30),
    ("eyJhbGciOi", 20),
    ("hvs.", 20),
    ("hvb.", 20),
    ("dckr_pat_", 20),
    ("dckr_oat_", 20),
    ("shpat_", 20),
    ("shpca_", 20),
    ("shppa_", 20),
    ("shpss_", 20),
    ("whsec_", 20),
    ("tskey-", 16),
    ("sntrys_", 20),
    ("sntryu_", 20),
    ("NRAK-", 20),
    ("ntn_", 30),
    ("secret_", 30),
    ("lin_api_", 20),
    ("lin_oauth_", 20),
    ("figd_", 20),
    ("sq0csp-", 20),
    ("EAAC", 60),
    ("hooks.slack.com/services/", 20),
    ("ATATT3", 24),
    ("ATCTT3", 24),
    ("ATBB", 28),
    ("PMAK-", 30),
    ("dp.pt.", 30),
    ("dp.st.", 30),
    ("dp.ct.", 30),
    ("dp.sa.", 30),
    ("dp.scim.", 30),
    ("dp.audit.", 30),
    ("pul-", 30),
    ("sbp_", 30),
    ("sb_secret_", 20),
    ("xai-", 40),
    ("gsk_", 30),
    ("r8_", 30),
    ("pplx-", 30),
    ("tvly-", 20),
    ("lsv2_pt_", 30),
    ("lsv2_sk_", 30),
    ("pat-na1-", 30),
    ("pat-na2-", 30),
    ("pat-eu1-", 30),
    ("HRKU-", 30),
    ("ops_", 60),
    ("nvapi-", 40),
    ("glsa_", 30),
    ("glc_", 40),
    ("phx_", 30),
    ("nfp_", 30),
    ("rnd_", 24),
    ("fo1_", 30),
    ("CFPAT-", 30),
    ("dapi", 32),
    ("PRIVATE-TOKEN-", 20),
];

/// What may stand within a secret.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.+/".contains(c)
}

/// The text without the secrets that are known by themselves.
pub(super) fn known(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let end = rest[at..].find(|c| !is_token(c)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..end];
        out.push_str(&rest[..at]);
        rest = &rest[end..];
        match (is_known(word), bot(word, rest)) {
            (true, _) => out.push_str(MASK),
            (false, Some(length)) => {
                out.push_str(MASK);
                rest = &rest[length..];
            }
            (false, None) => out.push_str(word),
        }
    }
    out.push_str(rest);
    out
}

fn is_known(word: &str) -> bool {
    let begins = |word: &str| {
        KNOWN.iter().any(|(start, least)| {
            word.strip_prefix(start).is_some_and(|rest| rest.len() >= *least && is_random(rest))
        })
    };
    let is_hexadecimal = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    // Of an address the word is what follows `//`, and a secret may be the last part of it.
    begins(word)
        || word.rsplit('/').next().is_some_and(begins)
        || word.strip_prefix("key-").is_some_and(is_hexadecimal)
        || word.contains("discord.com/api/webhooks/")
        || is_discord(word)
}

/// Words of a language that a hyphen or a line joins are no secret: `sk-learn-contrib-estimators`.
fn is_random(rest: &str) -> bool {
    rest.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase())
}

/// Three parts with points between, of which the first is the number of a bot.
fn is_discord(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let [number, time, code] = parts[..] else { return false };
    number.starts_with(['M', 'N', 'O'])
        && (23..=28).contains(&number.len())
        && (6..=7).contains(&time.len())
        && (27..=40).contains(&code.len())
        && [number, time, code].into_iter().all(plain)
        && word.contains(|c: char| c.is_ascii_digit())
}

/// `123456789:AA…`: the number of a bot, then its code; how much of what follows the number belongs to it.
fn bot(number: &str, rest: &str) -> Option<usize> {
    let digits = &number[number.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1)..];
    let code = rest.strip_prefix(":AA")?;
    let length = code.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).unwrap_or(code.len());
    ((8..=10).contains(&digits.len()) && (32..=34).contains(&length)).then_some(length + ":AA".len())
}
