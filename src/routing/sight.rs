//! What a compile sees of one binding: its pools, how far they are, and what is remembered.

use std::time::Duration;

use crate::model::{Binding, BindingId, Family, Forced, Forcing, OnAllDown, PoolId, RegionId};

use super::assembly::Assembly;
use super::inputs::{Inputs, PoolStanding, Remembered, Standing};
use super::levels::Health;
use super::snapshot::Snapshot;

/// The inputs of one binding, by the slots of its tree.
#[derive(Debug, Default)]
pub(super) struct Sight<'a> {
    /// The standings of its pools; `None` takes no part.
    pub(super) pools: Vec<Option<&'a PoolStanding>>,
    /// The round-trip time to the region of each slot, in a tree that may depend on it.
    rtts: Vec<Option<Duration>>,
    /// What `last_good` goes back to, in a tree that asks for it.
    remembered: Option<&'a Remembered>,
    /// What is forced on each slot; empty when nothing is forced anywhere.
    pub(super) forcings: Vec<Forcing>,
}

/// A part of the answers, and the health by which it is decided. While something is drained in part
/// there are several.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// How large a part, above 0; all sides sum to 1.
    pub(super) share: f64,
    /// A pool of which more than this is drained counts as drained.
    pub(super) cut: f64,
    pub(super) health: Health,
}

/// All that a walk for a family sees of a slot: where slots look alike, shares are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    family: Option<Family>,
    live: bool,
    unresolved: bool,
    h: u64,
    spare: u64,
    remembered: u64,
    rtt: Option<Duration>,
    /// The part that is drained, and all else that is forced; nothing is 0.
    drained: u64,
    forced: u32,
}

impl<'a> Sight<'a> {
    pub(super) fn new(assembly: &Assembly, binding: BindingId, inputs: &'a Inputs) -> Self {
        let mut sight = Self::default();
        sight.look(assembly, binding, inputs);
        sight
    }

    /// Looks at another binding, in the same memory: for compiles of very many.
    pub(super) fn look(&mut self, assembly: &Assembly, binding: BindingId, inputs: &'a Inputs) {
        let Binding { tree: id, pools } = &assembly.bindings[binding.index()];
        let tree = &assembly.trees[id.index()];
        let standing = |pool: &Option<PoolId>| Some(inputs.pools.get((*pool)?.index())?.as_ref());
        self.pools.clear();
        self.pools.extend(pools.iter().map(standing));
        self.rtts.clear();
        if assembly.timed().is_some_and(|timed| timed.tree(*id)) {
            let rtt = |region: &RegionId| inputs.rtts.get(region.index()).copied().flatten();
            self.rtts.extend(tree.slots.iter().map(rtt));
        }
        let asks = tree.on_all_down == OnAllDown::LastGood;
        let memory = inputs.last_good.get(binding.index()).filter(|_| asks);
        self.remembered = memory.and_then(Option::as_deref);
        self.forcings.clear();
        if !inputs.forces.is_empty() {
            let forcing = |region: &RegionId| inputs.forces.of(binding, *region);
            self.forcings.extend(tree.slots.iter().map(forcing));
        }
    }

    /// The family whose health counts in a slot when one is asked for: the other one where the
    /// pool has not the one asked, for then it can still keep its place.
    pub(super) fn counts(&self, slot: usize, asked: Family) -> Option<Family> {
        let pool = self.pools.get(slot).copied().flatten()?;
        [asked, asked.other()].into_iter().find(|family| pool.family(*family).count > 0)
    }

