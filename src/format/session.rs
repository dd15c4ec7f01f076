//! `sessions/<yyyy-mm>/<id>.md`: what one session did and what was learned in it.
//!
//! Only `swift` writes the head; the body is for whoever wants to say more.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fields::Fields;
use super::file::{File, Limits};
use super::instant::to_toml;
use super::malformed::Malformed;
use super::quote::{array, string};
use super::syntax;
use crate::domain::actor::Actor;
use crate::domain::event::EventKind;
use crate::domain::id::SessionId;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) actor: Actor,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) learned: Vec<String>,
    /// How many events of each kind it caused.
    pub(crate) counts: BTreeMap<EventKind, u64>,
}

/// The text of the file.
pub(crate) fn render(session: &Session, body: &str) -> String {
    let mut text = format!(
        "+++\nschema = 1\nid = {}\nactor = {}\nstarted_at = {}\nfinished_at = {}\n",
        string(&session.id.to_string()),
        string(session.actor.as_str()),
        to_toml(session.started_at),
        to_toml(session.finished_at)
    );
    if !session.learned.is_empty() {
        text.extend(["learned = ", &array(&session.learned), "\n"]);
    }
    if !session.counts.is_empty() {
        text.push_str("\n[counts]\n");
    }
    for (kind, count) in &session.counts {
        text.push_str(&format!("{} = {count}\n", string(kind.as_str())));
    }
    text.push_str("+++\n");
    if !body.is_empty() {
        text.extend(["\n", body.trim_end_matches('\n'), "\n"]);
    }
    text
}

/// The session that a file tells of. Counts of kinds that this version does not know are left out.
///
/// # Errors
/// [`Malformed`] with the place.
pub(crate) fn parse(text: &str) -> Result<Session, Malformed> {
    let file = File::split(text.as_bytes(), &Limits::default())?;
    head(file.head).map_err(|defect| defect.below(1))
}

fn head(head: &str) -> Result<Session, Malformed> {
    let table = syntax::parse(head)?;
    let fields = Fields::new(head, &table);
    fields.check_schema()?;
    Ok(Session {
        id: fields.required("id", fields.word("id")?)?,
        actor: fields.required("actor", fields.word("actor")?)?,
        started_at: fields.required("started_at", fields.instant("started_at")?)?,
        finished_at: fields.required("finished_at", fields.instant("finished_at")?)?,
        learned: fields.texts("learned")?,
        counts: counts(fields.table("counts")?)?,
    })
}

fn counts(fields: Option<Fields<'_>>) -> Result<BTreeMap<EventKind, u64>, Malformed> {
    let mut counts = BTreeMap::new();
    let Some(fields) = fields else { return Ok(counts) };
    for kind in EventKind::ALL {
        if let Some(count) = fields.unsigned(kind.as_str())? {
            counts.insert(*kind, count);
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::format::few_cases(128))]

        #[test]
        fn what_is_written_is_read(
            random in any::<u64>(),
            times in (0_i64..4_000_000_000, 0_i64..4_000_000_000),
            learned in proptest::collection::vec("(\\PC|\n|\\+\\+\\+|\"){0,9}", 0..3),
            counts in proptest::collection::btree_map(proptest::sample::select(EventKind::ALL), any::<u64>(), 0..4),
            body in "[a-z\n]{0,9}",
        ) {
            let session = Session {
                id: SessionId::new(1, u128::from(random)),
                actor: "ann".parse().unwrap(),
                started_at: Timestamp::from_second(times.0).unwrap(),
                finished_at: Timestamp::from_second(times.1).unwrap(),
                learned,
                counts,
            };
            prop_assert_eq!(parse(&render(&session, &body)), Ok(session));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(\\PC|\n|=|\"|\\[counts\\]|1){0,60}") {
            let _ = parse(&text);
            let _ = parse(&format!("+++\n{text}\n+++\n"));
        }
    }

    #[test]
    fn unknown_kinds_are_left_out_and_wrong_counts_refused() {
        let text = "+++\nid = '00000000010000000000000001'\nactor = 'a'\nstarted_at = 2026-01-01\nfinished_at = 2026-01-01\n[counts]\n'task.done' = 2\n'x.y' = 3\n+++\n";
        assert_eq!(parse(text).unwrap().counts, BTreeMap::from([(EventKind::TaskDone, 2)]));
        let defect = parse(&text.replace("' = 2", "' = -2")).unwrap_err();
        assert_eq!(defect.to_string(), "7:15: counts.task.done: `-2` is out of range");
    }
}
