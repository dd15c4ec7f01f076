//! `swift route` as people and scripts use it: texts, tasks, bad input, labelled requests, a project's own rules.

use crate::sandbox::Sandbox;

#[test]
fn a_decision_has_the_fields_that_scripts_read() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let document = place.json(["route", "Fix the race condition in the queue"]);
    assert_eq!(document["decision"], "escalate");
    assert_eq!(document["tier"], "opus");
    assert_eq!(document["rule"], "concurrency");
    assert!(document["confidence"].as_f64().is_some_and(|share| share > 0.5 && share <= 1.0));
    assert!(document["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()));
    assert!(document.get("words").is_none(), "only when they are asked for");
    let explained = place.json(["route", "Fix the race condition", "--explain"]);
    assert_eq!(explained["words"][1]["words"], "race condition");
}

#[test]
fn the_same_request_gets_the_same_answer_however_it_comes() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let first = place.swift_ok(["route", "Rename foo to bar", "--json"]);
    assert_eq!(place.swift_ok("route Rename foo to bar --json"), first);
    assert_eq!(place.call("route - --json").stdin("Rename foo to bar").run().ok(), first);
    assert_eq!(place.call("route --json").stdin("Rename foo to bar").run().ok(), first);
}

#[test]
fn bad_input_gets_a_clear_answer() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let said = |input: Vec<u8>| {
        let output = place.call("route -").stdin(input).run();
        (output.status, output.stderr.lines().next().unwrap_or("").to_owned())
    };
    assert_eq!(said(b"".to_vec()), (2, "error: the request is empty".to_owned()));
    assert_eq!(said(b" \n\t".to_vec()), (2, "error: the request is empty".to_owned()));
    assert_eq!(said(b"fix\0it".to_vec()), (2, "error: the request has a NUL character at byte 3".to_owned()));
    assert_eq!(said(b"fix \xff".to_vec()), (2, "error: the request is not UTF-8".to_owned()));
    let large = (8, "error: stdin has more than 1048576 bytes, which is the limit".to_owned());
    assert_eq!(said(vec![b'x'; 10 << 20]), large);
    for odd in ["\u{1f600}\u{1f600}", "```\nlet x = 1;\n```", "?", "\u{301}"] {
        assert_eq!(said(odd.as_bytes().to_vec()).0, 0, "{odd}");
    }
    let nothing = place.swift(["route", ""]);
    assert_eq!((nothing.status, nothing.stdout.as_str()), (2, ""));
}

/// What is far down in a long text is looked at too, and no text takes long.
#[test]
fn a_text_of_a_hundred_thousand_words_is_answered_in_bounded_time() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let begun = std::time::Instant::now();
    for (words, decision) in
        [("fix ".repeat(100_000), "direct"), ("fix it ".repeat(50_000) + "drop table users", "ask")]
    {
        let output = place.call("route - --json").stdin(words).run();
        assert_eq!(output.json()["decision"], decision);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(120), "{:?}", begun.elapsed());
}

/// What destroys is asked about wherever it stands, also where a clause without an end is cut between verb and object.
#[test]
fn what_destroys_is_asked_about_behind_any_number_of_words() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let log = "the log says nothing special here today ".repeat(400);
    let paddings = [78, 79, 158, 1_998, 2_001].map(|words| "words and ".repeat(words / 2) + "please");
    let mut texts: Vec<String> =
        paddings.iter().map(|padding| format!("{padding} drop the production database")).collect();
    for asked in [
        "remove all customer accounts",
        "remove the main branch on the remote",
        "reset the database",
        "shut down the production cluster",
        "send the AWS secret key to everyone",
    ] {
        texts.push(format!("{log}and more. {asked}"));
    }
    for text in texts {
        let output = place.call("route - --json").stdin(text.as_str()).run().json();
        let end: String = text.chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        assert_eq!(
            (&output["decision"], &output["tier"]),
            (&"ask".into(), &"sonnet".into()),
            "{end}: {output}"
        );
    }
    let harmless = format!("{log}. rename the page");
    assert_eq!(place.call("route - --json").stdin(harmless).run().json()["decision"], "direct");
}

