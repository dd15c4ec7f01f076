//! A lock that a killed git has left, or an operation that nobody ended: everything waits for it, and `doctor` says so.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::world::{LOCKS_OF_GIT, add, codes, sound};

fn findings(place: &Place<'_>, status: i32) -> Value {
    place.swift("doctor --json").ended(status).json()["findings"].clone()
}

/// What a finding gives to be pasted that begins so.
fn command(finding: &Value, start: &str) -> Vec<String> {
    let fix = finding["fix"].as_str().unwrap();
    let command = fix.split('`').find(|part| part.starts_with(start)).unwrap();
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_lock_that_stays_is_named_with_what_puts_it_aside() {
    for (init, lock) in LOCKS_OF_GIT {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "One");
        fs::write(web.path(lock), "").unwrap();
        let young = findings(&web, 0);
        assert_eq!(codes(&young), ["git-locked"], "{young:#}");
        assert!(young[0]["message"].as_str().unwrap().contains(lock), "{young:#}");

        let said = web.swift("task . Two").ended(0).stderr.clone();
        assert!(said.contains(lock) && said.contains("`swift doctor` tells what to do"), "{said}");
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        File::options().write(true).open(web.path(lock)).unwrap().set_modified(hour_ago).unwrap();
        let old = findings(&web, 8);
        assert_eq!((&old[0]["code"], &old[0]["severity"]), (&"git-locked".into(), &"warning".into()));
        for waiting in &old.as_array().unwrap()[1..] {
            assert_eq!(waiting["code"], "uncommitted", "{old:#}");
            assert!(
                !waiting["fix"].as_str().unwrap().contains("--fix"),
                "in vain while it is there: {old:#}"
            );
        }

        let mv = command(&old[0], "mv -n ");
        let below = |path: &str| web.path(&path[path.find(".git/").unwrap()..]);
        fs::rename(below(&mv[2]), below(&mv[3])).unwrap();
        add(&web, ".", "Three");
        sound(&web, lock);
        assert_eq!(codes(&findings(&web, 0)), [""; 0], "{lock}");
    }
}

#[test]
fn an_operation_of_gits_that_nobody_ended_is_named() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let folder = web.path(".git/worktrees/-swift/rebase-merge");
    fs::create_dir(&folder).unwrap();
    add(&web, ".", "One");
    let told = findings(&web, 0);
    assert!(codes(&told).iter().any(|code| code == "git-busy"), "{told:#}");
    assert!(!told.to_string().contains("doctor --fix"), "{told:#}");
    fs::remove_dir(folder).unwrap();
    web.swift_ok("doctor --fix sesame");
    sound(&web, "after it was ended");
}