    /// What a walk for a family sees, slot by slot; of a pool nothing but the family that counts.
    pub(super) fn seen(&self, asked: Family) -> impl Iterator<Item = Seen> {
        let remembered = self.remembered(asked);
        self.pools.iter().enumerate().map(move |(slot, pool)| {
            let family = self.counts(slot, asked);
            let standing = family.and_then(|family| Some(pool.as_ref()?.family(family)));
            Seen {
                family,
                live: standing.is_some_and(|standing| !standing.live.is_empty()),
                unresolved: standing.is_some_and(Standing::is_unresolved),
                h: standing.map_or(0, |standing| standing.h.to_bits()),
                spare: standing.map_or(0, |standing| standing.spare.to_bits()),
                remembered: remembered.get(slot).map_or(0, |h| h.to_bits()),
                rtt: self.rtts.get(slot).copied().flatten(),
                drained: self.forcings.get(slot).map_or(0, |forcing| forcing.drained.to_bits()),
                forced: self.forcings.get(slot).map_or(0, |forcing| {
                    let weight = forcing.weight.map_or(0, |weight| u32::from(weight.0) + 1);
                    u32::from(forcing.up) | u32::from(forcing.down) << 1 | weight << 2
                }),
            }
        })
    }

    /// The parts of the answers for a family, the one with least drained first.
    ///
    /// Of a pool the part f is drained: so much of the answers is decided as if it were drained, and
    /// the rest as if it were not. Several such pools are drained in the same answers, so that there
    /// is one part more than there are different f.
    pub(super) fn sides(&self, asked: Family) -> Vec<Side> {
        let partly = self.forcings.iter().map(|forcing| forcing.drained);
        let mut cuts: Vec<f64> = partly.filter(|part| *part > 0.0 && *part < 1.0).collect();
        if cuts.is_empty() {
            return vec![Side { share: 1.0, cut: 0.0, health: self.health(asked, 0.0) }];
        }
        cuts.sort_unstable_by(f64::total_cmp);
        cuts.dedup();
        cuts.insert(0, 0.0);
        let ends = cuts.iter().skip(1).copied().chain([1.0]);
        let parts = cuts.iter().zip(ends).map(|(cut, end)| Side {
            share: end - cut,
            cut: *cut,
            health: self.health(asked, *cut),
        });
        let mut sides: Vec<Side> = parts.collect();
        sides.reverse();
        sides
    }

    /// The levels that a walk for a family goes by.
    fn health(&self, asked: Family, cut: f64) -> Health {
        let forced = self.forcings.iter().map(|forcing| forcing.forced(cut)).collect();
        let mut health = Health::new(&self.pools, forced);
        health.rtts.clone_from(&self.rtts);
        health.weights.extend(self.forcings.iter().map(|forcing| forcing.weight));
        for (slot, h) in self.remembered(asked).iter().enumerate() {
            if let Some(family) = self.counts(slot, asked) {
                health.remember(slot, family, *h);
            }
        }
        health
    }

    fn remembered(&self, asked: Family) -> &'a [f64] {
        self.remembered.and_then(|r| r.family[asked.index()].as_deref()).unwrap_or_default()
    }
}

impl Snapshot {
    /// The health in force in a binding, to be remembered as its last good one for a family:
    /// unless something is all down in any class, or an address that counts is in doubt.
    pub fn good(
        &self,
        binding: BindingId,
        family: Family,
        doubtful: impl Fn(PoolId, Family) -> bool,
    ) -> Option<Box<[f64]>> {
        let served = self.bindings.get(binding.index())?;
        if served.is_all_down(family) {
            return None;
        }
        let inputs = self.inputs();
        let sight = Sight::new(&self.assembly, binding, &inputs);
        let pools = &self.assembly.bindings[binding.index()].pools;
        let factor = |slot: usize| {
            let Some(counts) = sight.counts(slot, family) else { return Some(0.0) };
            let doubt =
                pools.get(slot).copied().flatten().is_some_and(|pool| doubtful(pool, counts));
            let pool = sight.pools.get(slot).copied().flatten()?;
            let forcing = sight.forcings.get(slot).copied().unwrap_or_default();
            match forcing.forced(1.0 - f64::EPSILON) {
                Forced::Down | Forced::Drained => Some(0.0),
                Forced::Up => Some(1.0),
                Forced::No => (!doubt).then_some(pool.family(counts).h),
            }
        };
        (0..pools.len()).map(factor).collect()
    }
}
