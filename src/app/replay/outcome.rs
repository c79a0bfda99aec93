//! What a configuration makes of a query: by the tables that serve, and nothing drawn that is not fixed.

use ipnet::IpNet;

use crate::model::{Family, RecordId, Slot};
use crate::routing::{Asker, ClassSide, Found, Group, Pick, ServedRecord, Side, Snapshot};

use super::movement::{Goal, Spread};
use super::names::Way;

/// What decides how a query is answered: all that have the same are answered by the same shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Outcome {
    /// The position of the client's class.
    class: u32,
    /// What the client's network keeps to.
    kept: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
enum Kept {
    /// Nothing: each answer is drawn anew.
    #[default]
    No,
    /// An empty answer.
    Nodata,
    /// This slot.
    Slot(Slot),
}

/// What else is to be known of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Beside {
    /// The reply is nothing but CNAMEs: the client asks for the record's own name next.
    pub(super) apart: bool,
    /// The client was logged as a network, and within that clients are told apart.
    pub(super) coarse: bool,
}

/// Looks a client up as the engine does.
pub(super) fn outcome(
    snapshot: &Snapshot,
    way: &Way,
    family: Family,
    asker: &Asker,
    network: Option<IpNet>,
) -> (Outcome, Beside) {
    let nothing = (Outcome::default(), Beside::default());
    let &Way::Record { id, by_alias } = way else { return nothing };
    let Some((record, side)) = snapshot.side(id, family) else { return nothing };
    let asker = Asker { subnet: asker.subnet.filter(|_| snapshot.options.client_subnet), ..*asker };
    let table = snapshot.places.table(record.tree);
    let found = table.map_or_else(Found::default, |table| table.find(&asker));
    // The engine tells these in a reply of their own: what is before them is for all clients.
    let is_there = side.tails.iter().any(|tail| tail.count() > 0);
    let apart = by_alias && asker.subnet.is_some() && is_there && found.scope > 0;
    let coarse = table.zip(network).is_some_and(|(table, network)| match asker.subnet {
        Some((_, len)) if found.by_subnet => found.scope > len,
        _ => {
            let len = network.prefix_len();
            table.find(&Asker { subnet: Some((network.addr(), len)), ..asker }).scope > len
        }
    });
    let kept = match side.class(found.class).map(|class| &class.distribution.pick) {
        Some(pick @ Pick::Sticky(_)) => {
            pick.draw(0, found.network).map_or(Kept::Nodata, Kept::Slot)
        }
        _ => Kept::No,
    };
    (Outcome { class: found.class, kept }, Beside { apart, coarse })
}

/// From where such a query is answered, and by which shares.
pub(super) fn spread(snapshot: &Snapshot, way: &Way, family: Family, outcome: Outcome) -> Spread {
    let id = match way {
        Way::Record { id, .. } => *id,
        Way::Fixed(goal) => return Spread::all(goal.clone()),
    };
    let Some((record, side)) = snapshot.side(id, family) else {
        return Spread::all(Goal::NoAddress);
    };
    let Some(class) = side.class(outcome.class) else { return Spread::all(Goal::NoAddress) };
    let from = From { snapshot, record, side, class };
    let mut spread = Spread::default();
    spread.ttl = Some(record.ttl(class));
    match outcome.kept {
        Kept::Nodata => spread.add(Goal::NoAddress, 1.0, Vec::new),
        Kept::Slot(slot) => from.add(Group::Slot(slot), 1.0, &mut spread),
        Kept::No => {
            let shares = &class.distribution.shares;
            shares.iter().for_each(|&(group, share)| from.add(group, share, &mut spread));
        }
    }
    if spread.is_empty() {
        spread.add(Goal::NoAddress, 1.0, Vec::new);
    }
    spread
}

/// The name of a record.
pub(super) fn name(snapshot: &Snapshot, id: RecordId) -> String {
    let record = snapshot.assembly.records.get(id.index());
    record.map(|record| record.name.to_string()).unwrap_or_default()
}

/// What one class of clients is answered from.
struct From<'a> {
    snapshot: &'a Snapshot,
    record: &'a ServedRecord,
    side: &'a Side,
    class: &'a ClassSide,
}

impl From<'_> {
    fn add(&self, group: Group, share: f64, to: &mut Spread) {
        let slot = match group {
            Group::Nodata => return to.add(Goal::NoAddress, share, Vec::new),
            Group::Slot(slot) => slot,
        };
        let ring = slot.index().checked_sub(self.side.tails.len());
        match ring.and_then(|ring| self.class.rings.get(ring)) {
            None => self.region(slot, share, to),
            // An answer starts at any address of a ring: each is in as many answers as any other.
            Some(ring) => {
                let part = share / ring.slots.len().max(1) as f64;
                ring.slots.iter().for_each(|slot| self.region(*slot, part, to));
            }
        }
    }

    fn region(&self, slot: Slot, share: f64, to: &mut Spread) {
        let assembly = &self.snapshot.assembly;
        let tree = assembly.trees.get(self.record.tree.index());
        let region = tree.and_then(|tree| tree.slots.get(slot.index()));
        let region = region.and_then(|region| assembly.regions.get(region.index()));
        let name = region.map(|region| region.name.to_string()).unwrap_or_default();
        let tail = self.side.tails.get(slot.index());
        to.add(Goal::Region(name), share, || {
            tail.map(|tail| tail.data().map(Into::into).collect()).unwrap_or_default()
        });
    }
}
