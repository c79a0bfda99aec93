//! The shares of regions in all answers, and the loads that follow from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mix::Mix;
use super::weigh::{At, walk};
use crate::model::{Family, RegionId, Slot};
use crate::routing::{
    ClassSide, Group, Inputs, PoolStanding, ServedRecord, Side, Snapshot, compile,
};

/// The part of all answers that each region gives. All of them and `unanswered` sum to 1, or to nothing
/// where there are no records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shares {
    /// By [`RegionId`]. Of an answer from several regions each counts for its part of the addresses.
    pub regions: Vec<f64>,
    /// What is answered with nothing.
    pub unanswered: f64,
}

/// The load of all regions together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// It, in the unit of capacities.
    pub load: f64,
    /// Whether it is configured; else it is the most that the regions can bear when all is healthy.
    pub configured: bool,
}

/// The shares of regions in a snapshot's answers, for those who ask.
#[must_use]
pub fn shares(snapshot: &Snapshot, mix: &Mix) -> Shares {
    let mut shares =
        Shares { regions: vec![0.0; snapshot.assembly.regions.len()], unanswered: 0.0 };
    let mut total = 0.0;
    walk(snapshot, snapshot, mix, |part| {
        if part.weight <= 0.0 {
            return;
        }
        total += part.weight;
        shares.add(snapshot, part.after, part.weight);
    });
    if total > 0.0 {
        shares.regions.iter_mut().for_each(|share| *share /= total);
        shares.unanswered /= total;
    }
    shares
}

/// What each region bears of a demand, by [`RegionId`].
#[must_use]
pub fn loads(demand: f64, shares: &Shares) -> Vec<f64> {
    shares.regions.iter().map(|share| share * demand).collect()
}

/// The load of all regions together: as configured, else the most that they can bear when all is healthy
/// and nothing is forced. `None`: no region that would answer then says what it can bear.
#[must_use]
pub fn demand(snapshot: &Snapshot, mix: &Mix) -> Option<Demand> {
    let assembly = &snapshot.assembly;
    if let Some(load) = assembly.foresight.demand {
        return Some(Demand { load, configured: true });
    }
    assembly.regions.iter().find(|region| region.capacity.is_some())?;
    let calm = shares(&healthy(snapshot), mix);
    let bears = |(region, share): (&crate::model::Region, &f64)| {
        region.capacity.filter(|_| *share > 0.0).map(|capacity| capacity / share)
    };
    let load = assembly.regions.iter().zip(&calm.regions).filter_map(bears).reduce(f64::min)?;
    Some(Demand { load, configured: false })
}

/// The same configuration with all up and nothing forced. What is up already costs nothing.
#[must_use]
pub fn healthy(snapshot: &Snapshot) -> Snapshot {
    let calm = |standing: &PoolStanding| {
        Family::BOTH.map(|family| standing.family(family)).iter().all(|family| {
            family.h >= 1.0 && family.live.len() == family.count && family.flip.is_none()
        })
    };
    let pools = snapshot.assembly.pools.iter().zip(snapshot.pools.iter());
    let pools = pools.map(|(pool, is)| match calm(is) {
        true => Arc::clone(is),
        false => Arc::new(PoolStanding::assumed(pool, true)),
    });
    let inputs =
        Inputs { pools: Arc::new(pools.collect()), forces: Arc::default(), ..snapshot.inputs() };
    compile(Some(snapshot), &snapshot.assembly, &inputs)
}

/// In which part of all answers each region has a part, by [`RegionId`], for those who ask: of an answer with
/// addresses of several regions each counts as a whole, as in `trimtab_dns_answers_total`.
#[must_use]
pub fn appearances(snapshot: &Snapshot, mix: &Mix) -> Vec<f64> {
    let mut regions = vec![0.0; snapshot.assembly.regions.len()];
    let mut total = 0.0;
    walk(snapshot, snapshot, mix, |part| {
        total += part.weight;
        let At { binding, side, class } = part.after;
        let binding = snapshot.assembly.bindings.get(binding.index());
        let tree = binding.and_then(|binding| snapshot.assembly.trees.get(binding.tree.index()));
        let record = snapshot.records.get(part.record.index());
        let (Some(tree), Some(record)) = (tree, record) else { return };
        for (group, share) in &class.distribution.shares {
            let Group::Slot(slot) = group else { continue };
            for (slot, within) in parts(record, side, class, *slot) {
                let region = tree.slots.get(slot.index());
                if let Some(sum) = region.and_then(|region| regions.get_mut(region.index())) {
                    *sum += share * within * part.weight;
                }
            }
        }
    });
    if total > 0.0 {
        regions.iter_mut().for_each(|part| *part /= total);
    }
    regions
}

/// The regions in the answers that a slot stands for, and in which part of these each is.
#[must_use]
pub fn parts(
    served: &ServedRecord,
    side: &Side,
    class: &ClassSide,
    slot: Slot,
) -> Vec<(Slot, f64)> {
    if side.tails.get(slot.index()).is_some() {
        return vec![(slot, 1.0)];
    }
    let Some(answer) = side.answer(class, slot) else { return Vec::new() };
    let all = answer.tail.count();
    let count = all.min(served.max_answers).min(answer.most);
    let mut parts: BTreeMap<Slot, f64> = BTreeMap::new();
    for start in 0..all {
        for slot in answer.regions(start, count) {
            *parts.entry(slot).or_default() += 1.0 / f64::from(all);
        }
    }
    parts.into_iter().collect()
}

impl Shares {
    /// Adds what clients draw from, so many times.
    pub(super) fn add(&mut self, snapshot: &Snapshot, at: At<'_>, weight: f64) {
        let mut answered = 0.0;
        each_region(snapshot, at, |region, share| {
            answered += share;
            if let Some(sum) = self.regions.get_mut(region.index()) {
                *sum += share * weight;
            }
        });
        self.unanswered += (1.0 - answered).max(0.0) * weight;
    }
}

/// Each region that clients draw, and its share; what is missing to 1 is answered with nothing. A region
/// may come more than once.
pub(super) fn each_region(snapshot: &Snapshot, at: At<'_>, mut tell: impl FnMut(RegionId, f64)) {
    let binding = snapshot.assembly.bindings.get(at.binding.index());
    let tree = binding.and_then(|binding| snapshot.assembly.trees.get(binding.tree.index()));
    let Some(tree) = tree else { return };
    for (group, share) in &at.class.distribution.shares {
        let Group::Slot(slot) = group else { continue };
        if let Some(tail) = at.side.tails.get(slot.index()) {
            if let Some(region) = tree.slots.get(slot.index()).filter(|_| tail.count() > 0) {
                tell(*region, *share);
            }
            continue;
        }
        // Answers begin anywhere in a ring, so each of its addresses is in as many.
        let ring = slot.index().checked_sub(at.side.tails.len());
        let Some(ring) = ring.and_then(|ring| at.class.rings.get(ring)) else { continue };
        let each = share / ring.slots.len().max(1) as f64;
        for slot in &ring.slots {
            if let Some(region) = tree.slots.get(slot.index()) {
                tell(*region, each);
            }
        }
    }
}
