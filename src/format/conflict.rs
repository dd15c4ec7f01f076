//! A text in which git has left conflicts, taken apart into the texts of the two sides.

/// The texts that a text with conflicts was made from; lines without a conflict are in all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// What both began from, if git wrote it down (`merge.conflictStyle = diff3`).
    pub(crate) base: Option<String>,
}

/// Which part of a conflict a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Outside,
    Ours,
    Base,
    Theirs,
}

/// Take a text apart; `None` if there is no whole conflict in it.
pub(crate) fn sides(text: &str) -> Option<Sides> {
    let mut sides = Sides { ours: String::new(), theirs: String::new(), base: Some(String::new()) };
    let (mut part, mut conflicts, mut has_base) = (Part::Outside, 0, false);
    for line in text.split_inclusive('\n') {
        match (part, marker(line)) {
            (Part::Outside, Some('<')) => {
                (part, has_base) = (Part::Ours, false);
                continue;
            }
            (Part::Ours, Some('|')) => {
                (part, has_base) = (Part::Base, true);
                continue;
            }
            (Part::Ours | Part::Base, Some('=')) => {
                part = Part::Theirs;
                continue;
            }
            (Part::Theirs, Some('>')) => {
                part = Part::Outside;
                conflicts += 1;
                sides.base = sides.base.filter(|_| has_base);
                continue;
            }
            _ => {}
        }
        if matches!(part, Part::Outside | Part::Ours) {
            sides.ours.push_str(line);
        }
        if matches!(part, Part::Outside | Part::Theirs) {
            sides.theirs.push_str(line);
        }
        if matches!(part, Part::Outside | Part::Base)
            && let Some(base) = &mut sides.base
        {
            base.push_str(line);
        }
    }
    (part == Part::Outside && conflicts > 0).then_some(sides)
}

/// The character of the marker that a line is.
fn marker(line: &str) -> Option<char> {
    let first = line.chars().next().filter(|c| "<|=>".contains(*c))?;
    let run = line.chars().take_while(|c| *c == first).count();
    let rest = &line[run..];
    let ends = if first == '=' { rest.trim().is_empty() } else { rest.starts_with([' ', '\r', '\n']) };
    (run == 7 && ends).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_come_out_and_the_base_if_it_is_there() {
        let text = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\nd\n";
        let found = sides(text).unwrap();
        assert_eq!(
            (found.ours.as_str(), found.theirs.as_str(), found.base),
            ("a\nb\nd\n", "a\nc\nd\n", None)
        );
        let text = "a\n<<<<<<< HEAD\nb\n||||||| base\nz\n=======\nc\n>>>>>>> x\n";
        assert_eq!(sides(text).unwrap().base.as_deref(), Some("a\nz\n"));
    }

    #[test]
    fn what_is_no_whole_conflict_is_none() {
        for text in
            ["", "a\n=======\n", "<<<<<<< a\nb\n=======\n", ">>>>>>> x\n", "<<<<<<<< a\n=======\n>>>>>>> b\n"]
        {
            assert_eq!(sides(text), None, "{text:?}");
        }
        let headed = "<<<<<<< a\nTitle\n=======\n=======\nx\n>>>>>>> b\n";
        assert_eq!(sides(headed).unwrap().theirs, "=======\nx\n");
    }
}
