//! Reading: lists, one task, what is next, what happened.

use clap::Args;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::task::State;
use crate::domain::text::shown;
use crate::ops::look::{self, Filter};
use crate::ops::rank::{self, Scope};
use crate::ops::undo;
use crate::view::event::LogView;
use crate::view::list::{Detail, ListView, NextView};
use crate::view::task::CardView;

/// Let go of what was shown last: the process ends now, and to free thousands of tasks one by one takes a good part
/// of the time that it took to read them.
fn leave<T>(shown: T) {
    std::mem::forget(shown);
}

/// `next`
#[derive(Args)]
pub(in crate::cli) struct Next {
    /// Over all registered projects
    #[arg(long)]
    all: bool,
    /// Show each factor, and each task that is not ready with its reason
    #[arg(long)]
    why: bool,
    /// How many tasks to show
    #[arg(short = 'n', value_name = "N", default_value_t = 10, value_parser = at_least_one)]
    most: usize,
}

impl Next {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let scope = if self.all { Scope::All } else { Scope::Project };
        let detail = if self.why { Detail::Why } else { Detail::Brief };
        let ranking = rank::rank(context.queue()?, context.env.now(), scope)?;
        context.ui.show(&NextView::new(&ranking, self.most, detail, scope))?;
        leave(ranking);
        Ok(DONE)
    }
}

/// A list of none would read as if there were nothing.
fn at_least_one(text: &str) -> Result<usize> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        Fault::new(Code::InvalidValue, format!("`{}` is not a number of 1 or more", shown(text)))
    })
}

/// `--state any` or a list of states.
fn states(words: &[String]) -> Result<Vec<State>> {
    if words.iter().any(|word| word == "any") {
        return Ok(State::ALL.to_vec());
    }
    words.iter().map(|word| word.parse()).collect()
}

/// `list`
#[derive(Args)]
pub(in crate::cli) struct List {
    /// Only tasks in this state, or `any`; may be given several times (default: all that are not finished)
    #[arg(long, short = 's', value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only tasks with this label
    #[arg(long, short = 'l', value_name = "LABEL")]
    label: Option<String>,
    /// Only tasks of this kind
    #[arg(long, short = 'k', value_name = "KIND")]
    kind: Option<String>,
    /// Only tasks from or to this project: its id or an alias, or `.` for this one
    #[arg(long, short = 'p', value_name = "PROJECT")]
    project: Option<String>,
}

impl List {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let filter = Filter { states: states(&self.state)?, label: self.label, kind: self.kind, of: None };
        let (queue, now) = (context.queue()?, context.env.now());
        let found = match &self.project {
            Some(name) => look::list_of(queue, filter, name, now)?,
            None => look::list(queue, &filter, now),
        };
        context.ui.show(&ListView::new(&context.project()?, &found))?;
        leave(found);
        Ok(DONE)
    }
}

/// `dead`
#[derive(Args)]
pub(in crate::cli) struct Dead {}

impl Dead {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let filter = Filter { states: vec![State::Dead], ..Filter::default() };
        let found = look::list(context.queue()?, &filter, context.env.now());
        context.ui.show(&ListView::new(&context.project()?, &found))?;
        leave(found);
        Ok(DONE)
    }
}

/// `show`
#[derive(Args)]
pub(in crate::cli) struct Show {
    /// The task
    #[arg(value_name = "REF")]
    task: String,
}

impl Show {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let card = look::show(context.queue()?, &self.task, context.env.now())?;
        // What can be done next with a task that is held depends on who asks.
        let reader = if card.state == State::Claimed { context.actor().ok() } else { None };
        context.ui.show(&CardView::new(&context.project()?, &card, reader.as_ref()))?;
        Ok(DONE)
    }
}

/// `search`
#[derive(Args)]
pub(in crate::cli) struct Search {
    /// Words that all have to be there, in any case
    #[arg(required = true)]
    words: Vec<String>,
    /// Only tasks in this state, or `any` (default: all that are not finished)
    #[arg(long, short = 's', value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
}

impl Search {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let found = look::search(context.queue()?, &self.words, &states(&self.state)?, context.env.now())?;
        context.ui.show(&ListView::new(&context.project()?, &found))?;
        leave(found);
        Ok(DONE)
    }
}

/// `log`
#[derive(Args)]
pub(in crate::cli) struct Log {
    /// Only events of this task
    #[arg(value_name = "REF")]
    task: Option<String>,
    /// How many events to show
    #[arg(short = 'n', value_name = "N", default_value_t = 50, value_parser = at_least_one)]
    most: usize,
}

impl Log {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        let log = look::log(queue, self.task.as_deref(), self.most)?;
        let view = LogView::new(&context.project()?, &log.events, &log.problems);
        let can_undo = !log.events.is_empty() && undo::may_be_offered(queue);
        context.ui.show(&if can_undo { view.offering_undo() } else { view })?;
        Ok(DONE)
    }
}
