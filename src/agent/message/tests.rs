//! Messages as the program writes them, and as it does not.

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
