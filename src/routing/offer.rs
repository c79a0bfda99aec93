//! The algebra of offers: what each node of a policy tree makes of health, for one class of
//! clients and one address family.
//!
//! An offer is a set of (answer group, share) whose sum is its *availability* `a`, 0 ≤ a ≤ 1. To
//! *fill* with a list of offers, each in turn takes the fraction aᵢ of what is left, and a pool
//! offered before offers nothing again. Nothing here knows why a level is what it is.

use std::time::Duration;

use crate::model::{Family, Member, MissingFamily, Node, NodeId, Slot, Tree, Weight};

use super::bands::bands_of;
use super::levels::{self, Health, Reading};
use super::settle::Reason;

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
    pub(super) fn one(group: Group, share: f64) -> Self {
        Self { shares: if share > 0.0 { vec![(group, share)] } else { Vec::new() } }
    }

    /// The sum of its shares.
    #[must_use]
    pub fn availability(&self) -> f64 {
        self.shares.iter().map(|(_, share)| share).sum()
    }

    /// Adds `factor` times another offer.
    pub(super) fn add(&mut self, other: &Self, factor: f64) {
        for &(group, share) in &other.shares {
            let more = share * factor;
            match self.shares.iter_mut().find(|(known, _)| *known == group) {
                Some((_, share)) => *share += more,
                None if more > 0.0 => self.shares.push((group, more)),
                None => {}
            }
        }
    }

    /// Whether a slot has a share.
    #[must_use]
    pub fn has(&self, slot: Slot) -> bool {
        self.shares.iter().any(|(group, _)| *group == Group::Slot(slot))
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
    /// For a geolocation node: its matching rules, most specific first; of rules that lead to the
    /// same, the first stands for all.
    pub chains: Vec<(NodeId, Vec<usize>)>,
    /// For a latency or geoproximity node: the positions of its members, in bands, nearest first.
    pub bands: Vec<(NodeId, Vec<Vec<usize>>)>,
}

/// Watches a walk. Serving watches with `()`, which costs nothing.
pub trait Trace {
    /// Something happened.
    #[inline]
    fn tell(&mut self, _: Event<'_>) {}
}

impl Trace for () {}

/// What happens on a walk. A walk is a nesting: a node has parts (a group of members, tiers, bands,
/// the links of a chain), and below a part other nodes are walked.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A node is walked; what follows until it `Leaves` is about it.
    Enters {
        /// The node.
        node: NodeId,
        /// How health is read.
        reading: Reading,
        /// The pools that have been offered before.
        used: &'a [Slot],
    },
    /// The members of the node in hand, in the order in which they are asked.
    Bands {
        /// The bands, the nearest first.
        bands: &'a [Vec<Member>],
        /// Whether figures made them; else all share one band by weight.
        by_figures: bool,
    },
    /// A part of the node in hand is asked, by its position; what follows until `Takes` is about it.
    Asks(usize),
    /// The member that was walked last counts so much within its part: its weight times what it
    /// offered.
    Counts(f64),
    /// A member is left out, for it has no address of the family.
    LeavesOut(NodeId),
    /// Nothing in the part has an address of the family; it keeps its place with an empty answer of
    /// this availability, or offers nothing.
    Lacks(f64),
    /// A root (or what is inside a fence) came to this; the nodes walked before the last one were
    /// tried in vain.
    Settles(Reason),
    /// Too few members of the node in hand offer anything: all of it counts as down.
    TooFew,
    /// The node in hand takes so much of its answers from the part.
    Takes(f64),
    /// The node in hand made this offer.
    Leaves(&'a Offer),
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
        trace.tell(Event::Enters { node: id, reading: self.reading, used });
        let offer = self.made(id, used, trace);
        trace.tell(Event::Leaves(&offer));
        offer
    }

