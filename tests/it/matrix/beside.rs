//! Verbs that reach beside the queue: runs and their worktrees, merges into the person's branch, hooks of an agent, the
//! file that starts the watcher, tasks that a merge has left unsettled. They take several steps, some of them git's or an
//! agent's own, so between the old state and the new one there are others. What has to hold after a kill: nothing of the
//! person's is lost or half, and the same verb, typed again, brings about exactly what it would have.

mod following;
mod looks;
mod scenes;

use std::collections::BTreeSet;
use std::fs;

use super::report::Row;
use super::verdict::Found;
use super::{Blow, Extent, Home, Trial, run_each};
use crate::sandbox::{Place, Running, Sandbox, Strike, Traced};
use crate::snapshot::Snapshot;
use crate::world::{World, intact, locks};
use scenes::{Scene, WORK, scenes};

/// The world and what there is beside it in the home folder, as they were.
struct Kept<'w, 'a> {
    world: &'w World<'a>,
    /// What runs keep, and the person's configuration; each with its copy.
    homes: [(Place<'a>, Place<'a>); 2],
    /// From here clock and seed go on, before what goes on beside the verb and before the verb itself.
    sandbox: &'a Sandbox,
    moment: (i64, u64),
}

impl<'w, 'a> Kept<'w, 'a> {
    fn new(sandbox: &'a Sandbox, world: &'w World<'a>) -> Self {
        world.keep();
        let homes = [".local", ".config"]
            .map(|name| (sandbox.home().place(name), sandbox.place(&format!("kept-home/{name}"))));
        let kept = Kept { world, homes, sandbox, moment: sandbox.moment() };
        kept.homes.iter().for_each(|(live, copy)| kept.copy(live, copy));
        kept
    }

    /// Everything as it was, what is to go on beside the verb begun, and the verb about to be typed at the same instant
    /// and with the same chance as each time.
    fn restore(&self, scene: &Scene) -> Option<Running> {
        self.world.restore();
        self.homes.iter().for_each(|(live, copy)| self.copy(copy, live));
        self.sandbox.back_to(self.moment);
        scene.beside.map(|begin| begin(self.world))
    }

    fn at_the_same_instant(&self) {
        let (clock, starts) = self.moment;
        self.sandbox.back_to((clock + 1000, starts + 1000));
    }

    fn copy(&self, from: &Place<'_>, to: &Place<'_>) {
        // A service that is taken away takes along the folders that were made for it.
        if to.path("").exists() {
            fs::remove_dir_all(to.path("")).unwrap();
        }
        let names = [from, to].map(|place| place.path("").display().to_string());
        self.world
            .hub
            .program("cp", ["-a", names[0].trim_end_matches('/'), names[1].trim_end_matches('/')])
            .run()
            .ok();
    }
}

/// Kill each verb at the calls with which it touches the world.
fn run(home: Home) {
    run_each(scenes(home).iter().map(|scene| (scene.name, scene)), |scene, sample| {
        let sandbox = Sandbox::new();
        sandbox.has_claude(WORK);
        let world = World::all(&sandbox, home.init());
        strike_scene(&sandbox, &world, home, scene, sample)
    });
}

fn strike_scene(
    sandbox: &Sandbox,
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    (extent, salt): (Extent, usize),
) -> Option<Row> {
    let verb = (scene.prepare)(world, home);
    let place = scene.place(world);
    let kept = Kept::new(sandbox, world);
    let beside = kept.restore(scene);
    let old = (scene.look)(world);
    kept.at_the_same_instant();
    let rehearsal = place.call(verb.clone()).traced(None)?;
    rehearsal.output.ok();
    ended(beside);
    let new = (scene.look)(world);
    assert_ne!(old, new, "{} changes something", scene.name);
    let mut row = Row::new(home, Trial::Kill, scene.name, &rehearsal);
    // Who is killed is everybody: to end one program of many is another trial, in which the verb goes on.
    let strikes = extent.strikes(Trial::Kill, &rehearsal.touches, salt);
    let calls: BTreeSet<usize> = strikes.into_iter().map(|strike| strike.at).collect();
    for strike in calls.into_iter().map(|at| Strike { at, blow: Blow::KillAll }) {
        let beside = kept.restore(scene);
        kept.at_the_same_instant();
        let Some(traced) = place.call(verb.clone()).traced(Some(strike)) else { continue };
        if !traced.struck {
            row.missed += 1;
            ended(beside);
            continue;
        }
        let own = traced.touches.get(strike.at).is_some_and(|touch| touch.own);
        row.judge(&told(scene, home, strike, &traced), || {
            hold(world, home, scene, &verb, [&old, &new], (strike, own), beside)
        });
    }
    Some(row)
}

/// Wait until what went on beside the verb has ended, as the verb wanted it.
fn ended(beside: Option<Running>) {
    if let Some(mut beside) = beside {
        beside.ends();
    }
}

fn told(scene: &Scene, home: Home, strike: Strike, traced: &Traced) -> String {
    let touch = traced.touches.get(strike.at).map(ToString::to_string).unwrap_or_default();
    format!("{} ({home}): killed instead of call {}, {touch}", scene.name, strike.at)
}

/// Judge what is left; a panic says what does not hold.
fn hold(
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    verb: &[String],
    [old, new]: [&Vec<String>; 2],
    (strike, own): (Strike, bool),
    beside: Option<Running>,
) -> Found {
    let place = &scene.place(world);
    // Where git itself is killed with a lock file of its own in place, the person removes it, as git says.
    let stale = if own { Vec::new() } else { locks(&place.path(".git")) };
    stale.iter().for_each(|lock| fs::remove_file(place.path(&format!(".git/{lock}"))).unwrap());
    let people = Snapshot::of(place, &[".swift", ".git", ".claude", "work.txt"]);
    let now = (scene.look)(world);
    let commits = strike.at.is_multiple_of(2) && !scene.on_the_branch;
    let commit = || place.program("git", "commit --quiet --allow-empty --message people").run();
    let blocked = commits && commit().status != 0;
    assert!(!blocked || home == Home::Tree, "git is blocked though the queue has a branch of its own");
    (scene.again)(world, verb);
    ended(beside);
    if blocked {
        commit().ok();
    }
    let then = (scene.look)(world);
    assert_eq!(&then, new, "typed again it brings about the same; just after the kill it was {now:#?}");
    people.assert_same(&Snapshot::of(place, &[".swift", ".git", ".claude", "work.txt"]));
    if place.path(".swift/swift.toml").exists() {
        intact(place, "after that");
    } else {
        place.git("fsck --strict --no-dangling");
        assert_eq!(locks(&place.path(".git")), [""; 0], "a lock file is left");
    }
    let worktrees = place.git("worktree list --porcelain");
    assert!(!worktrees.contains("prunable"), "{worktrees}");
    place.git("checkout --quiet -b elsewhere");
    Found { is_old: &now == old, went_on: false, blocked: blocked || !stale.is_empty() }
}

#[test]
fn a_killed_verb_beside_the_queue_is_finished_by_the_next() {
    run(Home::Branch);
}

#[test]
fn a_killed_verb_beside_the_queue_is_finished_by_the_next_in_tree() {
    run(Home::Tree);
}
