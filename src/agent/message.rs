//! One line of `stream-json` as events. Unknown kinds and fields are let through, missing ones are missed.

mod halves;
mod lenient;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::run::answer::{Answer, Told};
use crate::domain::run::event::{Denial, Event, LimitNotice, ResultLine, Tokens, Trouble};
use crate::domain::run::usage::Use;

use halves::with_whole_characters;
use lenient::{each, lenient};

/// How much of a text is kept: enough to follow what happens.
const TEXT: usize = 4_000;

/// How much of a final text is kept.
const FINAL_TEXT: usize = 60_000;

/// How much of a tool's input is shown.
const INPUT: usize = 300;

/// How many denials are kept.
const MOST_DENIALS: usize = 50;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    subtype: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "lenient")]
    session_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    claude_code_version: Option<String>,
    #[serde(default, deserialize_with = "each")]
    mcp_servers: Vec<Server>,
    #[serde(borrow, default)]
    message: Option<Inner<'a>>,
    #[serde(default)]
    parent_tool_use_id: Option<String>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    is_api_error_message: bool,
    #[serde(default, deserialize_with = "lenient")]
    api_error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    api_error: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    attempt: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    tool_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    fallback_model: Option<String>,
    #[serde(default)]
    rate_limit_info: Option<RateLimit>,
}

#[derive(Deserialize, Default)]
struct Server {
    #[serde(default, deserialize_with = "lenient")]
    name: String,
    #[serde(default, deserialize_with = "lenient")]
    status: String,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default)]
    content: Content<'a>,
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    model: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Usage>,
}

impl Inner<'_> {
    /// What it has used, if that is told.
    fn used(&mut self) -> Option<Event> {
        let tokens = self.usage.take()?.tokens();
        let (message, model) = (word(self.id.take()), word(self.model.take()));
        (tokens != Tokens::default()).then_some(Event::Used(Use { message, model, tokens }))
    }
}

/// The content of a message: a text, or blocks.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Content<'a> {
    Blocks(#[serde(borrow)] Vec<Block<'a>>),
    Other(serde::de::IgnoredAny),
    #[default]
    None,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    input: Option<Value>,
    #[serde(default)]
    content: Option<Value>,
    #[serde(default)]
    is_error: Option<bool>,
}

#[derive(Deserialize)]
struct RateLimit {
    #[serde(default, deserialize_with = "lenient")]
    status: String,
    #[serde(default, rename = "resetsAt", deserialize_with = "lenient")]
    resets_at: Option<Value>,
    #[serde(default, rename = "rateLimitType", deserialize_with = "lenient")]
    window: Option<String>,
}

impl RateLimit {
    fn notice(self) -> LimitNotice {
        LimitNotice {
            is_rejected: self.status == "rejected",
            resets_at: self.resets_at.and_then(|at| instant(&at)),
            window: word(self.window),
        }
    }
}

/// Seconds since 1970, or a time in words that computers agree on; nothing else.
fn instant(at: &Value) -> Option<Timestamp> {
    let text = at.as_str().unwrap_or_default().trim();
    let seconds = at.as_f64().or_else(|| text.parse().ok());
    match seconds {
        Some(seconds) => Timestamp::from_second(seconds as i64).ok(),
        None => text.parse().ok(),
    }
}

#[derive(Deserialize)]
struct ResultMessage<'a> {
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(default)]
    terminal_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    stop_reason: Option<String>,
    #[serde(borrow, default)]
    result: Option<Final<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    errors: Vec<Value>,
    #[serde(default, deserialize_with = "lenient")]
    api_error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    api_error: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    num_turns: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    total_cost_usd: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<Usage>,
    #[serde(default, rename = "modelUsage", deserialize_with = "lenient")]
    models: Option<BTreeMap<String, ModelUse>>,
    #[serde(default, deserialize_with = "each")]
    permission_denials: Vec<DenialLine>,
    #[serde(default)]
    structured_output: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    session_id: Option<String>,
}

/// The final text; blocks of text, or whatever else a version may come to write there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Final<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(Value),
}

impl Final<'_> {
    fn told(&self) -> String {
        match self {
            Final::Text(text) => cut(text, FINAL_TEXT),
            Final::Other(blocks @ Value::Array(_)) if !text_of(blocks).is_empty() => text_of(blocks),
            Final::Other(other) => cut(&other.to_string(), FINAL_TEXT),
        }
    }
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: u64,
}

