//! The only module that prints. Data goes to stdout, talk to stderr; nothing needs colour to be understood.

use std::io::{BufRead, IsTerminal, Write};

use serde::Serialize;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;
use crate::view::{View, led, led_hint};

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// The way to the person or the script.
#[derive(Debug)]
pub(crate) struct Ui {
    format: Format,
    /// In a dry run: the command that does it, the one next step that is sure to be legal.
    rehearsed: Option<String>,
}

/// A view as a JSON document.
#[derive(Serialize)]
struct Document<'v, V: View> {
    schema: u32,
    #[serde(flatten)]
    view: &'v V,
    next_actions: Vec<String>,
    /// Only where it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

impl Ui {
    /// An output in this format.
    pub(crate) fn new(format: Format) -> Ui {
        Ui { format, rehearsed: None }
    }

    /// Nothing will be written: what can be done next is the command itself.
    pub(crate) fn rehearse(&mut self, command: &str) {
        self.rehearsed = Some(command.to_owned());
    }

    fn next(&self, view: &impl View) -> Vec<String> {
        let commands = match &self.rehearsed {
            Some(command) => vec![command.clone()],
            None => view.next(),
        };
        led_all(commands)
    }

    /// The format.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Show a result.
    ///
    /// # Errors
    /// [`Code::Output`] if stdout cannot be written; a reader that has gone away is no error.
    pub(crate) fn show<V: View>(&self, view: &V) -> Result<()> {
        match self.format {
            Format::Json => {
                let document = Document {
                    schema: 1,
                    view,
                    next_actions: self.next(view),
                    dry_run: self.rehearsed.as_ref().map(|_| true),
                };
                let mut text =
                    serde_json::to_vec(&document).map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
                text.push(b'\n');
                write_out(&text)
            }
            Format::Text => {
                let mut text = String::new();
                view.text(&mut text);
                write_out(text.as_bytes())?;
                for note in view.notes() {
                    self.note(&note);
                }
                if self.rehearsed.is_some() {
                    self.note("dry run: nothing was written");
                }
                for step in self.next(view).iter().take(3) {
                    talk(&format!("next: {step}\n"));
                }
                Ok(())
            }
        }
    }

    /// Show raw text on stdout: a man page, a completion script.
    ///
    /// # Errors
    /// As [`Ui::show`].
    pub(crate) fn raw(&self, text: &[u8]) -> Result<()> {
        write_out(text)
    }

    /// Lines that come one after another, as they happen.
    pub(crate) fn lines(&self) -> Lines {
        Lines { waiting: Vec::new() }
    }

    /// A result that is shown again and again.
    pub(crate) fn screen(&self) -> Screen {
        let is_terminal = self.format == Format::Text && std::io::stdout().is_terminal();
        Screen { lines: self.lines(), format: self.format, is_terminal, last: String::new() }
    }

    /// Say something on stderr that is not the result.
    pub(crate) fn note(&self, text: &str) {
        talk(&format!("note: {}\n", shown(text)));
    }

    /// Say how it goes on, on stderr.
    pub(crate) fn progress(&self, line: &str) {
        talk(&format!("{line}\n"));
    }

    /// Say what went wrong.
    pub(crate) fn fail(&self, fault: &Fault) {
        match self.format {
            Format::Json => {
                let error = serde_json::json!({"schema": 1, "error": {
                    "code": fault.code.as_str(),
                    "message": fault.message,
                    "hints": fault.hints.iter().map(|hint| led_hint(hint)).collect::<Vec<_>>(),
                    "retryable": fault.code.retryable(),
                }});
                talk(&format!("{error}\n"));
            }
            Format::Text => {
                talk(&format!("error: {}\n", shown(&fault.message)));
                for hint in &fault.hints {
                    talk(&format!("hint: {}\n", shown(&led_hint(hint))));
                }
            }
        }
    }

    /// Whether a person sits at both ends.
    pub(crate) fn is_interactive(&self) -> bool {
        self.format == Format::Text && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Ask a question that `y`, `yes` or `sesame` answers with yes.
    ///
    /// # Errors
    /// [`Code::Interrupted`] at the end of input.
    pub(crate) fn ask(&self, question: &str) -> Result<Answer> {
        talk(&format!("{question} [y/N] "));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            return Err(Fault::new(Code::Interrupted, "no answer"));
        }
        let yes = ["y", "yes", "sesame"].contains(&line.trim().to_lowercase().as_str());
        Ok(if yes { Answer::Yes } else { Answer::No })
    }
}

