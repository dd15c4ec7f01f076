//! What would be started, for `--plan`; nothing is made for it.

use std::path::PathBuf;

use crate::agent::claude::{self, Sources};
use crate::domain::fault::Result;
use crate::store::git::checkout::Checkout;
use crate::store::queue::Queue;
use crate::store::runs;

use super::Caller;
use super::draft::Basis;
use super::plan::Plan;

/// What would be started.
pub(crate) struct Preview {
    pub(crate) arguments: Vec<String>,
    /// Names of variables.
    pub(crate) environment: Vec<String>,
    pub(crate) checkout: Option<Checkout>,
    pub(crate) folder: PathBuf,
    pub(crate) prompt_bytes: usize,
}

/// The first attempt of a plan.
///
/// # Errors
/// Those of git.
pub(crate) fn preview(queue: &Queue, caller: &Caller<'_>, plan: &Plan) -> Result<Preview> {
    let (choice, resumes) = (&plan.choice, plan.resumes.as_ref());
    let draft = Basis { queue, caller, plan, choice, resumes, attempts: &[] }.draft()?;
    let environment = claude::environment(&caller.environment, &plan.policy.environment, "", 1);
    let folder = draft.wanted.as_ref().map(|checkout| checkout.path.clone());
    Ok(Preview {
        arguments: draft.arguments(plan, Sources::UserAndProject),
        environment: environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect(),
        folder: folder.unwrap_or_else(|| runs::project_folder(queue).to_owned()),
        prompt_bytes: draft.prompt.len(),
        checkout: draft.wanted,
    })
}
