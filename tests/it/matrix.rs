//! Every verb that writes, in both homes, struck at the calls with which it touches the world.
//!
//! A rehearsal under the tracer numbers these calls; then the verb is run again for each of them, from the same disk,
//! clock and seed, and is killed there or refused with an error of the system. [`verdict`] says what has to hold
//! then. A test run strikes at a few calls of each verb, the same ones each time; with `SWIFT_PROVE` set, at all of
//! them, and the rows of [`report`] are what `docs/proof.md` shows. `benches/prove` does that.

mod beside;
mod footprint;
mod owed;
pub(crate) mod report;
mod scenes;
mod verdict;

use std::fmt;

use nix::errno::Errno;

use crate::sandbox::{Blow, Sandbox, Strike, Touch, Traced};
use crate::world::World;
pub(crate) use footprint::furnish;
use report::Row;
pub(crate) use report::said;
use scenes::{Scene, scenes};
use verdict::Ends;

/// Where the queues are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    Branch,
    Tree,
}

impl Home {
    fn init(self) -> &'static str {
        match self {
            Home::Branch => "init",
            Home::Tree => "init --in-tree",
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Home::Branch => "own branch",
            Home::Tree => "in-tree",
        })
    }
}

/// What is done to the verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    Kill,
    Refuse,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trial::Kill => "killed",
            Trial::Refuse => "refused",
        })
    }
}

impl Trial {
    /// The blows that one call is to receive.
    fn blows(self, touch: &Touch) -> Vec<Blow> {
        let errors = match touch.call {
            "flock" | "fcntl" => vec![Errno::ENOLCK],
            "clone" | "clone3" | "fork" | "vfork" => vec![Errno::EAGAIN],
            "execve" => vec![Errno::EACCES, Errno::EIO],
            _ => vec![Errno::ENOSPC, Errno::EACCES, Errno::EIO, Errno::EROFS],
        };
        match self {
            Trial::Kill if touch.own => vec![Blow::KillAll],
            Trial::Kill => vec![Blow::KillAll, Blow::KillOne],
            Trial::Refuse => errors.into_iter().map(Blow::Refuse).collect(),
        }
    }
}

/// How much of the matrix is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// This many calls of each verb.
    Sample(usize),
    All,
}

impl Extent {
    fn wanted() -> Self {
        let most = std::env::var("SWIFT_PROVE_MOST").ok().and_then(|most| most.parse().ok());
        match most {
            Some(most) => Extent::Sample(most),
            None if std::env::var_os("SWIFT_PROVE").is_some() => Extent::All,
            None => Extent::Sample(1),
        }
    }

    /// The strikes of one verb; a sample is spread over its calls, and begins elsewhere for each verb.
    fn strikes(self, trial: Trial, touches: &[Touch], salt: usize) -> Vec<Strike> {
        let of = |(at, touch): (usize, &Touch)| {
            trial.blows(touch).into_iter().map(move |blow| Strike { at, blow }).collect::<Vec<_>>()
        };
        let all: Vec<Strike> = touches.iter().enumerate().flat_map(of).collect();
        let Extent::Sample(most) = self else { return all };
        // A number without a common factor with most lengths, so that the sample is no prefix.
        (0..most.min(all.len())).map(|n| all[(salt * 37 + n * 101 + 13) % all.len()]).collect()
    }
}

/// Strike at each verb that is wanted; what did not hold. `strike` makes the row of one verb, `None` where nothing can be
/// followed.
fn run_each<S>(
    scenes: impl IntoIterator<Item = (&'static str, S)>,
    mut strike: impl FnMut(S, (Extent, usize)) -> Option<Row>,
) {
    let extent = Extent::wanted();
    let only = std::env::var("SWIFT_PROVE_VERB").ok();
    let mut failures = Vec::new();
    for (salt, (name, scene)) in scenes.into_iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let Some(row) = strike(scene, (extent, salt)) else {
            report::skipped();
            return;
        };
        row.write();
        failures.extend(row.failures);
    }
    assert!(failures.is_empty(), "{} did not hold:\n{}", failures.len(), failures.join("\n\n"));
}

/// Strike at the verbs in one home.
fn run(home: Home, trial: Trial) {
    let sandbox = Sandbox::new();
    let world = World::all(&sandbox, home.init());
    world.keep_as("base");
    run_each(scenes(home).iter().map(|scene| (scene.name, scene)), |scene, sample| {
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
    world.restore_from("base");
    let verb = (scene.prepare)(world, home);
    world.keep();
    let moment = sandbox.moment();
    let ends = Ends::before(world, scene);
    let rehearse = || {
        world.restore();
        sandbox.back_to(moment);
        scene.call(world, verb.clone()).traced(None)
    };
    let rehearsal = rehearse()?;
    rehearsal.output.ok();
    let ends = ends.after(world, scene);
    assert_ne!(ends.old, ends.new, "{} changes something", scene.name);
    let mut row = Row::new(home, trial, scene.name, &rehearsal);
    for strike in extent.strikes(trial, &rehearsal.touches, salt) {
        world.restore();
        sandbox.back_to(moment);
        let Some(traced) = scene.call(world, verb.clone()).traced(Some(strike)) else { continue };
        if !traced.struck {
            row.missed += 1;
            continue;
        }
        let strike = as_it_fell(strike, &traced);
        row.judge(&told(scene, home, strike, &traced), || {
            verdict::hold(world, home, scene, &ends, strike, &traced)
        });
    }
    Some(row)
}

/// Where programs run side by side the call of this number may be another one's this time: whoever is killed alone and is
/// the verb itself is everybody that counts.
fn as_it_fell(strike: Strike, traced: &Traced) -> Strike {
    match strike.blow {
        Blow::KillOne if traced.touches[strike.at].own => Strike { blow: Blow::KillAll, ..strike },
        _ => strike,
    }
}

fn told(scene: &Scene, home: Home, strike: Strike, traced: &Traced) -> String {
    let touch = &traced.touches[strike.at];
    format!(
        "{} ({home}): {:?} instead of call {}, {touch}: status {}\n{}{}",
        scene.name, strike.blow, strike.at, traced.output.status, traced.output.stdout, traced.output.stderr
    )
}

#[test]
fn a_killed_verb_leaves_the_old_state_or_the_new_one() {
    run(Home::Branch, Trial::Kill);
}

#[test]
fn a_killed_verb_leaves_the_old_state_or_the_new_one_in_tree() {
    run(Home::Tree, Trial::Kill);
}

#[test]
fn a_verb_that_the_disk_refuses_says_so() {
    run(Home::Branch, Trial::Refuse);
}

#[test]
fn a_verb_that_the_disk_refuses_says_so_in_tree() {
    run(Home::Tree, Trial::Refuse);
}
