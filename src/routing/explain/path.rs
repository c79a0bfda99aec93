//! From what a walk told to the path that people read: names, shares, and what came of each node.

use std::time::Duration;

use crate::model::{
    Endpoint, Family, Forced, Forcing, Member, Node, NodeId, Region, Slot, Tree, Weight,
};
use crate::routing::distribution::RingOf;
use crate::routing::inputs::PoolStanding;
use crate::routing::levels::Stands;
use crate::routing::offer::Class;
use crate::routing::places::Classified;

use super::explanation::{Forcibly, Kind, Outcome, Part, ShiftedTo, Step};
use super::recorder::{Asked, Visit};

/// What the nodes of a path are named and measured by.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) tree: &'a Tree,
    pub(super) family: Family,
    pub(super) class: &'a Class,
    /// What led to the class, unless that differs within the client's prefix.
    pub(super) classified: Option<&'a Classified>,
    /// Where what each of the tree's slots serves is from.
    pub(super) endpoints: &'a [Option<&'a Endpoint>],
    /// The pools in the tree's slots.
    pub(super) pools: &'a [Option<&'a PoolStanding>],
    /// This nameserver's own round-trip times, by region.
    pub(super) rtts: &'a [Option<Duration>],
    /// What is forced on the tree's slots; empty when nothing is.
    pub(super) forcings: &'a [Forcing],
    /// A pool of which more than this is drained counts as drained.
    pub(super) cut: f64,
    /// Which slots are answered for by others.
    pub(super) stands: &'a Stands,
    /// The regions in the tree's rings, as they are served.
    pub(super) rings: &'a [RingOf],
    /// The regions, which slots name.
    pub(super) regions: &'a [Region],
}

