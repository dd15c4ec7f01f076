//! The person's editor, started with an argument vector and never through a shell.

#![expect(clippy::disallowed_methods, reason = "this module is where the editor is started")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::domain::fault::{Code, Fault, Result};
use crate::env;

/// Show a text in the editor; gives what was saved, and where it lies if it is needed again. `instead` is a command
/// that does without an editor.
///
/// # Errors
/// [`Code::Editor`] without an editor or if it fails.
pub(crate) fn edit(text: &[u8], name: &str, instead: &str) -> Result<(Vec<u8>, PathBuf)> {
    let Some(editor) = env::editor() else {
        return Err(Fault::new(Code::Editor, "no editor is set")
            .hint(format!("set `EDITOR`, or give the text: `{instead}`")));
    };
    let path = env::scratch_dir().join(format!("swift-{}-{name}.md", std::process::id()));
    std::fs::write(&path, text).map_err(|error| io("write", &path, &error))?;
    open(&editor, &path)?;
    let saved = std::fs::read(&path).map_err(|error| io("read", &path, &error))?;
    Ok((saved, path))
}

/// Remove the scratch file, after its text is safe.
pub(crate) fn discard(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// What came of a text from the editor: done, it is safe; otherwise the person is told where it still lies.
///
/// # Errors
/// The one given.
pub(crate) fn settle<T>(done: Result<T>, scratch: Option<&PathBuf>) -> Result<T> {
    match (done, scratch) {
        (Ok(done), scratch) => {
            if let Some(path) = scratch {
                discard(path);
            }
            Ok(done)
        }
        (Err(fault), Some(path)) => Err(kept(fault, path)),
        (Err(fault), None) => Err(fault),
    }
}

/// What went wrong, and where the text still lies.
pub(crate) fn kept(fault: Fault, scratch: &Path) -> Fault {
    fault.hint(format!("your text is kept in `{}`", scratch.display()))
}

/// The bytes of a file that the person named on the command line, seen from the folder in which the verb is at work.
///
/// # Errors
/// [`Code::Io`], [`Code::TooLarge`]; they name the file as the person has.
pub(crate) fn read_file(start: &Path, path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = std::fs::File::open(start.join(path)).map_err(|error| io("read", path, &error))?;
    let mut bytes = Vec::new();
    // What a device gives has no length that could be asked for.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| io("read", path, &error))?;
    if bytes.len() as u64 > limit {
        let text = format!("`{}` has more than {limit} bytes, which is the limit", path.display());
        return Err(Fault::new(Code::TooLarge, text));
    }
    Ok(bytes)
}

fn open(editor: &str, path: &Path) -> Result<()> {
    let words = shell_words::split(editor)
        .map_err(|_| Fault::new(Code::Editor, format!("the editor `{editor}` cannot be understood")))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err(Fault::new(Code::Editor, "no editor is set").hint("set `EDITOR`"));
    };
    let status = Command::new(program).args(arguments).arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let text = format!("the editor `{editor}` ended with {status}");
            Err(kept(Fault::new(Code::Editor, text), path))
        }
        Err(error) => {
            // Nothing was written in it.
            discard(path);
            Err(Fault::new(Code::Editor, format!("the editor `{editor}` does not start: {error}"))
                .hint("set `EDITOR` to one that does"))
        }
    }
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::of_system(format_args!("{what} `{}`", path.display()), error)
}
