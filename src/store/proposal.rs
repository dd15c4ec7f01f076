//! Plans that wait for a person's yes, on this machine.
//!
//! A proposal is bound to the hash of its plan: when anything that the plan was made from changes, the yes no
//! longer fits and the plan has to be looked at again.

use serde::{Deserialize, Serialize};

use super::local::Local;
use crate::domain::event::Digest;
use crate::domain::fault::Result;
use crate::domain::id::ProposalId;

const FOLDER: &str = "proposals";

/// A stored plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    pub(crate) id: String,
    /// The words of the command, without the program's name.
    pub(crate) words: Vec<String>,
    /// What was shown.
    pub(crate) plan: Vec<String>,
    /// SHA-256 of what the plan rests on.
    pub(crate) basis: Digest,
    /// RFC 3339.
    pub(crate) at: String,
    pub(crate) actor: String,
}

/// Keep a proposal; an older one of the same command is replaced.
///
/// # Errors
/// Those of writing below the machine's own folder.
pub(crate) fn keep(local: &Local, id: ProposalId, proposal: &Proposal) -> Result<()> {
    for (name, old) in named(local) {
        if old.words == proposal.words {
            local.remove(&name)?;
        }
    }
    let bytes = serde_json::to_vec_pretty(proposal).expect("a proposal is plain data");
    local.write(&format!("{FOLDER}/{id}.json"), &bytes)
}

/// All proposals, oldest first. A file that is none is passed over: it cannot be approved.
pub(crate) fn all(local: &Local) -> Vec<Proposal> {
    named(local).into_iter().map(|(_, proposal)| proposal).collect()
}

fn named(local: &Local) -> Vec<(String, Proposal)> {
    let names = local.names(FOLDER).into_iter().map(|name| format!("{FOLDER}/{name}"));
    names
        .filter_map(|name| {
            let proposal = serde_json::from_slice(&local.read(&name)?).ok()?;
            Some((name, proposal))
        })
        .collect()
}

/// Forget the proposals of a command: it was carried out, or there is nothing left to do.
///
/// # Errors
/// Those of removing the file.
pub(crate) fn settle(local: &Local, words: &[String]) -> Result<()> {
    for (name, proposal) in named(local) {
        if proposal.words == words {
            local.remove(&name)?;
        }
    }
    Ok(())
}
