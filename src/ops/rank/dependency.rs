//! Whether what a task waits for is done: in the same queue, in that of its sender, or in any other in view.

use std::collections::HashMap;

use super::obstacle::{Found, Why};
use super::{Judge, Key, Part};
use crate::domain::fault::Fault;
use crate::domain::id::TaskId;
use crate::domain::project::ProjectName;
use crate::domain::task::{Dependency, Stage, State, Task};
use crate::domain::text::shown;
use crate::ops::carrier::{self, Carrier};
use crate::store::queue::{Item, Queue};

impl Judge<'_> {
    /// Why a dependency is not met; `None` if it is.
    pub(super) fn unmet(
        &self,
        part: &Part<'_>,
        task: &Task,
        dependency: &Dependency,
        by_id: &HashMap<TaskId, Key>,
    ) -> Option<Why> {
        let (id, short) = (dependency.task, dependency.task.short());
        if let Some(&key) = by_id.get(&id) {
            let title = shown(&self.item(key).task.title);
            let project = &self.parts[key.0 as usize].shelf.project;
            return Some(Why::passing(format!("waits for {short} ({title}) in {project}")));
        }
        let own = match part.queue.anywhere(id) {
            Ok(own) => own,
            Err(fault) => return Some(Why::passing(format!("waits for {short}: {fault}"))),
        };
        if let Some(item) = own {
            return self.standing(&item, &short, &part.shelf.project).map(Why::passing);
        }
        let unknown =
            |project: &str| Why::never(format!("waits for {short}, which is not known in {project}"));
        // Who has sent the task has named by its id alone what it has itself, or has sent to others.
        let sender =
            || task.from.as_ref().filter(|from| **from != part.queue.settings.id).map(ProjectName::from);
        let elsewhere = dependency.project.clone().or_else(sender);
        if dependency.project.is_none()
            && let Some(place) = part.queue.unread(id)
        {
            return Some(Why::unread(&short, &place, &part.shelf.project));
        }
        let Some(project) = elsewhere else {
            return Some(unknown(&part.shelf.project));
        };
        match self.at(&project, id) {
            Ok((project, Found::Read(item))) => self.standing(&item, &short, &project).map(Why::passing),
            Ok((project, Found::Unread(place))) => Some(Why::unread(&short, &place, &project)),
            Ok((project, Found::Nothing)) if dependency.project.is_some() => Some(unknown(&project)),
            Ok((project, Found::Nothing)) => Some(unknown(&format!("{} or {project}", part.shelf.project))),
            Err((project, why)) => {
                Some(Why::passing(format!("waits for {short} in {project}, which cannot be read: {why}")))
            }
        }
    }

    /// The task that another project in view has under an id; or which one cannot be read, and why.
    fn at(&self, name: &ProjectName, id: TaskId) -> std::result::Result<(String, Found), (String, Fault)> {
        let look = |project: &str, queue: &Queue| match queue.anywhere(id) {
            Ok(Some(item)) => Ok((project.to_owned(), Found::Read(item))),
            Ok(None) => Ok((project.to_owned(), queue.unread(id).map_or(Found::Nothing, Found::Unread))),
            Err(fault) => Err((project.to_owned(), fault)),
        };
        let asking = self.parts[0].queue;
        if asking.is_called(name) {
            return look(asking.settings.id.as_str(), asking);
        }
        let fault = match self.neighbours.registry.resolve(name) {
            Ok(resolved) => {
                let project = resolved.entry.id.as_str();
                let queue = self.neighbours.queue(project);
                return queue
                    .map_err(|fault| (project.to_owned(), fault.clone()))
                    .and_then(|queue| look(project, queue));
            }
            Err(fault) => fault,
        };
        // Its orchestrator is in no registry, and writes tasks as everybody does.
        if let Carrier::There(orchestrator) = carrier::of(asking)
            && orchestrator.is_called(name)
        {
            return look(orchestrator.settings.id.as_str(), &orchestrator);
        }
        Err((name.to_string(), self.neighbours.missing.clone().unwrap_or(fault)))
    }

    /// What stands in the way, given where the other task is.
    fn standing(&self, item: &Item, short: &str, project: &str) -> Option<String> {
        let state = item.task.state(item.folder, self.now);
        match (state, item.task.receipt.as_ref().map(|receipt| receipt.stage)) {
            (State::Done, _) | (State::Sent, Some(Stage::Done)) => None,
            (State::Sent, Some(stage)) => Some(format!("waits for {short}, {stage} so far")),
            (State::Refused | State::Dead, _) => {
                Some(format!("waits for {short}, which is {state} in {project}"))
            }
            _ => Some(format!("waits for {short} ({state}) in {project}")),
        }
    }
}
