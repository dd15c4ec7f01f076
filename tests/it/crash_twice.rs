//! Killed, and killed again while the next verb puts things in order: the one after that still does.

use std::collections::BTreeSet;

use crate::sandbox::{Blow, Place, Sandbox, Strike, Traced};
use crate::world::{World, sound, text};

/// How many calls of the second verb are struck for each of the first: spread over all of them.
const STRUCK: usize = 7;

/// The second and third verb of a queue in which the first was cut off.
const SECOND: &str = "task . Second";

fn struck(place: &Place<'_>, verb: &str, at: usize) -> Option<Traced> {
    place.call(verb).traced(Some(Strike { at, blow: Blow::KillAll }))
}

/// The calls at which git's locks are held, or are about to be taken.
fn around_locks(traced: &Traced) -> Vec<usize> {
    let all = traced.touches.iter().enumerate();
    let of_locks = all.filter(|(_, touch)| touch.what.ends_with(".lock") || touch.call == "fsync");
    of_locks.map(|(at, _)| at + 1).filter(|at| *at < traced.touches.len()).collect()
}

fn try_it(init: &str) {
    let sandbox = Sandbox::new();
    let world = World::all(&sandbox, init);
    let web = &world.web;
    world.keep();
    let moment = sandbox.moment();
    let again = || {
        world.restore();
        sandbox.back_to(moment);
    };
    let Some(rehearsal) = web.call("task . First").traced(None) else {
        crate::matrix::report::skipped();
        return;
    };
    let firsts = around_locks(&rehearsal);
    assert!(firsts.len() > 5, "{:?}", rehearsal.touches);
    let is_proof = std::env::var_os("SWIFT_PROVE").is_some();
    let step = if is_proof { 1 } else { firsts.len() / 4 };
    let mut tried = BTreeSet::new();
    for first in firsts.into_iter().step_by(step.max(1)) {
        again();
        struck(web, "task . First", first);
        let Some(calls) = web.call(SECOND).traced(None).map(|traced| traced.touches.len()) else { return };
        let gap = if is_proof { 1 } else { (calls / STRUCK).max(1) };
        for second in (first % gap..calls).step_by(gap) {
            again();
            struck(web, "task . First", first);
            let killed = struck(web, SECOND, second).unwrap();
            if !killed.struck {
                continue;
            }
            let when = format!(
                "{init}: the first killed at {first}, the second at {second}, {}",
                killed.touches[second]
            );
            let third = web.swift("task . Third --json");
            assert_eq!(third.status, 0, "{when}: {}", third.stderr);
            assert!(third.json()["commit"].is_string(), "{when}: {}", third.stdout);
            let locks = web.program("find", [".git", "-name", "*.lock"]).run().stdout;
            assert_eq!(locks, "", "{when}");
            sound(web, &when);
            let titles: Vec<String> = web.json("list")["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| text(&task["title"]))
                .collect();
            let distinct: BTreeSet<&String> = titles.iter().collect();
            assert!(
                distinct.len() == titles.len() && titles.iter().any(|title| title == "Third"),
                "{when}: {titles:?}"
            );
            tried.insert((first, second));
        }
    }
    assert!(tried.len() > 10, "{tried:?}");
}

#[test]
fn a_verb_that_is_killed_while_it_recovers_leaves_nothing_that_stays() {
    try_it("init");
}

#[test]
fn a_verb_that_is_killed_while_it_recovers_leaves_nothing_that_stays_in_tree() {
    try_it("init --in-tree");
}
