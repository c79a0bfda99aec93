//! What would come of the death of some regions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::mix::Mix;
use super::moves::{Moves, TOLD};
use super::shares::{Demand, Shares};
use super::text::{figure, names, percent};
use super::verdict::{reason, verdict};
use super::views::{Reason, RegionLoad, Scenario};
use super::weigh::{At, walk};
use crate::model::{PoolId, RecordId, RegionId, Risk, Timing, probed, worst_case};
use crate::routing::{Group, PoolStanding, Snapshot, compile};

/// Some records by name, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Several {
    pub(super) first: Vec<String>,
    pub(super) count: usize,
    last: Option<RecordId>,
}

impl Several {
    /// Adds a record; one that was the last to be added is there already.
    pub(super) fn add(&mut self, snapshot: &Snapshot, id: RecordId) {
        if self.last.replace(id) == Some(id) {
            return;
        }
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(snapshot.assembly.records[id.index()].name.to_string());
        }
    }

    /// The first few in a text.
    pub(super) fn text(&self) -> String {
        names(&self.first, self.count)
    }
}

/// The same with regions dead, and all else as it is.
pub(super) fn without(snapshot: &Snapshot, down: &[RegionId]) -> Snapshot {
    let mut inputs = snapshot.inputs();
    let pools = snapshot.assembly.pools.iter().zip(inputs.pools.iter());
    let pools = pools.map(|(pool, is)| match down.contains(&pool.region) {
        true => Arc::new(PoolStanding::assumed(pool, false)),
        false => Arc::clone(is),
    });
    inputs.pools = Arc::new(pools.collect());
    compile(Some(snapshot), &snapshot.assembly, &inputs)
}

/// What would come of the death of regions.
pub(super) fn scenario(
    before: &Snapshot,
    mix: &Mix,
    demand: Option<Demand>,
    down: &[RegionId],
) -> Scenario {
    let after = without(before, down);
    let assembly = &after.assembly;
    let mut shares = Shares { regions: vec![0.0; assembly.regions.len()], unanswered: 0.0 };
    let (mut moves, mut all_down, mut left) =
        (Moves::default(), Several::default(), Several::default());
    let mut total = 0.0;
    walk(before, &after, mix, |part| {
        total += part.weight;
        shares.add(&after, part.after, part.weight);
        moves.add(before, &after, &part);
        let engaged = part.after.class.distribution.reason.is_all_down();
        if engaged && !part.before.class.distribution.reason.is_all_down() {
            all_down.add(&after, part.record);
        }
        let of_it = || depends_on(&after, part.after, down);
        if engaged && is_dead(&after, part.after) && of_it() {
            left.add(&after, part.record);
        }
    });
    if total > 0.0 {
        shares.regions.iter_mut().for_each(|share| *share /= total);
        shares.unanswered /= total;
    }
    let worst = Worst::of(&after, down);
    let regions = bearing(&after, &shares, demand, down);
    let reasons = reasons(&after, down, &regions, &left, &worst);
    Scenario {
        down: down.iter().map(|id| name(&after, *id)).collect(),
        verdict: verdict(&reasons),
        reasons,
        regions,
        unanswered: shares.unanswered,
        moved: if total > 0.0 { moves.weight / total } else { 0.0 },
        movements_count: moves.count,
        movements: moves.told(&after, total),
        all_down: all_down.first,
        all_down_count: all_down.count,
        nothing_left: left.first,
        nothing_left_count: left.count,
        detection_secs: worst.times.map(|(detection, _, _)| detection.as_secs_f64()),
        cut_over_secs: worst.times.map(|(_, cut_over, _)| cut_over.as_secs_f64()),
        slowest: worst.times.map(|(_, _, id)| assembly.records[id.index()].name.to_string()),
    }
}

pub(super) fn name(snapshot: &Snapshot, id: RegionId) -> String {
    snapshot.assembly.regions[id.index()].name.to_string()
}

/// What each region bears.
pub(super) fn bearing(
    snapshot: &Snapshot,
    shares: &Shares,
    demand: Option<Demand>,
    down: &[RegionId],
) -> Vec<RegionLoad> {
    let all = (0..).map(RegionId).zip(&snapshot.assembly.regions).zip(&shares.regions);
    let of = |((id, region), share): ((RegionId, &crate::model::Region), &f64)| RegionLoad {
        region: region.name.to_string(),
        down: down.contains(&id),
        share: *share,
        load: demand.map(|demand| demand.load * share),
        capacity: region.capacity,
    };
    all.map(of).collect()
}

