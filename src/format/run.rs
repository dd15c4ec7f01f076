//! `runs/<yyyy-mm>/<run>-<task>.toml`: the record of one run. Only `swift` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::instant::{Recorded, to_toml};
use super::malformed::Malformed;
use super::quote::{array, string};
use super::syntax;
use crate::domain::fault::{Code, Fault};
use crate::domain::run::event::{Denial, Tokens};
use crate::domain::run::evidence::Verdict;
use crate::domain::run::outcome::Outcome;
use crate::domain::run::record::{Decision, Review, Run, RunEnding};
use crate::domain::run::spend::{Figures, Spend};
use crate::domain::run::tier::Choice;
use crate::domain::text::shown;

/// The text of the file.
pub(crate) fn render(run: &Run) -> String {
    let mut text = String::from("# Written by swift.\nschema = 1\n");
    line(&mut text, "id", string(&run.id.to_string()));
    maybe(&mut text, "task", run.task.map(|task| string(&task.to_string())));
    line(&mut text, "title", string(&run.title));
    line(&mut text, "attempt", run.attempt);
    maybe(&mut text, "follows", run.follows.map(|run| string(&run.to_string())));
    line(&mut text, "actor", string(run.actor.as_str()));
    maybe(&mut text, "token", run.token.map(|token| token.to_string()));
    line(&mut text, "request", string(&run.request));
    line(&mut text, "session", string(&run.session));
    line(&mut text, "resumed", run.resumed);
    maybe(&mut text, "branch", run.branch.as_deref().map(string));
    maybe(&mut text, "base", run.base.as_deref().map(string));
    line(&mut text, "started_at", to_toml(run.started_at));
    text.push_str("\n[route]\n");
    line(&mut text, "tier", string(run.choice.tier.as_str()));
    maybe(&mut text, "model", run.choice.model.as_deref().map(string));
    line(&mut text, "rule", string(&run.choice.rule));
    line(&mut text, "reasons", array(&run.choice.reasons));
    if let Some(ending) = &run.ending {
        render_ending(&mut text, ending);
    }
    if let Some(review) = &run.review {
        render_review(&mut text, review);
    }
    text
}

fn line(text: &mut String, key: &str, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{key} = {value}");
}

fn maybe(text: &mut String, key: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        line(text, key, value);
    }
}

