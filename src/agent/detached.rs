//! This program once more, in the background: it outlives who started it, and has no terminal.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::env;

/// Start it with these words. It reads and writes these files and nothing else; when this process has ended, init waits
/// for it.
///
/// # Errors
/// Those of starting it.
pub(crate) fn start(words: &[String], folder: &Path, input: File, output: File) -> std::io::Result<()> {
    let program = env::program().map_err(|fault| std::io::Error::other(fault.message))?;
    let errors = output.try_clone()?;
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    command.stdin(Stdio::from(input)).stdout(Stdio::from(output)).stderr(Stdio::from(errors));
    command.spawn().map(drop)
}

/// Leave the session of whoever started this process, so that its end or its ctrl-c is not ours.
pub(crate) fn settle() {
    // Where it cannot be left, it is this process's own already.
    let _ = rustix::process::setsid();
}
