//! Identifiers: sortable by creation, random enough that clones never meet, legal on every file system.

use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::fault::{Code, Fault};

/// How many characters of an identifier tell the time; the rest (16) is random.
const TIME_CHARS: usize = 10;

/// The fewest characters of the random part that a reference may have.
pub(crate) const SHORTEST_REFERENCE: usize = 4;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(u128);

        impl $name {
            /// From milliseconds since 1970 and 80 random bits (the upper 48 of `random` are ignored).
            pub(crate) fn new(milliseconds: u64, random: u128) -> Self {
                $name(Ulid::from_parts(milliseconds, random).0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                let text = Ulid(self.0).array_to_str(&mut buffer);
                text.make_ascii_lowercase();
                f.write_str(text)
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Result<Self, Fault> {
                let parsed = Ulid::from_string(text).ok().map(|ulid| $name(ulid.0));
                parsed.filter(|id| id.to_string() == text).ok_or_else(|| {
                    Fault::new(Code::InvalidValue, format!(
                        "`{}` is not {}: 26 lower-case letters and digits", super::text::shown(text), $what))
                })
            }
        }
    )+};
}

macro_rules! dated {
    ($($name:ident)+) => {$(
        impl $name {
            /// Milliseconds since 1970 at which it was made.
            pub(crate) fn milliseconds(self) -> u64 {
                Ulid(self.0).timestamp_ms()
            }
        }
    )+};
}

macro_rules! referable {
    ($($name:ident)+) => {$(
        impl $name {
            /// The random part: 16 characters, of which a person types the first few.
            pub(crate) fn random_part(self) -> String {
                self.to_string()[TIME_CHARS..].to_owned()
            }

            /// The first six characters of the random part, as shown in lists.
            pub(crate) fn short(self) -> String {
                self.to_string()[TIME_CHARS..TIME_CHARS + 6].to_owned()
            }
        }
    )+};
}

ids! {
    /// Names one task, in every project that has ever seen it.
    TaskId, "a task id";
    /// Names one run of a verb, in every repository that it touched.
    OperationId, "an operation id";
    /// Names one record of the audit log.
    EventId, "an event id";
    /// Names one clone's hand in the audit log.
    WriterId, "a writer id";
    /// Names one file of the audit log.
    SegmentId, "a segment id";
    /// Names one session.
    SessionId, "a session id";
    /// Names one stored proposal.
    ProposalId, "a proposal id";
    /// Names one run.
    RunId, "a run id";
}

dated!(TaskId OperationId SegmentId SessionId RunId);
referable!(TaskId OperationId RunId);

macro_rules! numbered {
    ($($name:ident)+) => {$(
        impl $name {
            /// All of it as one number, in the order of the ids.
            pub(crate) fn number(self) -> u128 {
                self.0
            }
        }
    )+};
}

numbered!(TaskId EventId SegmentId);

impl TaskId {
    /// What [`TaskId::number`] gave.
    pub(crate) fn from_number(number: u128) -> TaskId {
        TaskId(number)
    }

    /// The last character: the name of the folder, one of 32, that spreads files evenly. Fewer folders than that make
    /// the trees of large queues long; more cost every list of a small one, because a folder once used stays.
    pub(crate) fn shard(self) -> String {
        self.to_string().split_off(25)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_render_in_lower_case_and_sort_by_time() {
        let early = TaskId::new(1_000, u128::MAX);
        let late = TaskId::new(1_001, 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<TaskId>().unwrap(), early);
        assert_eq!(late.milliseconds(), 1_001);
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = TaskId::new(1_700_000_000_000, 77).to_string();
        assert!(id.to_uppercase().parse::<TaskId>().is_err());
        assert!(id[1..].parse::<TaskId>().is_err());
        assert!("../../etc/passwd".parse::<TaskId>().is_err());
    }

    #[test]
    fn the_shard_is_the_last_character() {
        let id = TaskId::new(0, 0x1234);
        assert!(id.to_string().ends_with(&id.shard()));
        assert_eq!(id.shard(), "m");
    }
}