    fn made(&self, id: NodeId, used: &[Slot], trace: &mut impl Trace) -> Offer {
        if self.too_few(id) {
            trace.tell(Event::TooFew);
            return Offer::default();
        }
        match self.tree.node(id) {
            Node::Region(slot) => self.region(self.stands(*slot), used),
            Node::Weighted { members } => {
                trace.tell(Event::Asks(0));
                let offer = self.group(members, used, trace);
                trace.tell(Event::Takes(offer.availability()));
                offer
            }
            Node::Failover { tiers, spill: false, missing } => {
                self.first(tiers, *missing, used, trace)
            }
            Node::Failover { tiers, spill: true, missing } => {
                let tier =
                    |tier: &Vec<_>, used: &[_], t: &mut _| self.tier(tier, *missing, used, t);
                self.fill(tiers, used, trace, tier)
            }
            Node::Geolocation { rules, default, fence, missing } => {
                let mut chain: Vec<NodeId> =
                    self.chain(id).iter().filter_map(|&rule| Some(rules.get(rule)?.to)).collect();
                if chain.is_empty() && default.is_none() {
                    trace.tell(Event::Asks(0));
                    trace.tell(Event::Takes(1.0));
                    return Offer::one(Group::Nodata, 1.0);
                }
                chain.extend(*default);
                match chain.first() {
                    Some(&first) if *fence => self.fenced(first, trace),
                    _ => self.fill(&chain, used, trace, |&node, used, trace| {
                        self.placed(node, *missing, used, trace)
                    }),
                }
            }
            Node::Latency { members, tolerance, missing } => {
                let own = || self.own_bands(members, *tolerance);
                let bands = self.bands(id, members, |member| *member, own, trace);
                self.fill(&bands, used, trace, |band, used, t| self.tier(band, *missing, used, t))
            }
            Node::Geoproximity { members, missing, .. } => {
                let bands = self.bands(id, members, |(member, _)| *member, || None, trace);
                self.fill(&bands, used, trace, |band, used, t| self.tier(band, *missing, used, t))
            }
            Node::Multivalue { members, ring, .. } => {
                let best = members
                    .iter()
                    .map(|slot| self.stands(*slot))
                    .filter(|slot| !used.contains(slot))
                    .map(|slot| self.level(slot).1)
                    .fold(0.0, f64::max);
                Offer::one(Group::Slot(*ring), best)
            }
        }
    }

    /// Whether so few members of a node offer anything that all of it counts as down. When all is down
    /// that is no matter any more.
    fn too_few(&self, id: NodeId) -> bool {
        let wanted = self.tree.min_up(id);
        if wanted == 0 || self.reading != Reading::Judged {
            return false;
        }
        let offers = |member: &&Member| {
            let node = member.node;
            !self.lacks_family(node) && !self.offer(node, &[], &mut ()).shares.is_empty()
        };
        let up = match self.tree.node(id) {
            Node::Weighted { members } | Node::Latency { members, .. } => {
                members.iter().filter(offers).count()
            }
            Node::Failover { tiers, .. } => tiers.iter().flatten().filter(offers).count(),
            Node::Geoproximity { members, .. } => {
                members.iter().map(|(member, _)| member).filter(offers).count()
            }
            Node::Multivalue { members, .. } => {
                let members = self.health.stands.all(members).into_iter();
                members.filter(|slot| self.level(*slot).1 > 0.0).count()
            }
            Node::Region(_) | Node::Geolocation { .. } => return false,
        };
        up < wanted
    }

    /// Whether no pool at or below a node has any address of the family.
    pub(super) fn lacks_family(&self, id: NodeId) -> bool {
        let all = |members: &[Member]| members.iter().all(|m| self.lacks_family(m.node));
        match self.tree.node(id) {
            Node::Region(slot) => !self.level(self.stands(*slot)).0,
            Node::Weighted { members } | Node::Latency { members, .. } => all(members),
            Node::Failover { tiers, .. } => tiers.iter().all(|tier| all(tier)),
            Node::Geolocation { rules, default, .. } => {
                let mut to = rules.iter().map(|rule| &rule.to).chain(default);
                to.all(|&node| self.lacks_family(node))
            }
            Node::Geoproximity { members, .. } => {
                members.iter().all(|(member, _)| self.lacks_family(member.node))
            }
            Node::Multivalue { members, .. } => {
                members.iter().all(|&slot| !self.level(self.stands(slot)).0)
            }
        }
    }

    fn region(&self, slot: Slot, used: &[Slot]) -> Offer {
        let h = if used.contains(&slot) { 0.0 } else { self.level(slot).1 };
        Offer::one(Group::Slot(slot), h)
    }

    /// The first tier that has anything, and only that.
    fn first(
        &self,
        tiers: &[Vec<Member>],
        missing: MissingFamily,
        used: &[Slot],
        trace: &mut impl Trace,
    ) -> Offer {
        for (at, tier) in tiers.iter().enumerate() {
            trace.tell(Event::Asks(at));
            let offer = self.tier(tier, missing, used, trace).scaled(1.0);
            trace.tell(Event::Takes(offer.availability()));
            if !offer.shares.is_empty() {
                return offer;
            }
        }
        Offer::default()
    }

    /// Members shared by weight: those of positive weight, or when they have nothing, the
    /// standbys. The healthy take over from the unhealthy in proportion to weight. A member
    /// without any address of the family is left out, a policy no less than a region.
    fn group(&self, members: &[Member], used: &[Slot], trace: &mut impl Trace) -> Offer {
        for standby in [false, true] {
            let (mut sum, mut best) = (Offer::default(), 0.0_f64);
            for member in members.iter().filter(|m| self.weight(m).is_standby() == standby) {
                if self.lacks_family(member.node) {
                    trace.tell(Event::LeavesOut(member.node));
                    continue;
                }
                let offer = self.offer(member.node, used, trace);
                let weight = if standby { 1.0 } else { f64::from(self.weight(member).0) };
                trace.tell(Event::Counts(weight * offer.availability()));
                sum.add(&offer, weight);
                best = best.max(offer.availability());
            }
            if best > 0.0 {
                return sum.scaled(best);
            }
        }
        Offer::default()
    }

