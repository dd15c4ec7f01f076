//! Which model a request goes to.

use std::path::PathBuf;

use clap::Args;

use super::head::HeadArguments;
use crate::cli::context::Context;
use crate::cli::{DONE, FINDINGS, editor};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::route::LARGEST;
use crate::ops::route::{self, Named, Routed};
use crate::ui;
use crate::view::route::{Detail, EvaluationView, RouteView};

/// The largest file of labelled requests, in bytes.
const LARGEST_SET: u64 = 64 << 20;

/// `route`
#[derive(Args)]
pub(in crate::cli) struct Route {
    /// What is asked, or a task; `-` reads a text from stdin
    #[arg(value_name = "TEXT|REF")]
    words: Vec<String>,
    /// Show which words did what; with --eval, each miss
    #[arg(long)]
    explain: bool,
    /// Put labelled requests to the rules, one JSON object a line; `-` reads them from stdin
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    eval: Option<PathBuf>,
    #[command(flatten)]
    head: HeadArguments,
}

impl Route {
    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let detail = if self.explain { Detail::Explained } else { Detail::Brief };
        if let Some(file) = &self.eval {
            return evaluate(context, file, detail);
        }
        let routed = self.routed(context)?;
        context.ui.show(&RouteView::new(&routed, detail))?;
        Ok(DONE)
    }

    fn routed(self, context: &Context) -> Result<Routed> {
        if let [word] = &self.words[..]
            && may_be_reference(word)
            && let Ok(queue) = context.queue()
        {
            let named = Named { tier: self.head.tier, model: self.head.model.clone() };
            match route::next_run(queue, &route::rules_of(queue)?, word, named) {
                Err(fault) if fault.code == Code::TaskNotFound && !is_surely_reference(word) => {}
                found => return found,
            }
        }
        let text = text_of(&self.words)?;
        route::text(&route::rules(&context.start)?, &text, self.head.into())
    }
}

/// Whether a word has the form of a task's id or short form.
fn may_be_reference(word: &str) -> bool {
    (4..=26).contains(&word.len()) && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// A word of letters and digits can hardly be a whole request.
fn is_surely_reference(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

fn text_of(words: &[String]) -> Result<String> {
    match words {
        [dash] if dash == "-" => from_stdin(),
        [] if ui::stdin_is_given() => from_stdin(),
        words => Ok(words.join(" ")),
    }
}

fn from_stdin() -> Result<String> {
    utf8(ui::read_stdin(LARGEST as u64)?, "the request")
}

fn utf8(bytes: Vec<u8>, what: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Fault::new(Code::InvalidValue, format!("{what} is not UTF-8")))
}

fn evaluate(context: &Context, file: &std::path::Path, detail: Detail) -> Result<u8> {
    let bytes = if file.as_os_str() == "-" {
        ui::read_stdin(LARGEST_SET)?
    } else {
        editor::read_file(&context.start, file, LARGEST_SET)?
    };
    let evaluated = route::evaluate(&route::rules(&context.start)?, &bytes)?;
    context.ui.show(&EvaluationView::new(&evaluated, detail))?;
    Ok(if evaluated.problems.is_empty() { DONE } else { FINDINGS })
}