impl Usage {
    fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input_tokens,
            output: self.output_tokens,
            cache_read: self.cache_read_input_tokens,
            cache_write: self.cache_creation_input_tokens,
        }
    }
}

#[derive(Deserialize)]
struct ModelUse {
    #[serde(default, rename = "inputTokens")]
    input: u64,
    #[serde(default, rename = "outputTokens")]
    output: u64,
    #[serde(default, rename = "cacheReadInputTokens")]
    cache_read: u64,
    #[serde(default, rename = "cacheCreationInputTokens")]
    cache_write: u64,
}

#[derive(Deserialize, Default)]
struct DenialLine {
    #[serde(default, deserialize_with = "lenient")]
    tool_name: String,
    #[serde(default)]
    tool_input: Value,
}

/// Only the kind, to know how to read the rest.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// What a line tells. A line that is not UTF-8 is read with its odd bytes replaced.
pub(super) fn events(line: &[u8]) -> Vec<Event> {
    of_text(&with_whole_characters(&String::from_utf8_lossy(line)))
}

fn of_text(text: &str) -> Vec<Event> {
    let Ok(Kind { kind }) = serde_json::from_str::<Kind<'_>>(text) else {
        return vec![Event::Noise(cut(text, INPUT))];
    };
    if kind == "result" {
        // A result that cannot be read is none: nothing is made up in its place.
        return vec![
            read_result(text)
                .map_or_else(|| Event::Noise(cut(text, INPUT)), |line| Event::Result(Box::new(line))),
        ];
    }
    match serde_json::from_str::<Message<'_>>(text) {
        Ok(message) => of_message(message),
        Err(_) => vec![Event::Other(cut(&kind, INPUT))],
    }
}

/// Of a field that is there twice the last counts.
fn read_result(text: &str) -> Option<ResultLine> {
    if let Ok(message) = serde_json::from_str::<ResultMessage<'_>>(text) {
        return Some(result(message));
    }
    let once = serde_json::from_str::<Value>(text).ok()?.to_string();
    serde_json::from_str::<ResultMessage<'_>>(&once).ok().map(result)
}

fn of_message(message: Message<'_>) -> Vec<Event> {
    match (message.kind.as_ref(), message.subtype.as_deref()) {
        ("system", Some("init")) => vec![began(message)],
        ("system", Some("api_retry")) => {
            let word = message.error.as_ref().and_then(Value::as_str);
            let kind = Trouble::of(word, message.error_status);
            vec![Event::Retrying {
                attempt: message.attempt.unwrap_or(0),
                status: message.error_status,
                kind,
            }]
        }
        ("system", Some("permission_denied")) => {
            vec![Event::Refused { tool: cut(&message.tool_name.unwrap_or_default(), INPUT) }]
        }
        ("system", Some("model_fallback")) => {
            vec![Event::Fallback { to: cut(&message.fallback_model.unwrap_or_default(), INPUT) }]
        }
        ("rate_limit_event", _) => match message.rate_limit_info {
            Some(info) => vec![Event::Limit(info.notice())],
            None => vec![Event::Other("rate_limit_event".to_owned())],
        },
        ("assistant", _) if message.is_api_error_message || message.error.is_some() => {
            vec![api_error(&message)]
        }
        ("assistant" | "user", _) => {
            let is_sub = message.parent_tool_use_id.is_some();
            let Some(mut inner) = message.message else { return Vec::new() };
            let used = inner.used();
            let blocks = match inner.content {
                Content::Blocks(blocks) => blocks,
                _ => Vec::new(),
            };
            used.into_iter().chain(blocks.into_iter().filter_map(|block| of_block(block, is_sub))).collect()
        }
        (kind, Some(subtype)) => vec![Event::Other(cut(&format!("{kind}/{subtype}"), INPUT))],
        (kind, None) => vec![Event::Other(cut(kind, INPUT))],
    }
}

fn began(message: Message<'_>) -> Event {
    let failed = message.mcp_servers.into_iter().filter(|server| server.status == "failed");
    Event::Began {
        session: word(message.session_id),
        model: word(message.model),
        version: word(message.claude_code_version),
        failed_servers: failed.map(|server| cut(&server.name, INPUT)).take(MOST_DENIALS).collect(),
    }
}

