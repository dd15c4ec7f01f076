//! Labelled requests, one JSON object a line.
//!
//! Several names are understood for each field, because such files come from many hands:
//!
//! - the request: `text`, `prompt`, `request`, `input`, `query`, or `title` with an optional `body`;
//! - the tier: `tier`, `label`, `expected`, `expected_tier`, `target`, `gold`, `model`; also the name of a model;
//! - what should become of it: `decision`, `verdict`, `expected_decision`, or `destructive`: `true` for `ask`, `false` for no question;
//! - the head: `kind`, `effort`, `priority`, `labels`, beside the text or in an object `head`, where `tier` and
//!   `model` are what the task asks for by name.
//!
//! Other fields are left alone. A line that is empty or begins with `#` or `//` is none.

use serde_json::{Map, Value};

use crate::domain::route::evaluation::Case;
use crate::domain::route::{Head, Model, Tier, Verdict};
use crate::domain::text::shown;

const TEXTS: [&str; 5] = ["text", "prompt", "request", "input", "query"];
const TIERS: [&str; 8] =
    ["tier", "label", "expected", "expected_tier", "expectedTier", "target", "gold", "model"];
const VERDICTS: [&str; 4] = ["decision", "verdict", "expected_decision", "expectedDecision"];

/// The cases of a file, and the lines that are none, each with its reason.
pub(crate) fn parse(bytes: &[u8]) -> (Vec<Case>, Vec<String>) {
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Ok(line) = std::str::from_utf8(line) else {
            problems.push(format!("line {}: not UTF-8", index + 1));
            continue;
        };
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        match case(line, index + 1) {
            Ok(case) => cases.push(case),
            Err(why) => problems.push(format!("line {}: {why}", index + 1)),
        }
    }
    (cases, problems)
}

fn case(line: &str, number: usize) -> Result<Case, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("not JSON ({error})"))?;
    let Value::Object(fields) = value else { return Err("not a JSON object".to_owned()) };
    let text = request(&fields).ok_or("has no `text`")?;
    if text.trim().is_empty() || text.contains('\0') {
        return Err("its text is no request: it is empty, or has a NUL".to_owned());
    }
    let nested = fields.get("expected").and_then(Value::as_object);
    let (mut tier, mut verdict) = (None, None);
    for object in nested.into_iter().chain([&fields]) {
        for word in TIERS.iter().filter_map(|key| object.get(*key)).filter_map(Value::as_str) {
            match label(word)? {
                Label::Tier(named) => tier = tier.or(Some(named)),
                Label::Verdict(named) => verdict = verdict.or(Some(named)),
            }
        }
        for word in VERDICTS.iter().filter_map(|key| object.get(*key)).filter_map(Value::as_str) {
            match label(word)? {
                Label::Tier(named) => tier = tier.or(Some(named)),
                Label::Verdict(named) => verdict = Some(named),
            }
        }
        match object.get("destructive") {
            Some(Value::Bool(true)) => verdict = Some(Verdict::Ask),
            Some(Value::Bool(false)) => verdict = verdict.or(Some(Verdict::Direct)),
            _ => {}
        }
    }
    if tier.is_none() && verdict.is_none() {
        return Err("has no label: neither `tier` nor `decision`".to_owned());
    }
    Ok(Case { line: number, text, head: head(&fields)?, tier, verdict })
}

fn request(fields: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    if let Some(found) = TEXTS.iter().find_map(|key| text(key)) {
        return Some(found.to_owned());
    }
    let title = text("title")?;
    Some(match text("body") {
        Some(body) => format!("{title}\n\n{body}"),
        None => title.to_owned(),
    })
}

/// What a label says.
enum Label {
    Tier(Tier),
    Verdict(Verdict),
}

fn label(word: &str) -> Result<Label, String> {
    let word = word.trim();
    if let Some(tier) =
        word.parse::<Tier>().ok().or_else(|| word.parse::<Model>().ok().and_then(|m| m.tier()))
    {
        return Ok(Label::Tier(tier));
    }
    if let Ok(verdict) = word.parse::<Verdict>() {
        return Ok(Label::Verdict(verdict));
    }
    match word.to_lowercase().as_str() {
        "destructive" | "confirm" | "approval" | "blocked" => Ok(Label::Verdict(Verdict::Ask)),
        "cheap" | "fast" | "light" | "simple" | "easy" => Ok(Label::Tier(Tier::Haiku)),
        "medium" | "standard" | "mid" | "moderate" => Ok(Label::Tier(Tier::Sonnet)),
        "strong" | "heavy" | "complex" | "hard" => Ok(Label::Tier(Tier::Opus)),
        _ => Err(format!("`{}` is neither a tier nor a decision", shown(word))),
    }
}

fn head(fields: &Map<String, Value>) -> Result<Head, String> {
    let nested = fields.get("head").and_then(Value::as_object);
    let text =
        |key: &str| nested.and_then(|head| head.get(key)).or_else(|| fields.get(key)).and_then(Value::as_str);
    let named = |key: &str| nested.and_then(|head| head.get(key)).and_then(Value::as_str);
    let labels = nested.and_then(|head| head.get("labels")).or_else(|| fields.get("labels"));
    let labels = labels.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Ok(Head {
        kind: read(text("kind"))?,
        priority: read(text("priority"))?,
        effort: read(text("effort"))?,
        labels: labels.map(str::to_owned).collect(),
        tier: read(named("tier"))?,
        model: read(named("model"))?,
    })
}

fn read<T: std::str::FromStr<Err = crate::domain::fault::Fault>>(
    text: Option<&str>,
) -> Result<Option<T>, String> {
    text.map(|text| text.parse::<T>().map_err(|fault| fault.message)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_many_hands_are_understood() {
        let text = "\u{feff}# mine\n\
            {\"text\": \"a\", \"tier\": \"haiku\"}\n\
            {\"prompt\": \"b\", \"label\": \"Opus\", \"decision\": \"escalate\"}\n\
            {\"request\": \"c\", \"expected\": {\"tier\": \"sonnet\", \"decision\": \"ask\"}, \"id\": 7}\n\
            {\"text\": \"d\", \"model\": \"claude-haiku-5-5\", \"destructive\": true, \"effort\": \"XL\"}\n\
            {\"title\": \"e\", \"body\": \"f\", \"expected\": \"ask\", \"head\": {\"tier\": \"opus\"}}\n\
            {\"text\": \"i\", \"tier\": \"haiku\", \"destructive\": false}\n\
            \n{\"text\": \"g\"}\n[1]\n{\"text\": \"h\", \"tier\": \"gpt\"}\n";
        let (cases, problems) = parse(text.as_bytes());
        let seen: Vec<_> = cases.iter().map(|case| (case.text.as_str(), case.tier, case.verdict)).collect();
        assert_eq!(
            seen,
            [
                ("a", Some(Tier::Haiku), None),
                ("b", Some(Tier::Opus), Some(Verdict::Escalate)),
                ("c", Some(Tier::Sonnet), Some(Verdict::Ask)),
                ("d", Some(Tier::Haiku), Some(Verdict::Ask)),
                ("e\n\nf", None, Some(Verdict::Ask)),
                ("i", Some(Tier::Haiku), Some(Verdict::Direct)),
            ]
        );
        assert_eq!(cases[4].head.tier, Some(Tier::Opus));
        assert_eq!(cases[3].line, 5);
        assert_eq!(
            problems,
            [
                "line 9: has no label: neither `tier` nor `decision`",
                "line 10: not a JSON object",
                "line 11: `gpt` is neither a tier nor a decision",
            ]
        );
    }
}
