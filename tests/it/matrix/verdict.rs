//! What has to hold after a blow: in each repository the old state or the new one, and everything goes on.

use std::collections::BTreeMap;
use std::fs;

use super::scenes::{Next, Scene};
use super::{Blow, Home};
use crate::sandbox::{Output, Place, Strike, Traced};
use crate::snapshot::Snapshot;
use crate::world::{World, add, intact};

/// The verb whose commit has what a whole session left waiting.
pub(super) const COMMITS: &str = "finish that commits";

/// The title of the task that is added after the blow; it does not count in the states.
const AFTER: &str = "the verb after that";

/// The states of all repositories, by name.
pub(super) type States = BTreeMap<String, Vec<String>>;

/// The states before the verb and after it, and what is a person's own.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) old: States,
    pub(super) new: States,
    /// The repository in which a person works beside the verb, and what is theirs there.
    person: String,
    people: BTreeMap<String, Snapshot>,
    /// The files of each commit on the way, of verbs that make several in one repository.
    steps: BTreeMap<String, Vec<Vec<String>>>,
    /// Those that the verb has nothing to do with, to the byte.
    others: BTreeMap<String, Snapshot>,
}

impl Ends {
    /// Before: the world as it is now, in which the verb is about to be run at `place`.
    pub(super) fn before(world: &World<'_>, scene: &Scene) -> Self {
        let of = |see: &dyn Fn(&Place<'_>) -> Snapshot| -> BTreeMap<String, Snapshot> {
            names(world).into_iter().map(|name| (name.clone(), see(&world.folder().place(&name)))).collect()
        };
        Ends {
            old: all_of(world),
            new: States::new(),
            person: scene.at.to_owned(),
            people: of(&people_now),
            others: of(&|place| Snapshot::of(place, &[])),
            steps: BTreeMap::new(),
        }
    }

    /// After: the verb was run and has done all.
    pub(super) fn after(mut self, world: &World<'_>, scene: &Scene) -> Self {
        self.new = all_of(world);
        self.others.retain(|name, _| self.old.get(name) == self.new.get(name));
        let changed: Vec<String> =
            self.new.keys().filter(|name| !self.others.contains_key(*name)).cloned().collect();
        if !changed.contains(&self.person) {
            self.person = changed.first().cloned().unwrap_or_default();
        }
        if scene.carries {
            self.steps =
                changed.into_iter().map(|name| (name.clone(), steps(&world.folder().place(&name)))).collect();
        }
        self
    }
}

/// The files of the queue in each of the newest commits.
fn steps(place: &Place<'_>) -> Vec<Vec<String>> {
    let revision = if place.path(".swift/.git").exists() { "swift" } else { "HEAD" };
    let commits = place.git(["rev-list", "--max-count=6", revision]);
    commits.lines().map(|commit| files_at(place, commit)).collect()
}

/// The files of the queue in one commit, but for the log and what the trial itself adds.
fn files_at(place: &Place<'_>, revision: &str) -> Vec<String> {
    let tree = if place.path(".swift/.git").exists() { "" } else { " -- .swift" };
    let listed = place.git(format!("ls-tree -r --full-tree {revision}{tree}").as_str());
    let files = listed.lines().map(|line| line.replace("\t.swift/", "\t"));
    files.filter(|line| !line.contains("\taudit/") && !line.contains("the-verb-after-that")).collect()
}

/// What was found, if everything held.
#[derive(Debug)]
pub(super) struct Found {
    /// Whether the place of the verb is as it was before.
    pub(super) is_old: bool,
    /// Whether the verb succeeded in spite of the blow.
    pub(super) went_on: bool,
    /// Whether the person's git was blocked until the next verb had run.
    pub(super) blocked: bool,
}

/// The states of all repositories of a world.
pub(super) fn all_of(world: &World<'_>) -> States {
    names(world).into_iter().map(|name| (name.clone(), state(&world.folder().place(&name)))).collect()
}

