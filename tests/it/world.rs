//! An orchestrator and two projects, and the questions that every test of robustness asks of them.
//!
//! [`World`] can be kept and brought back: a sweep over many accidents builds the scene once. [`sound`] asks git,
//! the audit log and the doctor whether a repository is as it should be. [`copies`] finds every file of one task.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::crash::{self, Accident, Point};
use crate::sandbox::{Call, Output, Place, Sandbox};

/// `acme/hub` carries for `acme/web` and `acme/api`; all three lie in one folder.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) hub: Place<'a>,
    pub(crate) web: Place<'a>,
    pub(crate) api: Place<'a>,
    folder: Place<'a>,
    kept: Place<'a>,
}

impl<'a> World<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        World::with(sandbox, "init", "init")
    }

    /// The same with `api`'s queue on its current branch.
    pub(crate) fn in_tree(sandbox: &'a Sandbox) -> Self {
        World::with(sandbox, "init", "init --in-tree")
    }

    /// The same with the queues of all three made in this way.
    pub(crate) fn all(sandbox: &'a Sandbox, init: &str) -> Self {
        World::with(sandbox, init, init)
    }

    fn with(sandbox: &'a Sandbox, init: &str, init_of_api: &str) -> Self {
        let project = |name: &str, init: &str| {
            let place = sandbox.repository(&format!("live/{name}"));
            place.swift_ok(format!("{init} --id acme/{name}").as_str());
            place
        };
        let world = World {
            hub: project("hub", &format!("{init} --orchestrator")),
            web: project("web", init),
            api: project("api", init_of_api),
            folder: sandbox.place("live"),
            kept: sandbox.place("kept"),
        };
        world.hub.swift_ok("register ../web");
        world.hub.swift_ok("register ../api");
        world
    }

    /// Where the three lie.
    pub(crate) fn folder(&self) -> &Place<'a> {
        &self.folder
    }

    /// Remember how everything is now.
    pub(crate) fn keep(&self) {
        copy(&self.folder, &self.kept);
    }

    /// Bring back what was kept.
    pub(crate) fn restore(&self) {
        copy(&self.kept, &self.folder);
    }

    /// Remember under a name of its own.
    pub(crate) fn keep_as(&self, name: &str) {
        copy(&self.folder, &self.folder.place(&format!("$SANDBOX/{name}")));
    }

    /// Bring back what has this name.
    pub(crate) fn restore_from(&self, name: &str) {
        copy(&self.folder.place(&format!("$SANDBOX/{name}")), &self.folder);
    }

    /// A task from web to api, in web's outbox; its id.
    #[track_caller]
    pub(crate) fn letter(&self, title: &str) -> String {
        add(&self.web, "acme/api", title)
    }

    /// A round of the orchestrator that has to succeed; its report.
    #[track_caller]
    pub(crate) fn round(&self) -> Value {
        self.hub.json("outbox --yes")
    }

    /// Let the accident happen at every `step`th change of a program, each time from what was kept.
    pub(crate) fn at_changes(
        &self,
        accident: Accident,
        step: usize,
        program: impl Fn(&World<'a>) -> Call<'a>,
        check: impl Fn(&World<'a>, &Point, &Output),
    ) {
        if !crash::can_trace() {
            return;
        }
        self.restore();
        let points: Vec<Point> = crash::points(program(self)).into_iter().collect();
        assert!(!points.is_empty(), "the program changes nothing on the disk");
        for point in points.iter().step_by(step) {
            self.restore();
            let output = crash::at_syscall(program(self), accident, point);
            check(self, point, &output);
        }
    }
}

/// Make the second folder an exact copy of the first.
fn copy(from: &Place<'_>, to: &Place<'_>) {
    let target = to.path("");
    fs::remove_dir_all(&target).unwrap();
    to.program("cp", ["-a", from.path("").to_str().unwrap(), target.to_str().unwrap()])
        .inside(Path::new("/"))
        .run()
        .ok();
}

/// What makes a queue, and a lock file that git may hold there while a verb commits.
pub(crate) const LOCKS_OF_GIT: [(&str, &str); 5] = [
    ("init", ".git/worktrees/-swift/index.lock"),
    ("init", ".git/worktrees/-swift/HEAD.lock"),
    ("init", ".git/refs/heads/swift.lock"),
    ("init --in-tree", ".git/index.lock"),
    ("init --in-tree", ".git/refs/heads/main.lock"),
];

/// Add a task; its id.
#[track_caller]
pub(crate) fn add(place: &Place<'_>, to: &str, title: &str) -> String {
    text(&place.json(["task", to, title])["task"]["id"])
}

/// A text of a JSON document.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The `code` of each problem or finding in a list.
pub(crate) fn codes(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|entry| text(&entry["code"])).collect()
}

