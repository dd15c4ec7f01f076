//! `work`: workers over the queue.

use std::collections::{BTreeSet, HashMap};

use clap::Args;
use jiff::Timestamp;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result, Status};
use crate::domain::project::ProjectName;
use crate::domain::run::entry::Entry;
use crate::domain::run::outcome::Outcome;
use crate::domain::settings::Role;
use crate::domain::text::{as_word, shown};
use crate::env;
use crate::format::transcript;
use crate::ops::run::SessionWish;
use crate::ops::run::purse::Purse;
use crate::ops::run::work::{self, Shift, Stop, Worked};
use crate::ops::{rank, rank::Scope};
use crate::store::layout;
use crate::store::tx::Mode;
use crate::ui::{Format, Ui};
use crate::view::list::{Detail, NextView};
use crate::view::run::{RunRow, progress};
use crate::view::work::{WorkView, WorkedRow};

use super::run::{Limits, caller, money};

/// The most workers at once.
const MOST_JOBS: usize = 32;

/// `work`
#[derive(Args)]
pub(in crate::cli) struct Work {
    /// How many tasks are worked on at once
    #[arg(long, short = 'j', value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Only this project; may be given several times (default: all that can be reached)
    #[arg(long, value_name = "PROJECT")]
    project: Vec<ProjectName>,
    /// How many runs are started at most
    #[arg(long, value_name = "N")]
    max_runs: Option<u32>,
    /// Start nothing after this time of day, such as `06:00`, or this instant
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// What all runs together may cost, in US dollars
    #[arg(long, value_name = "USD", value_parser = money)]
    budget_usd: Option<f64>,
    #[command(flatten)]
    limits: Limits,
}

impl Work {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        if !(1..=MOST_JOBS).contains(&self.jobs) {
            return Err(Fault::new(Code::InvalidValue, format!("--jobs is from 1 to {MOST_JOBS}")));
        }
        let queue = context.queue()?;
        let now = context.env.now();
        let until = self.until.as_deref().map(|text| moment(text, now)).transpose()?;
        let wanted = self.limits.wanted(context, SessionWish::Usual)?;
        if context.mode == Mode::DryRun {
            let scope = if queue.settings.role == Role::Orchestrator { Scope::All } else { Scope::Project };
            let ranking = rank::rank(queue, now, scope)?;
            context.ui.show(&NextView::new(&ranking, self.jobs.max(20), Detail::Brief, scope))?;
            return Ok(DONE);
        }
        let shift = Shift { jobs: self.jobs, until, projects: self.project.clone(), wanted };
        let purse = Purse::new(self.budget_usd, self.max_runs);
        // A reference to the output alone goes to the workers: the rest of the context is of this thread.
        let ui = &context.ui;
        let worked =
            work::work(queue, &caller(context)?, &shift, purse, &|task, entry| tell(ui, task, entry))?;
        finish(context, worked)
    }
}

fn tell(ui: &Ui, task: &str, entry: &Entry) {
    match ui.format() {
        // The one document on stdout is the result; what happens is talk.
        Format::Json => ui.progress(transcript::render_of(task, entry).trim_end()),
        Format::Text => {
            if let Some(line) = progress(entry) {
                ui.progress(&format!("{task}  {line}"));
            }
        }
    }
}

fn finish(context: &Context, worked: Worked) -> Result<u8> {
    // A task may have been taken more than once; how the last time ended is how it stands.
    let last: HashMap<_, _> =
        worked.runs.iter().map(|(project, run)| ((project, run.task), run.outcome())).collect();
    let completed = last.values().filter(|outcome| **outcome == Some(Outcome::Completed)).count();
    let tasks = last.len();
    let own = context.project()?;
    let finished = worked.runs.iter().filter(|(_, run)| run.outcome() == Some(Outcome::Completed));
    let projects: BTreeSet<&String> = finished.map(|(project, _)| project).collect();
    let reviews = projects.into_iter().map(|project| match worked.paths.get(project) {
        Some(path) if *project != own => {
            format!("swift -C {} review", as_word(path))
        }
        _ => "swift review".to_owned(),
    });
    let reviews = reviews.collect();
    let (stopped, why) = match &worked.stop {
        Stop::NothingReady => ("nothing-ready", "nothing more is ready".to_owned()),
        Stop::Asked => ("asked", "you asked".to_owned()),
        Stop::Time => ("time", "the time is over".to_owned()),
        Stop::Budget(why) => ("budget", why.clone()),
        Stop::Account(why) => ("account", why.clone()),
        Stop::Fault(fault) => ("fault", fault.message.clone()),
    };
    let rows = worked.runs.iter().map(|(project, run)| WorkedRow {
        project: project.clone(),
        run: RunRow::new(run, &layout::run_path(run.id, run.task)),
    });
    context.ui.show(&WorkView {
        runs: rows.collect(),
        tasks,
        completed,
        reviews,
        cost_usd: worked.spent,
        stopped,
        why,
        remarks: worked.notes,
    })?;
    match worked.stop {
        Stop::Fault(fault) => Err(fault),
        Stop::Asked => Ok(Status::Interrupted as u8),
        Stop::Account(_) => Ok(Status::Held as u8),
        _ if completed < tasks => Ok(Status::Findings as u8),
        _ => Ok(DONE),
    }
}

/// `06:00` is the next time that a clock here shows it; otherwise an instant.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let wrong = || {
        Fault::new(Code::InvalidValue, format!("`{}` is no time", shown(text)))
            .hint("a time is written such as `06:00` or `2026-12-01T06:00:00Z`")
    };
    let is_clock = text.len() == 5 && text.as_bytes()[2] == b':';
    let time: jiff::civil::Time = is_clock.then(|| text.parse().ok()).flatten().ok_or_else(wrong)?;
    let here = now.to_zoned(env::zone());
    let today = here.date().to_datetime(time).to_zoned(here.time_zone().clone()).map_err(|_| wrong())?;
    if today.timestamp() > now {
        return Ok(today.timestamp());
    }
    let tomorrow = here.date().tomorrow().map_err(|_| wrong())?;
    let next = tomorrow.to_datetime(time).to_zoned(here.time_zone().clone()).map_err(|_| wrong())?;
    Ok(next.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let early = moment("06:00", now).unwrap();
        let late = moment("23:30", now).unwrap();
        assert!(early > now && late > now && early.duration_since(now).as_hours() < 24);
        assert_eq!(moment("2026-03-02T10:00:00Z", now).unwrap().duration_since(now).as_hours(), 1);
        for wrong in ["6", "25:00", "6:00", "soon", "12:60"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }
}
