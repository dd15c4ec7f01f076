//! What a pattern belongs to, as the table of the built-in rules writes it: a letter, and a number where there are
//! several.

use std::fmt;
use std::str::FromStr;

/// What a pattern belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain::route) enum Group {
    /// The signal of this number.
    Signal(usize),
    /// The condition of the rule of this number.
    Rule(usize),
    /// A verb of the danger of this number.
    Verb(usize),
    /// A saying by which the danger of this number is wished for.
    Idiom(usize),
    /// An object of the danger of this number.
    Object(usize),
    Command,
    Harmless,
    /// What a project says to be harmless, whatever the built-in rules say of its words.
    Spared,
    Store,
    /// What would be missed, so that whatever is not understood of it is asked about.
    Precious,
    Part,
    Foreign,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Signal(number) => write!(f, "s{number}"),
            Group::Rule(number) => write!(f, "r{number}"),
            Group::Verb(number) => write!(f, "v{number}"),
            Group::Idiom(number) => write!(f, "i{number}"),
            Group::Object(number) => write!(f, "o{number}"),
            Group::Command => f.write_str("c"),
            Group::Harmless => f.write_str("h"),
            Group::Spared => f.write_str("n"),
            Group::Store => f.write_str("t"),
            Group::Precious => f.write_str("m"),
            Group::Part => f.write_str("p"),
            Group::Foreign => f.write_str("f"),
        }
    }
}

impl FromStr for Group {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (letter, number) = text.split_at_checked(1).ok_or(())?;
        let number = || number.parse().map_err(|_| ());
        match letter {
            "s" => Ok(Group::Signal(number()?)),
            "r" => Ok(Group::Rule(number()?)),
            "v" => Ok(Group::Verb(number()?)),
            "i" => Ok(Group::Idiom(number()?)),
            "o" => Ok(Group::Object(number()?)),
            "c" => Ok(Group::Command),
            "h" => Ok(Group::Harmless),
            "n" => Ok(Group::Spared),
            "t" => Ok(Group::Store),
            "m" => Ok(Group::Precious),
            "p" => Ok(Group::Part),
            "f" => Ok(Group::Foreign),
            _ => Err(()),
        }
    }
}
