//! Lengths of time as people write them: `30m`, `2h`, `1h 30m`, `1d`.
//!
//! A day is 24 hours and a week 7 days: no calendar is involved.

use jiff::SignedDuration;

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// Units, largest first, with their seconds.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Read a length of time; it has to be longer than nothing.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn parse(text: &str) -> Result<SignedDuration, Fault> {
    seconds(text).filter(|seconds| *seconds > 0).map(SignedDuration::from_secs).ok_or_else(|| {
        Fault::new(Code::InvalidValue, format!("`{}` is not a length of time", shown(text)))
            .hint("a length of time is written such as `30m`, `2h`, `1h 30m` or `3d`")
    })
}

/// Write a length of time so that [`parse`] reads the same; parts of a second are dropped.
pub(crate) fn render(length: SignedDuration) -> String {
    let mut rest = length.as_secs().max(0);
    let mut parts = Vec::new();
    for (unit, seconds) in UNITS.into_iter().filter(|(unit, _)| *unit != 'w') {
        if rest / seconds > 0 {
            parts.push(format!("{}{unit}", rest / seconds));
        }
        rest %= seconds;
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

fn seconds(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = rest[digits + unit.len_utf8()..].trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_written() {
        let cases = [
            ("30m", "30m"),
            ("2h", "2h"),
            ("1h 30m", "1h 30m"),
            ("90m", "1h 30m"),
            ("1d", "1d"),
            ("1w", "7d"),
        ];
        for (text, rendered) in cases {
            assert_eq!(render(parse(text).unwrap()), rendered);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "0m", "-3d", "5", "m", "3 d", "1h-", "99999999999999999d", "9999999999999999w", "1h30", "³m"]
        {
            assert_eq!(parse(text).unwrap_err().code, Code::InvalidValue, "{text}");
        }
    }
}
