//! What would come of something, in loads: the guard that refuses what would push a region over its
//! capacity, and what a simulation of the running server starts from.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::command::{OverCapacity, Refusal};
use super::overrides::title;
use super::run::Control;
use super::views::{EventKind, Turn};
use crate::clock;
use crate::routing::{Assembly, Snapshot};
use crate::simulate::{Known, Mix, demand, figure, loads, percent, shares};

/// What is less is rounding.
const ROUNDING: f64 = 1e-9;
/// At most so many targets and overrides are told one by one.
const TOLD: usize = 20;
/// A target that was not observed for so many of its intervals.
const STALE: u32 = 3;

/// All that a simulation of the running server needs; it is made elsewhere, so that the single writer
/// does not wait for it.
#[derive(Debug)]
pub struct Foreseen {
    /// What is in force.
    pub snapshot: Arc<Snapshot>,
    /// The queries of each cell of its tally.
    pub cells: Vec<u64>,
    /// Over which time these were counted.
    pub over: Duration,
    /// What is known beside the tables.
    pub known: Known,
}

/// The refusal of what would push regions over their capacities, further than they are; `None`: it would
/// not, or no region says what it can bear. It costs a walk over all records before, after and with all
/// healthy, and a compile of what is not healthy.
pub(super) fn over_capacity(
    before: &Snapshot,
    after: &Snapshot,
    mix: impl FnOnce() -> Mix,
) -> Option<Refusal> {
    let regions = &after.assembly.regions;
    regions.iter().find(|region| region.capacity.is_some())?;
    let mix = &mix();
    let demand = demand(before, mix)?;
    let was = loads(demand.load, &shares(before, mix));
    let is = loads(demand.load, &shares(after, mix));
    let mut over = Vec::new();
    for ((region, then), now) in regions.iter().zip(is).zip(was) {
        let Some(capacity) = region.capacity else { continue };
        let slack = 1.0 + ROUNDING;
        if then > capacity * slack && then > now * slack {
            over.push(OverCapacity { region: region.name.to_string(), now, then, capacity });
        }
    }
    if over.is_empty() {
        return None;
    }
    let told = over.iter().map(|OverCapacity { region, now, then, capacity }| {
        let (load, part) = (figure(*then), percent(then / capacity));
        format!(
            "{region} would bear {load} of {} ({part}); now {}",
            figure(*capacity),
            figure(*now)
        )
    });
    let told: Vec<String> = told.collect();
    let whole = match demand.configured {
        true => format!("of a demand of {}", figure(demand.load)),
        false => format!(
            "of a demand of {}, the most that the regions bear when all is healthy",
            figure(demand.load)
        ),
    };
    let text = format!("{}, {whole} ({})", told.join("; "), mix.basis().text);
    Some(Refusal::OverCapacity { text, regions: over, demand: demand.load })
}

impl Control {
    /// Who asks, as far as it was measured.
    pub(super) fn mix(&self) -> Mix {
        self.measured.mix(&self.state.assembly, clock::now())
    }

    /// What a simulation starts from.
    pub(super) fn foreseen(&self) -> Foreseen {
        let snapshot = self.handle.current();
        let (cells, over) = self.measured.cells(clock::now());
        let known = Known {
            stale: self.stale(),
            endless: self.endless(),
            exercised: self.exercised(&snapshot.assembly),
            since: self.events.observed_since().unwrap_or_default().into(),
        };
        Foreseen { snapshot, cells, over, known }
    }

    /// The targets that were not observed for long.
    fn stale(&self) -> Vec<String> {
        let now = clock::now();
        let mut stale = Vec::new();
        for tracked in self.state.targets.iter().filter(|t| t.target.check.decides()) {
            let interval = tracked.target.check.timing.interval;
            let last = tracked.health.last.as_ref().map_or(tracked.since_start, |last| last.at);
            let age = now.saturating_duration_since(last);
            if age > interval.saturating_mul(STALE) {
                let time = |time: Duration| {
                    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
                };
                let interval = humantime::format_duration(interval);
                let (what, age) = (tracked.target.subject(), time(age));
                stale
                    .push(format!("{what} was not observed for {age}; its interval is {interval}"));
            }
        }
        shortened(stale, "targets were not observed for long")
    }

    /// The overrides that do not end by themselves.
    fn endless(&self) -> Vec<String> {
        let endless = self.state.overrides.list.iter().filter(|one| one.until.is_none());
        let told = endless.map(|one| format!("{} does not end by itself", title(one)));
        shortened(told.collect(), "overrides do not end by themselves")
    }

    /// The records whose all-down rules were seen to engage: of those that answer alike, one is noted.
    fn exercised(&self, assembly: &Assembly) -> HashSet<String> {
        let noted = self
            .events
            .observed()
            .filter(|event| event.kind == EventKind::AllDown && event.turn == Turn::Worse);
        let noted: HashSet<&str> = noted.filter_map(|event| event.record.as_deref()).collect();
        if noted.is_empty() {
            return HashSet::new();
        }
        let named = assembly.records.iter().map(|record| (record, record.name.to_string()));
        let bindings = named.filter(|(_, name)| noted.contains(name.as_str()));
        let bindings: HashSet<_> = bindings.map(|(record, _)| record.binding).collect();
        let alike = bindings.iter().flat_map(|binding| assembly.records_of(*binding));
        alike.map(|record| record.name.to_string()).collect()
    }
}

/// The first of some sentences, and how many more there are.
fn shortened(mut all: Vec<String>, what: &str) -> Vec<String> {
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    if more > 0 {
        all.push(format!("{more} more {what}"));
    }
    all
}
