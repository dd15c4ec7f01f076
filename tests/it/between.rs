//! A verb about a task that waits for its commit is killed, and before the next one git takes back what is not committed,
//! a person edits the task, or the next verb is killed, too.

use std::collections::BTreeSet;
use std::fs;

use crate::sandbox::{Blow, Place, Sandbox, Strike, Touch};
use crate::world::{add, copies, intact, text};

/// Where the queue is, and from where git is asked about it.
const HOMES: [(&str, &str); 2] = [("init", ".swift"), ("init --in-tree", ".")];

/// A project whose commits a person makes, with a task that waits for one; its id.
fn waiting<'a>(sandbox: &'a Sandbox, init: &str, at: &str) -> (Place<'a>, String) {
    let web = sandbox.repository("live");
    web.swift_ok(format!("{init} --id acme/web").as_str());
    let settings = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"manual\""));
    web.git(format!("-C {at} add --all .").as_str());
    web.git(format!("-C {at} commit --quiet --message settings").as_str());
    let id = add(&web, ".", "One");
    (web, id)
}

/// Have one folder as another is.
fn copy(sandbox: &Sandbox, from: &str, to: &str) {
    fs::remove_dir_all(sandbox.place(to).path("")).ok();
    sandbox.root().program("cp", ["-a", from, to]).run().ok();
}

/// The calls with which names change, and a few others.
fn points(touches: &[Touch]) -> Vec<usize> {
    let is_name = |touch: &Touch| ["rename", "mkdir"].iter().any(|call| touch.call.starts_with(call));
    (0..touches.len()).filter(|at| is_name(&touches[*at]) || at % 16 == 0).collect()
}

/// Kill `done` of the task at each of these calls, and go on from there; whether anything was tried.
fn killed(init: &str, at: &str, every: usize, then: impl Fn(&Place<'_>, &str, &str)) {
    let sandbox = Sandbox::new();
    let (web, id) = waiting(&sandbox, init, at);
    copy(&sandbox, "live", "kept");
    let verb = ["done", &id];
    let Some(rehearsal) = web.call(verb).traced(None) else {
        crate::matrix::report::skipped();
        return;
    };
    rehearsal.output.ok();
    let step = if std::env::var_os("SWIFT_PROVE").is_some() { 1 } else { every };
    for point in points(&rehearsal.touches).into_iter().step_by(step) {
        copy(&sandbox, "kept", "live");
        let blow = Strike { at: point, blow: Blow::KillAll };
        let traced = web.call(verb).traced(Some(blow)).unwrap();
        let when = format!("{init}: killed instead of call {point}, {}", rehearsal.touches[point]);
        assert!(traced.struck, "{when}");
        then(&web, &id, &when);
    }
}

/// The task is in one file, and the log says what that says.
fn is_whole(web: &Place<'_>, id: &str, when: &str) {
    let paths = copies(web, id);
    assert_eq!(paths.len(), 1, "{when}: {paths:?}");
    let is_done = paths[0].starts_with("done/");
    let events = web.json("log -n 99");
    let is_said = events["events"].as_array().unwrap().iter().any(|event| event["kind"] == "task.done");
    assert_eq!(is_done, is_said, "{when}: {paths:?}");
    intact(web, when);
}

#[test]
fn whatever_git_takes_back_after_a_kill_is_whole_again() {
    let ways = ["stash --quiet", "stash --quiet -u", "reset --quiet --hard", "clean -q -f -d", "restore ."];
    for (init, at) in HOMES {
        for way in ways {
            killed(init, at, 7, |web, id, when| {
                let when = format!("{when}, then `git {way}`");
                // Where nothing differs from the last commit git may say so with its status.
                web.program("git", format!("-C {at} {way}").as_str()).run();
                let before: BTreeSet<String> = titles(web);
                add(web, ".", "Two");
                is_whole(web, id, &when);
                assert!(titles(web).is_superset(&before), "{when}: {before:?}");
            });
        }
    }
}

fn titles(web: &Place<'_>) -> BTreeSet<String> {
    let list = web.json("list --state any");
    list["tasks"].as_array().unwrap().iter().map(|task| text(&task["title"])).collect()
}

#[test]
fn a_folder_that_goes_after_a_kill_is_there_again_and_whole() {
    killed("init", ".swift", 3, |web, id, when| {
        fs::remove_dir_all(web.path(".swift")).unwrap();
        add(web, ".", "Two");
        is_whole(web, id, when);
    });
}

#[test]
fn what_a_person_writes_after_a_kill_stays_and_files_and_log_agree() {
    for (init, at) in HOMES {
        killed(init, at, 3, |web, id, when| {
            // Of two the one that is new.
            let path = web.path(&format!(".swift/{}", copies(web, id)[0]));
            let edited = fs::read_to_string(&path).unwrap() + "\nby hand\n";
            fs::write(&path, &edited).unwrap();
            add(web, ".", "Two");
            is_whole(web, id, when);
            assert!(web.swift_ok(["show", id]).contains("by hand"), "{when}");
        });
    }
}

#[test]
fn killed_again_while_it_is_put_in_order_it_is_by_the_next() {
    for (init, at) in HOMES {
        let number = std::cell::Cell::new(0);
        killed(init, at, 2, |web, id, when| {
            // Elsewhere each time; putting it in order comes first.
            number.set(number.get() + 3);
            let second = Strike { at: number.get() % 40, blow: Blow::KillAll };
            let traced = web.call("task . Two").traced(Some(second)).unwrap();
            let when = format!("{when}, again at {}", second.at);
            assert!(traced.struck, "{when}");
            add(web, ".", "Three");
            is_whole(web, id, &when);
        });
    }
}
