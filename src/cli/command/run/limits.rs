//! What a run may do and cost, as it is typed.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::agent::claude::Reach;
use crate::agent::servers;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::policy::Permission;
use crate::domain::run::tier::Tier;
use crate::domain::text::shown;
use crate::format::duration;
use crate::ops::run::{SessionWish, Wanted};

fn length(text: &str) -> Result<Duration, Fault> {
    duration::parse(text).map(|length: SignedDuration| length.unsigned_abs())
}

pub(in crate::cli::command) fn money(text: &str) -> Result<f64, Fault> {
    let usd = text.trim_start_matches('$').parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd > 0.0);
    usd.ok_or_else(|| Fault::new(Code::InvalidValue, format!("`{}` is no amount of US dollars", shown(text))))
}

/// What a run may do and cost.
#[derive(Args, Debug, Clone)]
pub(in crate::cli::command) struct Limits {
    /// How strong a model (default: what the routing says)
    #[arg(long)]
    tier: Option<Tier>,
    /// A model by its name
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// How long it may take, such as `30m`
    #[arg(long, value_name = "DURATION", value_parser = length)]
    timeout: Option<Duration>,
    /// What it may cost, all attempts together, in US dollars
    #[arg(long, value_name = "USD", value_parser = money)]
    max_usd: Option<f64>,
    /// How many turns it may take
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_turns: Option<u32>,
    /// How tools are treated that are not allowed by name
    #[arg(long, value_name = "MODE")]
    permission_mode: Option<Permission>,
    /// Allow a tool by name, such as `Bash(cargo test:*)`; may be given several times
    #[arg(long, value_name = "TOOL")]
    allow: Vec<String>,
    /// Change no files: work in the project's folder, and answer in text
    #[arg(long)]
    read_only: bool,
    /// Servers of tools, as Claude Code reads them: a file, or the JSON itself
    #[arg(long, value_name = "FILE")]
    mcp_config: Option<String>,
}

impl Limits {
    pub(in crate::cli::command) fn wanted(&self, context: &Context, session: SessionWish) -> Result<Wanted> {
        let plain = |word: &String| !word.is_empty() && !word.starts_with('-') && shown(word) == *word;
        if let Some(wrong) = self.model.iter().chain(&self.allow).find(|word| !plain(word)) {
            return Err(Fault::new(Code::InvalidValue, format!("`{}` names no model or tool", shown(wrong))));
        }
        let servers = |given: &String| servers::look(&context.start, given);
        let mcp_config = self.mcp_config.as_ref().map(servers).transpose()?;
        Ok(Wanted {
            tier: self.tier,
            model: self.model.clone(),
            timeout: self.timeout,
            max_usd: self.max_usd,
            max_turns: self.max_turns,
            permission: self.permission_mode,
            allow: self.allow.clone(),
            reach: if self.read_only { Reach::ReadOnly } else { Reach::Write },
            mcp_config,
            session,
            id: None,
        })
    }
}
