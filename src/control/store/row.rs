//! What is stored, and when it may stand in for what would be seen.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::control::{LastGood, Past};
use crate::health::{Health, State};
use crate::model::{Check, Destination};

/// For so many intervals a stored state stands in for the first result.
const FRESH_INTERVALS: u32 = 10;
/// What nothing has been written to for so long is dropped when the file is opened.
pub(super) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Something that is stored: a row of one of the tables, as JSON.
pub(super) trait Stored: Serialize + DeserializeOwned {
    /// When it was last known to be so, in milliseconds since 1970.
    fn at_ms(&self) -> u64;
}

impl Stored for Row {
    fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// The last good health of a record: by family the health factors of its regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GoodRow {
    pub(super) ipv4: Option<BTreeMap<String, f64>>,
    pub(super) ipv6: Option<BTreeMap<String, f64>>,
    pub(super) at_ms: u64,
}

impl GoodRow {
    pub(super) fn of(LastGood([ipv4, ipv6]): &LastGood, wall: SystemTime) -> Self {
        Self { ipv4: ipv4.clone(), ipv6: ipv6.clone(), at_ms: millis(wall) }
    }
}

impl Stored for GoodRow {
    fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// The round-trip time to a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RttRow {
    pub(super) rtt_us: u64,
    pub(super) at_ms: u64,
}

impl RttRow {
    pub(super) fn of(rtt: Duration, wall: SystemTime) -> Self {
        let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        Self { rtt_us, at_ms: millis(wall) }
    }
}

impl Stored for RttRow {
    fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// A stored health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) state: Settled,
    pub(super) failures: u32,
    pub(super) successes: u32,
    /// When it was last seen to be so, in milliseconds since 1970.
    pub(super) at_ms: u64,
}

/// A settled state; an unknown one is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Settled {
    Up,
    Down,
}

impl Row {
    /// Of a health that has settled.
    pub(super) fn of(health: &Health, wall: SystemTime) -> Option<Self> {
        let state = match health.state {
            State::Up => Settled::Up,
            State::Down => Settled::Down,
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
    pub(super) last_good: HashMap<String, GoodRow>,
    pub(super) rtts: HashMap<String, RttRow>,
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
            Settled::Up => State::Up,
            Settled::Down => State::Down,
        };
        let Row { failures, successes, .. } = *row;
        Some(Health { state, failures, successes, ..Health::unknown(now) })
    }

    /// The same as it is worth at a time.
    #[must_use]
    pub const fn at(&self, now: Instant, wall: SystemTime) -> Recalled<'_> {
        Recalled { restored: self, now, wall }
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

/// What an earlier process has stored, as it is worth at a time.
#[derive(Debug)]
pub struct Recalled<'a> {
    restored: &'a Restored,
    now: Instant,
    wall: SystemTime,
}

impl Past for Recalled<'_> {
    fn health(&self, check: &Check, destination: &Destination) -> Option<Health> {
        self.restored.health(check, destination, self.now, self.wall)
    }

    fn rtt(&self, region: &str) -> Option<Duration> {
        Some(Duration::from_micros(self.restored.rtts.get(region)?.rtt_us))
    }

    fn last_good(&self, record: &str) -> Option<LastGood> {
        let row = self.restored.last_good.get(record)?;
        Some(LastGood([row.ipv4.clone(), row.ipv6.clone()]))
    }
}
