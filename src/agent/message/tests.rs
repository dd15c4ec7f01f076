//! Messages as the program writes them, and as it does not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::domain::run::answer::Claim;

fn one(line: &str) -> Event {
    let mut all = events(line.as_bytes());
    assert_eq!(all.len(), 1, "{line}");
    all.remove(0)
}

#[test]
fn what_the_model_does_is_told() {
    let line = r#"{"message":{"id":"m","content":[{"type":"text","text":" Hello \n"},{"type":"tool_use","name":"Bash","input":{"command":"ls -l","timeout":3}},{"type":"thinking","thinking":"…"}]},"parent_tool_use_id":null,"type":"assistant"}"#;
    assert_eq!(
        events(line.as_bytes()),
        [
            Event::Text("Hello".to_owned()),
            Event::ToolUse { tool: "Bash".to_owned(), input: "ls -l".to_owned() }
        ]
    );
    let line = r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":[{"type":"text","text":"no"}]}]}}"#;
    assert_eq!(one(line), Event::ToolDone { result: "no".to_owned(), fault: true });
    assert_eq!(events(br#"{"type":"user","message":{"role":"user","content":"plain"}}"#), []);
}

#[test]
fn a_result_is_read_whatever_its_order_and_its_gaps() {
    let line = r#"{"total_cost_usd":0.5,"permission_denials":[{"tool_name":"Bash","tool_use_id":"x","tool_input":{"command":"rm x"}}],"type":"result","subtype":"success","is_error":false,"result":"ok","num_turns":2,"usage":{"input_tokens":3,"output_tokens":4,"service_tier":null},"modelUsage":{"m":{"inputTokens":9}},"structured_output":{"status":"needs_person","summary":"s","reason":"why"}}"#;
    let Event::Result(result) = one(line) else { panic!() };
    assert_eq!((result.is_error, result.session_cost, result.turns), (Some(false), Some(0.5), Some(2)));
    assert_eq!((result.tokens.input, result.models["m"].input), (3, 9));
    assert_eq!(result.denials, [Denial { tool: "Bash".to_owned(), input: "rm x".to_owned() }]);
    assert_eq!(result.answer.given().unwrap().claim, Claim::NeedsPerson);
    let Event::Result(bare) = one(r#"{"type":"result"}"#) else { panic!() };
    assert_eq!(*bare, ResultLine::default());
}

#[test]
fn a_result_with_a_field_of_another_kind_is_not_made_up() {
    assert!(matches!(one(r#"{"type":"result","is_error":"no","subtype":"success"}"#), Event::Noise(_)));
}

#[test]
fn what_decides_nothing_may_be_odd_or_there_twice() {
    let line = r#"{"type":"result","is_error":true,"is_error":false,"num_turns":"two","total_cost_usd":null,"usage":7,"modelUsage":{"m":{"inputTokens":1.5}},"api_error_status":"429","result":"ok"}"#;
    let Event::Result(result) = one(line) else { panic!() };
    assert_eq!((result.is_error, result.turns, result.text.as_deref()), (Some(false), None, Some("ok")));
}

#[test]
fn half_a_character_costs_no_result() {
    let line = r#"{"type":"result","subtype":"success","is_error":false,"result":"a \ud83d\ude00 b \ud83d, c \\ud83d d \ude00","structured_output":{"status":"done","summary":"\uD83D"},"uuid":"\ud83d"}"#;
    let Event::Result(result) = one(line) else { panic!() };
    assert_eq!(result.text.as_deref(), Some("a \u{1f600} b \u{fffd}, c \\ud83d d \u{fffd}"));
    assert_eq!(result.answer.given().unwrap().summary, "\u{fffd}");
    let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"\ud83d\ud83d\ude00"}]}}"#;
    assert_eq!(one(line), Event::Text("\u{fffd}\u{1f600}".to_owned()));
}

#[test]
fn fields_that_are_null_or_of_another_kind_are_as_good_as_missing() {
    let line = r#"{"type":"result","subtype":"success","is_error":false,"result":[{"type":"text","text":"ok"}],"permission_denials":null,"session_id":7,"stop_reason":[]}"#;
    let Event::Result(result) = one(line) else { panic!() };
    assert_eq!((result.is_error, result.text.as_deref()), (Some(false), Some("ok")));
    assert_eq!(result.denials, []);
    let line = r#"{"type":"system","subtype":"init","session_id":"s","model":null,"mcp_servers":null}"#;
    assert!(matches!(one(line), Event::Began { session: Some(_), .. }));
    // That something was refused counts, however it is told.
    let line = r#"{"type":"result","permission_denials":[{"tool_name":"Bash"},7,{"tool_name":null}]}"#;
    let Event::Result(result) = one(line) else { panic!() };
    let tools: Vec<&str> = result.denials.iter().map(|denial| denial.tool.as_str()).collect();
    assert_eq!(tools, ["Bash", "", ""]);
}

#[test]
fn trouble_and_limits_are_told() {
    let retry = r#"{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"retry_delay_ms":5,"error_status":401,"error":"authentication_failed"}"#;
    assert_eq!(one(retry), Event::Retrying { attempt: 2, status: Some(401), kind: Trouble::Login });
    let lost =
        r#"{"type":"system","subtype":"api_retry","attempt":1,"error_status":null,"error":"server_error"}"#;
    assert_eq!(one(lost), Event::Retrying { attempt: 1, status: None, kind: Trouble::Connection });
    let limit = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1893456000,"rateLimitType":"five_hour"}}"#;
    let Event::Limit(notice) = one(limit) else { panic!() };
    assert_eq!(notice.resets_at.unwrap().as_second(), 1_893_456_000);
    let error = r#"{"type":"assistant","error":"billing_error","is_api_error_message":true,"api_error_status":400,"message":{"content":[{"type":"text","text":"Credit balance is too low"}]}}"#;
    assert_eq!(
        one(error),
        Event::ApiError { kind: Trouble::Billing, text: "Credit balance is too low".to_owned() }
    );
}

