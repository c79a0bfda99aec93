//! What each class of clients of a tree draws from, in one family.
//!
//! A tree may tell apart tens of thousands of classes, which mostly come to a few distributions:
//! each is made once, and classes point to it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Family, Node, Slot, Tree, TreeId};

use super::assembly::Assembly;
use super::distribution::{Distribution, RingOf};
use super::levels::{Health, Reading};
use super::offer::{Class, Event, Group, Offer, Trace, Walk};
use super::places::Table;
use super::settle::{Reason, Settled};
use super::sight::{Side, Sight};
use super::sticky::Seeds;

/// The distributions of a tree's classes in one family.
#[derive(Debug)]
pub(super) struct Classes {
    /// For each class the position of its distribution.
    pub(super) of_class: Arc<[u32]>,
    /// Each once, in order of first use.
    pub(super) distinct: Vec<Arc<Distribution>>,
}

impl Classes {
    /// Walks a tree for each of its classes.
    pub(super) fn new(assembly: &Assembly, id: TreeId, family: Family, sight: &Sight<'_>) -> Self {
        let unknown = [Class::default()];
        let classes = assembly.places.table(id).map_or(&unknown[..], Table::classes);
        let tree = &assembly.trees[id.index()];
        let sides = sight.sides(family);
        let (mut known, mut distinct) = (HashMap::<Box<[u64]>, u32>::new(), Vec::new());
        let mut key = Vec::new();
        let of_class = classes.iter().map(|class| {
            let walked = Sides::all(tree, family, class, &sides);
            walked.key(&mut key);
            if let Some(position) = known.get(key.as_slice()) {
                return *position;
            }
            let position = distinct.len() as u32;
            known.insert(key.as_slice().into(), position);
            distinct.push(Arc::new(walked.distribution(assembly.seeds(id))));
            position
        });
        Self { of_class: of_class.collect(), distinct }
    }
}

/// What one class of clients is answered in one family.
pub(super) fn flatten(tree: &Tree, family: Family, class: &Class, sides: &[Side]) -> Distribution {
    Sides::all(tree, family, class, sides).distribution(None)
}

/// The walks of all sides, and the part of the answers that each decides.
struct Sides<'a>(Vec<(f64, Walked<'a>)>);

impl<'a> Sides<'a> {
    fn all(tree: &'a Tree, family: Family, class: &'a Class, sides: &'a [Side]) -> Self {
        let walk =
            |side: &'a Side| (side.share, Walked::new(tree, family, class, &side.health, &mut ()));
        Self(deciding(sides.iter().map(walk).collect(), Walked::is_all_down))
    }

    /// All that its distribution depends on, beside the tree and health.
    fn key(&self, key: &mut Vec<u64>) {
        key.clear();
        for (share, walked) in &self.0 {
            key.push(share.to_bits());
            walked.key(key);
        }
    }

    /// Puts the sides together. A ring that holds others in one side than in another is another group
    /// there: its slot is so many rings behind.
    fn distribution(mut self, seeds: Option<&Seeds>) -> Distribution {
        if self.0.len() == 1
            && let Some((_, walked)) = self.0.pop()
        {
            let rings = walked.rings();
            return Distribution::new(walked.settled.offer, walked.reason, rings, seeds);
        }
        let reasons = || self.0.iter().map(|(_, walked)| walked.reason);
        let told = reasons().find(|reason| reason.is_all_down());
        let told = told.or_else(|| reasons().find(|reason| *reason == Reason::Available));
        let reason = told.or_else(|| reasons().next()).unwrap_or(Reason::Nothing);
        // Of who answers for another, one may have the family and one not.
        let any = self.0.iter().any(|(_, walked)| !walked.settled.offer.shares.is_empty());
        let mut all = Mixed::default();
        for (share, walked) in self.0 {
            let regions = walked.walk.tree.slots.len();
            let rings = walked.rings();
            let offer = match walked.settled.offer {
                offer if offer.shares.is_empty() && any => Offer::one(Group::Nodata, 1.0),
                offer => offer,
            };
            all.add(offer, share, rings, regions);
        }
        all.offer.shares.sort_unstable_by_key(|(group, _)| *group);
        Distribution::new(all.offer, reason, all.rings, seeds)
    }
}

/// The sides that decide anything, each with its part of the answers; these sum to 1. A side that is
/// all down gives way to those that are not; when all are, there is the first alone: the one with least
/// drained and shifted.
pub(super) fn deciding<T>(
    mut sides: Vec<(f64, T)>,
    all_down: impl Fn(&T) -> bool,
) -> Vec<(f64, T)> {
    let counts = |(share, side): &(f64, T)| *share > 0.0 && !all_down(side);
    let steps_in = |(_, side): &(f64, T)| !all_down(side);
    if sides.iter().any(counts) {
        sides.retain(counts);
    } else {
        let first = sides.iter().position(steps_in).unwrap_or_default();
        sides = sides.into_iter().skip(first).take(1).map(|(_, side)| (1.0, side)).collect();
    }
    let total: f64 = sides.iter().map(|(share, _)| share).sum();
    sides.iter_mut().for_each(|(share, _)| *share /= total);
    sides
}

