//! Hot: the same client network, the same region, on every nameserver: weighted rendezvous hashing.
//!
//! Each group with a share draws a number that depends on the client's network and the group's name
//! alone, in such a way that the least one is each group's as often as its share says. So when a
//! share changes, networks move only from or to that group, and no nameserver needs to know of
//! another. `docs/health-and-routing.md` has the formula for others to reproduce; changing anything
//! here moves clients while nameservers are upgraded one by one.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

use crate::model::{Digest, Node, Region, Slot, Tree, mix};

use super::distribution::{NODATA, position};
use super::offer::Group;

/// One group of a sticky distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stick {
    seed: u64,
    share: f64,
    position: u16,
}

impl Stick {
    /// The number that a network draws for the group; the least one wins.
    #[inline]
    fn score(&self, network: u64) -> f64 {
        -libm::log(unit(mix(self.seed ^ network))) / self.share
    }
}

/// The position that a network draws.
#[inline]
pub(super) fn draw(sticks: &[Stick], network: u64) -> u16 {
    let mut best = (f64::INFINITY, NODATA);
    for stick in sticks {
        let score = stick.score(network);
        if score < best.0 {
            best = (score, stick.position);
        }
    }
    best.1
}

/// A number between 0 and 1, neither of them, from the highest 52 bits; exact.
#[inline]
fn unit(random: u64) -> f64 {
    ((random >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// What the groups of a tree are known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seeds {
    /// Of the regions' slots, then of the rings'.
    slots: Box<[u64]>,
    /// How many of them are regions'.
    regions: usize,
    nodata: u64,
}

impl Seeds {
    /// Regions go by their names; a ring by its policy's, or by those of its members, joined by
    /// commas; an empty answer by a word that no region or policy can have.
    pub(super) fn new(tree: &Tree, regions: &[Region]) -> Self {
        let name = |slot: &Slot| {
            let region = tree.slots.get(slot.index()).and_then(|id| regions.get(id.index()));
            region.map_or("", |region| &*region.name)
        };
        let mut rings: Vec<(Slot, u64)> = (tree.nodes.iter())
            .filter_map(|node| match &node.node {
                Node::Multivalue { members, ring, .. } => {
                    let joined = || members.iter().map(name).collect::<Vec<_>>().join(",");
                    Some((*ring, node.name.as_ref().map_or_else(|| seed(&joined()), |n| seed(n))))
                }
                _ => None,
            })
            .collect();
        rings.sort_by_key(|(ring, _)| *ring);
        let regions = (0..tree.slots.len()).map(|slot| seed(name(&Slot(slot as u16))));
        let slots = regions.chain(rings.into_iter().map(|(_, seed)| seed)).collect();
        Self { slots, regions: tree.slots.len(), nodata: seed("nodata") }
    }

    /// The groups of an offer, as a draw reads them.
    pub(super) fn sticks(&self, shares: &[(Group, f64)]) -> Box<[Stick]> {
        let stick = |&(group, share): &(Group, f64)| {
            let seed = match group {
                Group::Slot(slot) => self.of(slot),
                Group::Nodata => self.nodata,
            };
            Stick { seed, share, position: position(group) }
        };
        shares.iter().map(stick).collect()
    }

    /// That of a slot. While a region is drained in part, a ring without it stands so many rings behind
    /// the one with it, and is another group: its seed is the digest of the ring's and how often.
    fn of(&self, slot: Slot) -> u64 {
        let rings = self.slots.len().saturating_sub(self.regions);
        let (mut at, mut behind) = (slot.index(), 0_u64);
        while rings > 0 && at >= self.slots.len() {
            (at, behind) = (at.saturating_sub(rings), behind.saturating_add(1));
        }
        let own = self.slots.get(at).copied().unwrap_or_default();
        if behind == 0 { own } else { mix(own.wrapping_add(behind)) }
    }
}

/// The digest of a name in lower case.
fn seed(name: &str) -> u64 {
    Digest::new().text(&name.to_ascii_lowercase()).finish()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::model::{NodeId, OnAllDown, PolicyNode, PoolId, RegionId, Weight};

    /// The seed of us-east is that of the example in `docs/health-and-routing.md`; the others were
    /// worked out apart from this program.
    #[test]
    fn groups_are_known_by_their_names() {
        let region = |name: &str| Region {
            name: name.into(),
            weight: Weight::DEFAULT,
            location: None,
            capacity: None,
            pool: PoolId(0),
        };
        let ring = |name: Option<&str>, ring| PolicyNode {
            name: name.map(Into::into),
            min_up: 0,
            node: Node::Multivalue {
                members: vec![Slot(0), Slot(1)],
                ring: Slot(ring),
                max_answers: None,
            },
        };
        let tree = Tree {
            // Slots need not be in the order of the nodes.
            nodes: vec![ring(Some("Everywhere"), 3), ring(None, 2)],
            root: NodeId(0),
            on_all_down: OnAllDown::Open,
            slots: vec![RegionId(1), RegionId(0)],
            sticky: true,
        };
        let seeds = Seeds::new(&tree, &[region("eu-west"), region("us-east")]);
        const US_EAST: u64 = 0x2db1_e743_33d9_8155;
        const EU_WEST: u64 = 0xb421_4b32_cf85_eee5;
        const BOTH: u64 = 0xdc13_d646_77d0_3fdd;
        const EVERYWHERE: u64 = 0xf2ec_8567_58e5_b54b;
        const NODATA: u64 = 0x7579_3b58_a4ff_f929;
        assert_eq!(*seeds.slots, [US_EAST, EU_WEST, BOTH, EVERYWHERE]);
        let groups = [Group::Slot(Slot(0)), Group::Slot(Slot(3)), Group::Nodata];
        let sticks = seeds.sticks(&groups.map(|group| (group, 0.25)));
        let of: Vec<_> = sticks.iter().map(|stick| (stick.seed, stick.position)).collect();
        assert_eq!(of, [(US_EAST, 0), (EVERYWHERE, 3), (NODATA, u16::MAX)]);
    }
}
