//! The algebra of offers: what each node of a policy tree makes of health, for one class of
//! clients and one address family.
//!
//! An offer is a set of (answer group, share) whose sum is its *availability* `a`, 0 ≤ a ≤ 1. To
//! *fill* with a list of offers, each in turn takes the fraction aᵢ of what is left, and a pool
//! offered before offers nothing again. Nothing here knows why a level is what it is.

use crate::model::{Family, Member, MissingFamily, Node, NodeId, Slot, Tree};

use super::levels::{self, Health, Reading};

/// What a client can be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The pool or ring in this slot.
    Slot(Slot),
    /// An empty answer.
    Nodata,
}

/// A set of groups with shares that sum to an availability of at most 1.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offer {
    /// Each group once, in order of first appearance, shares above 0.
    pub shares: Vec<(Group, f64)>,
}

impl Offer {
    fn one(group: Group, share: f64) -> Self {
        Self { shares: if share > 0.0 { vec![(group, share)] } else { Vec::new() } }
    }

    /// The sum of its shares.
    #[must_use]
    pub fn availability(&self) -> f64 {
        self.shares.iter().map(|(_, share)| share).sum()
    }

    /// Adds `factor` times another offer.
    fn add(&mut self, other: &Self, factor: f64) {
        for &(group, share) in &other.shares {
            let more = share * factor;
            match self.shares.iter_mut().find(|(known, _)| *known == group) {
                Some((_, share)) => *share += more,
                None if more > 0.0 => self.shares.push((group, more)),
                None => {}
            }
        }
    }

    /// The same groups in the same proportions, with this sum; nothing stays nothing.
    pub(super) fn scaled(mut self, sum: f64) -> Self {
        let was = self.availability();
        if was > 0.0 {
            for (_, share) in &mut self.shares {
                *share *= sum / was;
            }
        }
        self
    }
}

/// What a class of clients is to the nodes of one tree that look at the client.
///
/// The default knows nothing of the client: no geolocation rule matches, and latency and
/// geoproximity share among all their regions by weight.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Class {
    /// For a geolocation node: its matching rules, most specific first.
    pub chains: Vec<(NodeId, Vec<usize>)>,
    /// For a latency or geoproximity node: the positions of its members, in bands, nearest first.
    pub bands: Vec<(NodeId, Vec<Vec<usize>>)>,
}

/// Watches a walk. Serving watches with `()`, which costs nothing.
pub trait Trace {
    /// A node was walked and made this offer.
    fn offered(&mut self, node: NodeId, offer: &Offer);
}

impl Trace for () {
    fn offered(&mut self, _: NodeId, _: &Offer) {}
}

/// One walk over a tree: for one class of clients, one family, one reading of health.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) tree: &'a Tree,
    pub(super) family: Family,
    pub(super) class: &'a Class,
    pub(super) health: &'a Health,
    pub(super) reading: Reading,
}

