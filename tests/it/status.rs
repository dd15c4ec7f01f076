//! One screen tells the truth about every queue, the watcher, and what cannot be read.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::sandbox::{Place, Sandbox, Streaming};
use crate::world::{World, add, codes, text};

fn row<'v>(status: &'v Value, id: &str) -> &'v Value {
    status["projects"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()
}

#[test]
fn counts_are_those_of_the_queues() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let oldest = world.letter("waits to leave");
    world.letter("too");
    let ids: Vec<String> = (0..4).map(|n| add(&world.api, ".", &format!("own {n}"))).collect();
    world.api.swift_ok(["claim", &ids[0]]);
    world.api.swift_ok(["block", &ids[1], "--why", "no power"]);
    for _ in 0..3 {
        world.api.swift_ok(["claim", &ids[2]]);
        world.api.swift_ok(["fail", &ids[2], "--why", "no luck"]);
    }
    let status = world.hub.json("status");
    assert_eq!((status["schema"].as_i64(), status["role"].as_str()), (Some(1), Some("orchestrator")));
    let web = row(&status, "acme/web");
    assert_eq!((web["outbox"].as_i64(), web["inbox"].as_i64()), (Some(2), Some(0)));
    assert_eq!(
        (web["oldest"]["task"].as_str(), web["oldest"]["state"].as_str()),
        (Some(oldest.as_str()), Some("outbox"))
    );
    let api = row(&status, "acme/api");
    let counts = ["ready", "claimed", "blocked", "dead"].map(|state| api[state].as_i64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1]);
    assert_eq!(status["watcher"]["state"], "never");
    assert!(status["next_actions"].as_array().unwrap().contains(&Value::from("swift outbox")));
    world.round();
    let status = world.hub.json("status");
    assert_eq!(
        (row(&status, "acme/web")["outbox"].as_i64(), row(&status, "acme/api")["inbox"].as_i64()),
        (Some(0), Some(2))
    );
}

#[test]
fn a_project_shows_its_own_queue_and_who_carries_for_it() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.hub.swift_ok("pause acme/web");
    let status = world.web.json("status");
    assert_eq!(status["projects"].as_array().unwrap().len(), 1);
    assert_eq!(row(&status, "acme/web")["paused"], true);
    assert_eq!(status["watcher"]["state"], "never");
    let alone = sandbox.project("alone");
    assert_eq!(alone.json("status")["watcher"]["state"], "unknown");
    assert!(alone.swift_ok("status").contains("no orchestrator"));
}

#[test]
fn what_cannot_be_read_is_named_and_hides_nothing_else() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    add(&world.api, ".", "sound");
    world.api.write(".swift/tasks/broken.md", "+++\ntitle = \n+++\n");
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&b"\xff.md"[..]);
    fs::create_dir_all(world.api.path(".swift/inbox")).unwrap();
    fs::write(world.api.path(".swift/inbox").join(odd), "x").unwrap();
    fs::rename(world.web.path(""), world.folder().path("elsewhere")).unwrap();
    let output = world.hub.swift("status --json");
    let status = output.ended(0).json();
    assert_eq!(row(&status, "acme/web")["reachable"], false);
    assert_eq!(row(&status, "acme/web")["reason"]["code"], "unreachable");
    assert_eq!(row(&status, "acme/web").get("inbox"), None, "no number is better than a wrong one");
    assert_eq!(row(&status, "acme/api")["ready"], 1);
    assert_eq!(row(&status, "acme/api")["unreadable"], 2);
    let codes = codes(&status["problems"]);
    assert!(
        codes.contains(&"unreachable".to_owned()) && codes.contains(&"malformed".to_owned()),
        "{codes:?}"
    );
    let shown = world.hub.swift_ok("status");
    assert!(shown.contains("acme/web  cannot be reached"), "{shown}");
}

fn watching(hub: &Place<'_>, args: &str) -> Streaming {
    hub.call(format!("watch --json {args}").as_str()).stream()
}

fn hear(running: &Streaming, event: &str) -> Value {
    loop {
        let said: Value = serde_json::from_str(&running.line()).unwrap();
        if said["event"] == event {
            return said;
        }
    }
}

#[test]
fn it_says_whether_somebody_watches() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let watcher = watching(&world.hub, "");
    hear(&watcher, "watching");
    let status = world.hub.json("status");
    assert_eq!(status["watcher"]["state"], "up");
    assert!(status["watcher"]["pid"].is_i64() && status["watcher"]["started_at"].is_string());
    assert_eq!(world.web.json("status")["watcher"]["state"], "up");
    world.hub.swift_ok("pause");
    assert_eq!(world.hub.json("status")["paused_all"], true);
    world.hub.swift_ok("resume");
    watcher.signal(Signal::KILL);
    watcher.end();
    assert_eq!(world.hub.json("status")["watcher"]["state"], "killed");
    let watcher = watching(&world.hub, "");
    hear(&watcher, "watching");
    watcher.signal(Signal::INT);
    watcher.end();
    let status = world.hub.json("status");
    assert_eq!(status["watcher"]["state"], "ended");
    assert!(status["watcher"]["last_pass"]["at"].is_string(), "{}", status["watcher"]);
}

