//! A month of use, and then the queue is taken out: what is left is what was there before.
//!
//! Three repositories that have everything a repository can have. In them tasks go to and fro, are worked, undone and
//! edited by hand, sessions are held, runs have worktrees, archives are made, the home moves, the person's git collects.
//! With a branch of its own nothing differs in the end, to the byte. In-tree the person's branch has the queue's commits
//! in its history and a last one that takes it out; the tree, the index and everything else are as they were.

use jiff::SignedDuration;

use crate::matrix::furnish;
use crate::sandbox::{Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::{add, text};

/// What the model does in a run.
const WORK: &str = "init; tool Bash 'make it'; change; result 'did it'";
const NOTHING: &str = "init; result 'nothing to do'";

struct Month<'a> {
    sandbox: &'a Sandbox,
    hub: Place<'a>,
    web: Place<'a>,
    api: Place<'a>,
}

impl<'a> Month<'a> {
    /// Three furnished repositories without queues, collected by git, so that a later collection finds nothing to do.
    fn new(sandbox: &'a Sandbox) -> Self {
        let library = sandbox.repository("library").path("").display().to_string();
        let place = |name: &str| {
            let place = sandbox.repository(name);
            furnish(&place, &library);
            place.write("staged.txt", "staged\n");
            place.git("add staged.txt");
            place.write("README.md", "changed\n");
            place.write("untracked.txt", "untracked\n");
            place.git("gc --quiet");
            place.git("status");
            place
        };
        sandbox.has_claude(WORK);
        Month { sandbox, hub: place("hub"), web: place("web"), api: place("api") }
    }

    fn all(&self) -> [&Place<'a>; 3] {
        [&self.hub, &self.web, &self.api]
    }

    fn days(&self, days: i64) {
        self.sandbox.later(SignedDuration::from_hours(24 * days));
    }

    fn begin(&self, init: &str) {
        self.hub.swift_ok(format!("{init} --orchestrator --id acme/hub").as_str());
        self.web.swift_ok(format!("{init} --id acme/web").as_str());
        self.api.swift_ok(format!("{init} --id acme/api").as_str());
        self.hub.swift_ok("register ../web");
        self.hub.swift_ok("register ../api");
    }

    /// What goes on in one day.
    fn day(&self, day: usize) {
        let (web, api, hub) = (&self.web, &self.api, &self.hub);
        web.swift_ok("start");
        let own = add(web, ".", &format!("own of day {day}"));
        add(web, "acme/api", &format!("there on day {day}"));
        let back = add(api, "acme/web", &format!("back on day {day}"));
        hub.swift_ok("outbox sesame");
        api.swift_ok("inbox sesame");
        match day % 3 {
            0 => drop(web.swift_ok(["inbox", "refuse", &back, "--why", "no"])),
            1 => drop(web.swift_ok(["inbox", "accept", &back])),
            _ => drop(web.swift_ok(["inbox", "defer", &back, "--until", "2d"])),
        }
        web.swift_ok(["claim", &own]);
        if day.is_multiple_of(4) {
            web.swift_ok(["release", &own]);
            web.swift_ok(["undo", "sesame"]);
        }
        web.swift_ok(["done", &own]);
        for task in api.json("list --state ready")["tasks"].as_array().unwrap() {
            api.swift_ok(["claim", &text(&task["id"])]);
            api.swift_ok(["done", &text(&task["id"]), "--result", "well"]);
        }
        web.write(
            &format!(".swift/tasks/by-hand-{day}.md"),
            format!("+++\ntitle = \"by hand {day}\"\n+++\n"),
        );
        hub.swift_ok("watch --once");
        web.swift_ok("finish --learned much sesame");
        if day.is_multiple_of(7) {
            self.all().iter().for_each(|place| drop(place.git("gc --quiet")));
        }
        self.days(1);
    }

    /// Runs with worktrees: one that does nothing, one whose work is rejected, and all of it cleaned up.
    fn runs(&self) {
        let script = |script: &str| self.sandbox.home().write("fake.sh", script);
        script(NOTHING);
        let idle = add(&self.web, ".", "idle run");
        self.web.swift(["run", &idle]);
        script(WORK);
        let busy = add(&self.web, ".", "busy run");
        self.web.swift_ok(["run", &busy]);
        let review = self.web.json("review");
        assert!(review.to_string().contains(&busy), "{review}");
        self.web.swift_ok(["reject", &busy, "--why", "not like that"]);
        self.web.swift_ok("runs clean sesame");
    }

    /// What a run has left because its work is nowhere else, the person removes.
    fn remove_worktrees(&self) {
        for line in self.web.git("worktree list --porcelain").lines() {
            let Some(path) = line.strip_prefix("worktree ").filter(|path| path.contains("swift/worktrees"))
            else {
                continue;
            };
            self.web.git([
                "worktree",
                "remove",
                "--force",
                &path.replace("$HOME", self.sandbox.home().path("").to_str().unwrap()),
            ]);
        }
        for branch in self.web.git("branch --list swift-run/* --format=%(refname:short)").lines() {
            self.web.git(["branch", "--quiet", "-D", branch]);
        }
    }