/// Several sides together.
#[derive(Default)]
struct Mixed {
    offer: Offer,
    rings: Vec<RingOf>,
}

impl Mixed {
    fn add(&mut self, offer: Offer, share: f64, rings: Vec<RingOf>, regions: usize) {
        let of_a_side = rings.len();
        let first = self.rings.is_empty();
        let mut shift = vec![0; of_a_side];
        if !first {
            for (at, ring) in rings.iter().enumerate() {
                // A side before may have the same in its place.
                let same = self.rings.iter().enumerate().skip(at).step_by(of_a_side);
                let same = same.map(|(place, known)| (place - at, known)).find(|(_, k)| *k == ring);
                shift[at] = same.map_or(self.rings.len(), |(shift, _)| shift);
            }
        }
        if first || shift.contains(&self.rings.len()) {
            self.rings.extend(rings);
        }
        for (group, part) in offer.shares {
            let group = match group {
                Group::Slot(slot) => {
                    let shift = slot.index().checked_sub(regions).and_then(|ring| shift.get(ring));
                    let moved = slot.index() + shift.copied().unwrap_or_default();
                    Group::Slot(u16::try_from(moved).map_or(slot, Slot))
                }
                Group::Nodata => group,
            };
            self.offer.add(&Offer { shares: vec![(group, part)] }, share);
        }
    }
}

/// One walk and what it came to; its shares are in the order of the slots.
pub(super) struct Walked<'a> {
    walk: Walk<'a>,
    pub(super) settled: Settled,
    /// The root's reason, or that of the first fence that is all down.
    reason: Reason,
}

impl<'a> Walked<'a> {
    /// Walks a tree once. Whoever wants to know why brings a trace.
    pub(super) fn new(
        tree: &'a Tree,
        family: Family,
        class: &'a Class,
        health: &'a Health,
        trace: &mut impl Trace,
    ) -> Self {
        let walk = Walk { tree, family, class, health, reading: Reading::Judged };
        let mut fences = Fences { trace, down: None };
        let mut settled = walk.settle(tree.root, &mut fences);
        let reason = fences.down.unwrap_or(settled.reason);
        settled.offer.shares.sort_unstable_by_key(|(group, _)| *group);
        Self { walk, settled, reason }
    }

    /// Whether its root is all down.
    pub(super) const fn is_all_down(&self) -> bool {
        self.settled.reason.is_all_down()
    }

    fn key(&self, key: &mut Vec<u64>) {
        key.push(self.reason as u64 | (self.settled.reading as u64) << 8);
        key.push(self.settled.offer.shares.len() as u64);
        key.extend(self.settled.offer.shares.iter().flat_map(|(group, share)| {
            let group = match group {
                Group::Slot(slot) => u64::from(slot.0),
                Group::Nodata => u64::MAX,
            };
            [group, share.to_bits()]
        }));
    }

    /// What the rings of the tree hold, in the order of their slots.
    pub(super) fn rings(&self) -> Vec<RingOf> {
        let mut rings: Vec<(Slot, RingOf)> = Vec::new();
        for node in &self.walk.tree.nodes {
            let Node::Multivalue { members, ring, max_answers } = &node.node else { continue };
            let of = match self.settled.offer.has(*ring) {
                true => RingOf { members: self.in_force(members), max_answers: *max_answers },
                false => RingOf::default(),
            };
            rings.push((*ring, of));
        }
        rings.sort_by_key(|(ring, _)| *ring);
        rings.into_iter().map(|(_, of)| of).collect()
    }

    /// The regions of a ring that has a share. When none of them has anything under the reading
    /// that the root was settled under, the ring stands within a fence that was settled under
    /// another.
    fn in_force(&self, members: &[Slot]) -> Vec<Slot> {
        let readings = [self.settled.reading].into_iter().chain(Reading::ALL);
        let mut rings = readings.map(|reading| Walk { reading, ..self.walk }.ring(members));
        rings.find(|ring| !ring.is_empty()).unwrap_or_default()
    }
}

/// Notes the first root or fence that was found all down, and passes everything on. A fence always
/// has something to offer, so each that is walked has a part in the answer.
struct Fences<'a, T> {
    trace: &'a mut T,
    down: Option<Reason>,
}

impl<T: Trace> Trace for Fences<'_, T> {
    fn tell(&mut self, event: Event<'_>) {
        if let Event::Settles(reason) = event {
            self.down = self.down.or(Some(reason).filter(|reason| reason.is_all_down()));
        }
        self.trace.tell(event);
    }
}
