//! One record of a run from two: both clones have written the end of the same run, or both have decided about its work.
//!
//! The one that is further along counts, and what the other says is kept as a reason. What comes out is the same on both
//! sides, whichever is called ours.

use super::outcome::Outcome;
use super::record::{Decision, Review, Run, RunEnding};

/// How far an end has come: what a clone says of a run that it saw end outranks what another one concluded from its
/// silence; of two that are alike the later one counts.
fn rank(ending: &RunEnding) -> impl Ord + use<> {
    let is_seen = !matches!(ending.outcome, Outcome::Interrupted);
    (is_seen, ending.at, format!("{ending:?}"))
}

/// A merge stands in the history of the project and outranks words; of two that are alike the later one counts.
fn weight(review: &Review) -> impl Ord + use<> {
    let is_merge = matches!(review.decision, Decision::Merged(_));
    (is_merge, review.at, format!("{review:?}"))
}

/// Both, as one; they have to be of the same run.
pub(crate) fn settle(one: Run, other: Run) -> Run {
    let (first, second) = if key(&one) >= key(&other) { (one, other) } else { (other, one) };
    let (ending, passed) = further(first.ending, second.ending, rank);
    let (review, overruled) = further(first.review, second.review, weight);
    let mut run = Run { ending, review, ..first };
    if let Some(ending) = &mut run.ending {
        let told = passed.filter(|passed| passed != ending).map(|passed| {
            let why = passed.reasons.join("; ");
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            format!("another clone has it as {}{why}", passed.outcome)
        });
        let review = overruled.filter(|overruled| Some(overruled) != run.review.as_ref()).map(said);
        for line in told.into_iter().chain(review) {
            if !ending.reasons.contains(&line) {
                ending.reasons.push(line);
            }
        }
    }
    run
}

/// What never changes in a record decides nothing, unless somebody has written to it by hand.
fn key(run: &Run) -> impl Ord + use<> {
    (run.ending.as_ref().map(rank), run.review.as_ref().map(weight), format!("{run:?}"))
}

fn further<T, K: Ord>(one: Option<T>, other: Option<T>, rank: impl Fn(&T) -> K) -> (Option<T>, Option<T>) {
    match (one, other) {
        (Some(one), Some(other)) if rank(&one) < rank(&other) => (Some(other), Some(one)),
        (None, other) => (other, None),
        both => both,
    }
}

fn said(review: Review) -> String {
    let what = match review.decision {
        Decision::Merged(commit) => format!("merged it as {}", commit.get(..12).unwrap_or(&commit)),
        Decision::Rejected(why) => format!("sent it back: {why}"),
    };
    format!("besides, {} {what}", review.by)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::id::RunId;
    use crate::domain::run::outcome::Failure;
    use crate::domain::run::spend::Spend;
    use crate::domain::run::tier::{Choice, Tier};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn ended(outcome: Outcome, seconds: i64) -> RunEnding {
        RunEnding {
            at: at(seconds),
            outcome,
            reasons: vec!["because".to_owned()],
            model: None,
            turns: 1,
            spend: Spend::default(),
            summary: String::new(),
            denials: Vec::new(),
            verdicts: Vec::new(),
            commits: Vec::new(),
            moved: Vec::new(),
            leftovers: 0,
        }
    }

    fn run(ending: Option<RunEnding>, review: Option<(i64, Decision)>) -> Run {
        Run {
            id: RunId::new(1, 1),
            task: None,
            title: "x".to_owned(),
            attempt: 1,
            follows: None,
            actor: "ada".parse().unwrap(),
            token: None,
            request: String::new(),
            choice: Choice { tier: Tier::Sonnet, model: None, rule: String::new(), reasons: Vec::new() },
            session: String::new(),
            resumed: false,
            branch: None,
            base: None,
            started_at: at(1),
            ending,
            review: review.map(|(seconds, decision)| Review {
                at: at(seconds),
                by: "ada".parse().unwrap(),
                decision,
            }),
        }
    }

    fn check(one: Run, other: Run) -> Run {
        let settled = settle(one.clone(), other.clone());
        assert_eq!(settled, settle(other.clone(), one.clone()), "whichever is ours");
        assert_eq!(settled, settle(settled.clone(), settled.clone()), "what is settled stays");
        settled
    }

    #[test]
    fn the_one_that_is_further_along_counts_and_the_other_is_kept_as_a_reason() {
        let (none, crashed) = (run(None, None), ended(Outcome::Failed(Failure::Crash), 5));
        assert_eq!(check(none, run(Some(crashed.clone()), None)).ending, Some(crashed.clone()));
        let silent = ended(Outcome::Interrupted, 9);
        let both = check(run(Some(crashed), None), run(Some(silent), None)).ending.unwrap();
        assert_eq!((both.outcome, both.at), (Outcome::Failed(Failure::Crash), at(5)));
        assert_eq!(both.reasons, ["because", "another clone has it as interrupted: because"]);

        let done = || Some(ended(Outcome::Completed, 5));
        let merged = (6, Decision::Merged("abc".to_owned()));
        let rejected = |seconds, why: &str| (seconds, Decision::Rejected(why.to_owned()));
        let both = check(run(done(), Some(merged.clone())), run(done(), Some(rejected(9, "no"))));
        assert_eq!(both.review.unwrap().decision, merged.1);
        assert_eq!(both.ending.unwrap().reasons, ["because", "besides, ada sent it back: no"]);
        let both = check(run(done(), Some(rejected(7, "no"))), run(done(), Some(rejected(8, "slow"))));
        assert_eq!(both.sent_back_because(), Some("slow"));
        let both = check(run(done(), None), run(done(), Some(rejected(7, "no"))));
        assert_eq!((both.sent_back_because(), &both.ending), (Some("no"), &done()));
    }
}