    fn end(&self) {
        for place in [&self.web, &self.api, &self.hub] {
            place.swift("uninstall").ended(7);
            place.swift_ok("uninstall sesame");
        }
    }
}

/// Everything: the checkout, and all of git but the objects, to the byte.
fn whole(place: &Place<'_>) -> Snapshot {
    let asked = [
        "status --porcelain=v2",
        "worktree list",
        "for-each-ref",
        "stash list",
        "log -g --format=%H%gs HEAD",
    ];
    let told = asked
        .map(|question| place.program("git", question).env("GIT_OPTIONAL_LOCKS", "0").run().ok())
        .join("\n");
    Snapshot::of(place, &[".git/objects"]).with("git", told)
}

#[test]
fn after_a_month_on_a_branch_of_its_own_nothing_is_left() {
    let sandbox = Sandbox::new();
    let month = Month::new(&sandbox);
    let home = Snapshot::of(&sandbox.home(), &[]);
    let before = month.all().map(whole);
    month.begin("init");
    (0..10).for_each(|day| month.day(day));
    month.runs();
    month.web.swift_ok("integrate claude sesame");
    month.web.swift_ok("integrate claude --remove sesame");
    month.web.swift_ok("integrate claude sesame");
    month.days(40);
    (10..14).for_each(|day| month.day(day));
    assert!(!month.web.swift_ok("doctor --footprint").is_empty());
    month.remove_worktrees();
    month.end();
    for (place, before) in month.all().iter().zip(&before) {
        place.git("gc --quiet");
        before.assert_same(&whole(place));
        place.git("fsck --strict --no-dangling");
    }
    // In the home folder there is what the sandbox's own program and hooks write, and the folders of the desktop's rules
    // in which worktrees lay, which others may be using by now.
    let own = |name: &str| {
        name.starts_with("seen")
            || name.starts_with("fake")
            || ["hook-ran", ".local", ".local/state"].contains(&name)
    };
    home.without(own).assert_same(&Snapshot::of(&sandbox.home(), &[]).without(own));
}

#[test]
fn after_a_month_in_tree_only_history_is_left() {
    let sandbox = Sandbox::new();
    let month = Month::new(&sandbox);
    let before = month.all().map(without_history);
    let tips = month.all().map(|place| place.git("rev-parse HEAD"));
    let trees = month.all().map(|place| place.git("rev-parse HEAD^{tree}"));
    month.begin("init --in-tree");
    (0..8).for_each(|day| month.day(day));
    month.runs();
    month.remove_worktrees();
    month.end();
    for (n, place) in month.all().iter().enumerate() {
        place.git("gc --quiet");
        before[n].assert_same(&without_history(place));
        place.git("fsck --strict --no-dangling");
        assert_eq!(place.git("rev-parse HEAD^{tree}"), trees[n], "the tree is as it was");
        let tip = tips[n].trim();
        place.git(["merge-base", "--is-ancestor", tip, "HEAD"]);
        // What lies between is the queue's alone.
        let others =
            place.git(["log", "--format=%H", &format!("{tip}..HEAD"), "--", ".", ":(exclude).swift"]);
        assert_eq!(others, "");
    }
}

#[test]
fn after_moves_of_the_home_nothing_but_history_is_left() {
    let sandbox = Sandbox::new();
    let month = Month::new(&sandbox);
    let before = month.all().map(without_history);
    let trees = month.all().map(|place| place.git("rev-parse HEAD^{tree}"));
    month.begin("init");
    for (n, home) in ["tree", "branch", "tree", "branch"].into_iter().enumerate() {
        month.day(n);
        for place in month.all() {
            place.swift_ok(["home", home, "sesame"]);
        }
    }
    month.day(5);
    month.end();
    for (n, place) in month.all().iter().enumerate() {
        place.git("gc --quiet");
        before[n].assert_same(&without_history(place));
        assert_eq!(place.git("rev-parse HEAD^{tree}"), trees[n], "the tree is as it was");
    }
}

/// Everything but what the current branch is at, its log, and the stamps of files in the index.
fn without_history(place: &Place<'_>) -> Snapshot {
    let ask = |question: &str| place.program("git", question).env("GIT_OPTIONAL_LOCKS", "0").run().ok();
    let refs: String = ask("for-each-ref").lines().filter(|line| !line.contains("refs/heads/main")).collect();
    let told = [
        refs,
        ask("status --porcelain=v2").replace("# branch", ""),
        ask("ls-files --stage -v"),
        ask("stash list"),
        ask("worktree list --porcelain").lines().filter(|line| !line.starts_with("HEAD ")).collect(),
    ];
    let branch = [
        ".git/refs/heads/main",
        ".git/logs/HEAD",
        ".git/logs/refs/heads/main",
        ".git/index",
        ".git/packed-refs",
        ".git/info/refs",
    ];
    Snapshot::of(place, &[".git/objects"]).without(|name| branch.contains(&name)).with("git", told.join("\n"))
}