/// The sender's record of a task: the stage of its receipt, and the note.
#[track_caller]
pub(crate) fn receipt(place: &Place<'_>, id: &str) -> (String, String) {
    let paths = copies(place, id);
    let path = paths.iter().find(|path| path.starts_with("sent/")).unwrap_or_else(|| panic!("{paths:?}"));
    let file = place.read(&format!(".swift/{path}"));
    let receipt = file.split("[receipt]").nth(1).unwrap_or_default().to_owned();
    let value = |key: &str| {
        let line = receipt.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    (value("stage"), value("note"))
}

/// Every file of the queue that carries this id, relative to `.swift/`, sorted.
pub(crate) fn copies(place: &Place<'_>, id: &str) -> Vec<String> {
    let line = format!("id = \"{id}\"");
    let is_copy = |path: &String| {
        fs::read_to_string(place.path(&format!(".swift/{path}"))).is_ok_and(|text| text.contains(&line))
    };
    files(place).into_iter().filter(|path| path.ends_with(".md")).filter(is_copy).collect()
}

/// The same in the folders of a receiver.
pub(crate) fn received(place: &Place<'_>, id: &str) -> Vec<String> {
    let mut all = copies(place, id);
    all.retain(|path| !path.starts_with("outbox/") && !path.starts_with("sent/"));
    all
}

/// All regular files of the queue, relative to `.swift/`, sorted; what is this machine's own left out.
pub(crate) fn files(place: &Place<'_>) -> Vec<String> {
    let mut all = Vec::new();
    walk(&place.path(".swift"), "", &mut all);
    all.retain(|path| !path.starts_with("local/") && path != ".git");
    all.sort();
    all
}

fn walk(dir: &Path, prefix: &str, all: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => walk(&entry.path(), &format!("{name}/"), all),
            kind if kind.is_file() => all.push(name),
            _ => {}
        }
    }
}

/// Everything is committed, git's objects are whole, no lock is left, the log verifies, the doctor sees no error.
#[track_caller]
pub(crate) fn sound(place: &Place<'_>, when: &str) {
    intact(place, when);
    for status in [place.git("status --porcelain"), place.git("-C .swift status --porcelain")] {
        assert_eq!(status, "", "{when}: something is not committed");
    }
}

/// The same where something may wait to be committed.
#[track_caller]
pub(crate) fn intact(place: &Place<'_>, when: &str) {
    let fsck = place.program("git", "fsck --strict --no-dangling").run();
    assert_eq!((fsck.status, fsck.stdout.as_str()), (0, ""), "{when}: {}", fsck.stderr);
    let locks = locks(&place.path(".git"));
    assert!(locks.is_empty(), "{when}: {locks:?}");
    let verify = place.swift("audit verify");
    assert_eq!(verify.status, 0, "{when}: audit verify\n{}{}", verify.stdout, verify.stderr);
    let findings = place.call("doctor --json").run().json();
    let errors =
        findings["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let errors: Vec<_> = errors.collect();
    assert!(errors.is_empty(), "{when}: {errors:?}");
}

/// Lock files in a git folder.
pub(crate) fn locks(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    walk(dir, "", &mut all);
    all.retain(|path| path.ends_with(".lock"));
    all
}

/// A project with these tasks and a clone of it, each with the other as a remote.
pub(crate) fn twins<'a>(sandbox: &'a Sandbox, init: &str, tasks: &[&str]) -> [Place<'a>; 2] {
    let web = sandbox.repository("web");
    web.swift_ok(format!("{init} --id acme/web").as_str());
    tasks.iter().for_each(|title| drop(add(&web, ".", title)));
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    web.git("remote add other ../twin");
    twin.git("remote add other ../web");
    [web, twin]
}