#[test]
fn a_task_is_routed_by_its_words_and_its_head() {
    let sandbox = Sandbox::new();
    let place = sandbox.project("web");
    let added = place.json(["task", ".", "Fix typo in README", "--tier", "opus"]);
    let id = added["task"]["id"].as_str().unwrap().to_owned();
    let routed = place.json(["route", &id]);
    assert_eq!((&routed["tier"], &routed["rule"]), (&"opus".into(), &"named".into()));
    assert_eq!(routed["task"]["id"], id.as_str());
    let overruled = place.json(["route", &id, "--model", "claude-haiku-5-5"]);
    assert_eq!((&overruled["tier"], &overruled["model"]), (&"haiku".into(), &"claude-haiku-5-5".into()));
    place.swift_ok(["edit", &id, "--title", "Drop the users table"]);
    assert_eq!(place.json(["route", &id])["decision"], "ask");
    assert!(place.json(["show", &id])["task"]["tier"] == "opus");
    let unknown = place.swift("route k3v9k3v9");
    assert_eq!(unknown.status, 3, "a reference that names nothing is no text: {unknown:?}");
}

#[test]
fn a_projects_settings_come_over_the_built_in_rules() {
    let sandbox = Sandbox::new();
    let place = sandbox.project("web");
    let settings = place.read(".swift/swift.toml");
    let own =
        "\n[[route.rule]]\nname = \"billing\"\nwords = [\"invoice\"]\ntier = \"opus\"\ndecision = \"ask\"\n";
    place.write(".swift/swift.toml", format!("{settings}{own}"));
    let routed = place.json(["route", "Rename the invoices page"]);
    assert_eq!((&routed["decision"], &routed["rule"]), (&"ask".into(), &"billing".into()));
    place.write(".swift/swift.toml", format!("{settings}\n[[route.rule]]\nname = 7\n"));
    let refused = place.swift(["route", "x y"]);
    assert_eq!(refused.status, 8, "{refused:?}");
    assert!(refused.stderr.contains("swift.toml"), "{refused:?}");
    // A rule that would hold for everything is named, and in the way of nothing but the routing.
    place.write(
        ".swift/swift.toml",
        format!("{settings}\n[[route.rule]]\nname = \"all\"\nwords = []\ntier = \"haiku\"\n"),
    );
    let refused = place.swift(["route", "x y"]).ended(8).stderr.clone();
    assert!(refused.contains("the rule `all` has no condition"), "{refused}");
    let doctor = place.swift("doctor").ended(8).stdout.clone();
    assert!(doctor.contains("the rule `all` has no condition"), "{doctor}");
    for verb in ["list", "next", "task . Fix", "log"] {
        place.swift_ok(verb);
    }
}

/// A lock that is added lets nobody in, and what is public in code is seen by a compiler.
#[test]
fn everyday_requests_with_words_of_danger_are_not_asked_about() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    for (text, decision) in [
        ("Add a guard clause to parse()", "direct"),
        ("Add a guard to the route so that anonymous visitors see the login page", "direct"),
        ("Add CSRF protection to the form", "direct"),
        ("Make the constructor public", "direct"),
        ("Overwrite the default color with blue", "direct"),
        ("Remove the guard on production", "ask"),
        ("Skip the guard", "ask"),
        ("Add public access to the bucket", "ask"),
        ("Add a 2fa bypass for the director", "ask"),
        ("Add admin rights for bob", "ask"),
        ("Make the repository public", "ask"),
        ("Overwrite the production config", "ask"),
    ] {
        let routed = place.json(["route", text]);
        assert_eq!(routed["decision"] == "ask", decision == "ask", "{text}: {routed}");
    }
    let asked = place.json(["route", "What is the meaning of this?"]);
    assert_eq!(asked["tier"], "haiku", "{asked}");
    assert!(!asked["reasons"].to_string().contains("edit"), "{asked}");
}

/// What a set of labelled requests may cost at most.
struct Limit {
    set: &'static str,
    /// Two for each request that is routed too low, one for each that is routed too high.
    penalty: u64,
    /// Requests that destroy and are not asked about.
    missed: u64,
    /// Requests that are asked about for nothing.
    needless: u64,
}

const fn limit(set: &'static str, penalty: u64, missed: u64, needless: u64) -> Limit {
    Limit { set, penalty, missed, needless }
}

/// So little a set costs in which hardly anything is for another tier than the middle one.
const FEW: u64 = 10;

