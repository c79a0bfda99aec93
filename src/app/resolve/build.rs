//! Policy trees from plans: one for each root and what it does when all is down.

use std::collections::HashMap;
use std::sync::Arc;

use super::Resolver;
use super::names::{AllDown, Named};
use super::policies::Plan;
use crate::config::Sharing;
use crate::model::{
    GeoKeys, GeoRule, Member, Node, NodeId, OnAllDown, PolicyNode, RegionId, Slot, Tree, TreeId,
    Weight,
};

/// Where a record's answers start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// Every region, shared so.
    Every(Sharing),
    /// A region or a policy.
    Named(Named),
}

impl Resolver<'_> {
    /// The tree of a root, built when it is asked for first. Only for plans without circles.
    pub(super) fn tree(&mut self, root: Root, all_down: AllDown) -> TreeId {
        if let Some(id) = self.trees.get(&(root, all_down)) {
            return *id;
        }
        let mut builder = Builder {
            resolver: self,
            nodes: Vec::new(),
            slots: Vec::new(),
            slot_of: HashMap::new(),
            built: HashMap::new(),
            sticky: false,
        };
        let root_node = match root {
            Root::Named(named) => builder.named(named),
            Root::Every(sharing) => {
                let plan = Plan::plain(sharing, &builder.resolver.every_region());
                let node = builder.policy(&plan);
                builder.push(Some(sharing.word().into()), node, 0)
            }
        };
        let on_all_down = match all_down {
            AllDown::Open => OnAllDown::Open,
            AllDown::Closed => OnAllDown::Closed,
            AllDown::LastGood => OnAllDown::LastGood,
            AllDown::Instead(named) => OnAllDown::Instead(builder.named(named)),
        };
        let tree = builder.finish(root_node, on_all_down);
        let id = TreeId(number(self.out.trees.len()));
        self.out.trees.push(tree);
        self.trees.insert((root, all_down), id);
        id
    }
}

/// A tree that is being built. What stands in it several times is one node.
struct Builder<'a, 'b> {
    resolver: &'a Resolver<'b>,
    nodes: Vec<PolicyNode>,
    slots: Vec<RegionId>,
    slot_of: HashMap<RegionId, Slot>,
    built: HashMap<Named, NodeId>,
    sticky: bool,
}

impl Builder<'_, '_> {
    /// The tree. Rings get their slots behind those of the regions, in the order of the nodes.
    fn finish(self, root: NodeId, on_all_down: OnAllDown) -> Tree {
        let Self { mut nodes, slots, sticky, .. } = self;
        let rings = nodes.iter_mut().filter_map(|node| match &mut node.node {
            Node::Multivalue { ring, .. } => Some(ring),
            _ => None,
        });
        for (at, ring) in (slots.len()..).zip(rings) {
            *ring = slot(at);
        }
        Tree { nodes, root, on_all_down, slots, sticky }
    }

    fn push(&mut self, name: Option<Arc<str>>, node: Node, min_up: u16) -> NodeId {
        self.nodes.push(PolicyNode { name, node, min_up });
        NodeId(number(self.nodes.len() - 1))
    }

    fn named(&mut self, named: Named) -> NodeId {
        if let Some(id) = self.built.get(&named) {
            return *id;
        }
        let (name, node, min_up) = match named {
            Named::Region(region) => {
                let name = &self.resolver.config.regions[region.index()].name.value;
                (name, Node::Region(self.slot(region)), 0)
            }
            Named::Policy(at) => {
                let resolver = self.resolver;
                let policy = &resolver.config.policies[at];
                (&policy.name.value, self.policy(&resolver.plans[at]), policy.min_up)
            }
        };
        let id = self.push(Some(Arc::clone(name)), node, min_up);
        self.built.insert(named, id);
        id
    }

    /// The slot of a region, which stands once.
    fn slot(&mut self, region: RegionId) -> Slot {
        let next = slot(self.slots.len());
        let found = *self.slot_of.entry(region).or_insert(next);
        if found == next {
            self.slots.push(region);
        }
        found
    }

    fn policy(&mut self, plan: &Plan) -> Node {
        match plan {
            Plan::Weighted { members, sticky } => {
                self.sticky |= sticky;
                Node::Weighted { members: self.members(members) }
            }
            Plan::Failover { tiers, spill, missing } => {
                let tiers = tiers.iter().map(|tier| self.members(tier)).collect();
                Node::Failover { tiers, spill: *spill, missing: *missing }
            }
            Plan::Geolocation { rules, default, fence, missing } => {
                let rule = |(keys, to): &(GeoKeys, Named)| GeoRule {
                    keys: keys.clone(),
                    to: self.named(*to),
                };
                let rules = rules.iter().map(rule).collect();
                let default = default.map(|named| self.named(named));
                Node::Geolocation { rules, default, fence: *fence, missing: *missing }
            }
            Plan::Latency { members, tolerance, missing } => {
                let members = members.iter().map(|region| self.region(*region)).collect();
                Node::Latency { members, tolerance: *tolerance, missing: *missing }
            }
            Plan::Geoproximity { members, tolerance_km, missing } => {
                let member = |(region, bias): &(RegionId, i8)| (self.region(*region), *bias);
                let members = members.iter().map(member).collect();
                Node::Geoproximity { members, tolerance_km: *tolerance_km, missing: *missing }
            }
            Plan::Multivalue { members, max_answers } => {
                let members = members.iter().map(|region| self.slot(*region)).collect();
                let max_answers = *max_answers;
                // Numbered when all regions have their slots.
                Node::Multivalue { members, ring: Slot(u16::MAX), max_answers }
            }
        }
    }

    fn members(&mut self, members: &[(Named, Weight)]) -> Vec<Member> {
        members.iter().map(|&(named, weight)| Member { weight, node: self.named(named) }).collect()
    }

    /// A region with its own weight.
    fn region(&mut self, region: RegionId) -> Member {
        let weight = self.resolver.config.regions[region.index()].weight;
        Member { weight, node: self.named(Named::Region(region)) }
    }
}

/// A position as a slot. There are never more regions and rings than a slot can number: that is
/// refused before.
fn slot(position: usize) -> Slot {
    Slot(u16::try_from(position).unwrap_or(u16::MAX))
}

/// A position as a number of an id. There are never more things than bytes in a configuration.
pub(super) fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
