//! One file from two: the bytes of a task that two sides of a merge have both changed.
//!
//! What becomes of the fields is decided elsewhere; here the rest comes together: keys of the person's own, comments,
//! and the body. Lines that only one side changed are merged as git merges them. Where both changed the same lines,
//! both texts stay, one below the other under a heading, and no marker of git is left.

use super::Document;
use crate::domain::task::Task;
use crate::format::file::Limits;

/// What stands above everything that a rule passed over.
const HEADING: &str = "## Kept from the other side of a merge\n";

impl Document {
    /// The file of a settled task. `earlier` and `later` are in the order in which they were last edited; `kept` are
    /// paragraphs that go below the body; how many stand there in the end is told.
    pub(crate) fn settled(
        base: Option<&Document>,
        earlier: &Document,
        later: &Document,
        task: &Task,
        mut kept: Vec<String>,
    ) -> (Document, usize) {
        let with_task = |document: &Document| {
            let mut document = document.clone();
            document.apply(task);
            document
        };
        let (base, earlier, mut settled) = (base.map(with_task), with_task(earlier), with_task(later));
        match merged_head(base.as_ref(), &earlier, &settled, task) {
            Some(head) => settled.head = head,
            None => kept.extend(lost_lines(base.as_ref(), &earlier, &settled)),
        }
        let body = Body::of(base.as_ref().map(Document::body), earlier.body(), settled.body());
        settled.set_body(&body.text);
        kept.extend(body.other.map(|text| format!("The other text:\n\n{}", text.trim_matches(['\r', '\n']))));
        kept.retain(|text| !settled.body.contains(text.as_str()));
        if !kept.is_empty() {
            settled.append_to_body(&format!("{HEADING}\n{}", kept.join("\n\n")));
        }
        (settled, kept.len())
    }
}

/// The keys and comments of both sides, if they changed different lines.
fn merged_head(base: Option<&Document>, earlier: &Document, later: &Document, task: &Task) -> Option<String> {
    if earlier.head == later.head {
        return Some(later.head.clone());
    }
    let head = diffy::merge(&base?.head, &earlier.head, &later.head).ok()?;
    let whole = Document { head: head.clone(), ..later.clone() };
    let limits = Limits { file_bytes: usize::MAX, ..Limits::default() };
    let read = Document::parse(&whole.to_bytes(), &limits).ok()?;
    (read.task() == task).then_some(head)
}

/// Lines of the head that the earlier side wrote and the settled file does not have.
fn lost_lines(base: Option<&Document>, earlier: &Document, later: &Document) -> Option<String> {
    let has = |head: &str, line: &str| head.lines().any(|other| other.trim() == line);
    let lost = earlier.head.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !has(&later.head, line) && !base.is_some_and(|base| has(&base.head, line))
    });
    let lines: Vec<String> = lost.map(|line| format!("    {line}")).collect();
    (!lines.is_empty()).then(|| format!("In the head:\n\n{}", lines.join("\n")))
}

/// Two bodies brought together.
struct Body {
    text: String,
    /// What does not go into one text with the rest.
    other: Option<String>,
}

impl Body {
    fn of(base: Option<&str>, earlier: &str, later: &str) -> Body {
        let one = |text: &str| Body { text: text.to_owned(), other: None };
        if earlier == later || base == Some(earlier) {
            return one(later);
        }
        if base == Some(later) {
            return one(earlier);
        }
        if later.contains(earlier.trim()) {
            return one(later);
        }
        if earlier.contains(later.trim()) {
            return one(earlier);
        }
        if let Some(text) = base.and_then(|base| both_added(base, earlier, later)) {
            return Body { text, other: None };
        }
        match base.map(|base| diffy::merge(base, earlier, later)) {
            Some(Ok(text)) => Body { text, other: None },
            _ => Body { text: later.to_owned(), other: Some(earlier.to_owned()) },
        }
    }
}

/// Both sides only added paragraphs at the end, as comments do: the earlier ones come first.
fn both_added(base: &str, earlier: &str, later: &str) -> Option<String> {
    let added = |text: &str| {
        let rest = text.strip_prefix(base.trim_end())?;
        let is_whole = rest.starts_with(['\r', '\n']) || base.trim().is_empty();
        is_whole.then(|| rest.trim_matches(['\r', '\n']).to_owned())
    };
    let (first, second) = (added(earlier)?, added(later)?);
    // Below nothing, only comments stand side by side; anything else is a whole text of its own.
    if base.trim().is_empty() && !(first.starts_with("**") && second.starts_with("**")) {
        return None;
    }
    let parts = [base.trim_end_matches(['\r', '\n']), &first, &second];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    Some(format!("{}\n", parts.join("\n\n")))
}
