//! Lines that a program wrote and somebody pasted: errors, stack traces, the last words of a process.
//!
//! `TypeError: Cannot read properties (reading 'map')` asks for nothing to be read. What such lines are about counts;
//! what they say is to be done does not.

/// How lines begin that tell of an error, in small letters.
const BEGINNINGS: [&str; 30] = [
    "traceback (most",
    "file \"",
    "caused by:",
    "thread '",
    "panic:",
    "panicked at",
    "fatal:",
    "fatal error",
    "error:",
    "error[",
    "error -",
    "[error]",
    "npm err",
    "npm error",
    "goroutine ",
    "exception in",
    "uncaught ",
    "unhandled ",
    "threadsanitizer",
    "addresssanitizer",
    "==",
    "assertion failed",
    "warning:",
    "segmentation fault (core",
    "make: ***",
    "e   ",
    "oserror",
    "build failed",
    "fail:",
    "error ts",
];

/// Whether a line is one that a program wrote.
pub(super) fn is_reported(line: &str) -> bool {
    let line = line.trim_start();
    let near = &line[..line.floor_char_boundary(200)];
    let small = near.to_lowercase();
    BEGINNINGS.iter().any(|beginning| small.starts_with(beginning))
        || is_frame(near)
        || small.split_whitespace().next().is_some_and(is_exception)
}

/// `at render (list.js:12:3)`
fn is_frame(line: &str) -> bool {
    let is_place = |place: &str| place.contains(':') && place.contains(|c: char| c.is_ascii_digit());
    line.strip_prefix("at ").is_some_and(|rest| rest.contains('(') && is_place(rest))
}

/// `TypeError:`, `java.lang.NullPointerException:`, in small letters.
fn is_exception(word: &str) -> bool {
    let name = word.strip_suffix(':').unwrap_or("");
    ["error", "exception", "fault", "warning"].iter().any(|end| name.ends_with(end) && name.len() > end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_write_is_told_from_what_people_ask_for() {
        for line in [
            "TypeError: x is not a function",
            "    at List (src/List.tsx:31:18)",
            "java.lang.NullPointerException: Cannot invoke",
            "thread 'main' panicked at src/a.rs:3",
            "fatal: could not read from remote",
            "Traceback (most recent call last):",
            "error[E0502]: cannot borrow",
        ] {
            assert!(is_reported(line), "{line}");
        }
        for line in ["Fix the error in a.rs", "Error handling: add a retry", "at noon (12:30) it fails?", ""]
        {
            assert!(!is_reported(line) || line.starts_with("at "), "{line}");
        }
    }
}
