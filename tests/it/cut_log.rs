//! A log that was cut off shows, whoever made the commits that it is in.

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, codes, sound};

fn manual(place: &Place<'_>) {
    let settings = place.read(".swift/swift.toml");
    place.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"manual\""));
}

fn segment(place: &Place<'_>, queue: &str) -> String {
    let files = place.git(["-C", queue, "ls-files", "--full-name", "*audit/*.toml"]);
    files.lines().next().unwrap().to_owned()
}

/// Take the last record out, as in an editor.
fn cut(place: &Place<'_>, path: &str) {
    let text = place.read(path);
    let at = text.rfind("\n[[event]]\n").unwrap();
    place.write(path, &text[..at]);
}

#[track_caller]
fn shows(place: &Place<'_>, subjects: &[&str]) {
    let verdict = place.swift("audit verify --json").ended(8).json();
    assert!(codes(&verdict["findings"]).iter().all(|code| code == "audit-missing"), "{verdict:#}");
    let told = verdict["findings"].to_string();
    assert_eq!(verdict["findings"].as_array().unwrap().len(), subjects.len(), "{verdict:#}");
    assert!(subjects.iter().all(|subject| told.contains(subject)), "{verdict:#}");
}

#[test]
fn a_log_that_a_person_commits_shows_that_it_was_cut_off_or_removed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    manual(&web);
    for title in ["T1", "T2", "T3"] {
        add(&web, ".", title);
        web.git("-C .swift add -A");
        web.git(["-C", ".swift", "commit", "--quiet", "--message", &format!("mine {title}")]);
    }
    sound(&web, "as it was made");
    // What git takes back is the person's to take back.
    for _ in ["taken back", "and that taken back"] {
        web.git("-C .swift revert --no-edit HEAD");
        web.swift_ok("audit verify");
    }
    let path = format!(".swift/{}", segment(&web, ".swift"));
    let whole = web.read(&path);
    cut(&web, &path);
    shows(&web, &["mine T3"]);
    web.git("-C .swift commit --quiet -am cut");
    shows(&web, &["mine T3"]);
    web.git("-C .swift rm -rq audit");
    web.git("-C .swift commit --quiet -m gone");
    let verdict = web.swift("audit verify").ended(8).stdout.clone();
    assert!(["mine T1", "mine T2", "mine T3"].iter().all(|mine| verdict.contains(mine)), "{verdict}");
    web.write(&path, whole);
    web.git("-C .swift add -A");
    web.git("-C .swift commit --quiet -m back");
    web.swift_ok("audit verify");
}

#[test]
fn a_squash_with_a_message_of_its_own_shows_it_too() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    web.git("switch --quiet -c pr");
    for title in ["T1", "T2", "T3"] {
        add(&web, ".", title);
    }
    web.git("switch --quiet main");
    web.git("merge --quiet --squash pr");
    web.git(["commit", "--quiet", "--message", "PR (#1)"]);
    web.git("branch --quiet -D pr");
    sound(&web, "squashed");
    cut(&web, &segment(&web, "."));
    web.git("commit --quiet -am cut");
    shows(&web, &["PR (#1)"]);
    web.git("revert --no-edit HEAD");
    web.swift_ok("audit verify");
}