impl Walk<'_> {
    /// The offer of a node, when the pools in `used` have been offered before.
    pub(super) fn offer(&self, id: NodeId, used: &[Slot], trace: &mut impl Trace) -> Offer {
        let offer = match self.tree.node(id) {
            Node::Region(slot) => self.region(*slot, used),
            Node::Weighted { members } => self.group(members, used, trace),
            Node::Failover { tiers, spill: false, missing } => tiers
                .iter()
                .map(|tier| self.tier(tier, *missing, used, trace))
                .find(|offer| offer.availability() > 0.0)
                .unwrap_or_default()
                .scaled(1.0),
            Node::Failover { tiers, spill: true, missing } => {
                self.fill(tiers, used, |tier, used| self.tier(tier, *missing, used, trace))
            }
            Node::Geolocation { rules, default, fence, missing } => {
                let mut chain: Vec<NodeId> =
                    self.chain(id).iter().filter_map(|&rule| Some(rules.get(rule)?.to)).collect();
                if chain.is_empty() && default.is_none() {
                    return Offer::one(Group::Nodata, 1.0);
                }
                chain.extend(*default);
                match chain.first() {
                    Some(&first) if *fence => self.fenced(first, trace),
                    _ => self
                        .fill(&chain, used, |&node, used| self.placed(node, *missing, used, trace)),
                }
            }
            Node::Latency { members, missing, .. } => {
                let bands = self.bands(id, members, |member| *member);
                self.fill(&bands, used, |band, used| self.tier(band, *missing, used, trace))
            }
            Node::Geoproximity { members, missing, .. } => {
                let bands = self.bands(id, members, |(member, _)| *member);
                self.fill(&bands, used, |band, used| self.tier(band, *missing, used, trace))
            }
            Node::Multivalue { members, ring, .. } => {
                let best = members
                    .iter()
                    .filter(|slot| !used.contains(slot))
                    .map(|&slot| self.level(slot).1)
                    .fold(0.0, f64::max);
                Offer::one(Group::Slot(*ring), best)
            }
        };
        trace.offered(id, &offer);
        offer
    }

    /// Whether no pool at or below a node has any address of the family.
    pub(super) fn lacks_family(&self, id: NodeId) -> bool {
        let all = |members: &[Member]| members.iter().all(|m| self.lacks_family(m.node));
        match self.tree.node(id) {
            Node::Region(slot) => !self.level(*slot).0,
            Node::Weighted { members } | Node::Latency { members, .. } => all(members),
            Node::Failover { tiers, .. } => tiers.iter().all(|tier| all(tier)),
            Node::Geolocation { rules, default, .. } => {
                let mut to = rules.iter().map(|rule| &rule.to).chain(default);
                to.all(|&node| self.lacks_family(node))
            }
            Node::Geoproximity { members, .. } => {
                members.iter().all(|(member, _)| self.lacks_family(member.node))
            }
            Node::Multivalue { members, .. } => members.iter().all(|&slot| !self.level(slot).0),
        }
    }

    fn region(&self, slot: Slot, used: &[Slot]) -> Offer {
        let h = if used.contains(&slot) { 0.0 } else { self.level(slot).1 };
        Offer::one(Group::Slot(slot), h)
    }

    /// Members shared by weight: those of positive weight, or when they have nothing, the
    /// standbys. The healthy take over from the unhealthy in proportion to weight. A member
    /// without any address of the family is left out, a policy no less than a region.
    fn group(&self, members: &[Member], used: &[Slot], trace: &mut impl Trace) -> Offer {
        for standby in [false, true] {
            let (mut sum, mut best) = (Offer::default(), 0.0_f64);
            for member in members.iter().filter(|m| m.weight.is_standby() == standby) {
                if self.lacks_family(member.node) {
                    continue;
                }
                let offer = self.offer(member.node, used, trace);
                let weight = if standby { 1.0 } else { f64::from(member.weight.0) };
                sum.add(&offer, weight);
                best = best.max(offer.availability());
            }
            if best > 0.0 {
                return sum.scaled(best);
            }
        }
        Offer::default()
    }

    /// A group that keeps its place when none of its members has the family.
    fn tier(
        &self,
        members: &[Member],
        missing: MissingFamily,
        used: &[Slot],
        trace: &mut impl Trace,
    ) -> Offer {
        if members.iter().all(|member| self.lacks_family(member.node)) {
            let other = self.other_family().group(members, used, &mut ());
            return Self::in_place_of(&other, missing);
        }
        self.group(members, used, trace)
    }

    /// A node that keeps its place when it has no address of the family.
    fn placed(
        &self,
        node: NodeId,
        missing: MissingFamily,
        used: &[Slot],
        trace: &mut impl Trace,
    ) -> Offer {
        if self.lacks_family(node) {
            return Self::in_place_of(&self.other_family().offer(node, used, &mut ()), missing);
        }
        self.offer(node, used, trace)
    }

    /// What stands in for an offer that only the other family has.
    fn in_place_of(other: &Offer, missing: MissingFamily) -> Offer {
        match missing {
            MissingFamily::Nodata => Offer::one(Group::Nodata, other.availability()),
            MissingFamily::Skip => Offer::default(),
        }
    }

    fn other_family(&self) -> Self {
        Self { family: self.family.other(), ..*self }
    }

    /// Inside a fence the all-down rules apply as at a root, so its availability is always 1.
    fn fenced(&self, node: NodeId, trace: &mut impl Trace) -> Offer {
        let settled = self.settle(node, trace);
        if settled.offer.shares.is_empty() {
            return Offer::one(Group::Nodata, 1.0);
        }
        settled.offer
    }

    fn fill<T>(
        &self,
        parts: &[T],
        used: &[Slot],
        mut offer: impl FnMut(&T, &[Slot]) -> Offer,
    ) -> Offer {
        let mut used = used.to_vec();
        let (mut sum, mut left) = (Offer::default(), 1.0);
        for part in parts {
            let next = offer(part, &used);
            sum.add(&next, left);
            left *= 1.0 - next.availability().min(1.0);
            if left <= f64::EPSILON {
                break;
            }
            for (group, _) in next.shares {
                self.mark_used(group, &mut used);
            }
        }
        sum
    }

    fn mark_used(&self, group: Group, used: &mut Vec<Slot>) {
        let Group::Slot(slot) = group else { return };
        used.push(slot);
        for node in &self.tree.nodes {
            match &node.node {
                Node::Multivalue { members, ring, .. } if *ring == slot => used.extend(members),
                _ => {}
            }
        }
    }

    fn chain(&self, id: NodeId) -> &[usize] {
        self.class.chains.iter().find(|(node, _)| *node == id).map_or(&[], |(_, chain)| chain)
    }

    fn bands<T>(&self, id: NodeId, members: &[T], of: impl Fn(&T) -> Member) -> Vec<Vec<Member>> {
        match self.class.bands.iter().find(|(node, _)| *node == id) {
            Some((_, bands)) => bands
                .iter()
                .map(|band| band.iter().filter_map(|&at| members.get(at)).map(&of).collect())
                .collect(),
            None => vec![members.iter().map(of).collect()],
        }
    }

    /// Whether a slot has the family, and its health factor.
    fn level(&self, slot: Slot) -> (bool, f64) {
        let level = levels::of(self.health.levels(self.reading), slot);
        (level.has[self.family.index()], level.h[self.family.index()])
    }

    /// The regions of a ring that take part in it under this reading.
    pub(super) fn ring(&self, members: &[Slot]) -> Vec<Slot> {
        members.iter().copied().filter(|&slot| self.level(slot).1 > 0.0).collect()
    }
}
