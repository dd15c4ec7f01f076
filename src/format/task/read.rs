//! The head of a task file to a [`Task`].

use std::str::FromStr;

use crate::domain::fault::Fault;
use crate::domain::lease::Lease;
use crate::domain::task::{Effort, Ending, Priority, Receipt, State, Task, valid_label, valid_title};
use crate::format::fields::Fields;
use crate::format::malformed::Malformed;
use crate::format::{plain, syntax};

/// The task of a head as `swift` writes it; `None` if it is no task or not so simple.
pub(super) fn plain_task(head: &str) -> Option<Task> {
    let table = plain::parse(head)?;
    from_fields(Fields::plain(head, &table), &mut Vec::new()).ok()
}

/// The task of a head; what could be read otherwise than it was meant goes into the warnings.
pub(super) fn task(head: &str, warnings: &mut Vec<String>) -> Result<Task, Malformed> {
    let table = syntax::parse(head)?;
    from_fields(Fields::new(head, &table), warnings)
}

fn from_fields(fields: Fields<'_>, warnings: &mut Vec<String>) -> Result<Task, Malformed> {
    fields.check_schema()?;
    Ok(Task {
        id: fields.word("id")?,
        title: title(&fields)?,
        from: fields.word("from")?,
        to: fields.word("to")?,
        kind: fields.word("kind")?.unwrap_or_default(),
        priority: fields.word("priority")?.unwrap_or(Priority::Medium),
        effort: fields.word("effort")?.unwrap_or(Effort::M),
        labels: fields.words::<Label>("labels")?.into_iter().map(|label| label.0).collect(),
        created: fields.instant_or_warn("created", warnings)?,
        after: fields.words("after")?,
        due: fields.date("due")?,
        tier: fields.word("tier")?,
        model: fields.word("model")?,
        token: fields.unsigned("token")?.unwrap_or_default(),
        attempts: fields.unsigned("attempts")?.unwrap_or_default(),
        lease: fields.table("lease")?.map(lease).transpose()?,
        blocked: fields.text("blocked")?.map(str::to_owned),
        defer_until: fields.instant_or_warn("defer_until", warnings)?,
        receipt: fields.table("receipt")?.map(receipt).transpose()?,
        ending: fields.table("result")?.map(ending).transpose()?,
    })
}

fn title(fields: &Fields<'_>) -> Result<String, Malformed> {
    let title = fields.required("title", fields.text("title")?)?;
    valid_title(title).map_err(|fault| fields.wrong("title", fault.message))?;
    Ok(title.to_owned())
}

struct Label(String);

impl FromStr for Label {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        valid_label(text).map(|()| Label(text.to_owned()))
    }
}

fn lease(fields: Fields<'_>) -> Result<Lease, Malformed> {
    Ok(Lease {
        holder: fields.required("holder", fields.word("holder")?)?,
        token: fields.required("token", fields.unsigned("token")?)?,
        expires_at: fields.required("expires_at", fields.instant("expires_at")?)?,
    })
}

fn receipt(fields: Fields<'_>) -> Result<Receipt, Malformed> {
    Ok(Receipt {
        stage: fields.required("stage", fields.word("stage")?)?,
        at: fields.required("at", fields.instant("at")?)?,
        by: fields.word("by")?,
        note: fields.text("note")?.map(str::to_owned),
    })
}

fn ending(fields: Fields<'_>) -> Result<Ending, Malformed> {
    let state = fields.required("state", fields.word("state")?)?;
    if !matches!(state, State::Done | State::Refused | State::Dead) {
        return Err(
            fields.wrong("state", format!("`{state}` is not an end; one of `done`, `refused`, `dead`"))
        );
    }
    Ok(Ending {
        state,
        at: fields.required("at", fields.instant("at")?)?,
        by: fields.word("by")?,
        note: fields.text("note")?.map(str::to_owned),
    })
}
