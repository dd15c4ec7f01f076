//! `swift watch --install` and `--uninstall`: have the system start the watcher, and not any more.

use crate::cli::DONE;
use crate::cli::approval::{self, Decision};
use crate::cli::context::Context;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::format::service::Manager;
use crate::store::queue::Queue;
use crate::store::service::{Found, Installation};
use crate::view::simple::Answer;

/// Show the file, and write it after a yes.
pub(super) fn install(context: &Context, orchestrator: &Queue) -> Result<u8> {
    let service = Installation::of(orchestrator)?;
    let path = service.path.display().to_string();
    match service.found {
        Found::Nothing | Found::Older => {}
        Found::Same => {
            let answer = Answer::new(format!("it is there already: {path}")).field("path", path);
            return context.ui.show(&with_steps(answer, &service)).map(|()| DONE);
        }
        Found::Edited => return Err(edited(&service)),
        Found::ForAnother | Found::Foreign => {
            return Err(Fault::new(
                Code::Collision,
                format!("`{path}` is there, and not for this orchestrator"),
            )
            .hint(format!("look at it: `cat {}`", quoted(&service))));
        }
    }
    let mut lines = vec![format!("write {path}:"), String::new()];
    lines.extend(service.text.lines().map(|line| format!("  {line}")));
    if approval::approve(context, &orchestrator.local, &approval::Plan::of_lines(lines))? == Decision::Stop {
        return Ok(DONE);
    }
    service.write()?;
    let answer = Answer::new(format!("written: {path}\nnothing is started yet")).field("path", path);
    context.ui.show(&with_steps(answer, &service)).map(|()| DONE)
}

/// What the person types to have it started; we start nothing.
fn with_steps(answer: Answer, service: &Installation) -> Answer {
    let name = service.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match service.manager {
        Manager::Systemd => answer
            .then("systemctl --user daemon-reload")
            .then(format!("systemctl --user enable --now {name}"))
            .then("swift watch --uninstall"),
        Manager::Launchd => {
            answer.then(format!("launchctl load -w {}", quoted(service))).then("swift watch --uninstall")
        }
    }
}

/// Remove the file, if it is what was written.
pub(super) fn uninstall(context: &Context, orchestrator: &Queue) -> Result<u8> {
    let service = Installation::of(orchestrator)?;
    let path = service.path.display().to_string();
    match service.found {
        Found::Same | Found::Older => {}
        Found::Edited => return Err(edited(&service)),
        Found::Nothing | Found::ForAnother | Found::Foreign => {
            return Err(Fault::new(
                Code::Nothing,
                format!("there is no service of this orchestrator: `{path}`"),
            )
            .hint("`swift watch --install` shows what it would write"));
        }
    }
    let mut lines = vec![format!("remove {path}")];
    lines.push(stop_first(&service));
    if approval::approve(context, &orchestrator.local, &approval::Plan::of_lines(lines))? == Decision::Stop {
        return Ok(DONE);
    }
    service.remove()?;
    let answer = Answer::new(format!("removed: {path}")).field("path", path);
    let answer = match service.manager {
        Manager::Systemd => answer.then("systemctl --user daemon-reload"),
        Manager::Launchd => answer,
    };
    context.ui.show(&answer.then("swift status")).map(|()| DONE)
}

fn stop_first(service: &Installation) -> String {
    let name = service.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let command = match service.manager {
        Manager::Systemd => format!("systemctl --user disable --now {name}"),
        Manager::Launchd => format!("launchctl unload -w {}", quoted(service)),
    };
    format!("a watcher that it has started goes on until `{command}` or the end of the session")
}

fn edited(service: &Installation) -> Fault {
    Fault::new(Code::Changed, format!("`{}` was edited by hand and is left alone", service.path.display()))
        .hint(format!("look at it: `cat {}`", quoted(service)))
        .hint("what you have written there is yours: move it away, and run the command again")
}

fn quoted(service: &Installation) -> String {
    as_word(&service.path)
}
