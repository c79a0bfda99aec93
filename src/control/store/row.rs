//! One target's stored health, and when it may stand in for an observation.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::health::{Health, State};
use crate::model::{Check, Destination};

/// For so many intervals a stored state stands in for the first result.
const FRESH_INTERVALS: u32 = 10;
/// What nothing has been written to for so long is dropped when the file is opened.
pub(super) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A stored health; a row of the table, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) state: Stored,
    pub(super) failures: u32,
    pub(super) successes: u32,
    /// When it was last seen to be so, in milliseconds since 1970.
    pub(super) at_ms: u64,
}

/// A settled state; an unknown one is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stored {
    Up,
    Down,
}

impl Row {
    /// Of a health that has settled.
    pub(super) fn of(health: &Health, wall: SystemTime) -> Option<Self> {
        let state = match health.state {
            State::Up => Stored::Up,
            State::Down => Stored::Down,
            State::Unknown => return None,
        };
        let Health { failures, successes, .. } = *health;
        Some(Self { state, failures, successes, at_ms: millis(wall) })
    }
}

/// The key of a target: the check's name and definition, and where it is probed. Timing is no
/// part of it.
pub(super) fn key(check: &Check, destination: &Destination) -> String {
    format!("{}\n{:016x}\n{destination}", check.name, check.definition())
}

pub(super) fn millis(wall: SystemTime) -> u64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What an earlier process has stored.
#[derive(Debug, Default)]
pub struct Restored {
    pub(super) rows: HashMap<String, Row>,
    /// Where a file that could not be used was put, and why it could not.
    pub set_aside: Option<(PathBuf, String)>,
}

impl Restored {
    /// The health of a target, if what is stored is not older than ten of its intervals. A stamp
    /// that is as far in the future is as little worth: the clock was changed.
    #[must_use]
    pub fn health(
        &self,
        check: &Check,
        destination: &Destination,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Health> {
        let row = self.rows.get(&key(check, destination))?;
        let age = Duration::from_millis(millis(wall).abs_diff(row.at_ms));
        if age > check.timing.interval.saturating_mul(FRESH_INTERVALS) {
            return None;
        }
        let state = match row.state {
            Stored::Up => State::Up,
            Stored::Down => State::Down,
        };
        let Row { failures, successes, .. } = *row;
        Some(Health { state, failures, successes, ..Health::unknown(now) })
    }

    /// How many targets something is stored of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