#[test]
fn what_is_not_known_is_let_through() {
    assert_eq!(one(r#"{"type":"brand_new","x":[1,{"y":2}]}"#), Event::Other("brand_new".to_owned()));
    assert_eq!(one(r#"{"type":"system","subtype":"new"}"#), Event::Other("system/new".to_owned()));
    assert_eq!(one(r#"{"type":"assistant","message":7}"#), Event::Other("assistant".to_owned()));
    assert!(matches!(one("warning: something"), Event::Noise(_)));
    assert!(matches!(one(r#"{"type":"result","is_err"#), Event::Noise(_)));
    assert!(matches!(one("[1,2]"), Event::Noise(_)));
}

#[test]
fn odd_bytes_and_long_texts_do_no_harm() {
    let mut line = br#"{"type":"assistant","message":{"content":[{"type":"text","text":"a"#.to_vec();
    line.push(0xff);
    line.extend_from_slice(br#"b"}]}}"#);
    assert_eq!(events(&line), [Event::Text("a\u{fffd}b".to_owned())]);
    let long = format!(
        r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{}"}}]}}}}"#,
        "ü".repeat(9_000)
    );
    let Event::Text(text) = one(&long) else { panic!() };
    assert!(text.len() < 4_100 && text.ends_with('…'));
}

/// The worst lines that were found.
const ODD: &[u8] = include_bytes!("../../../tests/corpus/messages/odd.jsonl");

/// Read a line; however much it says, each event is small, and there are no more of them than the line has bytes.
fn bounded(line: &[u8]) -> Vec<Event> {
    let all = events(line);
    assert!(all.len() <= line.len().max(1));
    for event in &all {
        let said = format!("{event:?}").len();
        // Each byte of a text may be shown as several; a result has its final text, its errors and its denials.
        let most = if matches!(event, Event::Result(_)) { 2 << 20 } else { 64 << 10 };
        assert!(said < most, "{said} of {}", line.len());
    }
    all
}

#[test]
fn odd_lines_are_no_more_than_noise() {
    for line in ODD.split(|byte| *byte == b'\n') {
        let all = bounded(line);
        let is_result = all.iter().any(|event| matches!(event, Event::Result(_)));
        assert!(!is_result || line.starts_with(b"{\"type\":\"result\""), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn instants_of_no_calendar_are_none() {
    let odd = [
        ("-1e300", false),
        ("1e300", false),
        ("-99999999999", true),
        ("1893456000.9", true),
        ("\"1893456000\"", true),
        ("\"2030-01-01T00:00:00Z\"", true),
        ("\"soon\"", false),
        ("[]", false),
        ("null", false),
    ];
    for (at, known) in odd {
        let line = format!(
            r#"{{"type":"rate_limit_event","rate_limit_info":{{"status":"rejected","resetsAt":{at}}}}}"#
        );
        let Event::Limit(notice) = one(&line) else { panic!("{line}") };
        assert_eq!((notice.is_rejected, notice.resets_at.is_some()), (true, known), "{at}");
    }
}

#[test]
fn lines_of_megabytes_become_small_events() {
    let long = "x".repeat(3 << 20);
    let many = |item: &str| vec![item; 100_000].join(",");
    for line in [
        format!(r#"{{"type":"result","result":"{long}","session_id":"s"}}"#),
        format!(r#"{{"type":"result","errors":[{}]}}"#, many(r#""e""#)),
        format!(r#"{{"type":"result","permission_denials":[{}]}}"#, many(r#"{"tool_name":"t"}"#)),
        format!(r#"{{"type":"result","structured_output":{{"status":"done","summary":"{long}"}}}}"#),
        format!(r#"{{"type":"system","subtype":"init","mcp_servers":[{}]}}"#, many(r#"{"status":"failed"}"#)),
        format!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","name":"{long}","input":["{long}"]}}]}}}}"#
        ),
        format!(r#"{{"type":"system","subtype":"{long}"}}"#),
        format!(r#"{{"type":"{long}"}}"#),
        format!(r#"{{"type":"result","subtype":"{long}","stop_reason":"{long}","session_id":"{long}"}}"#),
        format!(r#"{{"type":"system","subtype":"init","session_id":"{long}","model":"{long}"}}"#),
        format!(r#"{{"type":"rate_limit_event","rate_limit_info":{{"rateLimitType":"{long}"}}}}"#),
        long,
    ] {
        bounded(line.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_few_small_events(bytes in vec(any::<u8>(), 0..200)) {
        bounded(&bytes);
        bounded(&[b"{\"type\":\"result\",", &*bytes, b"}"].concat());
    }

    #[test]
    fn a_damaged_line_is_a_few_small_events(
        line in select(ODD.split(|byte| *byte == b'\n').collect::<Vec<_>>()),
        at in any::<Index>(), with in vec(any::<u8>(), 0..4), cut in 0_usize..4,
    ) {
        let mut bytes = line.to_vec();
        let at = at.index(bytes.len() + 1);
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        bounded(&bytes);
    }

    #[test]
    fn fields_of_any_kind_are_read_or_missed(
        kind in select(&["result", "assistant", "user", "system", "rate_limit_event"][..]),
        fields in vec((select(&[
            "subtype", "is_error", "result", "errors", "num_turns", "total_cost_usd", "usage", "modelUsage", "permission_denials",
            "structured_output", "session_id", "message", "rate_limit_info", "error", "mcp_servers", "attempt", "error_status",
        ][..]), select(&[
            "null", "true", "7", "-1", "1e300", "\"x\"", "[]", "[7]", "{}", "{\"content\":[{}]}", "{\"content\":7}",
            "{\"resetsAt\":\"x\"}", "{\"m\":{\"inputTokens\":-1}}", "[{\"tool_name\":7}]", "\"init\"", "\"api_retry\"",
        ][..])), 0..6),
    ) {
        let fields: String = fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
        bounded(format!("{{\"type\":\"{kind}\"{fields}}}").as_bytes());
    }
}