/// The repositories of a world.
fn names(world: &World<'_>) -> Vec<String> {
    let entries = fs::read_dir(world.folder().path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Everything that a queue says, as lines: where it is, its committed files to the byte, its events, its notes.
fn state(place: &Place<'_>) -> Vec<String> {
    let branch = place.git("for-each-ref --format=%(refname) refs/heads/swift");
    let is_own = place.path(".swift/.git").exists();
    let mut lines = vec![format!("branch {branch:?}, worktree {is_own}")];
    if !place.path(".swift/swift.toml").exists() {
        let tracked = place.git("ls-files -- .swift");
        lines.push(format!("no queue, {} files in the index", tracked.lines().count()));
        return lines;
    }
    let revision = if is_own { "swift" } else { "HEAD" };
    lines.extend(files_at(place, revision));
    let events = place.json("log -n 1000");
    for event in events["events"].as_array().unwrap() {
        lines.push(format!("{} {} {} {}", event["kind"], event["task"], event["from"], event["to"]));
    }
    lines.push(format!("in a session: {}", !place.json("start --dry-run")["opened"].as_bool().unwrap()));
    for note in ["paused.json", "paths.json"] {
        let text = fs::read_to_string(place.path(&format!(".swift/local/{note}")));
        lines.push(format!("{note}: {}", text.unwrap_or_default().trim()));
    }
    lines
}

/// `doctor` lists what it could not look at beside what it found, and goes on with the rest.
fn is_listed_by_doctor(scene: &Scene, output: &Output) -> bool {
    let is_advised = output.stdout.contains("fix: ") && !output.stdout.contains("damaged");
    scene.name.starts_with("doctor") && output.status == 8 && is_advised
}

/// A hook whose own answer cannot be written must not stop anybody's prompt.
fn is_a_silent_hook(scene: &Scene, output: &Output) -> bool {
    scene.prompt.is_some() && output.stdout.is_empty()
}

/// Where one repository of several refuses, the others go on; the answer lists it, and the status is that of the refusal.
fn is_listed_by_a_round(scene: &Scene, output: &Output) -> bool {
    let has = |start: &str| output.stdout.lines().any(|line| line.trim_start().starts_with(start));
    scene.spans && output.status == 9 && has("problem: ") && has("hint: ")
}

/// Judge what is left; a panic says what does not hold.
pub(super) fn hold(
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    ends: &Ends,
    strike: Strike,
    traced: &Traced,
) -> Found {
    let place = world.folder().place(scene.at);
    let person = world.folder().place(&ends.person);
    let output = &scene.heard(&traced.output);
    let was_killed = strike.blow == Blow::KillAll;
    if was_killed {
        assert_eq!(output.status, 137, "it was killed");
    } else {
        let clear = output.stderr.lines().any(|line| line.starts_with("error: "))
            && output.stderr.lines().any(|line| line.starts_with("hint: "));
        let is_clear = output.status == 0
            || (output.status == 9 && clear)
            || is_listed_by_doctor(scene, output)
            || is_listed_by_a_round(scene, output)
            || is_a_silent_hook(scene, output);
        assert!(is_clear, "neither success nor a clear error of status 9");
    }
    // The person goes on first, every other time.
    let commits = strike.at.is_multiple_of(2);
    let commit =
        || person.program("git", ["commit", "--quiet", "--allow-empty", "--message", "people"]).run();
    let blocked = commits && commit().status != 0;
    let may_block = home == Home::Tree || scene.name == "home tree";
    assert!(!blocked || may_block, "git is blocked though the queue has a branch of its own");

    let extra = go_on(world, scene, ends, &place);
    if blocked {
        commit().ok();
    }
    let is_old = judge(world, scene, ends, &extra, was_killed);
    if !was_killed && scene.next == Next::Task {
        let told = !output.stderr.contains("stdout cannot be written")
            && !is_listed_by_doctor(scene, output)
            && !is_a_silent_hook(scene, output);
        // Where one repository of several refuses, the others go on, and the answer lists it.
        let is_partial = scene.spans && output.stdout.contains("problem: ");
        assert!(output.status != 0 || !is_old || is_partial, "it said that it did it, and did not");
        let words = ["the next verb finishes that", "the move itself is done", "could not say whether"];
        let told = told && !words.iter().any(|word| output.stderr.contains(word));
        assert!(output.status == 0 || is_old || !told || scene.spans, "it said that it failed, and did it");
    }
    if scene.carries {
        delivered_once(world);
    }
    ends.people[&ends.person].assert_same(&people_now(&person));
    person.git("checkout --quiet -b elsewhere");
    Found { is_old, went_on: !was_killed && output.status == 0, blocked }
}

/// The next verb, in each repository that the verb changes; the ids of the tasks that it adds.
fn go_on(world: &World<'_>, scene: &Scene, ends: &Ends, place: &Place<'_>) -> Vec<String> {
    match scene.next {
        Next::Again => {
            let again = place.call(scene.again).run();
            // What is done already is nothing to be done again.
            let is_over = [("uninstall", 3), ("finish", 5)]
                .iter()
                .any(|(verb, status)| scene.name.starts_with(verb) && again.status == *status);
            assert!(again.status == 0 || is_over, "again: {again:?}");
            if scene.name == COMMITS && again.status != 0 {
                // What was cut off before its commit waits for the end of the next session, as everything does there.
                place.swift_ok("start");
                place.swift_ok("finish sesame");
            }
            Vec::new()
        }
        Next::Task => {
            let changed = ends.old.keys().filter(|name| ends.old.get(*name) != ends.new.get(*name));
            changed.map(|name| world.folder().place(name)).map(|place| add(&place, ".", AFTER)).collect()
        }
    }
}

/// Each repository is in the old state or the new one, whole and clean; whether that of the verb is in the old one.
fn judge(world: &World<'_>, scene: &Scene, ends: &Ends, extra: &[String], was_killed: bool) -> bool {
    let mut is_old = scene.next == Next::Task;
    for name in names(world) {
        let (name, place) = (&name, world.folder().place(&name));
        if let Some(before) = ends.others.get(name) {
            before.clone().without(is_cache).assert_same(&Snapshot::of(&place, &[]).without(is_cache));
            continue;
        }
        // When the session ended, and how many there were, hangs on how often the end was begun.
        let is_session = |line: &str| line.contains("\tsessions/") || line.starts_with("\"session.");
        let is_counted = |line: &String| {
            !extra.iter().any(|id| line.contains(id.as_str())) && (scene.name != COMMITS || !is_session(line))
        };
        let counted = |lines: &[String]| lines.iter().filter(|line| is_counted(line)).cloned().collect();
        let now: Vec<String> = counted(&state(&place));
        let (old, new): (&Vec<_>, &Vec<_>) = (&counted(&ends.old[name]), &counted(&ends.new[name]));
        // The move is noted after it: cut off between the two, it is in git's history and not in the log.
        let is_moved = scene.name.starts_with("home") && now == without(new, "\"home.moved\"");
        let stayed = scene.next == Next::Task && (now == *old || without_paths(&now) == without_paths(old));
        let on_the_way = ends.steps.get(name).is_some_and(|steps| {
            let revision = if place.path(".swift/.git").exists() { "swift" } else { "HEAD" };
            steps.contains(&files_at(&place, revision))
        });
        // Where repositories go on without one that refuses, or side by side, there are more ways than one.
        let is_partial = scene.carries && (!was_killed || scene.name == "watch --once");
        assert!(
            stayed || now == *new || is_moved || on_the_way || is_partial,
            "{name}: a third state\n{}",
            differences(old, new, &now)
        );
        is_old &= stayed;
        clean(&place, name);
    }
    is_old
}

fn is_cache(path: &str) -> bool {
    path.contains(".swift/local")
}

/// Where projects lie on this machine is noted before the project is registered, and says nothing without that.
fn without_paths(lines: &[String]) -> Vec<String> {
    without(lines, "paths.json")
}

fn without(lines: &[String], start: &str) -> Vec<String> {
    lines.iter().filter(|line| !line.starts_with(start)).cloned().collect()
}

/// Whole, and everything of the queue is committed.
fn clean(place: &Place<'_>, name: &str) {
    if !place.path(".swift/swift.toml").exists() {
        place.git("fsck --strict --no-dangling");
        return;
    }
    intact(place, name);
    for status in [place.git("status --porcelain -- .swift"), place.git("-C .swift status --porcelain -- .")]
    {
        assert_eq!(status, "", "{name}: something is not committed");
    }
}

/// The lines in which a state differs from both ends.
fn differences(old: &[String], new: &[String], now: &[String]) -> String {
    let mut text = String::new();
    for (name, end) in [("old", old), ("new", new)] {
        for line in now.iter().filter(|line| !end.contains(line)) {
            text.push_str(&format!("  not in the {name}: {line}\n"));
        }
        for line in end.iter().filter(|line| !now.contains(line)) {
            text.push_str(&format!("  only in the {name}: {line}\n"));
        }
    }
    text
}

/// After one more round each letter is at its receiver exactly once, and its sender knows.
fn delivered_once(world: &World<'_>) {
    world.hub.swift_ok("outbox sesame");
    for (from, to, title) in [(&world.web, &world.api, "there"), (&world.api, &world.web, "back")] {
        let line = format!("title = \"{title}\"");
        let with_title = |place: &Place<'_>| -> Vec<String> {
            let is_it = |path: &String| {
                fs::read_to_string(place.path(&format!(".swift/{path}")))
                    .is_ok_and(|text| text.contains(&line))
            };
            crate::world::files(place)
                .into_iter()
                .filter(|path| path.ends_with(".md"))
                .filter(is_it)
                .collect()
        };
        let (here, there) = (with_title(from), with_title(to));
        assert!(here.len() == 1 && here[0].starts_with("sent/"), "at the sender of `{title}`: {here:?}");
        let known = from.read(&format!(".swift/{}", here[0]));
        assert!(known.contains("stage = \"delivered\"") || known.contains("stage = \"accepted\""), "{known}");
        assert_eq!(there.len(), 1, "at the receiver of `{title}`: {there:?}");
    }
}

/// Everything outside of the queue, what the index has of it, and the rules for what git does not look at.
fn people_now(place: &Place<'_>) -> Snapshot {
    let index = place.git("ls-files --stage -v -- . :(exclude).swift");
    let rules = fs::read_to_string(place.path(".git/info/exclude")).unwrap_or_default();
    let own: Vec<&str> = rules.lines().filter(|rule| !["/.swift/", ""].contains(rule)).collect();
    Snapshot::of(place, &[".swift", ".git"]).with("the index", index).with("the rules", own.join("\n"))
}
