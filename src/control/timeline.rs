//! The timeline of the stored state: time that goes on across restarts, and that setting the system's
//! clock does not move.
//!
//! While the program runs it follows the monotonic clock. Across a restart it goes on by the time
//! since the system was started, if that is the same start; only when the system itself was restarted
//! is the wall clock all that there is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::clock::{self, Uptime};
use crate::model::Moment;

/// All clocks at one moment.
#[derive(Debug, Clone)]
pub struct Clocks {
    /// The monotonic one.
    pub now: Instant,
    /// What people go by.
    pub wall: SystemTime,
    /// That of the system's start, if it tells.
    pub uptime: Option<Uptime>,
}

/// What the clocks said at a moment, to go on from after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    moment: Moment,
    wall_ms: u64,
    boot: Option<String>,
    uptime_ms: u64,
}

/// Moments by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    from: Instant,
    moment: Moment,
}

impl Clocks {
    /// As they are now.
    #[must_use]
    pub fn read() -> Self {
        Self { now: clock::now(), wall: clock::wall(), uptime: clock::uptime() }
    }
}

impl Timeline {
    /// Goes on from a stamp; without one it begins with the wall clock.
    #[must_use]
    pub fn resume(stamp: Option<&Stamp>, clocks: &Clocks) -> Self {
        let wall_ms = millis(clocks.wall);
        let moment = match (stamp, &clocks.uptime) {
            (None, _) => Moment(wall_ms),
            (Some(stamp), Some(uptime)) if stamp.boot.as_ref() == Some(&uptime.boot) => {
                let is = u64::try_from(uptime.elapsed.as_millis()).unwrap_or(u64::MAX);
                Moment(stamp.moment.0.saturating_add(is.saturating_sub(stamp.uptime_ms)))
            }
            // A wall clock that went back says nothing of how much time has passed.
            (Some(stamp), _) => {
                Moment(stamp.moment.0.saturating_add(wall_ms.saturating_sub(stamp.wall_ms)))
            }
        };
        Self { from: clocks.now, moment }
    }

    /// The one on which it is this moment at an instant.
    #[must_use]
    pub const fn of(now: Instant, moment: Moment) -> Self {
        Self { from: now, moment }
    }

    /// The moment of an instant.
    #[must_use]
    pub fn at(&self, now: Instant) -> Moment {
        match now.checked_duration_since(self.from) {
            Some(passed) => self.moment.after(passed),
            None => {
                let before = self.from.saturating_duration_since(now).as_millis();
                let before = u64::try_from(before).unwrap_or(u64::MAX);
                Moment(self.moment.0.saturating_sub(before))
            }
        }
    }

    /// What to go on from.
    #[must_use]
    pub fn stamp(&self, clocks: &Clocks) -> Stamp {
        let uptime = clocks.uptime.as_ref();
        let elapsed = uptime.map_or(Duration::ZERO, |uptime| uptime.elapsed);
        Stamp {
            moment: self.at(clocks.now),
            wall_ms: millis(clocks.wall),
            boot: uptime.map(|uptime| uptime.boot.clone()),
            uptime_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn millis(wall: SystemTime) -> u64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DAY: i64 = 86_400;

    fn clocks(wall_secs: i64, boot: &str, up_secs: u64) -> Clocks {
        let wall = UNIX_EPOCH + Duration::from_secs(wall_secs.unsigned_abs());
        let uptime = Uptime { boot: boot.into(), elapsed: Duration::from_secs(up_secs) };
        Clocks { now: clock::now(), wall, uptime: Some(uptime) }
    }

    /// Ten seconds pass between the stamp and what goes on from it.
    #[rstest]
    #[case::nothing_was_set(clocks(1_000_010, "a", 510), 10)]
    #[case::a_day_ahead(clocks(1_000_010 + DAY, "a", 510), 10)]
    #[case::a_day_back(clocks(1_000_010 - DAY, "a", 510), 10)]
    #[case::the_system_was_restarted(clocks(1_000_010, "b", 3), 10)]
    #[case::restarted_and_a_day_back(clocks(1_000_010 - DAY, "b", 3), 0)]
    #[case::no_uptime(Clocks { uptime: None, ..clocks(1_000_010, "", 0) }, 10)]
    fn it_goes_on(#[case] then: Clocks, #[case] passed_secs: u64) {
        let first = clocks(1_000_000, "a", 500);
        let timeline = Timeline::resume(None, &first);
        let stamp = timeline.stamp(&first);
        let after = Timeline::resume(Some(&stamp), &then);
        let passed = after.at(then.now).since(timeline.at(first.now));
        assert_eq!(passed, Duration::from_secs(passed_secs));
    }

    #[test]
    fn it_follows_the_monotonic_clock_both_ways() {
        let clocks = clocks(1_000_000, "a", 500);
        let timeline = Timeline::resume(None, &clocks);
        assert_eq!(timeline.at(clocks.now), Moment(1_000_000_000));
        assert_eq!(timeline.at(clocks.now + Duration::from_millis(7)), Moment(1_000_000_007));
        if let Some(before) = clocks.now.checked_sub(Duration::from_millis(7)) {
            assert_eq!(timeline.at(before), Moment(999_999_993));
        }
    }
}
