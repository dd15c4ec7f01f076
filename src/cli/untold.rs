//! What is said when the result of a command cannot be written to stdout, or when it was interrupted: what it recorded
//! is done all the same, and a script that takes the status for a failure and tries again would do it twice.

use super::context::Context;
use crate::domain::event::Event;
use crate::domain::fault::{Code, Fault};
use crate::store::history;

/// The most events that are named.
const MOST: usize = 3;

/// The fault, with what the log has of this command.
pub(super) fn with_deed(context: &Context, fault: Fault) -> Fault {
    let may_be_done = matches!(fault.code, Code::Output | Code::Interrupted);
    let done = if may_be_done { recorded(context) } else { Vec::new() };
    let Some(first) = done.first() else { return fault };
    let what = match fault.code {
        Code::Output => "the command is done all the same, as",
        _ => "done before that and kept, in",
    };
    let mut named: Vec<String> = done.iter().take(MOST).map(told).collect();
    if let Some(more) = done.len().checked_sub(MOST).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    let message =
        format!("{}; {what} operation {}: {}", fault.message, first.operation.short(), named.join(", "));
    let again = "the same command again would do it a second time; `swift log -n 3` shows what was done";
    let mut hints = vec![again.to_owned()];
    hints.extend(
        done.iter().find_map(|event| event.fact.task).map(|id| format!("`swift show {}`", id.short())),
    );
    hints.extend(fault.hints);
    Fault { code: fault.code, message, hints }
}

/// What is said of a command that went on without what ctrl-c kept from being done.
pub(super) fn cut_short() -> Fault {
    Fault::new(Code::Interrupted, "interrupted; what had to wait for another program is not done")
        .hint("run the same command again for the rest")
}

fn told(event: &Event) -> String {
    let kind = event.fact.kind.as_str();
    event.fact.task.map_or_else(|| kind.to_owned(), |id| format!("{kind} {}", id.short()))
}

/// What the log of the queue at hand has of this run of the program.
fn recorded(context: &Context) -> Vec<Event> {
    let Some(since) = context.first_operation() else { return Vec::new() };
    let Ok(log) = context.queue().and_then(|queue| history::since(queue, since)) else { return Vec::new() };
    log.events.into_iter().filter(|event| context.is_own(event.operation)).collect()
}
