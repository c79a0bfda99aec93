//! What is stored, and when it may stand in for what would be seen.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::control::overrides::Overrides;
use crate::control::plans::Plans;
use crate::control::replies::Reply;
use crate::control::timeline::Timeline;
use crate::control::views::EventView;
use crate::control::{Alias, LastGood, Past};
use crate::health::{Health, KeptCalming, State};
use crate::model::{Check, Destination, Force, Moment, Move, Override, Resolved, Weight};
use crate::wire::Name;

/// For so many intervals a stored state stands in for the first result.
const FRESH_INTERVALS: u32 = 10;
/// What nothing has been written to for so long is dropped when the file is opened.
pub(super) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Something that is stored: a row of one of the tables, as JSON.
pub(super) trait Stored: Serialize + DeserializeOwned {
    /// When it was last known to be so, on the timeline of the state.
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
    pub(super) fn of(LastGood([ipv4, ipv6]): &LastGood, at: Moment) -> Self {
        Self { ipv4: ipv4.clone(), ipv6: ipv6.clone(), at_ms: at.0 }
    }
}

impl Stored for GoodRow {
    fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// What is remembered of the calming of a pool, by family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CalmRow {
    pub(super) ipv4: Option<KeptCalming>,
    pub(super) ipv6: Option<KeptCalming>,
    pub(super) at_ms: u64,
}

impl CalmRow {
    pub(super) fn of([ipv4, ipv6]: [Option<KeptCalming>; 2], at: Moment) -> Self {
        Self { ipv4, ipv6, at_ms: at.0 }
    }
}

impl Stored for CalmRow {
    fn at_ms(&self) -> u64 {
        self.at_ms
    }
}

/// The addresses behind an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AliasRow {
    ipv4: Vec<Ipv4Addr>,
    ipv6: Vec<Ipv6Addr>,
    ttl_secs: u32,
    /// When they were last found.
    found_ms: u64,
    at_ms: u64,
}

impl AliasRow {
    /// Of an alias that was once found.
    pub(super) fn of(alias: &Alias, at: Moment) -> Option<Self> {
        let Resolved { v4, v6, ttl_secs } = alias.resolved.clone()?;
        let found_ms = alias.found.unwrap_or(at).0;
        Some(Self { ipv4: v4, ipv6: v6, ttl_secs, found_ms, at_ms: at.0 })
    }

    fn alias(&self) -> Alias {
        let (v4, v6) = (self.ipv4.clone(), self.ipv6.clone());
        Alias {
            resolved: Some(Resolved { v4, v6, ttl_secs: self.ttl_secs }),
            found: Some(Moment(self.found_ms)),
            trouble: None,
            settled: true,
        }
    }
}

