//! Lines of a stream, however long, in memory that does not grow.

use std::io::{ErrorKind, Read};

/// The longest line that is kept; of a longer one only the length is told.
const LONGEST: usize = 12 << 20;

/// By how much room for a long line grows; doubling it would take twice the memory.
const STEP: usize = 1 << 20;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// A buffer that a long line left behind is given back above this size. Long lines come in rows: to give back each buffer
/// at once would leave holes in memory that add up to more than the buffer.
const USUAL: usize = 6 << 20;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// Too long; how long it was.
    TooLong(u64),
}

/// Read to the end, telling each line as soon as it is there; the last one need not have an end. Gives whether the
/// reader wants more: `tell` answers false to stop.
pub(super) fn read(mut from: impl Read, mut seen: impl FnMut(usize), mut tell: impl FnMut(Line<'_>) -> bool) {
    let mut chunk = vec![0; CHUNK];
    let mut kept: Vec<u8> = Vec::new();
    let mut dropped = 0_u64;
    loop {
        let count = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        seen(count);
        let mut rest = &chunk[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            keep(&mut kept, &mut dropped, &rest[..end]);
            rest = &rest[end + 1..];
            if !finish(&mut kept, &mut dropped, &mut tell) {
                return;
            }
        }
        keep(&mut kept, &mut dropped, rest);
    }
    if !kept.is_empty() || dropped > 0 {
        finish(&mut kept, &mut dropped, &mut tell);
    }
}

fn keep(kept: &mut Vec<u8>, dropped: &mut u64, bytes: &[u8]) {
    if *dropped > 0 {
        *dropped += bytes.len() as u64;
    } else if kept.len() + bytes.len() > LONGEST {
        *dropped = (kept.len() + bytes.len()) as u64;
        *kept = Vec::new();
    } else {
        if kept.len() > STEP && kept.capacity() < kept.len() + bytes.len() {
            kept.reserve_exact(STEP.max(bytes.len()));
        }
        kept.extend_from_slice(bytes);
    }
}

fn finish(kept: &mut Vec<u8>, dropped: &mut u64, tell: &mut impl FnMut(Line<'_>) -> bool) -> bool {
    let more = if *dropped > 0 {
        tell(Line::TooLong(*dropped))
    } else {
        let line = kept.strip_suffix(b"\r").unwrap_or(kept);
        line.is_empty() || tell(Line::Whole(line))
    };
    *dropped = 0;
    kept.clear();
    if kept.capacity() > USUAL {
        *kept = Vec::new();
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        read(
            bytes,
            |_| {},
            |line| {
                all.push(match line {
                    Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Line::TooLong(length) => format!("<{length}>"),
                });
                true
            },
        );
        all
    }

    #[test]
    fn lines_end_in_several_ways() {
        assert_eq!(told(b"a\nb\r\n\n\nc"), ["a", "b", "c"]);
        assert_eq!(told(b""), [""; 0]);
    }

    #[test]
    fn a_line_across_many_chunks_is_one_and_one_that_is_too_long_is_none() {
        let long = "x".repeat(5 << 20);
        assert_eq!(told(format!("{long}\ny").as_bytes()), [long.as_str(), "y"]);
        let huge = vec![b'x'; LONGEST + 10];
        assert_eq!(told(&[&huge[..], b"\nz\n"].concat()), [format!("<{}>", LONGEST + 10), "z".to_owned()]);
    }

    #[test]
    fn who_has_heard_enough_is_told_no_more() {
        let mut count = 0;
        read(
            &b"a\nb\nc\n"[..],
            |_| {},
            |_| {
                count += 1;
                count < 2
            },
        );
        assert_eq!(count, 2);
    }
}
