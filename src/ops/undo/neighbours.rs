//! The other queues that an operation may have touched: those that the orchestrator knows, and its own.

use crate::domain::fault::Result;
use crate::domain::project::ProjectName;
use crate::store::queue::Queue;
use crate::store::registry::{self, Registry};

pub(super) struct Neighbours {
    pub(super) registry: Registry,
    /// The orchestrator, where it is asked in a project: it has a queue, too, and is in no registry.
    carrier: Option<Queue>,
}

impl Neighbours {
    pub(super) fn of(queue: &Queue) -> Result<Neighbours> {
        let own = Registry::read(queue)?;
        if !own.projects.is_empty() {
            return Ok(Neighbours { registry: own, carrier: None });
        }
        let carrier = registry::carrier(queue).and_then(|path| Queue::open(&path).ok());
        let known = carrier.as_ref().and_then(|orchestrator| Registry::read(orchestrator).ok());
        Ok(Neighbours { carrier: carrier.filter(|_| known.is_some()), registry: known.unwrap_or(own) })
    }

    /// Those that can be reached.
    pub(super) fn queues(&self) -> impl Iterator<Item = Queue> {
        let carrier = self.carrier.iter().filter_map(|carrier| Queue::of(carrier.home.clone()).ok());
        self.registry.projects.iter().filter_map(|project| registry::reach(project).ok()).chain(carrier)
    }

    /// The queue of a project.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`] and of [`registry::reach`].
    pub(super) fn reach(&self, name: &ProjectName) -> Result<Queue> {
        match self.carrier.as_ref().filter(|carrier| carrier.is_called(name)) {
            Some(carrier) => Queue::of(carrier.home.clone()),
            None => registry::reach(self.registry.resolve(name)?),
        }
    }
}