impl Path<'_> {
    /// The path from the root, to which so much of the answers goes.
    pub(super) fn root(&self, asked: &Asked, share: f64) -> Option<Step> {
        let (visit, _) = asked.visits.last()?;
        Some(self.step(visit, if visit.offer.shares.is_empty() { 0.0 } else { share }))
    }

    fn step(&self, visit: &Visit, share: f64) -> Step {
        let mut step = self.unasked(visit.node, Outcome::Used);
        step.share = share;
        if visit.offer.shares.is_empty() {
            let used = |place: &Slot| visit.used.contains(&self.stands.at(*place));
            let region = self.answers(visit.node);
            step.outcome = match self.tree.node(visit.node) {
                _ if visit.too_few => Outcome::TooFew,
                _ if region.is_some_and(|slot| self.pool(slot).is_none()) => Outcome::NoPart,
                Node::Region(place) if used(place) => Outcome::OfferedBefore,
                _ if region.is_some_and(|slot| !self.has_family(slot)) => Outcome::NoAddress,
                Node::Multivalue { members, .. } if members.iter().all(used) => {
                    Outcome::OfferedBefore
                }
                _ => Outcome::Down,
            };
        }
        let whole: f64 = visit.parts.iter().map(|part| part.takes).sum();
        let asked = |at: usize| {
            let asked = visit.parts.iter().find(|part| part.at == at);
            let takes = asked.map_or(0.0, |part| part.takes);
            (asked, if takes > 0.0 { share * takes / whole } else { 0.0 })
        };
        step.parts = match self.tree.node(visit.node) {
            Node::Region(_) => Vec::new(),
            Node::Multivalue { ring, .. } => {
                step.ring = self.ring(*ring).iter().map(|slot| self.slot_name(*slot)).collect();
                Vec::new()
            }
            Node::Weighted { members } => vec![self.group(Kind::Members, members, asked(0), None)],
            Node::Failover { tiers, .. } => (tiers.iter().enumerate())
                .map(|(at, tier)| self.group(Kind::Tier(at + 1), tier, asked(at), None))
                .collect(),
            Node::Latency { .. } | Node::Geoproximity { .. } => {
                let (bands, by_figures) = visit.bands.clone().unwrap_or_default();
                step.compared = self.compared(visit.node, by_figures);
                let band = |(at, band): (usize, &Vec<Member>)| {
                    self.group(Kind::Band(at + 1), band, asked(at), Some(visit.node))
                };
                bands.iter().enumerate().map(band).collect()
            }
            Node::Geolocation { default, fence, .. } => {
                let links = self.links(visit.node, *default);
                let count = if *fence { 1 } else { links.len() };
                (links.into_iter().take(count).enumerate())
                    .map(|(at, (kind, node))| self.link(kind, node, asked(at)))
                    .collect()
            }
        };
        step
    }

    /// A node that was not walked.
    pub(super) fn unasked(&self, node: NodeId, outcome: Outcome) -> Step {
        let region = self.answers(node);
        let pool = region.map(|slot| self.pool(slot));
        let own = self.tree.nodes.get(node.0 as usize);
        let own = own.and_then(|node| Some(node.name.as_ref()?.to_string()));
        let (name, in_place_of) = match (self.tree.node(node), region) {
            (Node::Region(place), Some(by)) if by != *place => (Some(self.slot_name(by)), own),
            _ => (own, None),
        };
        let health = pool.flatten().map(|pool| pool.family(self.family).h);
        let outcome =
            if pool.is_some_and(|pool| pool.is_none()) { Outcome::NoPart } else { outcome };
        Step {
            name,
            in_place_of,
            policy: self.tree.node(node).label().into(),
            share: 0.0,
            outcome,
            weight: None,
            health,
            forced: region.and_then(|slot| told(self.forcing(slot).forced(self.cut))),
            figure: None,
            compared: None,
            ring: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// A part whose members share by weight.
    fn group(
        &self,
        kind: Kind,
        members: &[Member],
        (asked, share): (Option<&Asked>, f64),
        measured: Option<NodeId>,
    ) -> Part {
        let visits = asked.map_or(&[][..], |asked| &asked.visits);
        let total: f64 = visits.iter().filter_map(|(_, counts)| *counts).sum();
        let lacks = asked.is_some_and(|asked| asked.lacks.is_some());
        let member = |(at, member): (usize, &Member)| {
            // What stands twice in a group was walked twice.
            let before = members.iter().take(at).filter(|m| m.node == member.node).count();
            let visited = visits.iter().filter(|(visit, _)| visit.node == member.node).nth(before);
            let mut step = match (visited, asked) {
                (Some((visit, counts)), _) => {
                    let counts = counts.unwrap_or_default();
                    self.step(visit, if counts > 0.0 { share * counts / total } else { 0.0 })
                }
                (None, None) => self.unasked(member.node, Outcome::NotNeeded),
                (None, Some(asked)) if lacks || asked.left_out.contains(&member.node) => {
                    self.unasked(member.node, Outcome::NoAddress)
                }
                (None, Some(_)) => self.unasked(member.node, Outcome::StandsBy),
            };
            step.weight = Some(self.weight(member).0);
            step.figure = measured.and_then(|node| self.figure(node, member.node));
            step
        };
        self.part(kind, asked, share, members.iter().enumerate().map(member).collect())
    }

    /// A link in a chain of rules; without a node it is an empty answer.
    fn link(
        &self,
        kind: Kind,
        node: Option<NodeId>,
        (asked, share): (Option<&Asked>, f64),
    ) -> Part {
        let visited = asked.and_then(|asked| asked.visits.last());
        let member = match (visited, node) {
            (Some((visit, _)), _) => {
                let share = if visit.offer.shares.is_empty() { 0.0 } else { share };
                Some(self.step(visit, share))
            }
            (None, Some(node)) => {
                let left_out = asked.is_some();
                let outcome = if left_out { Outcome::NoAddress } else { Outcome::NotNeeded };
                Some(self.unasked(node, outcome))
            }
            (None, None) => None,
        };
        self.part(kind, asked, share, member.into_iter().collect())
    }

    fn part(&self, kind: Kind, asked: Option<&Asked>, share: f64, members: Vec<Step>) -> Part {
        let outcome = match asked {
            None => Outcome::NotNeeded,
            Some(asked) if asked.takes > 0.0 => Outcome::Used,
            Some(asked) if asked.lacks.is_some() => Outcome::NoAddress,
            Some(_) => Outcome::Down,
        };
        // What no member gives of a part that is used is an empty answer.
        let below = members.iter().any(|member| member.share > 0.0);
        let nodata = if below { 0.0 } else { share };
        Part { part: kind, outcome, share, nodata, reason: asked.and_then(|a| a.settled), members }
    }

    /// What a member weighs. It is a matter of the place, whoever answers there.
    fn weight(&self, member: &Member) -> Weight {
        let forced = match self.tree.node(member.node) {
            Node::Region(slot) => self.forcing(*slot).weight,
            _ => None,
        };
        forced.unwrap_or(member.weight)
    }

    /// The slot that answers where a node is a region.
    fn answers(&self, node: NodeId) -> Option<Slot> {
        match self.tree.node(node) {
            Node::Region(place) => Some(self.stands.at(*place)),
            _ => None,
        }
    }

    /// What is forced on a slot.
    pub(super) fn forcing(&self, slot: Slot) -> Forcing {
        self.forcings.get(slot.index()).copied().unwrap_or_default()
    }

    /// Who answers in the place of a slot's region, and in which part of the answers.
    pub(super) fn shifted(&self, slot: Slot) -> Option<ShiftedTo> {
        let shifted = self.forcing(slot).shifted.filter(|shifted| shifted.part > 0.0)?;
        let by = self.tree.slots.iter().position(|region| *region == shifted.to)?;
        let by = Slot(u16::try_from(by).ok()?);
        (self.pool(slot).is_some() && self.pool(by).is_some())
            .then(|| ShiftedTo { to: self.slot_name(by), part: shifted.part })
    }

    /// The regions in a ring.
    pub(super) fn ring(&self, ring: Slot) -> &[Slot] {
        let at = ring.index().checked_sub(self.tree.slots.len());
        at.and_then(|at| self.rings.get(at)).map_or(&[], |ring| ring.members.as_slice())
    }

    pub(super) fn slot_name(&self, slot: Slot) -> String {
        let region = self.tree.slots.get(slot.index());
        let region = region.and_then(|region| self.regions.get(region.index()));
        region.map_or_else(String::new, |region| region.name.to_string())
    }

    pub(super) fn endpoint(&self, slot: Slot) -> Option<&Endpoint> {
        self.endpoints.get(slot.index()).copied().flatten()
    }

    pub(super) fn pool(&self, slot: Slot) -> Option<&PoolStanding> {
        self.pools.get(slot.index()).copied().flatten()
    }

    fn has_family(&self, slot: Slot) -> bool {
        self.pool(slot).is_some_and(|pool| pool.family(self.family).count > 0)
    }
}

/// A forced state as it is told.
pub(super) const fn told(forced: Forced) -> Option<Forcibly> {
    match forced {
        Forced::No => None,
        Forced::Up => Some(Forcibly::Up),
        Forced::Drained => Some(Forcibly::Drained),
        Forced::Down => Some(Forcibly::Down),
    }
}
