//! Laying hands on a run: `run stop` and `run resume`.

use clap::Args;

use crate::agent::claude::Reach;
use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::ops::run::{About, SessionWish, list};
use crate::view::simple::Answer;

use super::caller;
use super::limits::Limits;
use super::start::{Intent, begin};

/// `run stop`
#[derive(Args)]
pub(super) struct RunStop {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
}

impl RunStop {
    pub(super) fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let caller = caller(context)?;
        let mut stored = list::find(queue, &caller, &self.run)?;
        let is_asked = list::stop(queue, &caller, &mut stored)?;
        let short = stored.run.id.short();
        let (told, next) = match is_asked {
            true => (format!("asked run {short} to stop"), format!("swift run logs -f {short}")),
            false => (format!("gave run {short} its end"), format!("swift run show {short}")),
        };
        let answer = Answer::new(told).field("run", stored.run.id.to_string()).then(next);
        context.ui.show(&answer)?;
        Ok(DONE)
    }
}

/// `run resume`
#[derive(Args)]
pub(super) struct RunResume {
    /// The run, or a task whose latest run is meant
    #[arg(value_name = "RUN")]
    run: String,
    /// What to say to it
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    limits: Limits,
}

impl RunResume {
    pub(super) fn run(self, context: &Context) -> Result<u8> {
        let queue = context.queue()?;
        let run = list::find(queue, &caller(context)?, &self.run)?.run;
        if run.ending.is_none() {
            return Err(Fault::new(Code::WrongState, format!("run {} still runs", run.id.short()))
                .hint(format!("`swift run logs -f {}` follows it", run.id.short())));
        }
        let said = self.text.join(" ");
        let about = match run.task {
            Some(task) => About::Task(task.to_string()),
            None => About::Prompt(said.clone()),
        };
        let mut wanted = self.limits.wanted(context, SessionWish::Of(Box::new(run.clone()), said))?;
        if run.branch.is_none() {
            wanted.reach = Reach::ReadOnly;
        }
        begin(context, &about, &wanted, Intent::Start)
    }
}