/// Whether clients draw nothing that has an address that is up.
fn is_dead(snapshot: &Snapshot, at: At<'_>) -> bool {
    let binding = snapshot.assembly.bindings.get(at.binding.index());
    let Some(binding) = binding else { return true };
    let live = |slot: crate::model::Slot| {
        let pool = binding.pools.get(slot.index()).copied().flatten();
        let standing = pool.and_then(|pool: PoolId| snapshot.pools.get(pool.index()));
        standing.is_some_and(|standing| {
            crate::model::Family::BOTH.iter().any(|f| !standing.family(*f).live.is_empty())
        })
    };
    let distribution = &at.class.distribution;
    let drawn = distribution.shares.iter().filter_map(|(group, _)| match group {
        Group::Slot(slot) => Some(*slot),
        Group::Nodata => None,
    });
    let in_rings = distribution.rings.iter().flat_map(|ring| ring.members.iter().copied());
    !drawn.chain(in_rings).any(live)
}

/// Whether any of the regions has a part in what clients draw from.
fn depends_on(snapshot: &Snapshot, at: At<'_>, down: &[RegionId]) -> bool {
    let binding = snapshot.assembly.bindings.get(at.binding.index());
    let tree = binding.and_then(|binding| snapshot.assembly.trees.get(binding.tree.index()));
    let pools = binding.into_iter().flat_map(|binding| &binding.pools);
    let mut slots = tree.into_iter().flat_map(|tree| &tree.slots).zip(pools);
    slots.any(|(region, pool)| pool.is_some() && down.contains(region))
}

/// The slowest that the death of regions would be noticed and be over, and what would not be noticed.
#[derive(Debug, Default)]
struct Worst {
    /// Detection and cut-over, and the record of which they are so.
    times: Option<(Duration, Duration, RecordId)>,
    /// By region the records whose pool there has no check.
    unchecked: Vec<(RegionId, Several)>,
}

impl Worst {
    fn of(snapshot: &Snapshot, down: &[RegionId]) -> Self {
        let assembly = &snapshot.assembly;
        let mut worst = Self::default();
        let mut known: HashMap<PoolId, Vec<Timing>> = HashMap::new();
        for (id, record) in (0..).map(RecordId).zip(&assembly.records) {
            let Some(binding) = assembly.bindings.get(record.binding.index()) else { continue };
            for pool in binding.pools.iter().flatten() {
                let Some(of) = assembly.pools.get(pool.index()) else { continue };
                if !down.contains(&of.region) {
                    continue;
                }
                let timings = known.entry(*pool).or_insert_with(|| {
                    let checks = probed(&of.checks);
                    checks.iter().filter(|check| check.decides()).map(|c| c.timing).collect()
                });
                if timings.is_empty() {
                    worst.unchecked(of.region).add(snapshot, id);
                }
                for timing in timings {
                    let (detection, cut_over) = worst_case(*timing, record.ttl, record.ttl_min);
                    if worst.times.is_none_or(|(_, known, _)| cut_over > known) {
                        worst.times = Some((detection, cut_over, id));
                    }
                }
            }
        }
        worst
    }

    fn unchecked(&mut self, region: RegionId) -> &mut Several {
        let at = self.unchecked.iter().position(|(known, _)| *known == region);
        let at = at.unwrap_or_else(|| {
            self.unchecked.push((region, Several::default()));
            self.unchecked.len() - 1
        });
        &mut self.unchecked[at].1
    }
}

fn reasons(
    after: &Snapshot,
    down: &[RegionId],
    regions: &[RegionLoad],
    left: &Several,
    worst: &Worst,
) -> Vec<Reason> {
    let foresight = &after.assembly.foresight;
    let mut reasons = Vec::new();
    let mut add = |risk, text| reasons.push(reason(foresight, risk, text));
    if left.count > 0 {
        let all: Vec<String> = down.iter().map(|id| name(after, *id)).collect();
        let text = format!("nothing but {} answers {}", all.join(" and "), left.text());
        add(Risk::SingleRegion, text);
    }
    for (region, records) in &worst.unchecked {
        let text = format!(
            "{} has no check in {}: its death would not be noticed",
            name(after, *region),
            records.text()
        );
        add(Risk::NoCheck, text);
    }
    for text in overloads(regions, "would bear") {
        add(Risk::NoHeadroom, text);
    }
    if let Some((_, cut_over, id)) = worst.times
        && cut_over > foresight.cut_over_max
    {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        let record = &after.assembly.records[id.index()].name;
        let text = format!(
            "clients of {record} may stay for {}, longer than {}",
            time(cut_over),
            time(foresight.cut_over_max)
        );
        add(Risk::LongTtl, text);
    }
    reasons
}

/// A sentence for each region that bears more than it can.
pub(super) fn overloads(regions: &[RegionLoad], bears: &str) -> Vec<String> {
    let over = regions.iter().filter(|region| !region.down).filter_map(|region| {
        let (load, capacity) = (region.load?, region.capacity?);
        is_over(load, capacity).then(|| {
            let part = percent(load / capacity);
            format!("{} {bears} {} of {} ({part})", region.region, figure(load), figure(capacity))
        })
    });
    over.collect()
}

/// Whether a load is above a capacity, and not by rounding alone.
pub(super) fn is_over(load: f64, capacity: f64) -> bool {
    load > capacity * (1.0 + 1e-9)
}
