//! The watcher: what is paused, what a pass did.

use serde::Serialize;

use super::View;
use crate::ops::pause::Standing;

/// What is paused now.
#[derive(Debug, Serialize)]
pub(crate) struct PauseView {
    /// Whether everything is.
    all: bool,
    paused: Vec<String>,
    /// The process that obeys, if one watches now.
    watcher: Option<u32>,
    #[serde(skip)]
    said: String,
    #[serde(skip)]
    next: String,
}

impl PauseView {
    /// After `swift pause`.
    pub(crate) fn paused(standing: &Standing) -> PauseView {
        let (whom, words) = subject(standing);
        PauseView::new(standing, format!("paused: {whom}"), format!("swift resume {words}"))
    }

    /// After `swift resume`.
    pub(crate) fn resumed(standing: &Standing) -> PauseView {
        let (whom, words) = subject(standing);
        PauseView::new(standing, format!("goes on: {whom}"), format!("swift pause {words}"))
    }

    fn new(standing: &Standing, said: String, next: String) -> PauseView {
        PauseView {
            all: standing.paused.all,
            paused: standing.paused.projects.iter().cloned().collect(),
            watcher: standing.watcher.as_ref().map(|record| record.pid),
            said,
            next,
        }
    }
}

fn subject(standing: &Standing) -> (&str, &str) {
    match &standing.project {
        Some(project) => (project, project),
        None => ("all projects", "--all"),
    }
}

impl View for PauseView {
    fn text(&self, out: &mut String) {
        out.push_str(&self.said);
        out.push('\n');
    }

    fn next(&self) -> Vec<String> {
        vec![self.next.clone()]
    }

    fn notes(&self) -> Vec<String> {
        let nobody = self
            .watcher
            .is_none()
            .then(|| "nobody watches now; it holds for the next `swift watch`".to_owned());
        nobody.into_iter().collect()
    }
}
