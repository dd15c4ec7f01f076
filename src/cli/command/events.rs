//! The stream of events.

use std::collections::HashSet;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::cursor::{Cursor, Others};
use crate::domain::fault::Result;
use crate::format::{cursor, since};
use crate::ops::events::{Memory, Stream, Told};
use crate::store::wake::{Wake, Woken};
use crate::ui::{Format, Lines, Reader};
use crate::view::problem;
use crate::view::stream::StreamLine;

/// How often to look whether anybody still reads.
const LOOK: Duration = Duration::from_secs(1);

/// `events`
#[derive(Args)]
pub(in crate::cli) struct Events {
    /// Go on with what happens, until ctrl-c; without `--since` from now on
    #[arg(long, short = 'f')]
    follow: bool,
    /// Begin behind a cursor (`cursor` of a line with `--json`), at a time, or so long ago, for example `2h`
    #[arg(long, value_name = "CURSOR|TIME")]
    since: Option<String>,
    /// End after so many events
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
}

impl Events {
    /// Whether it goes on until somebody ends it.
    pub(super) fn is_following(&self) -> bool {
        self.follow
    }

    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let now = context.env.now();
        let start = match &self.since {
            Some(text) => since::parse(text, now)?,
            None if self.follow => since::at(now),
            None => Cursor::START,
        };
        let mut telling = Telling {
            context,
            lines: context.ui.lines(),
            left: self.limit.unwrap_or(usize::MAX),
            not_before: begin(&start),
            said: HashSet::new(),
        };
        telling.run(start, if self.follow { Until::Interrupted } else { Until::AllIsTold })?;
        Ok(DONE)
    }
}

/// The instant at which the person wants the stream to begin; an event's own time is a little older than its id.
fn begin(cursor: &Cursor) -> Option<Timestamp> {
    let Others::From(position) = cursor.others else { return None };
    let is_fresh = cursor.marks.is_empty();
    let milliseconds = i64::try_from(position.milliseconds()).ok()?;
    is_fresh.then(|| Timestamp::from_millisecond(milliseconds).ok()).flatten()
}

/// When the stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    AllIsTold,
    Interrupted,
}

/// A stream on its way to stdout.
struct Telling<'c> {
    context: &'c Context,
    lines: Lines,
    left: usize,
    not_before: Option<Timestamp>,
    /// Problems that were told; each is told once.
    said: HashSet<String>,
}

impl Telling<'_> {
    fn run(&mut self, start: Cursor, until: Until) -> Result<()> {
        let queue = self.context.queue()?;
        let (mut cursor, mut memory, mut wake) = (start, Memory::new(), None::<Wake>);
        loop {
            let mut stream = match (Stream::open(queue, cursor.clone(), &mut memory), &mut wake) {
                (Ok(stream), _) => stream,
                // The queue is away for a moment, as while its branch is being switched.
                (Err(fault), Some(wake)) => {
                    self.note(&format!("{fault} [{}]", fault.code.as_str()));
                    if self.lines.reader() == Reader::Gone {
                        return Ok(());
                    }
                    wake.wait(LOOK);
                    continue;
                }
                (Err(fault), None) => return Err(fault),
            };
            if self.tell_all(&mut stream)? == Reader::Gone || until == Until::AllIsTold || self.left == 0 {
                return Ok(());
            }
            (cursor, self.not_before) = (stream.cursor(), None);
            let folders = stream.folders();
            stream.remember(&mut memory);
            let wake = wake.get_or_insert_with(Wake::new);
            // What happened while the watch was being set up is not told by it.
            if !wake.over(&folders) && self.wait(wake) == Reader::Gone {
                return Ok(());
            }
        }
    }

    fn tell_all(&mut self, stream: &mut Stream) -> Result<Reader> {
        while self.left > 0
            && let Some(told) = stream.next()
        {
            if self.tell(stream, &told)? == Reader::Gone {
                return Ok(Reader::Gone);
            }
        }
        let reader = self.lines.flush();
        problem::lines(&stream.problems()).iter().for_each(|problem| self.note(problem));
        reader
    }

    fn note(&mut self, problem: &str) {
        if self.said.insert(problem.to_owned()) {
            self.context.ui.note(problem);
        }
    }

    fn tell(&mut self, stream: &Stream, told: &Told) -> Result<Reader> {
        if self.not_before.is_some_and(|begin| told.event.at < begin) {
            return Ok(Reader::There);
        }
        self.left -= 1;
        let line = StreamLine::new(told);
        if self.context.ui.format() == Format::Json {
            let cursor = cursor::render(&stream.cursor());
            return self.lines.json(&line.cloud_event(Some(cursor)));
        }
        let mut text = String::new();
        line.text(&mut text);
        self.lines.text(&text)
    }

    fn wait(&self, wake: &mut Wake) -> Reader {
        loop {
            if self.lines.reader() == Reader::Gone {
                return Reader::Gone;
            }
            if wake.wait(LOOK) == Woken::Look {
                return Reader::There;
            }
        }
    }
}
