//! What rules accept, what they never do, and what is no rule.

use proptest::prelude::*;

use super::*;

fn rule(text: &str) -> Rule {
    text.parse().unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn acceptance(rules: &[&str]) -> Acceptance {
    Acceptance::of(rules.iter().map(|text| rule(text)).collect()).unwrap()
}

fn task() -> Task {
    Task {
        from: Some("acme/web".parse().unwrap()),
        kind: "bug".parse().unwrap(),
        priority: Priority::Low,
        effort: Effort::S,
        labels: vec!["docs".to_owned()],
        ..Task::titled("all & from:acme/api priority<=critical")
    }
}

#[test]
fn a_rule_fits_what_it_says() {
    let cases = [
        ("none", false),
        ("all", true),
        ("from:acme/web", true),
        ("from = acme/web", true),
        ("from:acme/api", false),
        ("priority<=low", true),
        ("priority <= medium", true),
        ("priority>=medium", false),
        ("priority=low", true),
        ("effort<=S", true),
        ("effort>=M", false),
        ("kind=bug", true),
        ("kind:Bug", true),
        ("kind=feature", false),
        ("label=docs", true),
        ("label=doc", false),
        ("from:acme/web & priority<=low & kind=bug", true),
        ("from:acme/web & priority>=high", false),
    ];
    for (text, expected) in cases {
        assert_eq!(rule(text).fits(&task()), expected, "{text}");
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    let wrong = [
        "",
        " ",
        "&",
        "all &",
        "none & all",
        "all & kind=bug",
        "al",
        "ALL",
        "from",
        "from:",
        "from:web",
        "from<=acme/web",
        "priority",
        "priority<low",
        "priority<=lowest",
        "priority=<low",
        "priority!=low",
        "effort<=XXL",
        "kind=",
        "kind=two words",
        "kind<=bug",
        "label=",
        "title=x",
        "from:acme/web kind=bug",
        "from:acme/web, kind=bug",
        "from:acme/web || all",
        "accept=all",
        "kind=bug\n& all",
    ];
    for text in wrong {
        assert!(text.parse::<Rule>().is_err(), "{text:?}");
    }
}

#[test]
fn none_stands_alone_and_several_rules_are_alternatives() {
    assert!(acceptance(&["none"]).is_none());
    assert!(Acceptance::of(vec![rule("none"), rule("all")]).is_err());
    let either = acceptance(&["kind=feature", "label=docs"]);
    assert_eq!(either.rule_for(&task()).unwrap().to_string(), "label=docs");
    assert!(acceptance(&["kind=feature", "from:acme/api"]).rule_for(&task()).is_none());
    assert!(acceptance(&[]).rule_for(&task()).is_none());
}

fn any_condition() -> impl Strategy<Value = String> {
    let order = prop::sample::select(vec!["<=", ">=", "="]);
    let priority = prop::sample::select(Priority::ALL);
    let effort = prop::sample::select(Effort::ALL);
    prop_oneof![
        prop::sample::select(vec!["acme/web", "acme/api", "x/y"]).prop_map(|id| format!("from:{id}")),
        (order.clone(), priority).prop_map(|(order, value)| format!("priority{order}{value}")),
        (order, effort).prop_map(|(order, value)| format!("effort{order}{value}")),
        prop::sample::select(vec!["bug", "task", "own-word"]).prop_map(|kind| format!("kind={kind}")),
        prop::sample::select(vec!["docs", "http"]).prop_map(|label| format!("label={label}")),
    ]
}

fn any_task() -> impl Strategy<Value = Task> {
    (
        prop::option::of(prop::sample::select(vec!["acme/web", "acme/api", "x/y"])),
        prop::sample::select(Priority::ALL),
        prop::sample::select(Effort::ALL),
        prop::sample::select(vec!["bug", "task", "own-word", "other"]),
        prop::collection::vec(prop::sample::select(vec!["docs", "http", "x"]), 0..3),
        "\\PC{0,20}",
    )
        .prop_map(|(from, priority, effort, kind, labels, title)| Task {
            from: from.map(|id| id.parse().unwrap()),
            priority,
            effort,
            kind: kind.parse().unwrap(),
            labels: labels.into_iter().map(str::to_owned).collect(),
            ..Task::titled(title)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_is_written_as_it_is_read(parts in prop::collection::vec(any_condition(), 1..4)) {
        let first = rule(&parts.join("&"));
        prop_assert_eq!(rule(&first.to_string()), first);
    }

    #[test]
    fn one_condition_more_never_accepts_more(
        parts in prop::collection::vec(any_condition(), 1..4), more in any_condition(), task in any_task(),
    ) {
        let (few, many) = (rule(&parts.join("&")), rule(&format!("{}&{more}", parts.join("&"))));
        prop_assert!(few.fits(&task) || !many.fits(&task));
        prop_assert_eq!(many.fits(&task), few.fits(&task) && rule(&more).fits(&task));
    }

    #[test]
    fn one_rule_more_never_accepts_less(
        rules in prop::collection::vec(any_condition(), 1..4), more in any_condition(), task in any_task(),
    ) {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        let many: Vec<&str> = texts.iter().copied().chain([more.as_str()]).collect();
        prop_assert!(acceptance(&texts).rule_for(&task).is_none() || acceptance(&many).rule_for(&task).is_some());
    }

    #[test]
    fn the_text_of_a_task_decides_nothing(task in any_task(), title in "\\PC{0,40}", one in any_condition()) {
        let other = Task { title, id: None, blocked: Some("all".to_owned()), token: 9, ..task.clone() };
        prop_assert_eq!(rule(&one).fits(&task), rule(&one).fits(&other));
    }

    #[test]
    fn any_text_is_a_rule_or_an_error(text in "\\PC{0,60}") {
        if let Ok(rule) = text.parse::<Rule>() {
            prop_assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule);
        }
    }

    #[test]
    fn a_known_rule_with_a_letter_changed_is_never_all(text in any_condition(), at in 0usize..8, letter in "[a-z&= ]") {
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.min(changed.len() - 1);
        changed[at] = letter.chars().next().unwrap();
        let changed: String = changed.into_iter().collect();
        let stranger = Task { kind: "never-seen".parse().unwrap(), ..Task::titled("x") };
        if let Ok(rule) = changed.parse::<Rule>() {
            prop_assert!(!rule.to_string().contains("all"));
            prop_assert!(rule.to_string().starts_with("priority") || rule.to_string().starts_with("effort") || !rule.fits(&stranger));
        }
    }
}