impl Stored for AliasRow {
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
    pub(super) fn of(rtt: Duration, at: Moment) -> Self {
        let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        Self { rtt_us, at_ms: at.0 }
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
    /// When it was last seen to be so, on the timeline of the state.
    pub(super) at_ms: u64,
    /// Since when it has been so; files of version 1 do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since_ms: Option<u64>,
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
    pub(super) fn of(health: &Health, at: Moment, since: Moment) -> Option<Self> {
        let state = match health.state {
            State::Up => Settled::Up,
            State::Down => Settled::Down,
            State::Unknown => return None,
        };
        let Health { failures, successes, .. } = *health;
        Some(Self { state, failures, successes, at_ms: at.0, since_ms: Some(since.0) })
    }
}

/// The key of a target: the check's name and definition, and where it is probed. Timing is no
/// part of it.
pub(super) fn key(check: &Check, destination: &Destination) -> String {
    format!("{}\n{:016x}\n{destination}", check.name, check.definition())
}

/// The overrides, as one row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct OverridesRow {
    next: u64,
    list: Vec<OverrideRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OverrideRow {
    id: u64,
    region: String,
    record: Option<String>,
    force: ForceRow,
    actor: String,
    reason: Option<String>,
    since: Moment,
    until: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ForceRow {
    Drain(Move),
    Down,
    Up,
    Weight(u16),
    Shift(String),
}

impl OverridesRow {
    pub(super) fn of(overrides: &Overrides) -> Self {
        let row = |one: &Override| OverrideRow {
            id: one.id,
            region: one.region.to_string(),
            record: one.record.as_ref().map(ToString::to_string),
            force: match &one.force {
                Force::Drain(drain) => ForceRow::Drain(*drain),
                Force::Down => ForceRow::Down,
                Force::Up => ForceRow::Up,
                Force::Weight(weight) => ForceRow::Weight(weight.0),
                Force::Shift(to) => ForceRow::Shift(to.to_string()),
            },
            actor: one.actor.clone(),
            reason: one.reason.clone(),
            since: one.since,
            until: one.until,
        };
        Self { next: overrides.next(), list: overrides.list.iter().map(row).collect() }
    }

    /// # Errors
    /// When a record's name is none.
    pub(super) fn overrides(self) -> Result<Overrides, String> {
        let one = |row: OverrideRow| {
            let name = |text: String| {
                Name::from_text(&text).map_err(|error| format!("{text:?} is no name: {error}"))
            };
            Ok(Override {
                id: row.id,
                region: row.region.into(),
                record: row.record.map(name).transpose()?,
                force: match row.force {
                    ForceRow::Drain(drain) => Force::Drain(drain),
                    ForceRow::Down => Force::Down,
                    ForceRow::Up => Force::Up,
                    ForceRow::Weight(weight) => Force::Weight(Weight(weight)),
                    ForceRow::Shift(to) => Force::Shift(to.into()),
                },
                actor: row.actor,
                reason: row.reason,
                since: row.since,
                until: row.until,
            })
        };
        let list = self.list.into_iter().map(one).collect::<Result<_, String>>()?;
        Ok(Overrides::new(list, self.next))
    }
}

/// What an earlier process has stored.
#[derive(Debug)]
pub struct Restored {
    pub(super) rows: HashMap<String, Row>,
    pub(super) last_good: HashMap<String, GoodRow>,
    pub(super) rtts: HashMap<String, RttRow>,
    pub(super) calming: HashMap<String, CalmRow>,
    pub(super) aliases: HashMap<String, AliasRow>,
    pub(in crate::control) overrides: Overrides,
    pub(super) plans: Plans,
    pub(super) events: Vec<EventView>,
    pub(super) replies: HashMap<String, Reply>,
    /// The timeline that goes on.
    pub(in crate::control) timeline: Timeline,
    /// Where a file that could not be used was put, and why it could not.
    pub set_aside: Option<(PathBuf, String)>,
}

impl Restored {
    /// The health of a target at a moment, if what is stored is not older than ten of its intervals. A
    /// stamp that is as far in the future is as little worth.
    #[must_use]
    pub fn health(
        &self,
        check: &Check,
        destination: &Destination,
        now: Instant,
        moment: Moment,
    ) -> Option<Health> {
        let row = self.rows.get(&key(check, destination))?;
        let age = Duration::from_millis(moment.0.abs_diff(row.at_ms));
        if age > check.timing.interval.saturating_mul(FRESH_INTERVALS) {
            return None;
        }
        let state = match row.state {
            Settled::Up => State::Up,
            Settled::Down => State::Down,
        };
        let Row { failures, successes, .. } = *row;
        let lasted = moment.since(Moment(row.since_ms.unwrap_or(moment.0)));
        let since = now.checked_sub(lasted).unwrap_or(now);
        Some(Health { state, failures, successes, since, ..Health::unknown(now) })
    }

    /// The same as it is worth at a time.
    #[must_use]
    pub fn at(&self, now: Instant) -> Recalled<'_> {
        self.at_moment(now, self.timeline.at(now))
    }

    /// The same at a moment that is not now.
    #[must_use]
    pub const fn at_moment(&self, now: Instant, moment: Moment) -> Recalled<'_> {
        Recalled { restored: self, now, moment }
    }

    /// The moment of an instant, on the timeline of the state.
    #[must_use]
    pub fn moment(&self, now: Instant) -> Moment {
        self.timeline.at(now)
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
    moment: Moment,
}

impl Past for Recalled<'_> {
    fn health(&self, check: &Check, destination: &Destination) -> Option<Health> {
        self.restored.health(check, destination, self.now, self.moment)
    }

    fn rtt(&self, region: &str) -> Option<Duration> {
        Some(Duration::from_micros(self.restored.rtts.get(region)?.rtt_us))
    }

    fn last_good(&self, record: &str) -> Option<LastGood> {
        let row = self.restored.last_good.get(record)?;
        Some(LastGood([row.ipv4.clone(), row.ipv6.clone()]))
    }

    fn alias(&self, name: &Name) -> Option<Alias> {
        self.restored.aliases.get(&name.to_string()).map(AliasRow::alias)
    }

    fn timeline(&self) -> Option<Timeline> {
        Some(Timeline::of(self.now, self.moment))
    }

    fn calming(&self) -> Vec<(String, Moment, [Option<KeptCalming>; 2])> {
        let rows = self.restored.calming.iter();
        rows.map(|(name, row)| (name.clone(), Moment(row.at_ms), [row.ipv4, row.ipv6])).collect()
    }

    fn overrides(&self) -> Overrides {
        self.restored.overrides.clone()
    }

    fn plans(&self) -> Plans {
        self.restored.plans.clone()
    }

    fn events(&self) -> Vec<EventView> {
        self.restored.events.clone()
    }

    fn trouble(&self) -> Option<String> {
        let (aside, why) = self.restored.set_aside.as_ref()?;
        Some(format!(
            "the state could not be used ({why}) and was put aside as {}",
            aside.display()
        ))
    }

    fn replies(&self) -> HashMap<String, Reply> {
        self.restored.replies.clone()
    }
}