    /// What a member weighs: a region what is forced on it, if anything is. Of one that another answers
    /// for, that is a matter of the place.
    fn weight(&self, member: &Member) -> Weight {
        let forced = match self.tree.node(member.node) {
            Node::Region(slot) => self.health.weights.get(slot.index()).copied().flatten(),
            _ => None,
        };
        forced.unwrap_or(member.weight)
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
            return Self::in_place_of(&other, missing, trace);
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
            let other = self.other_family().offer(node, used, &mut ());
            return Self::in_place_of(&other, missing, trace);
        }
        self.offer(node, used, trace)
    }

    /// What stands in for an offer that only the other family has.
    fn in_place_of(other: &Offer, missing: MissingFamily, trace: &mut impl Trace) -> Offer {
        let offer = match missing {
            MissingFamily::Nodata => Offer::one(Group::Nodata, other.availability()),
            MissingFamily::Skip => Offer::default(),
        };
        trace.tell(Event::Lacks(offer.availability()));
        offer
    }

    fn other_family(&self) -> Self {
        Self { family: self.family.other(), ..*self }
    }

    /// Inside a fence the all-down rules apply as at a root, so its availability is always 1.
    fn fenced(&self, node: NodeId, trace: &mut impl Trace) -> Offer {
        trace.tell(Event::Asks(0));
        let settled = self.settle(node, trace);
        trace.tell(Event::Takes(1.0));
        if settled.offer.shares.is_empty() {
            return Offer::one(Group::Nodata, 1.0);
        }
        settled.offer
    }

    fn fill<T, R: Trace>(
        &self,
        parts: &[T],
        used: &[Slot],
        trace: &mut R,
        offer: impl Fn(&T, &[Slot], &mut R) -> Offer,
    ) -> Offer {
        let mut used = used.to_vec();
        let (mut sum, mut left) = (Offer::default(), 1.0);
        for (at, part) in parts.iter().enumerate() {
            trace.tell(Event::Asks(at));
            let next = offer(part, &used, trace);
            trace.tell(Event::Takes(left * next.availability().min(1.0)));
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
                Node::Multivalue { members, ring, .. } if *ring == slot => {
                    used.extend(members.iter().map(|slot| self.stands(*slot)));
                }
                _ => {}
            }
        }
    }

    fn chain(&self, id: NodeId) -> &[usize] {
        self.class.chains.iter().find(|(node, _)| *node == id).map_or(&[], |(_, chain)| chain)
    }

    /// The members in bands: those of the class, else the `own` ones of this nameserver, else all in
    /// one.
    fn bands<T>(
        &self,
        id: NodeId,
        members: &[T],
        of: impl Fn(&T) -> Member,
        own: impl Fn() -> Option<Vec<Vec<usize>>>,
        trace: &mut impl Trace,
    ) -> Vec<Vec<Member>> {
        let known = self.class.bands.iter().find(|(node, _)| *node == id);
        let own = if known.is_none() { own() } else { None };
        let figures = known.map(|(_, bands)| bands).or(own.as_ref());
        let bands: Vec<Vec<Member>> = match figures {
            Some(bands) => bands
                .iter()
                .map(|band| band.iter().filter_map(|&at| members.get(at)).map(&of).collect())
                .collect(),
            None => vec![members.iter().map(of).collect()],
        };
        trace.tell(Event::Bands { bands: &bands, by_figures: figures.is_some() });
        bands
    }

    /// Bands by this nameserver's own round-trip times, if it knows those of all members.
    fn own_bands(&self, members: &[Member], tolerance: Duration) -> Option<Vec<Vec<usize>>> {
        let figure = |member: &Member| match self.tree.node(member.node) {
            Node::Region(slot) => self
                .health
                .rtts
                .get(self.stands(*slot).index())
                .copied()
                .flatten()
                .map(|rtt| rtt.as_nanos() as f64),
            _ => None,
        };
        let figures: Vec<f64> = members.iter().map(figure).collect::<Option<_>>()?;
        Some(bands_of(&figures, tolerance.as_nanos() as f64))
    }

    /// What answers in a slot's place.
    pub(super) fn stands(&self, place: Slot) -> Slot {
        self.health.stands.at(place)
    }

    /// Whether a slot has the family, and its health factor.
    fn level(&self, slot: Slot) -> (bool, f64) {
        let level = levels::of(self.health.levels(self.reading), slot);
        (level.has[self.family.index()], level.h[self.family.index()])
    }

    /// The regions of a ring that take part in it under this reading.
    pub(super) fn ring(&self, members: &[Slot]) -> Vec<Slot> {
        let mut members = self.health.stands.all(members);
        members.retain(|slot| self.level(*slot).1 > 0.0);
        members
    }
}
