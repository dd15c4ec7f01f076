//! What the program tells of its work on stderr, if it is asked to: `-v`, `RUST_LOG`, `--log-format`.
//!
//! Nothing is set up unless somebody asks, or a verb runs for long; so a short verb pays nothing for it.

use clap::{Args, ValueEnum};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::domain::fault::{Code, Fault, Result};
use crate::env;

/// Options of every command that say how much is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Logging {
    /// Say on stderr what is being done; twice: everything
    #[arg(short = 'v', long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How to say it
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_default_value = false)]
    pub(crate) log_format: LogFormat,
}

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// How long the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// It says how it ended; a log is for those who ask.
    Short,
    /// Warnings are told while it runs.
    Long,
}

impl Logging {
    /// Begin to tell, as far as is wished.
    ///
    /// # Errors
    /// [`Code::Usage`] if `RUST_LOG` cannot be understood.
    pub(crate) fn begin(&self, run: Run) -> Result<()> {
        let Some(filter) = self.filter(run)? else { return Ok(()) };
        let layer = tracing_subscriber::fmt::layer().with_timer(Clock).with_writer(Stderr).with_ansi(false);
        let registry = tracing_subscriber::registry().with(filter);
        // A second beginning in one process (a proposal that is carried out) changes nothing.
        let _ = match self.log_format {
            LogFormat::Text => registry.with(layer).try_init(),
            LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        };
        Ok(())
    }

    fn filter(&self, run: Run) -> Result<Option<Targets>> {
        let asked = match self.verbose {
            0 => None,
            1 => Some(Level::INFO),
            _ => Some(Level::TRACE),
        };
        if let Some(level) = asked {
            return Ok(Some(Targets::new().with_target("swift", level)));
        }
        if let Some(text) = env::log_filter() {
            return text.parse().map(Some).map_err(|_| {
                Fault::new(Code::Usage, "the variable RUST_LOG has a value that cannot be read")
                    .hint("for example `RUST_LOG=swift=debug`")
            });
        }
        Ok((run == Run::Long).then(|| Targets::new().with_default(Level::WARN)))
    }
}

/// The clock of [`mod@env`], which tests set.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", env::instant())
    }
}

/// Lines go to stderr, and a stderr that is closed stops nothing.
struct Stderr;

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One line, written as a whole, so that lines of several threads do not mix.
struct Line(Vec<u8>);

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        crate::ui::log_line(&self.0);
    }
}
