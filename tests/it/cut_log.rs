//! A log that was cut off shows, whoever made the commits that it is in; one that went with its queue does not.

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

/// A queue in the tree with a task in its log, at its segment's path.
fn in_tree<'s>(sandbox: &'s Sandbox, name: &str) -> (Place<'s>, String) {
    let place = sandbox.repository(name);
    place.swift_ok(["init", "--in-tree", "--id", &format!("acme/{name}")]);
    add(&place, ".", "T1");
    let path = segment(&place, ".");
    (place, path)
}

fn again(place: &Place<'_>, name: &str) {
    place.swift_ok(["init", "--in-tree", "--id", &format!("acme/{name}")]);
}

#[test]
fn what_went_with_a_queue_that_was_taken_out_is_not_missed_in_the_next_one() {
    let sandbox = Sandbox::new();
    let (web, _) = in_tree(&sandbox, "web");
    for round in ["once", "twice"] {
        web.swift_ok("uninstall sesame");
        web.git("commit --quiet --allow-empty -m between");
        again(&web, "web");
        sound(&web, round);
        add(&web, ".", "T2");
        sound(&web, round);
    }
    // The last one is held against history as ever.
    let path = segment(&web, ".");
    cut(&web, &path);
    shows(&web, &["T2"]);
    web.git("commit --quiet -am cut");
    shows(&web, &["T2"]);
    web.git("rm -rq .swift/audit");
    web.git("commit --quiet -m gone");
    shows(&web, &["T2"]);

    let (api, _) = in_tree(&sandbox, "api");
    api.swift_ok("home branch sesame");
    add(&api, ".", "T2");
    api.swift_ok("uninstall sesame");
    again(&api, "api");
    sound(&api, "taken out of the tree, then off its branch");

    let (lib, _) = in_tree(&sandbox, "lib");
    lib.swift_ok("uninstall sesame");
    lib.swift_ok("init --id acme/lib");
    add(&lib, ".", "T2");
    lib.swift_ok("home tree sesame");
    sound(&lib, "moved to where one was");
}

#[test]
fn a_queue_that_was_taken_out_on_one_branch_is_not_missed_where_that_was_merged() {
    let sandbox = Sandbox::new();
    for (name, merge) in [("merged", "--no-ff --no-edit"), ("squashed", "--squash")] {
        let (web, _) = in_tree(&sandbox, name);
        web.git("switch --quiet -c without");
        web.swift_ok("uninstall sesame");
        web.git("switch --quiet main");
        web.git("commit --quiet --allow-empty -m beside");
        web.git(format!("merge --quiet {merge} without").as_str());
        if name == "squashed" {
            web.git("commit --quiet --no-edit");
        }
        again(&web, name);
        add(&web, ".", "T2");
        sound(&web, name);
    }
}

#[test]
fn a_queue_that_was_brought_back_or_lives_on_elsewhere_is_held_against_all_its_history() {
    let sandbox = Sandbox::new();
    let (web, path) = in_tree(&sandbox, "web");
    web.swift_ok("uninstall sesame");
    web.git("revert --no-edit HEAD");
    sound(&web, "brought back");
    web.git(["rm", "--quiet", &path]);
    web.git("commit --quiet -m gone");
    shows(&web, &["T1", "Revert"]);

    let (api, path) = in_tree(&sandbox, "api");
    api.swift_ok("home branch sesame");
    let path = path.strip_prefix(".swift/").unwrap();
    api.git(["-C", ".swift", "rm", "--quiet", path]);
    api.git("-C .swift commit --quiet -m gone");
    let told = api.swift("audit verify").ended(8).stdout.clone();
    assert!(told.contains("T1"), "{told}");
    api.swift_ok("home tree sesame");
    let told = api.swift("audit verify").ended(8).stdout.clone();
    assert!(told.contains("T1"), "{told}");
}