fn api_error(message: &Message<'_>) -> Event {
    let word = message.error.as_ref().and_then(Value::as_str);
    let text = match &message.message {
        Some(Inner { content: Content::Blocks(blocks), .. }) => {
            blocks.iter().find_map(|block| block.text.as_deref()).unwrap_or_default()
        }
        _ => "",
    };
    if message.api_error.as_deref() == Some("usage_limit_reached") {
        return Event::Other("usage limit".to_owned());
    }
    Event::ApiError { kind: Trouble::of(word, message.api_error_status), text: cut(text, TEXT) }
}

fn of_block(block: Block<'_>, is_sub: bool) -> Option<Event> {
    match block.kind.as_ref() {
        "text" => {
            let text = block.text.unwrap_or_default();
            let text = cut(text.trim(), TEXT);
            (!text.is_empty()).then(|| Event::Text(if is_sub { format!("(subagent) {text}") } else { text }))
        }
        "tool_use" => Some(Event::ToolUse {
            tool: cut(&block.name.unwrap_or_default(), INPUT),
            input: recognisable(&block.input.unwrap_or_default()),
        }),
        "tool_result" => Some(Event::ToolDone {
            result: text_of(&block.content.unwrap_or_default()),
            fault: block.is_error == Some(true),
        }),
        _ => None,
    }
}

/// The part of a tool's input by which a person knows what it is about.
fn recognisable(input: &Value) -> String {
    let keys = ["command", "file_path", "path", "pattern", "url", "query", "description", "prompt"];
    let known = keys.iter().find_map(|key| input.get(key).and_then(Value::as_str));
    match known {
        Some(text) => cut(text, INPUT),
        None if input.is_null() => String::new(),
        None => cut(&input.to_string(), INPUT),
    }
}

/// The beginning of the text of a tool's answer.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => cut(text, TEXT),
        Value::Array(blocks) => {
            let texts = blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
            cut(&texts.take(20).map(|text| cut(text, TEXT)).collect::<Vec<_>>().join("\n"), TEXT)
        }
        _ => String::new(),
    }
}

fn result(message: ResultMessage<'_>) -> ResultLine {
    let usage = message.usage.unwrap_or_default();
    let models = message.models.unwrap_or_default().into_iter().take(MOST_DENIALS);
    let denials = message.permission_denials.into_iter().take(MOST_DENIALS);
    ResultLine {
        subtype: word(message.subtype),
        is_error: message.is_error,
        terminal_reason: word(message.terminal_reason),
        stop_reason: word(message.stop_reason),
        text: message.result.map(|told| told.told()),
        errors: message.errors.iter().take(10).map(|error| cut(&plain(error), TEXT)).collect(),
        api_status: message.api_error_status,
        is_usage_limit: message.api_error.as_deref() == Some("usage_limit_reached"),
        turns: message.num_turns,
        session_cost: message.total_cost_usd,
        tokens: usage.tokens(),
        models: models.map(|(name, u)| (cut(&name, INPUT), tokens(&u))).collect(),
        denials: denials
            .map(|denial| Denial {
                tool: cut(&denial.tool_name, INPUT),
                input: recognisable(&denial.tool_input),
            })
            .collect(),
        answer: told(message.structured_output.as_ref()),
        session: word(message.session_id),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn tokens(used: &ModelUse) -> Tokens {
    Tokens {
        input: used.input,
        output: used.output,
        cache_read: used.cache_read,
        cache_write: used.cache_write,
    }
}

fn told(value: Option<&Value>) -> Told {
    match value {
        None | Some(Value::Null) => Told::Nothing,
        Some(value) => answer(value).map_or(Told::Malformed, Told::Answer),
    }
}

/// The run's own answer; `None` if it does not have the form that was asked.
fn answer(value: &Value) -> Option<Answer> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(|text| cut(text, FINAL_TEXT));
    let claim = value.get("status")?.as_str()?.parse().ok()?;
    Some(Answer { claim, summary: text("summary").unwrap_or_default(), reason: text("reason") })
}

/// A name or a short word, which may be as long as whoever wrote it liked.
fn word(text: Option<String>) -> Option<String> {
    text.map(|text| cut(&text, INPUT))
}

/// The beginning of a text, cut between characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
