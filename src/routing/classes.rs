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
use super::offer::{Class, Event, Group, Trace, Walk};
use super::places::Table;
use super::settle::{Reason, Settled};
use super::sight::Sight;
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
        let health = sight.health(family);
        let (mut known, mut distinct) = (HashMap::<Box<[u64]>, u32>::new(), Vec::new());
        let mut key = Vec::new();
        let of_class = classes.iter().map(|class| {
            let walked = Walked::new(tree, family, class, &health, &mut ());
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

/// What one class of clients is answered in one family. Whoever wants to know why brings a trace.
pub(super) fn flatten(
    tree: &Tree,
    family: Family,
    class: &Class,
    health: &Health,
    trace: &mut impl Trace,
) -> Distribution {
    Walked::new(tree, family, class, health, trace).distribution(None)
}

/// A walk and what it came to; its shares are in the order of the slots.
struct Walked<'a> {
    walk: Walk<'a>,
    settled: Settled,
    /// The root's reason, or that of the first fence that is all down.
    reason: Reason,
}

impl<'a> Walked<'a> {
    fn new(
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

    /// All that its distribution depends on, beside the tree and health.
    fn key(&self, key: &mut Vec<u64>) {
        key.clear();
        key.push(self.reason as u64 | (self.settled.reading as u64) << 8);
        key.extend(self.settled.offer.shares.iter().flat_map(|(group, share)| {
            let group = match group {
                Group::Slot(slot) => u64::from(slot.0),
                Group::Nodata => u64::MAX,
            };
            [group, share.to_bits()]
        }));
    }

    fn distribution(self, seeds: Option<&Seeds>) -> Distribution {
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
        let rings = rings.into_iter().map(|(_, of)| of).collect();
        Distribution::new(self.settled.offer, self.reason, rings, seeds)
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