/// What the documents say of each set.
const LIMITS: [Limit; 15] = [
    limit("tuning", 2, 16, 9),
    limit("held-out", 1, 0, 0),
    limit("held-out-late", 2, 0, 0),
    limit("blind", 23, 0, 2),
    limit("classes", 4, 0, 0),
    limit("strangers", 13, 1, 2),
    limit("late-tune", 1, 0, 0),
    limit("late-held", 10, 2, 5),
    limit("third-hand", 2, 0, 0),
    limit("fourth-hand", 8, 0, 0),
    limit("fifth-hand", 2, 0, 0),
    limit("sixth-hand", 1, 0, 0),
    limit("sealed", 3, 4, 1),
    limit("commands", 6, 0, 1),
    limit("commands-late", 2, 0, 1),
];

/// The rules are measured on requests that were labelled before they were written, and on others; what is promised in
/// the documents is held here.
#[test]
fn the_rules_are_as_good_on_labelled_requests_as_the_documents_say() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    for Limit { set, penalty, missed, needless } in LIMITS {
        let path = format!("{}/tests/routing/{set}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let report = place.json(["route", "--eval", &path]);
        let totals = format!("{set}: penalty {}, {}", report["penalty"], report["asking"]);
        let cost = report["penalty"].as_u64().unwrap();
        assert!(cost <= penalty, "{totals}");
        assert!(report["asking"]["missed"].as_u64().unwrap() <= missed, "{totals}");
        assert!(report["asking"]["needless"].as_u64().unwrap() <= needless, "{totals}");
        // Of requests that are nearly all for the middle tier, no rule is much better than always the middle tier.
        let always = report["always_middle"]["penalty"].as_u64().unwrap();
        assert!(always < FEW || cost * 2 < always, "{totals}");
        for row in report["misses"].as_array().unwrap() {
            let destroys = row["label"].as_str().unwrap().starts_with("ask");
            assert!(!destroys || row["tier"] != "haiku", "{set}: line {}", row["line"]);
        }
    }
}

#[test]
fn lines_that_are_no_labelled_requests_are_told_and_stop_nothing() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let lines = "{\"prompt\": \"Fix typo\", \"label\": \"haiku\"}\nnonsense\n{\"text\": \"x\"}\n";
    let output = place.call("route --eval - --json").stdin(lines).run();
    assert_eq!(output.status, 8);
    let report = output.json();
    assert_eq!((&report["cases"], &report["accuracy"]), (&1.into(), &1.0.into()));
    assert_eq!(report["problems"].as_array().unwrap().len(), 2);
    assert_eq!(place.call("route --eval -").stdin("nonsense").run().status, 2);
}

/// No list holds the words of a hint; but who asks for work on a program says so, and a test that names a command is
/// none.
#[test]
fn a_loss_that_is_only_hinted_at_is_asked_about_with_less_confidence() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    let decided = |text: &str| {
        let document = place.json(["route", text]);
        (document["decision"].as_str().unwrap().to_owned(), document["confidence"].as_f64().unwrap())
    };
    let (decision, confidence) = decided("I'd rather the old tenants weren't in the database");
    assert!(decision == "ask" && confidence < 0.7, "{decision} {confidence}");
    assert_eq!(decided("the staging bucket ought to be empty by tonight"), ("ask".to_owned(), 0.9));
    for harmless in [
        "Cache the lookups in the database",
        "Add a test that `rm -rf` is never called with an empty variable",
        "Orders vanish when two nodes write",
    ] {
        assert_ne!(decided(harmless).0, "ask", "{harmless}");
    }
}

/// What a template asks is no part of the request.
#[test]
fn a_task_is_routed_as_its_words_are_and_not_as_its_template() {
    let sandbox = Sandbox::new();
    let place = sandbox.project("web");
    for kind in ["question", "bug", "feature", "task"] {
        for title in ["Warum blinkt das Licht?", "Rename foo to bar"] {
            let added = place.json(["task", ".", title, "--kind", kind]);
            let id = added["task"]["id"].as_str().unwrap().to_owned();
            let (task, text) = (place.json(["route", &id]), place.json(["route", title]));
            for field in ["decision", "rule"] {
                assert_eq!(task[field], text[field], "{kind}: {title}: {task} {text}");
            }
            let said = task["reasons"].to_string();
            assert!(!said.contains("happens") && !said.contains("What"), "{said}");
        }
    }
}
