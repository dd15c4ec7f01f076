//! Whether the decision about a model is advice or is enforced.
//!
//! What is said on the command line wins over the setting, and the setting over what the surroundings tell.

use std::fmt;
use std::str::FromStr;

use super::fault::{Code, Fault};
use super::task::words;
use super::text::shown;

words! {
    /// What is set.
    Mode, "a mode";
    /// The session is told which model fits, and goes on.
    Directive = "directive";
    /// The request runs through `swift run`, at the model that was decided.
    Orchestration = "orchestration";
    /// Directive where a person sits, orchestration where nobody does.
    Hybrid = "hybrid";
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Directive,
    Orchestration,
}

/// Who is there to decide something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attendance {
    Person,
    Nobody,
}

/// What a process can know about who is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// `CI` is set: a build machine.
    pub(crate) ci: Option<String>,
    /// `CLAUDE_CODE_SESSION_ATTENDED`: what Claude Code says of its own session.
    pub(crate) attended: Option<String>,
    /// `CLAUDE_CODE_ENTRYPOINT`: how Claude Code was started; `cli` is its terminal.
    pub(crate) entrypoint: Option<String>,
}

impl Surroundings {
    /// Who is there. The session's own word counts most; without any word a person is.
    pub(crate) fn attendance(&self) -> Attendance {
        let is_yes = |text: &str| !["", "0", "false", "no"].contains(&text.to_ascii_lowercase().as_str());
        if let Some(attended) = &self.attended {
            return if is_yes(attended) { Attendance::Person } else { Attendance::Nobody };
        }
        let automated = self.entrypoint.as_deref().is_some_and(|entry| entry.starts_with("sdk"));
        let building = self.ci.as_deref().is_some_and(is_yes);
        if automated || building { Attendance::Nobody } else { Attendance::Person }
    }
}

/// What is done: as said, else as set, else as the surroundings tell.
pub(crate) fn manner(said: Option<Mode>, set: Mode, attendance: Attendance) -> Manner {
    match (said.unwrap_or(set), attendance) {
        (Mode::Directive, _) | (Mode::Hybrid, Attendance::Person) => Manner::Directive,
        (Mode::Orchestration, _) | (Mode::Hybrid, Attendance::Nobody) => Manner::Orchestration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_wins_over_what_is_set_and_that_over_what_is_seen() {
        use Attendance::{Nobody, Person};
        use Manner as M;
        for (said, set, attendance, expected) in [
            (None, Mode::Hybrid, Person, M::Directive),
            (None, Mode::Hybrid, Nobody, M::Orchestration),
            (None, Mode::Directive, Nobody, M::Directive),
            (None, Mode::Orchestration, Person, M::Orchestration),
            (Some(Mode::Directive), Mode::Orchestration, Nobody, M::Directive),
            (Some(Mode::Orchestration), Mode::Directive, Person, M::Orchestration),
            (Some(Mode::Hybrid), Mode::Orchestration, Person, M::Directive),
            (Some(Mode::Hybrid), Mode::Directive, Nobody, M::Orchestration),
        ] {
            assert_eq!(manner(said, set, attendance), expected, "{said:?} {set:?} {attendance:?}");
        }
    }

    #[test]
    fn the_session_itself_knows_best_whether_somebody_sits_there() {
        let seen = |ci: Option<&str>, attended: Option<&str>, entrypoint: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Surroundings { ci: own(ci), attended: own(attended), entrypoint: own(entrypoint) }.attendance()
        };
        assert_eq!(seen(None, None, None), Attendance::Person);
        assert_eq!(seen(Some("true"), None, None), Attendance::Nobody);
        assert_eq!(seen(Some("false"), None, None), Attendance::Person);
        assert_eq!(seen(None, None, Some("sdk-cli")), Attendance::Nobody);
        assert_eq!(seen(None, None, Some("cli")), Attendance::Person);
        assert_eq!(seen(Some("1"), Some("1"), Some("sdk-cli")), Attendance::Person);
        assert_eq!(seen(None, Some("0"), Some("cli")), Attendance::Nobody);
    }
}
