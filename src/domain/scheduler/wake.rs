//! How long the brain may sleep.

use std::time::Duration;

use jiff::Timestamp;

use super::{Now, Scheduler};

/// It looks at the clock at least so often: a clock that was set, or a machine that slept, tells nobody.
const LONGEST: Duration = Duration::from_secs(30);

impl Scheduler {
    /// How long there is nothing to do unless something is noticed; asked at the very instant of the last step, so that
    /// what was due then has been begun, or waits for something that is going on.
    pub(crate) fn rest(&self, now: Now) -> Duration {
        let mut tick = self.next_full;
        let mut wall: Option<Timestamp> = None;
        let open = self.lanes.iter().filter(|(id, _)| !self.pauses.covers(id));
        for (at, when) in open.map(|(_, lane)| lane.next(now, &self.zone)) {
            tick = at.map_or(tick, |at| tick.min(at));
            wall = [wall, when].into_iter().flatten().min();
        }
        let by_tick = tick.saturating_sub(now.tick);
        let by_wall = wall.map_or(LONGEST, |at| at.duration_since(now.wall).try_into().unwrap_or_default());
        by_tick.min(by_wall).min(LONGEST)
    }
}