fn led_all(commands: Vec<String>) -> Vec<String> {
    commands.iter().map(|command| led(command)).collect()
}

/// Lines on their way to stdout; written in large pieces, and at the latest when [`Lines::flush`] says so.
#[derive(Debug)]
pub(crate) struct Lines {
    waiting: Vec<u8>,
}

/// Whether anybody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    /// The other end of the pipe was closed.
    Gone,
}

/// So many bytes are written at once.
const PIECE: usize = 32 << 10;

impl Lines {
    /// One line of text, its end included.
    ///
    /// # Errors
    /// As [`Lines::flush`].
    pub(crate) fn text(&mut self, line: &str) -> Result<Reader> {
        self.waiting.extend_from_slice(line.as_bytes());
        if self.waiting.len() < PIECE { Ok(Reader::There) } else { self.flush() }
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// As [`Lines::flush`].
    pub(crate) fn json(&mut self, line: &impl Serialize) -> Result<Reader> {
        let mut text = serde_json::to_string(line).map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
        text.push('\n');
        self.text(&text)
    }

    /// Write what waits.
    ///
    /// # Errors
    /// [`Code::Output`] if stdout cannot be written; a reader that has gone away is no error.
    pub(crate) fn flush(&mut self) -> Result<Reader> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(&self.waiting).and_then(|()| out.flush());
        self.waiting.clear();
        match written {
            Ok(()) => Ok(Reader::There),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(unwritten(&error)),
        }
    }

    /// Whether anybody would read what comes next; known of a pipe or a socket only.
    pub(crate) fn reader(&self) -> Reader {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = std::io::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        let _ = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let gone = PollFlags::ERR | PollFlags::NVAL;
        if asked[0].revents().intersects(gone) { Reader::Gone } else { Reader::There }
    }
}

/// One result as it changes: in place on a terminal, one after another elsewhere.
#[derive(Debug)]
pub(crate) struct Screen {
    lines: Lines,
    format: Format,
    is_terminal: bool,
    last: String,
}

/// To the upper left corner; and clear the rest of a line, and everything below.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

impl Screen {
    /// Show the result, unless it looks as before.
    ///
    /// # Errors
    /// As [`Lines::flush`].
    pub(crate) fn show<V: View>(&mut self, view: &V) -> Result<Reader> {
        let mut text = String::new();
        match self.format {
            Format::Json => {
                let document =
                    Document { schema: 1, view, next_actions: led_all(view.next()), dry_run: None };
                text = serde_json::to_string(&document)
                    .map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
                text.push('\n');
            }
            Format::Text => view.text(&mut text),
        }
        if text == self.last {
            return Ok(self.lines.reader());
        }
        let is_first = self.last.is_empty();
        self.last.clone_from(&text);
        if self.is_terminal {
            text = format!("{HOME}{}{CLEAR_BELOW}", text.replace('\n', &format!("{CLEAR_LINE}\n")));
        } else if self.format == Format::Text && !is_first {
            text.insert(0, '\n');
        }
        match self.lines.text(&text)? {
            Reader::There => self.lines.flush(),
            Reader::Gone => Ok(Reader::Gone),
        }
    }
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
}

/// Say something on stderr. What was done is done, also where nobody can be told.
fn talk(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// A line of the log, on stderr; a stderr that is closed stops nothing.
pub(crate) fn log_line(line: &[u8]) {
    let mut err = std::io::stderr().lock();
    let _ = err.write_all(line).and_then(|()| err.flush());
}

/// Nobody can be told what was done.
fn unwritten(error: &std::io::Error) -> Fault {
    Fault { code: Code::Output, ..Fault::of_system("stdout cannot be written", error) }
}

fn write_out(bytes: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritten(&error)),
        _ => Ok(()),
    }
}

/// Everything on stdin, up to `limit` bytes.
///
/// # Errors
/// [`Code::TooLarge`], [`Code::Io`].
pub(crate) fn read_stdin(limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Fault::of_system("stdin cannot be read", &error))?;
    if bytes.len() as u64 > limit {
        return Err(Fault::new(
            Code::TooLarge,
            format!("stdin has more than {limit} bytes, which is the limit"),
        ));
    }
    Ok(bytes)
}

/// Whether something is piped or redirected into the program.
pub(crate) fn stdin_is_given() -> bool {
    !std::io::stdin().is_terminal()
}
