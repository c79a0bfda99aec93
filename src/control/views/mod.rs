//! What operators see of the single writer's state: the types, and how each is made of the state and
//! the snapshot in force. Reading changes nothing.

mod aliases;
mod checks;
mod overrides;
mod plans;
mod records;
mod regions;
mod shares;
mod status;
mod types;

pub use types::*;

pub(super) use checks::checks;
pub(super) use overrides::override_view;
pub(super) use plans::{PlanSight, plan_view, window_view};
pub(super) use records::{records, standing};
pub(super) use regions::regions;
pub(super) use shares::{changes, changes_in};
pub(super) use status::status;

use std::time::{Duration, Instant, SystemTime};

use super::state::State;
use crate::model::Moment;
use crate::routing::Snapshot;

/// What a view is made of.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) state: &'a State,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Instant,
    pub(super) wall: SystemTime,
    /// When the server was started.
    pub(super) started: Instant,
}

impl Seen<'_> {
    fn moment(&self) -> Moment {
        self.state.moment(self.now)
    }

    /// A moment as people write it.
    fn time(&self, moment: Moment) -> String {
        let now = self.moment();
        let wall = match moment > now {
            true => self.wall.checked_add(moment.since(now)),
            false => self.wall.checked_sub(now.since(moment)),
        };
        time(wall.unwrap_or(self.wall))
    }

    fn ago(&self, at: Instant) -> f64 {
        self.now.saturating_duration_since(at).as_secs_f64()
    }
}

/// A time of the wall clock as people write it, in UTC. Years beyond 9999 are not told apart.
pub fn time(wall: SystemTime) -> String {
    const LAST: Duration = Duration::from_secs(253_402_300_799);
    let last = SystemTime::UNIX_EPOCH + LAST;
    humantime::format_rfc3339_seconds(wall.clamp(SystemTime::UNIX_EPOCH, last)).to_string()
}

/// A page of what there is.
fn page<T>(all: Vec<T>, offset: usize, limit: usize) -> Page<T> {
    let total = all.len();
    Page { items: all.into_iter().skip(offset).take(limit).collect(), total }
}
