//! What a compile sees of one binding: its pools, how far they are, and what is remembered.

use std::time::Duration;

use crate::model::{
    Binding, BindingId, Family, Forced, Forcing, OnAllDown, PoolId, RegionId, Slot, Tree,
};

use super::assembly::Assembly;
use super::inputs::{Inputs, PoolStanding, Remembered, Standing};
use super::levels::{Health, Stands};
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
    /// The places that another region answers for, in part or in all answers.
    shifts: Vec<Shift>,
    /// How soon something else will be forced on a region that takes part.
    pub(super) flip: Option<Duration>,
}

/// A place that another region answers for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shift {
    place: Slot,
    by: Slot,
    /// In which part of the answers, above 0.
    part: f64,
}

/// A part of the answers, and the health by which it is decided. While something is drained or shifted
/// in part there are several.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// How large a part; all sides sum to 1. One of 0 is used where all others are all down.
    pub(super) share: f64,
    /// A pool of which more than this is drained counts as drained, and one of which more than this is
    /// shifted as shifted.
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
    /// The part that another slot answers for, and that; nothing is 0.
    shifted: u64,
    by: Slot,
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
        self.look_ahead(tree);
    }

    /// Finds who answers in whose place, and how soon something else is forced. Nobody stands in for who
    /// takes no part, nor does who takes none.
    fn look_ahead(&mut self, tree: &Tree) {
        self.shifts.clear();
        self.flip = None;
        for (place, forcing) in self.forcings.iter().enumerate() {
            if self.pools.get(place).copied().flatten().is_none() {
                continue;
            }
            self.flip = self.flip.into_iter().chain(forcing.flip).min();
            let Some(shifted) = forcing.shifted.filter(|shifted| shifted.part > 0.0) else {
                continue;
            };
            let by = tree.slots.iter().position(|region| *region == shifted.to);
            if let Some(by) = by.filter(|by| self.pools.get(*by).copied().flatten().is_some()) {
                let (place, by) = (Slot(place as u16), Slot(by as u16));
                self.shifts.push(Shift { place, by, part: shifted.part });
            }
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
            let shift = self.shifts.iter().find(|shift| shift.place.index() == slot);
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
                shifted: shift.map_or(0, |shift| shift.part.to_bits()),
                by: shift.map_or(Slot(0), |shift| shift.by),
            }
        })
    }

    /// The parts of the answers for a family, the one with least drained and shifted first.
    ///
    /// Of a pool the part f is drained: so much of the answers is decided as if it were drained, and
    /// the rest as if it were not; or another region answers for it in so much of them. Several such
    /// pools are drained in the same answers, so that there is one part more than there are different f.
    ///
    /// What is shifted altogether is there for nobody, but that the others' answers would be all down:
    /// for that there is one more side, of no share.
    pub(super) fn sides(&self, asked: Family) -> Vec<Side> {
        let drained = self.forcings.iter().map(|forcing| forcing.drained);
        let parts = drained.chain(self.shifts.iter().map(|shift| shift.part));
        let mut cuts: Vec<f64> = parts.filter(|part| *part > 0.0 && *part < 1.0).collect();
        cuts.push(0.0);
        cuts.sort_unstable_by(f64::total_cmp);
        cuts.dedup();
        let ends = cuts.iter().skip(1).copied().chain([1.0]);
        let side = |(cut, end): (&f64, f64)| Side {
            share: end - cut,
            cut: *cut,
            health: self.health(asked, *cut, &self.shifts),
        };
        let mut sides: Vec<Side> = cuts.iter().zip(ends).map(side).collect();
        sides.reverse();
        if self.shifts.iter().any(|shift| shift.part >= 1.0) {
            let cut = 1.0 - f64::EPSILON;
            sides.push(Side { share: 0.0, cut, health: self.health(asked, cut, &[]) });
        }
        sides
    }

    /// The levels that a walk for a family goes by.
    fn health(&self, asked: Family, cut: f64, shifts: &[Shift]) -> Health {
        let forced = self.forcings.iter().map(|forcing| forcing.forced(cut)).collect();
        let mut health = Health::new(&self.pools, forced);
        health.rtts.clone_from(&self.rtts);
        health.weights.extend(self.forcings.iter().map(|forcing| forcing.weight));
        for (slot, h) in self.remembered(asked).iter().enumerate() {
            if let Some(family) = self.counts(slot, asked) {
                health.remember(slot, family, *h);
            }
        }
        let shifts = shifts.iter().filter(|shift| shift.part > cut);
        health.stands = Stands::new(shifts.map(|shift| (shift.place, shift.by)).collect());
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