#[test]
fn it_is_shown_anew_when_something_changes() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let screen = world.hub.call("status --watch --json").stream();
    let first: Value = serde_json::from_str(&screen.line()).unwrap();
    assert_eq!(row(&first, "acme/web")["outbox"], 0);
    world.letter("one");
    let second: Value = serde_json::from_str(&screen.line()).unwrap();
    assert_eq!(row(&second, "acme/web")["outbox"], 1);
    screen.signal(Signal::INT);
    assert_eq!(screen.end().0, 130);
    let plain = world.hub.call("status --watch").stream();
    assert_eq!(plain.line(), "acme/hub (orchestrator)");
    plain.signal(Signal::INT);
    plain.end();
    assert!(
        plain_lines(&world).iter().all(|line| !line.contains('\u{1b}')),
        "no control characters in a pipe"
    );
}

fn plain_lines(world: &World<'_>) -> Vec<String> {
    world.hub.swift_ok("status").lines().map(str::to_owned).collect()
}

/// Ask as a browser or Prometheus would.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn number(page: &str, line: &str) -> f64 {
    let found = page.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no `{line}` in\n{page}")).parse().unwrap()
}

#[test]
fn numbers_can_be_had_for_prometheus() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let watcher = watching(&world.hub, "--metrics 0");
    let address = text(&hear(&watcher, "serving")["address"]);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    hear(&watcher, "watching");
    let get = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    world.letter("one");
    let page = loop {
        let page = ask(&address, get);
        if number(&page, "swift_deliveries_total") > 0.0 {
            break page;
        }
    };
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("version=0.0.4"), "{page}");
    assert_eq!(number(&page, "swift_tasks{project=\"acme/api\",state=\"inbox\"}"), 1.0);
    assert_eq!(number(&page, "swift_project_reachable{project=\"acme/web\"}"), 1.0);
    assert_eq!(number(&page, "swift_delivery_seconds_bucket{le=\"+Inf\"}"), 1.0);
    assert_eq!(number(&page, "swift_delivery_seconds_count"), 1.0);
    assert!(
        number(&page, "swift_commit_seconds_count") >= 2.0 && number(&page, "swift_commit_seconds_sum") > 0.0
    );
    for name in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(page.contains(&format!("# HELP {name} ")), "{name}");
    }
    // Whoever asks badly gets nothing and stops nothing.
    assert!(ask(&address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(ask(&address, "GET /else HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert_eq!(ask(&address, &"x".repeat(100_000)), "");
    let idle = TcpStream::connect(&address).unwrap();
    assert!(ask(&address, get).starts_with("HTTP/1.1 200"), "one that is silent holds nobody up for long");
    drop(idle);
    let taken = world.hub.call(["watch", "--metrics", &address]).run();
    assert_eq!(taken.status, 5, "the place is taken before the port is: {}", taken.stderr);
}

#[test]
fn nothing_is_served_unless_asked_for() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let refused = world.hub.swift("watch --metrics nonsense --json");
    assert_eq!(text(&refused.ended(2).json_error()["error"]["code"]), "invalid-value");
    let watcher = watching(&world.hub, "");
    let first: Value = serde_json::from_str(&watcher.line()).unwrap();
    assert_eq!(first["event"], "watching");
}

#[test]
fn a_log_is_told_only_if_asked_for() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let quiet = web.swift(["task", ".", "quiet"]);
    assert!(!quiet.ok().is_empty() && !quiet.stderr.contains("INFO"), "{}", quiet.stderr);
    let loud = web.swift(["task", ".", "loud", "-v"]);
    loud.ended(0);
    assert!(loud.stderr.contains(" INFO ") && loud.stderr.contains("operation="), "{}", loud.stderr);
    let output = web.swift(["task", ".", "json", "-v", "--log-format", "json"]);
    let line = output.stderr.lines().find(|line| line.starts_with('{')).unwrap();
    let log: Value = serde_json::from_str(line).unwrap();
    assert_eq!((log["level"].as_str(), log["verb"].as_str()), (Some("INFO"), Some("task")));
    assert_eq!(log["commit"].as_str(), Some(web.git("rev-parse swift").trim()));
    let asked = web.call(["task", ".", "asked"]).env("RUST_LOG", "swift=info").run();
    assert!(asked.stderr.contains("committed"), "{}", asked.stderr);
    let other = web.call(["task", ".", "other"]).env("RUST_LOG", "other=trace").run();
    assert!(!other.stderr.contains("committed"), "{}", other.stderr);
    web.call("list").env("RUST_LOG", "a=b=c").run().ended(2);
}