/// Dollars to a millionth, with a point in any case.
fn dollars(usd: f64) -> String {
    let text = format!("{usd:.6}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

fn render_ending(text: &mut String, ending: &RunEnding) {
    text.push_str("\n[end]\n");
    line(text, "at", to_toml(ending.at));
    line(text, "outcome", string(ending.outcome.word()));
    maybe(text, "failure", ending.outcome.failure().map(|failure| string(failure.as_str())));
    if let Outcome::Limit(until) = ending.outcome {
        maybe(text, "until", until.map(to_toml));
    }
    line(text, "reasons", array(&ending.reasons));
    maybe(text, "model", ending.model.as_deref().map(string));
    line(text, "turns", ending.turns);
    line(text, "usd", dollars(ending.spend.usd));
    let figures = Some(ending.spend.figures).filter(|figures| *figures != Figures::Told);
    maybe(text, "figures", figures.map(|figures| string(figures.as_str())));
    line(text, "session_usd", dollars(ending.spend.session_usd));
    line(text, "summary", string(&ending.summary));
    line(text, "commits", array(&ending.commits));
    if !ending.moved.is_empty() {
        line(text, "moved", array(&ending.moved));
    }
    line(text, "leftovers", ending.leftovers);
    text.push_str("\n[end.tokens]\n");
    render_tokens(text, ending.spend.tokens);
    for (model, tokens) in &ending.spend.session_models {
        let _ = writeln!(text, "\n[end.session_tokens.{}]", string(model));
        render_tokens(text, *tokens);
    }
    for denial in &ending.denials {
        text.push_str("\n[[end.denied]]\n");
        line(text, "tool", string(&denial.tool));
        line(text, "input", string(&denial.input));
    }
    for verdict in &ending.verdicts {
        text.push_str("\n[[end.verify]]\n");
        line(text, "command", array(&verdict.command));
        line(text, "passed", verdict.passed);
        line(text, "ended", string(&verdict.ended));
        line(text, "said", string(&verdict.said));
    }
}

fn render_tokens(text: &mut String, tokens: Tokens) {
    line(text, "input", tokens.input);
    line(text, "output", tokens.output);
    line(text, "cache_read", tokens.cache_read);
    line(text, "cache_write", tokens.cache_write);
}

fn render_review(text: &mut String, review: &Review) {
    text.push_str("\n[review]\n");
    line(text, "at", to_toml(review.at));
    line(text, "by", string(review.by.as_str()));
    match &review.decision {
        Decision::Merged(commit) => line(text, "merged", string(commit)),
        Decision::Rejected(why) => line(text, "rejected", string(why)),
    }
}

#[derive(Deserialize)]
struct File {
    schema: u64,
    id: String,
    task: Option<String>,
    title: String,
    attempt: u32,
    follows: Option<String>,
    actor: String,
    token: Option<u64>,
    request: String,
    session: String,
    resumed: bool,
    branch: Option<String>,
    base: Option<String>,
    started_at: Recorded,
    route: Route,
    end: Option<End>,
    review: Option<ReviewTable>,
}

#[derive(Deserialize)]
struct Route {
    tier: String,
    model: Option<String>,
    rule: String,
    reasons: Vec<String>,
}

#[derive(Deserialize)]
struct End {
    at: Recorded,
    outcome: String,
    failure: Option<String>,
    until: Option<Recorded>,
    reasons: Vec<String>,
    model: Option<String>,
    turns: u64,
    usd: f64,
    figures: Option<String>,
    session_usd: f64,
    summary: String,
    commits: Vec<String>,
    #[serde(default)]
    moved: Vec<String>,
    leftovers: u32,
    tokens: TokenTable,
    #[serde(default)]
    session_tokens: BTreeMap<String, TokenTable>,
    #[serde(default)]
    denied: Vec<DeniedTable>,
    #[serde(default)]
    verify: Vec<VerifyTable>,
}

#[derive(Deserialize)]
struct TokenTable {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

#[derive(Deserialize)]
struct DeniedTable {
    tool: String,
    input: String,
}

#[derive(Deserialize)]
struct VerifyTable {
    command: Vec<String>,
    passed: bool,
    ended: String,
    said: String,
}

#[derive(Deserialize)]
struct ReviewTable {
    at: Recorded,
    by: String,
    merged: Option<String>,
    rejected: Option<String>,
}

/// The run that a file tells of.
///
/// # Errors
/// [`Malformed`] with the place, or with the key where the value is the matter.
pub(crate) fn parse(text: &str) -> Result<Run, Malformed> {
    let file: File = syntax::read(text)?;
    if file.schema != 1 {
        let message = format!("schema: written by a newer swift (schema {})", file.schema);
        return Err(Malformed::whole(Code::NewerSchema, message));
    }
    Ok(Run {
        id: word("id", &file.id)?,
        task: file.task.map(|task| word("task", &task)).transpose()?,
        title: file.title,
        attempt: file.attempt,
        follows: file.follows.map(|run| word("follows", &run)).transpose()?,
        actor: word("actor", &file.actor)?,
        token: file.token,
        request: file.request,
        choice: Choice {
            tier: word("route.tier", &file.route.tier)?,
            model: file.route.model,
            rule: file.route.rule,
            reasons: file.route.reasons,
        },
        session: file.session,
        resumed: file.resumed,
        branch: file.branch,
        base: file.base,
        started_at: file.started_at.0,
        ending: file.end.map(ending).transpose()?,
        review: file.review.map(review).transpose()?,
    })
}

fn ending(end: End) -> Result<RunEnding, Malformed> {
    let failure = end.failure.map(|failure| word("end.failure", &failure)).transpose()?;
    let figures = end.figures.map(|figures| word("end.figures", &figures)).transpose()?;
    let until = end.until.map(|until| until.0);
    let outcome = Outcome::parse(&end.outcome, failure, until)
        .ok_or_else(|| wrong("end.outcome", &format!("`{}` is no outcome", shown(&end.outcome))))?;
    Ok(RunEnding {
        at: end.at.0,
        outcome,
        reasons: end.reasons,
        model: end.model,
        turns: end.turns,
        spend: Spend {
            usd: end.usd,
            figures: figures.unwrap_or(Figures::Told),
            tokens: tokens(&end.tokens),
            session_usd: end.session_usd,
            session_models: end.session_tokens.iter().map(|(model, t)| (model.clone(), tokens(t))).collect(),
        },
        summary: end.summary,
        denials: end.denied.into_iter().map(|d| Denial { tool: d.tool, input: d.input }).collect(),
        verdicts: end
            .verify
            .into_iter()
            .map(|v| Verdict { command: v.command, passed: v.passed, ended: v.ended, said: v.said })
            .collect(),
        commits: end.commits,
        moved: end.moved,
        leftovers: end.leftovers,
    })
}

fn tokens(table: &TokenTable) -> Tokens {
    Tokens {
        input: table.input,
        output: table.output,
        cache_read: table.cache_read,
        cache_write: table.cache_write,
    }
}

fn review(table: ReviewTable) -> Result<Review, Malformed> {
    let decision = match (table.merged, table.rejected) {
        (Some(commit), None) => Decision::Merged(commit),
        (None, Some(why)) => Decision::Rejected(why),
        _ => return Err(wrong("review", "is either merged or rejected")),
    };
    Ok(Review { at: table.at.0, by: word("review.by", &table.by)?, decision })
}

fn word<T: std::str::FromStr<Err = Fault>>(key: &str, value: &str) -> Result<T, Malformed> {
    value.parse().map_err(|fault: Fault| wrong(key, &fault.message))
}

fn wrong(key: &str, what: &str) -> Malformed {
    Malformed::whole(Code::Malformed, format!("{key}: {what}"))
}

#[cfg(test)]
mod properties;
