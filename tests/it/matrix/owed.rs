//! Verbs about a task that is written and waits for its commit, because the settings say so, a merge is open, or another
//! program holds git's index. They make no commit that could tell what was begun. What has to hold after a blow and the
//! next verb: of the task the old state or the new one, files and log agreeing; and once what waits is committed, nothing
//! is left over, and the task is as it was.

mod scenes;

use std::fs;

use super::report::Row;
use super::verdict::Found;
use super::{Blow, Extent, Home, Trial, run_each};
use crate::sandbox::{Place, Sandbox, Strike, Traced};
use crate::snapshot::Snapshot;
use crate::world::{World, add, files, intact};
use scenes::{SCENES, Scene, end, release};

/// What a task is when the next verb has run, and when everything is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Course {
    next: Vec<String>,
    committed: Vec<String>,
}

fn run(home: Home, trial: Trial) {
    let sandbox = Sandbox::new();
    let world = World::all(&sandbox, home.init());
    world.keep_as("base");
    run_each(SCENES.iter().map(|scene| (scene.name, scene)), |scene, sample| {
        world.restore_from("base");
        strike_scene(&sandbox, &world, home, trial, scene, sample)
    });
}

fn strike_scene(
    sandbox: &Sandbox,
    world: &World<'_>,
    home: Home,
    trial: Trial,
    scene: &Scene,
    (extent, salt): (Extent, usize),
) -> Option<Row> {
    let (id, verb) = scene.prepare(world, home);
    world.keep();
    let moment = sandbox.moment();
    let call = |strike: Option<Strike>| {
        world.restore();
        sandbox.back_to(moment);
        world.web.call(verb.clone()).traced(strike)
    };
    let old = course(world, home, scene, &id);
    let rehearsal = call(None)?;
    rehearsal.output.ok();
    let new = course(world, home, scene, &id);
    assert!(old.next != new.next && old.committed != new.committed, "{} changes something", scene.name);
    let mut row = Row::new(home, trial, scene.name, &rehearsal);
    for strike in extent.strikes(trial, &rehearsal.touches, salt) {
        let Some(traced) = call(Some(strike)) else { continue };
        if !traced.struck {
            row.missed += 1;
            continue;
        }
        row.judge(&told(scene, home, strike, &traced), || {
            hold(world, home, scene, &id, [&old, &new], (super::as_it_fell(strike, &traced), &traced))
        });
    }
    Some(row)
}

fn told(scene: &Scene, home: Home, strike: Strike, traced: &Traced) -> String {
    let (touch, output) = (&traced.touches[strike.at], &traced.output);
    let blow = format!("{:?} instead of call {}, {touch}", strike.blow, strike.at);
    format!("{} ({home}): {blow}\n{}{}", scene.name, output.stdout, output.stderr)
}

/// Judge what is left; a panic says what does not hold.
fn hold(
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    id: &str,
    [old, new]: [&Course; 2],
    (strike, traced): (Strike, &Traced),
) -> Found {
    let output = &traced.output;
    let was_killed = strike.blow == Blow::KillAll;
    if was_killed {
        assert_eq!(output.status, 137, "it was killed");
    } else {
        let says = |start: &str| output.stderr.lines().any(|line| line.starts_with(start));
        let is_clear = output.status == 0 || output.status == 9 && says("error: ") && says("hint: ");
        assert!(is_clear, "neither success nor a clear error of status 9");
    }
    let people = people_now(&world.web);
    let now = course(world, home, scene, id);
    let is_old = now == *old;
    assert!(is_old || now == *new, "a third state: {now:#?}\nold: {old:#?}\nnew: {new:#?}");
    if !was_killed && !output.stderr.contains("stdout cannot be written") {
        assert_eq!(output.status == 0, !is_old, "it said what it did");
    }
    people.assert_same(&people_now(&world.web));
    Found { is_old, went_on: !was_killed && output.status == 0, blocked: false }
}

/// Go on: another verb, and then what a person does to have everything committed.
fn course(world: &World<'_>, home: Home, scene: &Scene, id: &str) -> Course {
    let web = &world.web;
    release(scene.wait, world, home);
    add(web, ".", "the verb after that");
    let next = look(web, id);
    end(scene.wait, world, home);
    intact(web, "everything is committed");
    let findings = web.json("doctor")["findings"].to_string();
    assert_eq!(findings, "[]", "everything is committed");
    for status in [web.git("status --porcelain -- .swift"), web.git("-C .swift status --porcelain -- .")] {
        assert_eq!(status, "", "something is not committed");
    }
    Course { next, committed: look(web, id) }
}

/// What there is of one task: its files to the byte, what the list says, its events.
fn look(place: &Place<'_>, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for path in files(place).into_iter().filter(|path| path.contains(id)) {
        let text = fs::read_to_string(place.path(&format!(".swift/{path}"))).unwrap();
        lines.push(format!("{path}\n{text}"));
    }
    let shown = place.json(["show", id]);
    lines.push(shown["task"].to_string());
    for event in place.json("log -n 1000")["events"].as_array().unwrap() {
        if event["task"] == id {
            lines.push(format!("{} {} {}", event["kind"], event["from"], event["to"]));
        }
    }
    lines
}

/// Everything outside of the queue. What a merge of theirs brings is there before.
fn people_now(place: &Place<'_>) -> Snapshot {
    Snapshot::of(place, &[".swift", ".git"])
}

#[test]
fn a_killed_verb_about_what_waits_leaves_the_old_state_or_the_new_one() {
    run(Home::Branch, Trial::Kill);
}

#[test]
fn a_killed_verb_about_what_waits_leaves_the_old_state_or_the_new_one_in_tree() {
    run(Home::Tree, Trial::Kill);
}

#[test]
fn a_verb_that_the_disk_refuses_says_so_about_what_waits() {
    run(Home::Branch, Trial::Refuse);
}

#[test]
fn a_verb_that_the_disk_refuses_says_so_about_what_waits_in_tree() {
    run(Home::Tree, Trial::Refuse);
}
